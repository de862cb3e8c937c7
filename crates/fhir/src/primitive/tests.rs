use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

#[track_caller]
fn allowed(primitive: Primitive, values: &[&str]) {
    for value in values {
        assert_eq!(check(primitive, value), Ok(()), "{value:?}");
    }
}

#[track_caller]
fn refused(primitive: Primitive, values: &[&str]) {
    for value in values {
        assert!(check(primitive, value).is_err(), "{value:?}");
    }
}

#[test]
fn dates_are_days_of_the_calendar() {
    allowed(Primitive::Date, &["0001", "1950", "9999-12", "1950-02-28", "2000-02-29", "2024-02-29", "1950-12-31"]);
    refused(
        Primitive::Date,
        &[
            "",
            "195",
            "19500",
            "0000",
            "0000-01-01",
            "-0001",
            "1950-1",
            "1950-13",
            "1950-00",
            "1950-13-45",
            "1950-02-29",
            "1900-02-29",
            "1950-04-31",
            "1950-01-00",
            "1950-01-1",
            "1950-01-01T00:00:00Z",
            "1950/01/01",
            " 1950",
            "1950 ",
            "１９５０",
            "1950-",
            "1950-01-",
        ],
    );
    assert!(check(Primitive::Date, "1950-13-45").unwrap_err().fr.contains("calendrier"));
}

#[test]
fn a_time_needs_seconds_and_a_zone() {
    for primitive in [Primitive::DateTime, Primitive::Instant] {
        allowed(
            primitive,
            &[
                "2024-05-01T10:00:00Z",
                "2024-05-01T10:00:00.1+02:00",
                "2024-05-01T23:59:60Z",
                "2024-05-01T00:00:00.123456789123-14:00",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59+14:00",
            ],
        );
        refused(
            primitive,
            &[
                "2024-05-01T10:00Z",
                "2024-05-01T10:00:00",
                "2024-05-01T24:00:00Z",
                "2024-05-01T10:60:00Z",
                "2024-05-01T10:00:61Z",
                "2024-05-01T10:00:00.Z",
                "2024-05-01T10:00:00+14:01",
                "2024-05-01T10:00:00+02",
                "2024-05-01T10:00:00+0200",
                "2024-05-01T10:00:00+02:60",
                "2024-05-01 10:00:00Z",
                "2024-05-01T10:00:00z",
                "2024-05T10:00:00Z",
                "2024-05-01T",
                "2024-05-01T10:00:00ZZ",
                "2024-02-30T10:00:00Z",
            ],
        );
    }
    allowed(Primitive::DateTime, &["2024", "2024-05", "2024-05-01"]);
    refused(Primitive::Instant, &["2024", "2024-05", "2024-05-01"]);
    allowed(Primitive::Time, &["00:00:00", "23:59:59.999"]);
    refused(Primitive::Time, &["10:00", "24:00:00", "10:00:00Z", "1:00:00", ""]);
}

#[test]
fn numbers_and_booleans() {
    allowed(Primitive::Boolean, &["true", "false"]);
    refused(Primitive::Boolean, &["TRUE", "1", ""]);
    allowed(Primitive::Integer, &["0", "-1", "2147483647", "-2147483648"]);
    refused(Primitive::Integer, &["", "-", "2147483648", "-2147483649", "01", "-0", "+1", "1.0", "1e2", " 1"]);
    allowed(Primitive::UnsignedInt, &["0", "1"]);
    refused(Primitive::UnsignedInt, &["-1"]);
    allowed(Primitive::PositiveInt, &["1"]);
    refused(Primitive::PositiveInt, &["0", "-1"]);
    allowed(Primitive::Decimal, &["0", "-0.0", "1.50", "1e5", "1E-5", "1.5e+10", "123456789012345678901234567890"]);
    refused(Primitive::Decimal, &["", "-", ".5", "1.", "01", "+1", "1e", "1e+", "1,5", "NaN", "1.5.5", "1e1e1"]);
}

#[test]
fn words() {
    allowed(Primitive::Code, &["a", "final", "two words", "application/pdf", "é", "KIDN\u{a0}", "a\u{a0}\u{a0}b"]);
    refused(Primitive::Code, &["", " ", " a", "a ", "a  b", "a\tb", "a\n", "a\u{1}", "a\u{85}"]);
    allowed(Primitive::Id, &["a", "A-1.b", &"x".repeat(64)]);
    refused(Primitive::Id, &["", "a_b", "é", "a b", "a/b", &"x".repeat(65)]);
    allowed(Primitive::String, &["a", " a ", "a\n\tb\r", &"é".repeat(1024 * 1024)]);
    refused(
        Primitive::String,
        &["", " ", "\u{a0}\n", "a\u{0}", "a\u{1b}", "a\u{ffff}", "\u{fffd}\u{fffe}", &"é".repeat(1024 * 1024 + 1)],
    );
}

