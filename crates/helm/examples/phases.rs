//! How long the parts of a rendering take in one process: `phases CHART.tgz…`. Prints the median of 21 runs each.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use gotemplate::{FixedEnvironment, Limits, Map, Time, lossy};
use helm::Compat;
use helm::chart::{load_archive, process_dependencies};
use helm::engine::{Capabilities, Engine, KubeVersion, Mode, ReleaseOptions, render_values};
use helm::manifest::{Order, sort};

const RUNS: usize = 21;

/// Load, values, templates, sorting.
fn run(bytes: &[u8]) -> Result<[Duration; 4], Box<dyn std::error::Error>> {
    let compat = Compat::V4;
    let start = Instant::now();
    let mut chart = load_archive(bytes, compat)?;
    let loaded = Instant::now();
    let values = Map::new();
    process_dependencies(&mut chart, &values, compat)?;
    let mut capabilities = Capabilities::assumed(compat);
    capabilities.kube_version = KubeVersion::parse("v1.34.0", compat)?;
    let release = ReleaseOptions::install("rel", "ns");
    let top = render_values(&chart, &values, &release, &capabilities)?;
    let valued = Instant::now();
    let environment = FixedEnvironment::new(Time::unix(0, 0), 1);
    let engine = Engine {
        compat,
        mode: Mode::default(),
        lookup: None,
        environment: &environment,
        limits: Limits::default(),
    };
    let rendered = engine.render(&chart, &top)?;
    let done = Instant::now();
    let texts: BTreeMap<String, String> = rendered
        .into_iter()
        .filter(|(name, _)| !name.ends_with("NOTES.txt"))
        .map(|(name, text)| (name, lossy(&text).into_owned()))
        .collect();
    sort(&texts, Order::Install, compat)?;
    let sorted = Instant::now();
    Ok([
        loaded - start,
        valued - loaded,
        done - valued,
        sorted - done,
    ])
}

#[expect(clippy::print_stdout, reason = "the report of a command")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:>9} {:>9} {:>9} {:>9}  chart",
        "load", "values", "render", "sort"
    );
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        let mut all: [Vec<Duration>; 4] = Default::default();
        for _ in 0..RUNS {
            for (times, time) in all.iter_mut().zip(run(&bytes)?) {
                times.push(time);
            }
        }
        for times in &mut all {
            times.sort();
        }
        let [load, values, render, sort] = all.map(|times| times[RUNS / 2].as_secs_f64() * 1000.0);
        let name = Path::new(&path).parent().and_then(Path::file_name);
        let name = name.map(|name| name.to_string_lossy().into_owned());
        println!(
            "{load:>6.2} ms {values:>6.2} ms {render:>6.2} ms {sort:>6.2} ms  {}",
            name.unwrap_or(path)
        );
    }
    Ok(())
}
