//! Cases that are folders with command lines: `charts/` and `real/`.

use std::fs;
use std::io::Read;
use std::path::Path;

use gotemplate::json::{Numbers, decode};
use gotemplate::{FixedEnvironment, Time, Value};
use helm::Compat;
use helm::template::{Host, TemplateOptions, template};

use super::{Outcome, VERSIONS, get, strings, text};

/// Runs the cases of a folder of `real/` or `charts/`.
pub fn run_folder(folder: &Path) -> Result<Vec<Outcome>, String> {
    let bytes = fs::read(folder.join("case.json"))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let (case, _) = decode(&bytes, Numbers::Int);
    let id = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut outcomes = Vec::new();
    if let Some(cases) = get(&case, "cases").as_list() {
        for one in cases {
            let name = format!("{id}/{}", text(one, "name"));
            run_case(folder, folder, &name, one, "out", &mut outcomes)?;
        }
        return Ok(outcomes);
    }
    let directory = folder.join(text(&case, "cwd"));
    run_case(folder, &directory, &id, &case, "files", &mut outcomes)?;
    Ok(outcomes)
}

fn run_case(
    folder: &Path,
    directory: &Path,
    name: &str,
    case: &Value,
    files: &str,
    outcomes: &mut Vec<Outcome>,
) -> Result<(), String> {
    let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
    let words = strings(&get(case, "argv"));
    let files = get(case, files);
    for (compat, version) in VERSIONS {
        let file = text(&files, version);
        let recorded = read_text(&folder.join(&file))?;
        let want = if file.starts_with("error") {
            Err(recorded)
        } else {
            Ok(recorded)
        };
        let got = run_command(&words[2..], &directory, compat)
            .map_err(|error| hide(&format!("Error: {error}\n"), &directory));
        let mut outcome = compare(got, want);
        outcome.name = format!("{name} @{compat}");
        outcomes.push(outcome);
    }
    Ok(())
}

/// With the words that stand for folders in the recorded texts.
fn hide(text: &str, directory: &Path) -> String {
    text.replace(&directory.display().to_string(), "<cwd>")
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let mut out = String::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_string(&mut out)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(out)
}

fn run_command(words: &[String], directory: &Path, compat: Compat) -> Result<String, String> {
    let mut options = TemplateOptions::parse(words).map_err(|error| error.to_string())?;
    options.compat = compat;
    let environment = FixedEnvironment::new(Time::unix(1_700_000_000, 0), 1);
    let read_file = |path: &str| {
        fs::read_to_string(directory.join(path))
            .map_err(|error| format!("open {path}: {}", tree::errno_text(&error)))
    };
    let host = Host {
        fs: &tree::Disk,
        directory,
        read_file: &read_file,
        environment: &environment,
        schemas: None,
        post_renderer: None,
    };
    let output = template(&options, &host).map_err(|error| error.to_string())?;
    Ok(output.text)
}

fn compare(got: Result<String, String>, want: Result<String, String>) -> Outcome {
    let (difference, only_text_differs) = match (got, want) {
        (Ok(got), Ok(want)) if got == want => (None, false),
        (Err(got), Err(want)) if sorted_lines(&got) == sorted_lines(&want) => (None, false),
        (Err(got), Err(want)) => (Some(format!("error {got:?}, want {want:?}")), true),
        (Ok(got), Ok(want)) => {
            let at = got
                .lines()
                .zip(want.lines())
                .position(|(got, want)| got != want);
            let line = at.unwrap_or_else(|| got.lines().count().min(want.lines().count()));
            let difference = format!(
                "line {}: gave {:?}, want {:?}",
                line + 1,
                got.lines().nth(line),
                want.lines().nth(line)
            );
            (Some(difference), false)
        }
        (Ok(_), Err(want)) => (Some(format!("gave output, want the error {want:?}")), false),
        (Err(error), Ok(_)) => (Some(format!("error {error:?}")), false),
    };
    Outcome {
        name: String::new(),
        difference,
        only_text_differs,
    }
}

/// The lines of a message without their order: failures of schemas come in random order.
fn sorted_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.sort_unstable();
    lines
}
