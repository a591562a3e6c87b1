//! `envsubst`: substitutes variables of the environment in what is piped through.

use std::io::{self, BufRead, Write};

use kustomize::envsubst::substitute;

/// Lines of this size and more end the run without a word, as Go's scanner does.
const MAX_LINE: usize = 64 * 1024;

/// Why not all of the input was substituted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvsubstError {
    #[error("{0}")]
    Substitute(#[from] kustomize::envsubst::SubstituteError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Substitutes line by line. Without `strict`, what is not set is empty.
pub(crate) fn run(
    mut input: impl BufRead,
    mut output: impl Write,
    lookup: &dyn Fn(&str) -> Option<Vec<u8>>,
    strict: bool,
) -> Result<(), EnvsubstError> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = io::Read::take(&mut input, MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let mut text = line.strip_suffix(b"\n").unwrap_or(&line);
        if text.len() >= MAX_LINE {
            return Ok(());
        }
        text = text.strip_suffix(b"\r").unwrap_or(text);
        let mut substituted = substitute(text, lookup, strict)?;
        substituted.push(b'\n');
        output.write_all(&substituted)?;
        output.flush()?;
    }
}

/// Variables of this process.
pub(crate) fn from_environment(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(std::ffi::OsString::into_encoded_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_text(input: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut output = Vec::new();
        let lookup = |name: &str| (name == "a").then(|| b"1".to_vec());
        let result = run(input, &mut output, &lookup, false);
        (output, result.err().map(|error| error.to_string()))
    }

    #[test]
    fn lines_are_substituted_until_one_fails() {
        assert_eq!(run_text(b"x ${a}\r\n${b}."), (b"x 1\n.\n".to_vec(), None));
        let (output, error) = run_text(b"${a}\n${a\n${a}\n");
        assert_eq!(output, b"1\n");
        assert_eq!(error.as_deref(), Some("missing closing brace"));
    }

    #[test]
    fn long_lines_end_the_run_silently() {
        let mut input = b"first\n".to_vec();
        input.extend(vec![b'x'; MAX_LINE - 1]);
        input.extend(b"\n");
        input.extend(vec![b'x'; MAX_LINE]);
        input.extend(b"\nlast\n");
        let (output, error) = run_text(&input);
        assert_eq!(output.len(), 6 + MAX_LINE);
        assert_eq!(error, None);
    }
}