#[test]
fn identifiers_of_things() {
    allowed(Primitive::Uri, &["urn:oid:1.2", "https://esante.gouv.fr/é", "a", "#x"]);
    refused(Primitive::Uri, &["", "a b", " a", "a\n", "a\u{a0}b", "a\u{1}b", "a\u{fffe}b"]);
    allowed(Primitive::Oid, &["urn:oid:1.2.250.1.213", "urn:oid:0.0", "urn:oid:2.16.840"]);
    refused(
        Primitive::Oid,
        &["1.2", "urn:oid:", "urn:oid:1", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1..2", "urn:oid:1.2."],
    );
    allowed(Primitive::Uuid, &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"]);
    refused(
        Primitive::Uuid,
        &[
            "c757873d-ec9a-4326-a141-556f43239520",
            "urn:uuid:c757873dxec9a-4326-a141-556f43239520",
            "urn:uuid:",
            "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
        ],
    );
}

#[test]
fn base64_is_whole_and_may_hold_blanks() {
    allowed(Primitive::Base64Binary, &["AAAA", "QQ==", "QUI=", "QU\nJD\r\n", " Q Q = = ", "+/+/"]);
    refused(
        Primitive::Base64Binary,
        &["", " ", "A", "AA", "AAA", "QQ=", "Q===", "====", "QQ==QQ==", "AA-_", "é", "AAA\u{0}"],
    );
    assert_eq!(decode_base64("QU JD"), Some(b"ABC".to_vec()));
    assert_eq!(encode_base64(b"AB"), "QUI=");
}

#[test]
fn long_base64_is_judged_whole() {
    let bytes = (0..20_000_u32).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>();
    let plain = encode_base64(&bytes);
    assert_eq!(decode_base64(&plain).as_deref(), Some(&bytes[..]));
    let lines = plain.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).unwrap()).collect::<Vec<_>>().join("\r\n");
    assert_eq!(decode_base64(&lines).as_deref(), Some(&bytes[..]));
    assert_eq!(decode_base64(&format!("{plain}QQ==")), None);
    assert_eq!(decode_base64(&format!("{}QQ==QQ==", "A".repeat(4092))), None);
    assert_eq!(decode_base64(&plain[1..]), None);
}

#[test]
fn base64_of_any_length_leaves_no_bits_over() {
    for length in 1..200 {
        let plain = encode_base64(&vec![0xFF; length]);
        allowed(Primitive::Base64Binary, &[&plain]);
        let padding = plain.len() - plain.trim_end_matches('=').len();
        if padding > 0 {
            let odd = format!("{}/{}", &plain[..plain.len() - padding - 1], "=".repeat(padding));
            refused(Primitive::Base64Binary, &[&odd]);
        }
        refused(Primitive::Base64Binary, &[&plain[1..], &plain.replace('/', "_"), &format!("{plain}A")]);
    }
}

#[test]
fn texts_fold_as_people_expect() {
    for (text, folded) in [
        ("Élodie  MÜLLER", "elodie muller"),
        ("Cœur", "coeur"),
        ("LÆTITIA", "laetitia"),
        ("Straße ẞ", "strasse ss"),
        ("L’Haÿ-les-Roses", "l'hay-les-roses"),
        ("d´Artagnan d`A dʼA", "d'artagnan d'a d'a"),
        ("  \u{a0}a\n\tb\u{202f}", "a b"),
        ("ﬁn ½ Ⅳ", "fin 1⁄2 iv"),
        ("İstanbul", "istanbul"),
        ("Żółć", "zolc"),
        ("", ""),
    ] {
        assert_eq!(fold(text), folded, "{text}");
    }
}

