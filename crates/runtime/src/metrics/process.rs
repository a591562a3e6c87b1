//! What Prometheus' clients tell of the process itself, from `/proc`.

use std::fmt::Write as _;

/// The clock ticks of a second in `/proc`; Linux has fixed them for user space.
const TICKS: f64 = 100.0;

/// The families as text; empty where there is no `/proc`.
pub(super) fn render() -> String {
    figures().unwrap_or_default()
}

fn figures() -> Option<String> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold blanks.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    let page = 4096.0;
    let booted = std::fs::read_to_string("/proc/stat").ok().and_then(|text| {
        text.lines()
            .find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok())
    });
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, value: f64| {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    };
    family(
        "process_cpu_seconds_total",
        "counter",
        "Total user and system CPU time spent in seconds.",
        (number(11) + number(12)) / TICKS,
    );
    let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    family(
        "process_open_fds",
        "gauge",
        "Number of open file descriptors.",
        descriptors as f64,
    );
    if let Some(limit) = max_descriptors() {
        family(
            "process_max_fds",
            "gauge",
            "Maximum number of open file descriptors.",
            limit,
        );
    }
    family(
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory size in bytes.",
        number(21) * page,
    );
    family(
        "process_virtual_memory_bytes",
        "gauge",
        "Virtual memory size in bytes.",
        number(20),
    );
    let start = booted.unwrap_or(0.0) + number(19) / TICKS;
    family(
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since unix epoch in seconds.",
        start,
    );
    Some(text)
}

fn max_descriptors() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
