//! Every figure there is, with what it means: one list, for the text that is shown and for its document.

/// A figure.
#[derive(Debug)]
pub struct Figure {
    /// Its name, as Prometheus shows it.
    pub name: &'static str,
    /// What of.
    pub kind: Kind,
    /// What it means.
    pub meaning: &'static str,
}

/// The kinds of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up only.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many observations were up to each of several bounds.
    Histogram,
}

impl Kind {
    /// Prometheus's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

const fn counter(name: &'static str, meaning: &'static str) -> Figure {
    Figure { name, kind: Kind::Counter, meaning }
}

const fn gauge(name: &'static str, meaning: &'static str) -> Figure {
    Figure { name, kind: Kind::Gauge, meaning }
}

const fn histogram(name: &'static str, meaning: &'static str) -> Figure {
    Figure { name, kind: Kind::Histogram, meaning }
}

/// Every figure there is.
pub const ALL: [Figure; 27] = [
    counter("liaison_requests_total", "Requests, by interaction, class of the type, and status of the answer."),
    histogram("liaison_request_seconds", "Time until the answer begins, by interaction."),
    gauge("liaison_requests_in_flight", "Requests that are not answered yet."),
    counter("liaison_refused_by_limits_total", "Requests refused by a limit, by the code of the finding that says so."),
    gauge("liaison_connections", "Connections that are open, those to this listener among them."),
    counter(
        "liaison_connections_refused_total",
        "Connections of callers that were closed on them, by why: crowd, stalled, handshake.",
    ),
    histogram("liaison_search_seconds", "Time of searches in the store, once it is their turn."),
    counter("liaison_store_groups_again_total", "Groups of writes run again, by why: others, wider, lost."),
    counter("liaison_store_reads_total", "Reads by name, by where they were answered from: memory, store."),
    gauge(
        "liaison_store_connections",
        "Connections to PostgreSQL that are open, by what they are for: reading, writing.",
    ),
    gauge("liaison_store_connections_reading", "Connections to PostgreSQL that are read through at the moment."),
    gauge("liaison_store_writes_waiting", "Writes that wait for their turn."),
    histogram("liaison_store_write_wait_seconds", "Time that writes wait for their turn."),
    counter("liaison_store_commits_total", "Commits, by outcome: done, failed."),
    histogram("liaison_store_commit_seconds", "Time of commits: until what was written is on the disk."),
    histogram("liaison_store_commit_writes", "Writes committed together."),
    gauge("liaison_store_ailment", "Whether the store is ailing, by kind: damaged, full, read-only, not-writing."),
    gauge("liaison_store_bytes", "Bytes of the store on the disk, by part: data, log."),
    gauge("liaison_build_info", "Always 1; the label says which version runs."),
    gauge("liaison_uptime_seconds", "Time since the process was started."),
    counter("process_cpu_seconds_total", "Processor time of the process, its own and the system's for it."),
    gauge("process_resident_memory_bytes", "Memory of the process that is in the machine's memory."),
    gauge("process_virtual_memory_bytes", "Addresses that the process has mapped."),
    gauge("process_threads", "Threads of the process."),
    gauge("process_open_fds", "Files and connections the process has open."),
    gauge("process_max_fds", "Files and connections the process may have open."),
    gauge("process_start_time_seconds", "When the process was started, in seconds since 1970."),
];

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_figure_is_documented_for_operators_and_no_other() {
        let page = include_str!("../../../../docs/operators/metrics.md");
        for figure in &ALL {
            let row = format!("| `{}` | {} |", figure.name, figure.kind.word());
            assert!(page.contains(&row), "docs/operators/metrics.md lacks the row {row}");
        }
        assert_eq!(page.lines().filter(|line| is_row(line)).count(), ALL.len());
    }

    fn is_row(line: &str) -> bool {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        cells.get(2).is_some_and(|kind| ["counter", "gauge", "histogram"].contains(kind))
    }
}