#[test]
fn a_date_covers_what_it_does_not_say() {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let range = |text: &str| {
        let (low, high) = date_range(text, &paris).unwrap();
        format!("{} {}", format_instant(low), format_instant(high)).replace(".000000Z", "Z")
    };
    assert_eq!(range("2024"), "2023-12-31T23:00:00Z 2024-12-31T23:00:00Z");
    assert_eq!(range("2024-12"), "2024-11-30T23:00:00Z 2024-12-31T23:00:00Z");
    assert_eq!(range("2024-02-29"), "2024-02-28T23:00:00Z 2024-02-29T23:00:00Z");
    assert_eq!(range("2024-12-31"), "2024-12-30T23:00:00Z 2024-12-31T23:00:00Z");
    // The days the clocks change last 23 and 25 hours.
    assert_eq!(range("2024-03-31"), "2024-03-30T23:00:00Z 2024-03-31T22:00:00Z");
    assert_eq!(range("2024-10-27"), "2024-10-26T22:00:00Z 2024-10-27T23:00:00Z");
    assert_eq!(range("2024-05-01T10:00"), "2024-05-01T08:00:00Z 2024-05-01T08:01:00Z");
    assert_eq!(range("2024-05-01T10:00:30"), "2024-05-01T08:00:30Z 2024-05-01T08:00:31Z");
    assert_eq!(range("2024-05-01T10:00:30Z"), "2024-05-01T10:00:30Z 2024-05-01T10:00:31Z");
    assert_eq!(range("2024-05-01T10:00:30.25-05:30"), "2024-05-01T15:30:30.250000Z 2024-05-01T15:30:30.260000Z");
    assert_eq!(range("2024-05-01T10:00:30.1234567Z"), "2024-05-01T10:00:30.123456Z 2024-05-01T10:00:30.123457Z");
    assert_eq!(range("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z 2017-01-01T00:00:01Z");
    // The hour that does not exist, and the one that exists twice.
    assert_eq!(range("2024-03-31T02:30:00"), "2024-03-31T01:30:00Z 2024-03-31T01:30:01Z");
    assert_eq!(range("2024-10-27T02:30:00"), "2024-10-27T00:30:00Z 2024-10-27T00:30:01Z");
    for wrong in ["", "2024-13", "2024-02-30", "x", "2024-05-01T10", "2024-05-01T10:00:00+15:00"] {
        assert_eq!(date_range(wrong, &paris), None, "{wrong}");
    }
}

#[test]
fn the_edges_of_time_hold() {
    for zone in ["Europe/Paris", "Pacific/Kiritimati", "Pacific/Pago_Pago"].map(|z| TimeZone::get(z).unwrap()) {
        for text in ["0001", "0001-01-01", "9999", "9999-12", "9999-12-31", "9999-12-31T23:59:60-14:00"] {
            let (low, high) = date_range(text, &zone).unwrap();
            assert!(low < high, "{text}");
        }
    }
    assert_eq!(format_instant(i64::MIN), "0001-01-01T00:00:00.000000Z");
    assert_eq!(format_instant(i64::MAX), "9999-12-31T23:59:59.999999Z");
    assert_eq!(format_instant(-1), "1969-12-31T23:59:59.999999Z");
}

#[test]
fn an_instant_reads_as_the_same_instant_in_every_zone() {
    assert_eq!(parse_instant("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(parse_instant("1970-01-01T01:00:00.000001+01:00"), Some(1));
    assert_eq!(parse_instant("2024-05-01"), None);
    assert_eq!(parse_instant("2024-05-01T10:00:00"), None);
}

proptest! {
    #[test]
    fn base64_is_what_can_be_decoded(text in "[A-D/+ =\n_]{0,40}", before in 0..3_usize) {
        let text = format!("{}{text}", "AAAA".repeat(8 * before));
        let decoded = decode_base64(&text);
        prop_assert_eq!(check(Primitive::Base64Binary, &text).is_ok(), decoded.is_some_and(|bytes| !bytes.is_empty()));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        exercise(&text);
    }

    #[test]
    fn no_text_like_a_value_panics(text in "[0-9TZ:.+eE=AéQ \\-]{0,40}") {
        exercise(&text);
    }

    #[test]
    fn instants_agree_with_jiff(micros in -62_135_596_800_000_000_i64..253_402_200_000_000_000) {
        let text = format_instant(micros);
        prop_assert_eq!(parse_instant(&text), Some(micros));
        prop_assert_eq!(check(Primitive::Instant, &text), Ok(()));
        prop_assert_eq!(text.parse::<jiff::Timestamp>().unwrap().as_microsecond(), micros);
    }

    #[test]
    fn folding_twice_is_folding_once(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn base64_comes_back(bytes in prop::collection::vec(any::<u8>(), 1..9000)) {
        let text = encode_base64(&bytes);
        prop_assert_eq!(check(Primitive::Base64Binary, &text), Ok(()));
        prop_assert_eq!(decode_base64(&text), Some(bytes));
    }
}

fn exercise(text: &str) {
    for primitive in [
        Primitive::Boolean,
        Primitive::Integer,
        Primitive::UnsignedInt,
        Primitive::PositiveInt,
        Primitive::Decimal,
        Primitive::String,
        Primitive::Markdown,
        Primitive::Code,
        Primitive::Id,
        Primitive::Uri,
        Primitive::Url,
        Primitive::Canonical,
        Primitive::Oid,
        Primitive::Uuid,
        Primitive::Base64Binary,
        Primitive::Instant,
        Primitive::Date,
        Primitive::DateTime,
        Primitive::Time,
        Primitive::Xhtml,
    ] {
        let dated = matches!(primitive, Primitive::Date | Primitive::DateTime | Primitive::Instant);
        if check(primitive, text).is_ok() && dated {
            let (low, high) = date_range(text, &TimeZone::UTC).unwrap();
            assert!(low < high);
        }
    }
    let _ = (fold(text), date_range(text, &TimeZone::UTC), parse_instant(text), decode_base64(text));
}
