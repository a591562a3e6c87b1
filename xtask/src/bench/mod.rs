//! `cargo xtask bench apiserver`: `sluice up` side by side with kube-apiserver and etcd.
//!
//! Both are driven by the same client over TLS and HTTP/1.1 with kept connections. Sluice writes its
//! database; etcd runs without fsync, which is to its advantage.

mod client;
mod helm;
mod kustomize;
mod load;
mod servers;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

pub(crate) use helm::{HelmBench, run as helm};

use crate::{TaskError, workspace_root};
pub(crate) use kustomize::{KustomizeBench, kustomize};
use load::{Outcome, Sizes};
use servers::{Peer, Sluice};

/// The flags of `cargo xtask bench apiserver`.
#[derive(Args)]
pub(crate) struct ApiserverBench {
    /// The program to measure [default: target/release/sluice]
    #[arg(long)]
    sluice: Option<PathBuf>,
    /// How many ConfigMaps of 1 KiB there are
    #[arg(long, default_value_t = 10_000)]
    objects: usize,
    /// How many requests each measurement of single objects makes
    #[arg(long, default_value_t = 4_000)]
    requests: usize,
    /// How many connections make requests at the same time
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// How many watch at the same time
    #[arg(long, default_value_t = 100)]
    watchers: usize,
    /// Leave out kube-apiserver and etcd
    #[arg(long)]
    alone: bool,
}

/// Measures both and prints the comparison.
pub(crate) fn apiserver(arguments: &ApiserverBench) -> Result<(), TaskError> {
    let program = match &arguments.sluice {
        Some(path) => path.clone(),
        None => workspace_root().join("target/release/sluice"),
    };
    if !program.exists() {
        return Err(TaskError::Other(format!(
            "{} is not there; build it with `cargo build --release --package sluice`",
            program.display()
        )));
    }
    let sizes = Sizes {
        objects: arguments.objects,
        requests: arguments.requests,
        connections: arguments.connections,
        watchers: arguments.watchers,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| TaskError::Other(format!("cannot start the runtime: {error}")))?;
    let scratch = Scratch::new()?;

    let directory = scratch.0.join("sluice");
    let (mut sluice, empty) = Sluice::start(&program, &directory)?;
    std::thread::sleep(Duration::from_secs(2));
    let idle = sluice.resident()?;
    runtime.block_on(load::fill(&sluice.target, &sizes))?;
    std::thread::sleep(Duration::from_secs(2));
    let full = sluice.resident()?;
    sluice.stop()?;
    let (mut sluice, filled) = Sluice::start(&program, &directory)?;
    let restarted = sluice.resident()?;
    runtime.block_on(load::documents(&sluice.target))?;
    std::thread::sleep(Duration::from_secs(2));
    let documented = sluice.resident()?;
    sluice.stop()?;
    let memory = [idle, full, restarted, documented];
    print_own(&sizes, [empty, filled], memory);

    let (mut sluice, _) = Sluice::start(&program, &scratch.0.join("compared"))?;
    let ours = runtime.block_on(load::measure(&sluice.target, &sizes))?;
    sluice.stop()?;
    let theirs = if arguments.alone {
        None
    } else {
        let peer = Peer::start(&scratch.0.join("peer"))?;
        Some(runtime.block_on(load::measure(&peer.target, &sizes))?)
    };
    print_comparison(&ours, theirs.as_deref());
    Ok(())
}

/// A folder of this run, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, TaskError> {
        let path = std::env::temp_dir().join(format!("sluice-bench-{}", std::process::id()));
        crate::go::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[expect(clippy::print_stdout, reason = "the report")]
fn print_own(sizes: &Sizes, starts: [Duration; 2], memory: [u64; 4]) {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "start to ready, empty directory        {:8.1} ms",
        millis(starts[0])
    );
    println!(
        "start to ready, {:6} objects         {:8.1} ms",
        sizes.objects,
        millis(starts[1])
    );
    println!(
        "resident memory, idle                  {:8.1} MiB",
        mib(memory[0])
    );
    println!(
        "resident memory, {:6} objects        {:8.1} MiB",
        sizes.objects,
        mib(memory[1])
    );
    println!(
        "resident memory, the same, restarted   {:8.1} MiB",
        mib(memory[2])
    );
    println!(
        "… and after OpenAPI v2 and v3           {:8.1} MiB\n",
        mib(memory[3])
    );
}

#[expect(clippy::print_stdout, reason = "the report")]
fn print_comparison(ours: &[Outcome], theirs: Option<&[Outcome]>) {
    println!(
        "{:<24} {:>10} {:>9} {:>9}   {:>10} {:>9} {:>9}   {:>7} {:>7}",
        "", "sluice/s", "p50 ms", "p99 ms", "peer/s", "p50 ms", "p99 ms", "ratio", "p99"
    );
    for (index, own) in ours.iter().enumerate() {
        let mut line = format!(
            "{:<24} {:>10.0} {:>9.2} {:>9.2}",
            own.name, own.rate, own.p50, own.p99
        );
        if let Some(peer) = theirs.and_then(|theirs| theirs.get(index)) {
            line.push_str(&format!(
                "   {:>10.0} {:>9.2} {:>9.2}   {:>6.1}x {:>6.2}x",
                peer.rate,
                peer.p50,
                peer.p99,
                own.rate / peer.rate,
                own.p99 / peer.p99
            ));
        }
        println!("{line}");
    }
}
