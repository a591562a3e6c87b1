//! How long it takes to see that a finished build still holds, for a tree of 5000 files of which one that
//! the build did not read has changed: `cargo run --release -p kustomize --example memo [FILES]`.

#![expect(clippy::print_stdout, reason = "the output is the purpose")]

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kustomize::flux::{self, Request, Spec};
use tree::{Blobs, ContentId, Entry, Tree};

/// Contents that count how often they are read.
#[derive(Default)]
struct Contents {
    texts: HashMap<ContentId, Arc<[u8]>>,
    reads: AtomicUsize,
}

impl Blobs for Contents {
    fn read(&self, id: &ContentId) -> io::Result<Arc<[u8]>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let text = self.texts.get(id).cloned();
        text.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// `apps/`, with ten files for each app and a README.md that no build reads.
fn files(count: usize, readme: &str) -> Vec<(String, String)> {
    let mut files = vec![("README.md".to_owned(), readme.to_owned())];
    let apps = count / 10;
    let all: Vec<String> = (0..apps).map(|app| format!("app-{app}")).collect();
    let list = format!("resources: [{}]\n", all.join(", "));
    files.push(("apps/kustomization.yaml".to_owned(), list));
    for app in &all {
        let names: Vec<String> = (0..9).map(|at| format!("cm-{at}.yaml")).collect();
        let list = format!("namespace: {app}\nresources: [{}]\n", names.join(", "));
        files.push((format!("apps/{app}/kustomization.yaml"), list));
        for name in names {
            let text =
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {app}-{name}}}\n");
            files.push((format!("apps/{app}/{name}"), text));
        }
    }
    files
}

fn tree(files: Vec<(String, String)>) -> (Tree, Arc<Contents>) {
    let mut contents = Contents::default();
    let mut entries = BTreeMap::new();
    for (path, text) in files {
        let id = ContentId::of(text.as_bytes());
        contents.texts.insert(id, text.into_bytes().into());
        let entry = Entry::File {
            id,
            size: None,
            executable: false,
        };
        entries.insert(PathBuf::from(path), entry);
    }
    let contents = Arc::new(contents);
    (
        Tree::new(entries, Arc::clone(&contents) as Arc<dyn Blobs>),
        contents,
    )
}

/// The median of many runs.
fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(5000), |text| text.parse())?;
    let (first, _) = tree(files(count, "old"));
    let spec = Spec::from_object(&serde_json::json!({"spec": {}}))?;
    let start = Instant::now();
    let built = flux::build(&Request::new(&first, Path::new("/apps"), &spec))?;
    println!("build of {} files: {:?}", first.len(), start.elapsed());
    let (second, contents) = tree(files(count, "new"));
    if !built.reads.hold_for_tree(&second) || !built.reads.hold_for(&second) {
        return Err("the build does not hold".into());
    }
    let pass = median(|| assert!(built.reads.hold_for_tree(&second)));
    let look_ups = median(|| assert!(built.reads.hold_for(&second)));
    println!("check in one pass: {pass:?} (median of 101)");
    println!("check by look-ups: {look_ups:?} (median of 101)");
    println!(
        "files read by the checks: {}",
        contents.reads.load(Ordering::Relaxed)
    );
    Ok(())
}
