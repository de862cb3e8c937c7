//! Settings as they are given, and the errors as they are read.

use std::path::Path;

use super::{ALL, Given, Settings};

fn given(flags: &[(&'static str, &str)], variables: &[(&str, &str)], file: &str) -> Given {
    let mut given = Given::default();
    for (key, value) in flags {
        given.flag(key, Some(&(*value).to_owned()));
    }
    given.environment(variables.iter().map(|(name, value)| ((*name).into(), (*value).into()))).unwrap();
    given.file(Path::new("liaison.toml"), file).unwrap();
    given
}

fn problems(given: &Given) -> String {
    let errors = Settings::read(given).expect_err("these settings are wrong");
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_in_force_by_default_can_be_read() {
    let settings = Settings::read(&Given::default()).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.limits.body, 30 * 1024 * 1024);
    assert_eq!(settings.limits.page, 500);
    assert_eq!(settings.zone.iana_name(), Some("Europe/Paris"));
}

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\nmax_page = 7\n";
    let variables = [("LIAISON_LISTEN", "127.0.0.1:2"), ("PATH", "/bin")];
    assert_eq!(given(&[("listen", "127.0.0.1:3")], &variables, file).get("listen").0, "127.0.0.1:3");
    assert_eq!(given(&[], &variables, file).get("listen").0, "127.0.0.1:2");
    assert_eq!(given(&[], &[], file).get("listen").0, "127.0.0.1:1");
    assert_eq!(Settings::read(&given(&[], &variables, file)).unwrap().limits.page, 7);
}

#[test]
fn an_error_names_the_setting_the_place_and_the_remedy() {
    let wrong = given(&[("listen", "8080")], &[("LIAISON_TIME_ZONE", "Paris")], "\nmax_body = \"many\"\n");
    assert_eq!(
        problems(&wrong),
        "--listen: listen cannot be \"8080\": write an address and a port, such as 127.0.0.1:8080 or [::1]:8080\n\
         LIAISON_TIME_ZONE in the environment: time_zone cannot be \"Paris\": write the name of a zone, such as \
         Europe/Paris or Indian/Reunion\n\
         liaison.toml, line 2: max_body cannot be \"many\": write a number of bytes, such as 30MB or 512KB"
    );
}

#[test]
fn without_login_only_a_loopback_address_is_served() {
    for (address, refused) in [
        ("127.0.0.1:0", false),
        ("[::1]:80", false),
        ("localhost:80", false),
        ("0.0.0.0:80", true),
        ("192.168.1.4:80", true),
    ] {
        assert_eq!(Settings::read(&given(&[("listen", address)], &[], "")).is_err(), refused, "{address}");
    }
    let open = problems(&given(&[("listen", "0.0.0.0:8080"), ("auth", "off")], &[], ""));
    assert!(open.starts_with("--listen: with auth = off") && open.contains("127.0.0.1:8080"), "{open}");
}

#[test]
fn login_without_all_it_needs_is_refused_and_never_taken_for_none() {
    let oidc = problems(&given(&[("auth", "oidc")], &[], ""));
    for key in ["oidc_issuers", "oidc_audience", "public_url"] {
        assert!(oidc.contains(key), "{key}: {oidc}");
    }
    let whole = [
        ("auth", "oidc"),
        ("oidc_issuers", "https://idp.example"),
        ("oidc_audience", "liaison"),
        ("public_url", "https://cahier.example"),
        ("listen", "0.0.0.0:8080"),
    ];
    assert!(Settings::read(&given(&whole, &[], "")).is_ok());
}

#[test]
fn mail_is_sent_where_people_sign_in_by_a_server_and_from_somebody() {
    let mail = |auth: &'static str, address: &str, server: &str, from: &str| {
        let given = given(
            &[
                ("auth", auth),
                ("oidc_issuers", "https://idp.example"),
                ("oidc_audience", "liaison"),
                ("public_url", address),
                ("smtp_url", server),
                ("mail_from", from),
            ],
            &[],
            "",
        );
        Settings::read(&given).map(|settings| settings.mail.is_some()).map_err(|errors| errors[0].to_string())
    };
    let (here, server, from) = ("https://cahier.example", "smtp://u:hunter2@mail.example:587", "Liaison <a@b.example>");
    assert_eq!(mail("oidc", here, "", ""), Ok(false));
    assert_eq!(mail("oidc", here, server, from), Ok(true));
    for (auth, address, server, from, key) in [
        ("oidc", here, "", from, "smtp_url"),
        ("oidc", here, "https://u:hunter2@mail.example", from, "smtp_url"),
        ("oidc", here, server, "", "mail_from"),
        ("oidc", here, server, "Liaison", "mail_from"),
        ("oidc", "http://cahier.example", server, from, "public_url"),
        ("off", here, server, from, "smtp_url"),
    ] {
        let problem = mail(auth, address, server, from).unwrap_err();
        assert!(problem.contains(key) && !problem.contains("hunter2"), "{key}: {problem}");
    }
}

#[test]
fn an_unknown_key_of_the_file_is_an_error_with_its_line_and_a_hint() {
    let error = Given::default().file(Path::new("a.toml"), "listen = \"x\"\nmax_boddy = 3\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.toml, line 2: unknown setting \"max_boddy\" (did you mean max_body?); `liaison doctor` lists those there are"
    );
    let error = Given::default().file(Path::new("a.toml"), "listen = \n").unwrap_err();
    assert!(error.to_string().starts_with("a.toml, line 1: not TOML:"), "{error}");
    let error = Given::default().file(Path::new("a.toml"), "listen = [1]\n").unwrap_err();
    assert_eq!(error.to_string(), "a.toml, line 1: listen: write a text or a whole number");
}

#[test]
fn an_unknown_variable_is_told_and_stops_nothing() {
    let given = given(&[], &[("LIAISON_SERVICE_HOST", "10.0.0.1"), ("LIAISON_LISTENN", "x")], "");
    assert_eq!(given.unknown_variables, ["LIAISON_SERVICE_HOST", "LIAISON_LISTENN"]);
    assert!(Settings::read(&given).is_ok());
}

#[test]
fn any_setting_can_be_a_flag() {
    let mut given = Given::default();
    given.set_flags(&["max_page=20".into(), "query_time=500ms".into()]).unwrap();
    let settings = Settings::read(&given).unwrap();
    assert_eq!((settings.limits.page, settings.limits.query_time.as_millis()), (20, 500));
    let error = given.set_flags(&["max_pages=20".into()]).unwrap_err();
    assert!(error.to_string().contains("did you mean max_page?"), "{error}");
    assert!(given.set_flags(&["max_page".into()]).is_err());
}

#[test]
fn a_public_address_is_an_address_and_nothing_more() {
    for good in ["https://cahier.example.org", "http://127.0.0.1:8080/", "https://example.org/liaison"] {
        assert!(Settings::read(&given(&[("public_url", good)], &[], "")).is_ok(), "{good}");
    }
    for bad in ["cahier.example.org", "https://", "https://a b", "https://a/?x=1", "https://a/\"onload", "ftp://a"] {
        assert!(Settings::read(&given(&[("public_url", bad)], &[], "")).is_err(), "{bad}");
    }
}

#[test]
fn every_setting_is_documented_for_operators() {
    let page = include_str!("../../../../docs/operators/settings.md");
    for setting in ALL {
        let row = format!("| `{}` | `{}` |", setting.key, setting.default);
        let row = if setting.default.is_empty() { format!("| `{}` | |", setting.key) } else { row };
        assert!(page.contains(&row), "docs/operators/settings.md lacks the row {row}");
    }
}
