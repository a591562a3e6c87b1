//! What fetching costs: the first time, again, and after a commit of one line.
//!
//! ```sh
//! cargo run --release -p git --example fetch -- URL BRANCH DIR
//! ```

#![expect(clippy::print_stdout, reason = "the report")]
#![expect(clippy::unwrap_used, reason = "a measurement")]

use std::time::Instant;

use git::{Fetched, Mirror, Options, Reference, Remote};
use tree::{Entry, Ignore, archive};

/// The most memory that the process has held, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        >> 10
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, branch, folder] = &arguments[..] else {
        println!("give URL, BRANCH and DIR");
        return;
    };
    let remote = Remote::open(url).unwrap();
    let mirror = Mirror::open(folder).unwrap();
    let begun = Instant::now();
    let reference = Reference::Branch(branch.clone());
    let fetched = mirror
        .fetch(&remote, url, &reference, &Options::default())
        .await
        .unwrap();
    let Fetched::Commit(checkout) = fetched else {
        println!("nothing there");
        return;
    };
    println!(
        "{} in {:.2} s, {} entries, {} MiB at most",
        checkout.revision,
        begun.elapsed().as_secs_f64(),
        checkout.tree.len(),
        peak()
    );
    let begun = Instant::now();
    let mut bytes = 0;
    for (_, entry) in checkout.tree.entries() {
        if let Entry::File { id, .. } = entry {
            bytes += checkout.tree.content(id).unwrap().len();
        }
    }
    println!(
        "all {bytes} bytes read in {:.2} s, {} MiB at most",
        begun.elapsed().as_secs_f64(),
        peak()
    );
    let begun = Instant::now();
    let mut archived = Vec::new();
    archive::write(&checkout.tree, &Ignore::defaults(), &mut archived).unwrap();
    println!(
        "archived to {} bytes in {:.2} s, {} MiB at most",
        archived.len(),
        begun.elapsed().as_secs_f64(),
        peak()
    );
}
