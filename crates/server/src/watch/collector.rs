//! What is counted, as it is shown: a number for each series, and for a histogram one for each of its bounds.
//! Nothing of an observation is kept beyond that, so memory grows with the kinds of what happens only, and an
//! observation costs two additions.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, Gauge, GaugeFn as _, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use super::figures;

/// Times from half a millisecond to ten seconds, the default limit of a search.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Writes committed together: one, and up to the most there are in a group.
const WRITES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Collects what is counted by the facade.
#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<BTreeMap<String, BTreeMap<String, Series>>>>);

/// What is counted under a name and its labels.
enum Series {
    Counter(Arc<AtomicU64>),
    /// A floating-point number, as its bits.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

struct Buckets {
    bounds: &'static [f64],
    /// How many were up to each bound and above the one before; those above the last at the end.
    counts: Box<[AtomicU64]>,
    /// A floating-point number, as its bits.
    sum: AtomicU64,
}

impl Buckets {
    fn of(name: &str) -> Self {
        let bounds: &[f64] = if name.ends_with("_writes") { &WRITES } else { &SECONDS };
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let place = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.increment(value);
    }
}

impl Collector {
    fn series(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Series>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series of a key, made when it is met first.
    fn met<T>(&self, key: &Key, of: impl Fn(&Series) -> Option<T>, make: impl FnOnce() -> Series) -> Option<T> {
        let mut series = self.series();
        of(series.entry(key.name().to_owned()).or_default().entry(labels(key)).or_insert_with(make))
    }

    /// All of it, as Prometheus text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let number = |bits: &AtomicU64| f64::from_bits(bits.load(Ordering::Relaxed));
        for (name, series) in self.series().iter() {
            let Some(figure) = figures::ALL.iter().find(|figure| figure.name == name) else { continue };
            writeln!(text, "# HELP {name} {}\n# TYPE {name} {}", figure.meaning, figure.kind.word())?;
            for (labels, series) in series {
                match series {
                    Series::Counter(count) => {
                        writeln!(text, "{name}{} {}", braced(labels), count.load(Ordering::Relaxed))?
                    }
                    Series::Gauge(bits) => writeln!(text, "{name}{} {}", braced(labels), number(bits))?,
                    Series::Histogram(buckets) => {
                        let comma = if labels.is_empty() { "" } else { "," };
                        let mut count = 0;
                        let bounds = buckets.bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
                        for (bound, more) in bounds.zip(&buckets.counts) {
                            count += more.load(Ordering::Relaxed);
                            writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}")?;
                        }
                        writeln!(text, "{name}_sum{} {}", braced(labels), number(&buckets.sum))?;
                        writeln!(text, "{name}_count{} {count}", braced(labels))?;
                    }
                }
            }
            text.push('\n');
        }
        Ok(())
    }
}

/// Labels as they are written: fixed words, but quoted all the same.
fn labels(key: &Key) -> String {
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> =
        key.labels().map(|label| format!("{}=\"{}\"", label.key(), quoted(label.value()))).collect();
    labels.join(",")
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

impl Recorder for Collector {
    // What each means is known here: `figures`.
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let of = |series: &Series| match series {
            Series::Counter(count) => Some(Arc::clone(count)),
            Series::Gauge(_) | Series::Histogram(_) => None,
        };
        self.met(key, of, || Series::Counter(Arc::default())).map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let of = |series: &Series| match series {
            Series::Gauge(bits) => Some(Arc::clone(bits)),
            Series::Counter(_) | Series::Histogram(_) => None,
        };
        self.met(key, of, || Series::Gauge(Arc::default())).map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let of = |series: &Series| match series {
            Series::Histogram(buckets) => Some(Arc::clone(buckets)),
            Series::Counter(_) | Series::Gauge(_) => None,
        };
        let make = || Series::Histogram(Arc::new(Buckets::of(key.name())));
        self.met(key, of, make).map_or_else(Histogram::noop, Histogram::from_arc)
    }
}

#[cfg(test)]
mod tests {
    use metrics::{Label, Level};

    use super::*;

    const ABOUT: Metadata<'static> = Metadata::new("", Level::INFO, None);

    #[test]
    fn what_was_counted_is_shown_by_name_and_label() {
        let collector = Collector::default();
        let read = |from: &'static str| {
            let key = Key::from_parts("liaison_store_reads_total", vec![Label::new("from", from)]);
            collector.register_counter(&key, &ABOUT)
        };
        read("memory").increment(2);
        read("store").increment(1);
        read("memory").increment(3);
        let waiting = collector.register_gauge(&Key::from_name("liaison_store_writes_waiting"), &ABOUT);
        waiting.increment(3.0);
        waiting.decrement(1.0);
        collector.register_counter(&Key::from_name("not_documented"), &ABOUT).increment(1);
        assert_eq!(
            collector.text(),
            "# HELP liaison_store_reads_total Reads by name, by where they were answered from: memory, store.\n\
             # TYPE liaison_store_reads_total counter\n\
             liaison_store_reads_total{from=\"memory\"} 5\nliaison_store_reads_total{from=\"store\"} 1\n\n\
             # HELP liaison_store_writes_waiting Writes that wait for their turn.\n\
             # TYPE liaison_store_writes_waiting gauge\nliaison_store_writes_waiting 2\n\n"
        );
    }

    #[test]
    fn each_bound_counts_what_is_up_to_it() {
        let collector = Collector::default();
        let key = Key::from_name("liaison_store_commit_writes");
        for writes in [1.0, 1.0, 3.0, 256.0, 257.0] {
            collector.register_histogram(&key, &ABOUT).record(writes);
        }
        let text = collector.text();
        let value = |series: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{series}: {text}")).to_owned()
        };
        let up_to = |bound: &str| value(&format!("liaison_store_commit_writes_bucket{{le=\"{bound}\"}}"));
        assert_eq!(["1", "2", "4", "128", "256", "+Inf"].map(up_to), ["2", "2", "3", "3", "4", "5"]);
        assert_eq!(value("liaison_store_commit_writes_sum"), "518");
        assert_eq!(value("liaison_store_commit_writes_count"), "5");
        let key = Key::from_parts("liaison_request_seconds", vec![Label::new("interaction", "read")]);
        collector.register_histogram(&key, &ABOUT).record(0.003);
        let text = collector.text();
        assert!(text.contains("liaison_request_seconds_bucket{interaction=\"read\",le=\"0.0025\"} 0\n"), "{text}");
        assert!(text.contains("liaison_request_seconds_bucket{interaction=\"read\",le=\"0.005\"} 1\n"), "{text}");
        assert!(text.contains("liaison_request_seconds_sum{interaction=\"read\"} 0.003\n"), "{text}");
    }

    #[test]
    fn no_value_of_a_label_ends_it() {
        let key = Key::from_parts("liaison_store_reads_total", vec![Label::new("from", "a\"b\\c\nd")]);
        assert_eq!(labels(&key), r#"from="a\"b\\c\nd""#);
    }
}
