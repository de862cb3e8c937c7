//! The figures as Markdown, on standard output.

use std::fmt::Write;
use std::time::Duration;

use crate::load::Figures;
use crate::scenario::Scenario;

/// One scenario, measured.
pub struct Measured {
    /// Which.
    pub scenario: Scenario,
    /// On the server.
    pub server: Figures,
    /// Bytes of one answer's body.
    pub answer_bytes: usize,
    /// On the bare handler.
    pub handler: Figures,
    /// With the clients spread over several nodes, when there are.
    pub nodes: Option<Figures>,
    /// On the bare loop, when there is one.
    pub store: Option<Figures>,
    /// What is wrong with the server's answers.
    pub judged: Result<(), String>,
}

/// What is known of our own server beside its answers.
#[derive(Default)]
pub struct Household {
    /// Times from start to the first answered search, on an empty store.
    pub starts_empty: Vec<Duration>,
    /// The same on the full store.
    pub starts_full: Vec<Duration>,
    /// Resident bytes after a start on an empty store.
    pub resident_empty: u64,
    /// Resident bytes after a start on the full store.
    pub resident_full: u64,
    /// Resident bytes after everything that was measured.
    pub resident_after: u64,
    /// Bytes of the store's files after the filling, when the server had ended.
    pub disk: u64,
    /// Narrow rows beside the body of a note, and beside the bodies of a note bundle.
    pub rows: (usize, usize),
}

/// The circumstances of the run.
pub struct Circumstances {
    /// What was measured.
    pub server: String,
    /// Notes in the store.
    pub notes: usize,
    /// Seconds the filling took, and bytes of JSON sent for the notes.
    pub filling: (f64, u64),
    /// Clients at once.
    pub clients: usize,
    /// Seconds a scenario was measured, on each side.
    pub seconds: u64,
}

/// The whole report.
pub fn markdown(circumstances: &Circumstances, measured: &[Measured], household: Option<&Household>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_all(&mut text, circumstances, measured, household);
    text
}

fn write_all(
    text: &mut String,
    circumstances: &Circumstances,
    measured: &[Measured],
    household: Option<&Household>,
) -> std::fmt::Result {
    let Circumstances { server, notes, filling: (seconds, json), clients, seconds: each } = circumstances;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    writeln!(text, "# {server}, {notes} notes\n")?;
    writeln!(
        text,
        "{clients} clients, {each} s a scenario on each side in alternating slices, {cores} cores shared by clients and server. \
         Filled in {seconds:.1} s ({:.0} notes/s), {} of JSON a note.\n",
        *notes as f64 / seconds.max(1e-9),
        size(json / (*notes as u64).max(1)),
    )?;
    writeln!(text, "| scenario | req/s | p50 | p99 | CPU/req | answer | bare handler | ratio | bare store | ratio |")?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    for row in measured {
        let Measured { scenario, server, handler, store, .. } = row;
        writeln!(
            text,
            "| {} (`{}`) | {} | {} | {} | {} | {} | {}/s | {} | {} | {} |",
            scenario.title,
            scenario.name,
            rate(server.rate()),
            milliseconds(server.percentile(0.5)),
            milliseconds(server.percentile(0.99)),
            server.cpu_per_answer(server.served_cpu_us).map_or("–".to_owned(), |us| format!("{us:.0} µs")),
            size(row.answer_bytes as u64),
            rate(handler.rate()),
            ratio(server, handler, scenario.handler_aim),
            store.as_ref().map_or("–".to_owned(), |store| format!("{}/s", rate(store.rate()))),
            store.as_ref().map_or("–".to_owned(), |store| ratio(server, store, scenario.loop_aim)),
        )?;
    }
    if measured.iter().any(|row| row.nodes.is_some()) {
        writeln!(text, "\n| clients spread over all nodes | req/s | p50 | p99 | of one node |")?;
        writeln!(text, "|---|--:|--:|--:|--:|")?;
        for Measured { scenario, server, nodes, .. } in measured {
            let Some(nodes) = nodes else { continue };
            let (p50, p99) = (milliseconds(nodes.percentile(0.5)), milliseconds(nodes.percentile(0.99)));
            let of_one = nodes.rate() / server.rate().max(1e-9);
            writeln!(text, "| `{}` | {} | {p50} | {p99} | {of_one:.2} |", scenario.name, rate(nodes.rate()))?;
        }
    }
    writeln!(text, "\n| beside it | p50 | p99 | CPU/req | client CPU/req | client CPU/req to the server |")?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|")?;
    for Measured { scenario, server, handler, store, .. } in measured {
        let cpu = |figures: &Figures, total| {
            figures.cpu_per_answer(total).map_or("–".to_owned(), |us| format!("{us:.0} µs"))
        };
        writeln!(
            text,
            "| `{}` bare handler | {} | {} | {} | {} | {} |",
            scenario.name,
            milliseconds(handler.percentile(0.5)),
            milliseconds(handler.percentile(0.99)),
            cpu(handler, handler.served_cpu_us),
            cpu(handler, handler.client_cpu_us),
            cpu(server, server.client_cpu_us),
        )?;
        if let Some(store) = store {
            let (p50, p99) = (milliseconds(store.percentile(0.5)), milliseconds(store.percentile(0.99)));
            writeln!(text, "| `{}` bare store | {p50} | {p99} | – | – | – |", scenario.name)?;
        }
    }
    if let Some(household) = household {
        write_household(text, household, *notes)?;
    }
    let wrong: Vec<_> = measured.iter().flat_map(complaints).collect();
    if !wrong.is_empty() {
        writeln!(text, "\n**Not to be trusted:**\n")?;
        wrong.iter().try_for_each(|line| writeln!(text, "* {line}"))?;
    }
    Ok(())
}

