//! `helm template`.

use std::io::Write;
use std::path::Path;

use helm::template::{Host, TemplateError, TemplateOptions, template};

use super::environment::System;
use super::flags::read_file;
use super::{HelmError, said};

pub(super) fn run(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let options = TemplateOptions::parse(words).map_err(said)?;
    let directory = std::env::current_dir()?;
    let host = Host {
        fs: &tree::Disk,
        directory: &directory,
        read_file: &read_file,
        environment: &System,
        schemas: None,
        post_renderer: None,
    };
    let result = match template(&options, &host) {
        Ok(result) => result,
        Err(TemplateError::Failed { message, output }) => {
            out.write_all(output.as_bytes())?;
            return Err(said(message));
        }
        Err(error) => return Err(said(error)),
    };
    for warning in result.warnings {
        tracing::warn!("{warning}");
    }
    for (path, text) in result.files {
        write_file(Path::new(&path), &text)?;
    }
    out.write_all(result.text.as_bytes())?;
    Ok(())
}

fn write_file(path: &Path, text: &str) -> Result<(), HelmError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
        .map_err(|error| said(format!("cannot write {}: {error}", path.display())))
}
