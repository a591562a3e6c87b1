//! Running the recorded cases of `kustomize build`: shared by the test and `examples/corpus.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use kustomize::{BuildErrors, Disk, LoadRestrictor, Options, Output, Profile, Reorder};
use serde_json::Value;

/// How a case went.
pub(crate) struct Outcome {
    /// What is wrong, if anything.
    pub(crate) problem: Option<String>,
    /// For an error case: the first lines of the message that was wanted and of the one found.
    pub(crate) first_lines: Option<(String, String)>,
}

impl Outcome {
    fn of(problem: Option<String>) -> Self {
        Self {
            problem,
            first_lines: None,
        }
    }
}

/// The folders of the cases, sorted.
pub(crate) fn folders(corpus: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(corpus).into_iter().flatten().flatten();
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join("case.json").exists())
        .collect();
    cases.sort();
    cases
}

/// Runs a case; none if it is not for the profile.
pub(crate) fn run(case: &Path, profile: Profile) -> Option<Outcome> {
    let meta: Value = serde_json::from_slice(&fs::read(case.join("case.json")).ok()?).ok()?;
    let (mut expect, mut suffix) = (meta["expect"].as_str().unwrap_or_default(), "");
    if profile == Profile::Flux {
        match meta["flux"].as_str() {
            Some("n/a") => return None,
            Some("same") | None => {}
            Some(other) => (expect, suffix) = (other, ".flux"),
        }
    }
    let links = Links::restore(case);
    let root = match &links {
        Some(links) => links.0.clone(),
        None => case.join("in").canonicalize().ok()?,
    };
    let result = build(&meta, &root, profile);
    Some(match (expect, result) {
        (_, None) => Outcome::of(Some("panicked".to_owned())),
        ("output", Some(Ok(output))) => {
            let wanted = fs::read(case.join(format!("out{suffix}.yaml"))).unwrap_or_default();
            let same = output.yaml.as_bytes() == wanted;
            let wanted = String::from_utf8_lossy(&wanted);
            Outcome::of((!same).then(|| difference(&wanted, &output.yaml)))
        }
        ("output", Some(Err(errors))) => Outcome::of(Some(format!("error: {errors}"))),
        (_, Some(Ok(_))) => Outcome::of(Some("no error".to_owned())),
        (_, Some(Err(errors))) => {
            let file = case.join(format!("error{suffix}.txt"));
            let wanted = fs::read_to_string(file).unwrap_or_default();
            let wanted = wanted.replace("{{IN}}", &root.display().to_string());
            let first = |text: &str| without_addresses(text.lines().next().unwrap_or_default());
            let found = errors.first().map_or("", |error| error.message.as_str());
            Outcome {
                problem: None,
                first_lines: Some((first(wanted.trim_start_matches("Error: ")), first(found))),
            }
        }
    })
}

/// None for a panic.
fn build(meta: &Value, root: &Path, profile: Profile) -> Option<Result<Output, BuildErrors>> {
    let setting = &meta["options"];
    let options = Options {
        profile,
        reorder: match setting["reorder"].as_str() {
            Some("none") => Reorder::None,
            _ => Reorder::Legacy,
        },
        load_restrictor: match setting["loadRestrictor"].as_str() {
            Some("none") => LoadRestrictor::None,
            _ => LoadRestrictor::RootOnly,
        },
        managed_by_label: setting["managedByLabel"] == true && profile == Profile::Command,
        source_root: (profile == Profile::Flux).then(|| root.to_path_buf()),
        ..Options::default()
    };
    let path = meta["path"].as_str().unwrap_or(".");
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        kustomize::build_as(&Disk, &root.join(path), path, &options)
    }))
    .ok()
}

/// A copy of a case's tree whose symbolic links, which some copies of the corpus hold as files with the
/// target as text, are links again.
struct Links(PathBuf);

impl Links {
    fn restore(case: &Path) -> Option<Self> {
        let name = case.file_name()?.to_str()?;
        if !cfg!(unix) || !name.contains("symlink") {
            return None;
        }
        let folder = format!("kustomize-{name}-{:?}", std::thread::current().id());
        let root = std::env::temp_dir().canonicalize().ok()?.join(folder);
        let _ = fs::remove_dir_all(&root);
        copy(&case.join("in"), &root).ok()?;
        Some(Self(root))
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&path, &target)?;
            continue;
        }
        let link = match fs::read_link(&path) {
            Ok(link) => Some(link),
            Err(_) => fs::read_to_string(&path)
                .ok()
                .filter(|text| text.starts_with("../") && !text.contains('\n'))
                .map(PathBuf::from),
        };
        match link {
            #[cfg(unix)]
            Some(link) => std::os::unix::fs::symlink(link, &target)?,
            _ => fs::write(&target, fs::read(&path)?)?,
        }
    }
    Ok(())
}

/// Pointers differ from run to run.
fn without_addresses(text: &str) -> String {
    text.split(' ')
        .map(|word| {
            let bare = word.trim_start_matches(['&', '{', '[']);
            if bare.starts_with("0x") {
                "0xADDR"
            } else {
                word
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn difference(wanted: &str, found: &str) -> String {
    let mut text = String::from("\n");
    let (mut wanted, mut found) = (wanted.lines(), found.lines());
    let mut shown = 0;
    loop {
        let pair = (wanted.next(), found.next());
        if pair == (None, None) || shown >= 4 {
            return text;
        }
        if pair.0 != pair.1 {
            shown += 1;
            text.push_str(&format!(
                "    - {}\n    + {}\n",
                pair.0.unwrap_or("<end>"),
                pair.1.unwrap_or("<end>")
            ));
        }
    }
}
