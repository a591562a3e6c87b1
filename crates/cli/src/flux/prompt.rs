//! Questions to the user.

use std::io::{BufRead as _, IsTerminal as _};

use super::{Outcome, Stop, output};

/// Asks for a `y`; anything else, or no terminal to ask at, ends the command.
///
/// # Errors
/// `aborting`, unless the user agrees.
pub(crate) fn confirm(question: &str) -> Outcome {
    if agreed(question) {
        Ok(())
    } else {
        Err("aborting".into())
    }
}

/// Whether the user agrees.
pub(crate) fn agreed(question: &str) -> bool {
    if std::io::stdin().is_terminal() {
        output::err(format_args!("{question} [y/N] "));
    }
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(read) if read > 0 => matches!(answer.trim(), "y" | "Y"),
        _ => false,
    }
}

/// Reads a secret from standard input.
///
/// # Errors
/// In Flux's words.
pub(crate) fn password(question: &str) -> Result<String, Stop> {
    output::out(question);
    let mut answer = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut answer);
    match read {
        Ok(_) if answer.ends_with(b"\n") => {
            output::out("\n");
            let text = String::from_utf8_lossy(&answer);
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        _ => Err("could not read from stdin: EOF".into()),
    }
}
