//! The process, as Linux tells it of itself. What it does not tell is left out.

use std::fs;

use super::text::Text;

/// Clock ticks a second, in what Linux tells programs, on every machine it runs on.
const TICKS: f64 = 100.0;

/// The figures of the process.
pub fn figures(text: &mut Text) {
    let mut show = |name: &str, value: Option<f64>| {
        if let Some(value) = value {
            text.figure(name, &[(&[], value)]);
        }
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let system = fs::read_to_string("/proc/stat").unwrap_or_default();
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let began = ticks(&stat, 19);
    show("process_cpu_seconds_total", cpu(&stat));
    show("process_resident_memory_bytes", kilobytes(&status, "VmRSS:"));
    show("process_virtual_memory_bytes", kilobytes(&status, "VmSize:"));
    show("process_threads", number(&status, "Threads:"));
    show("process_open_fds", fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64));
    show("process_max_fds", number(&limits, "Max open files"));
    show("process_start_time_seconds", began.zip(number(&system, "btime")).map(|(began, boot)| boot + began));
    let up = uptime.split(' ').next().and_then(|seconds| seconds.parse::<f64>().ok());
    show("liaison_uptime_seconds", up.zip(began).map(|(up, began)| (up - began).max(0.0)));
}

/// A field of `/proc/self/stat` that counts ticks, in seconds; counted from after the name, which may
/// hold anything.
fn ticks(stat: &str, field: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let ticks: f64 = after_name.split_ascii_whitespace().nth(field)?.parse().ok()?;
    Some(ticks / TICKS)
}

/// Time of its own and of the system for it.
fn cpu(stat: &str) -> Option<f64> {
    Some(ticks(stat, 11)? + ticks(stat, 12)?)
}

/// The first number of the line that begins so.
fn number(lines: &str, beginning: &str) -> Option<f64> {
    let line = lines.lines().find_map(|line| line.strip_prefix(beginning))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn kilobytes(lines: &str, beginning: &str) -> Option<f64> {
    Some(number(lines, beginning)? * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 12345 1000 200";

    #[test]
    fn times_are_found_after_whatever_name_the_program_has() {
        assert_eq!(cpu(STAT), Some(3.0));
        assert_eq!(ticks(STAT, 19), Some(123.45));
        assert_eq!(cpu("cut sho"), None);
    }

    #[test]
    fn numbers_are_found_by_their_line() {
        let status = "Name:\tliaison\nVmSize:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t9\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(1_048_576.0));
        assert_eq!(number(status, "Threads:"), Some(9.0));
        assert_eq!(number("Max open files            1024      4096     files\n", "Max open files"), Some(1024.0));
        assert_eq!(number(status, "VmSwap:"), None);
    }
}
