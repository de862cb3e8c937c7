//! Prometheus text, for what is looked at when it is asked for.

use std::fmt::Write as _;

use super::figures::{self, Figure};

/// Labels, each with its value.
type Labels<'l> = &'l [(&'l str, &'l str)];

/// Figures as text.
pub struct Text(String);

impl Text {
    /// After what was collected.
    pub const fn after(collected: String) -> Self {
        Self(collected)
    }

    /// Adds a figure that is documented, with its values.
    pub fn figure(&mut self, name: &str, values: &[(Labels<'_>, f64)]) {
        let Some(Figure { kind, meaning, .. }) = figures::ALL.iter().find(|figure| figure.name == name) else {
            return;
        };
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {meaning}\n# TYPE {name} {}", kind.word());
        for (labels, value) in values {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
        self.0.push('\n');
    }

    /// All of it.
    pub fn whole(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn a_figure_has_its_meaning_its_kind_and_its_values() {
        let mut text = Text::after("a 1\n".to_owned());
        text.figure("liaison_store_bytes", &[(&[("part", "data")], 4096.0), (&[("part", "log")], 0.0)]);
        text.figure("process_threads", &[(&[], 7.0)]);
        text.figure("not_documented", &[(&[], 7.0)]);
        assert_eq!(
            text.whole(),
            "a 1\n# HELP liaison_store_bytes Bytes of the store on the disk, by part: data, log.\n\
             # TYPE liaison_store_bytes gauge\nliaison_store_bytes{part=\"data\"} 4096\n\
             liaison_store_bytes{part=\"log\"} 0\n\n# HELP process_threads Threads of the process.\n\
             # TYPE process_threads gauge\nprocess_threads 7\n\n"
        );
    }
}