fn write_household(text: &mut String, household: &Household, notes: usize) -> std::fmt::Result {
    let start = |starts: &[Duration]| {
        let mut sorted = starts.to_vec();
        sorted.sort_unstable();
        milliseconds(sorted.get(sorted.len() / 2).copied())
    };
    writeln!(text, "\n| the server itself | |")?;
    writeln!(text, "|---|--:|")?;
    writeln!(
        text,
        "| start to first answered search, empty store (median of {}) | {} |",
        household.starts_empty.len(),
        start(&household.starts_empty)
    )?;
    writeln!(
        text,
        "| the same, full store (median of {}) | {} |",
        household.starts_full.len(),
        start(&household.starts_full)
    )?;
    writeln!(text, "| resident memory, idle on an empty store | {} |", size(household.resident_empty))?;
    writeln!(text, "| resident memory, idle on the full store | {} |", size(household.resident_full))?;
    writeln!(text, "| resident memory after the load | {} |", size(household.resident_after))?;
    writeln!(
        text,
        "| on disk a note, people and photos included | {} |",
        size(household.disk / (notes as u64).max(1))
    )?;
    let (note, bundle) = household.rows;
    writeln!(text, "| rows beside the body of a note; beside the three of a bundle | {note}; {bundle} |")
}

/// What makes the figures of a scenario worthless.
pub fn complaints(measured: &Measured) -> Vec<String> {
    let name = measured.scenario.name;
    let failed = |side: &str, figures: &Figures| {
        let first = figures.first_failure.as_deref().unwrap_or("no reason given");
        (figures.failures > 0).then(|| format!("`{name}`: {} failures {side}, the first: {first}", figures.failures))
    };
    [
        measured.judged.as_ref().err().map(|wrong| format!("`{name}`: {wrong}")),
        failed("of the server", &measured.server),
        failed("of the bare handler", &measured.handler),
        measured.store.as_ref().and_then(|store| failed("of the bare store", store)),
        measured.nodes.as_ref().and_then(|nodes| failed("of the nodes together", nodes)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ratio(server: &Figures, limit: &Figures, aim: Option<f64>) -> String {
    let ratio = server.rate() / limit.rate().max(1e-9);
    aim.map_or(format!("{ratio:.2}"), |aim| format!("**{ratio:.2}** (≥ {aim})"))
}

fn rate(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn milliseconds(duration: Option<Duration>) -> String {
    duration.map_or("–".to_owned(), |duration| format!("{:.2} ms", duration.as_secs_f64() * 1e3))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_readable() {
        assert_eq!([size(500), size(20_480), size(52_428_800)], ["500 B", "20.0 KiB", "50.0 MiB"]);
        assert_eq!([rate(4.25), rate(12_345.6)], ["4.2", "12346"]);
        assert_eq!(milliseconds(Some(Duration::from_micros(1_234))), "1.23 ms");
    }
}
