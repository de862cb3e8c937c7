//! What a browser calls itself, in words that people know.

use crate::language::Language;

/// Names under which browsers hide one another: what stands first is what it is.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const MACHINES: [(&str, &str); 6] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
];

/// A browser and where it runs, as far as it tells.
pub fn named(itself: &str, language: Language) -> String {
    let known =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| itself.contains(part)).map(|(_, name)| *name);
    let unknown = match language {
        Language::French => "Navigateur inconnu",
        Language::English => "Unknown browser",
    };
    match (known(&BROWSERS), known(&MACHINES)) {
        (Some(browser), Some(machine)) => format!("{browser}, {machine}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => unknown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named_as_people_name_them() {
        for (itself, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
                "Chrome, Linux",
            ),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0", "Edge, Windows"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19 Safari/604.1",
                "Safari, iPhone",
            ),
            ("Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0", "Firefox, Android"),
            ("curl/8", "Unknown browser"),
        ] {
            assert_eq!(named(itself, Language::English), name);
        }
    }
}
