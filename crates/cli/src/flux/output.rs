//! What commands print: data on standard output, progress on standard error with Flux's marks.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Writes to standard output; a reader that has gone away is no error.
pub(crate) fn out(text: impl AsRef<[u8]>) {
    let mut stdout = io::stdout().lock();
    // A closed pipe means that the reader has seen enough.
    let _ = stdout
        .write_all(text.as_ref())
        .and_then(|()| stdout.flush());
}

/// Writes to standard error.
pub(crate) fn err(text: impl Display) {
    // Nowhere is left to tell of a failure.
    let _ = write!(io::stderr().lock(), "{text}");
}

/// Something is being done.
pub(crate) fn action(text: impl Display) {
    err(format_args!("► {text}\n"));
}

/// Something is being generated.
pub(crate) fn generate(text: impl Display) {
    err(format_args!("✚ {text}\n"));
}

/// Something is waited for.
pub(crate) fn waiting(text: impl Display) {
    err(format_args!("◎ {text}\n"));
}

/// Something has worked.
pub(crate) fn success(text: impl Display) {
    err(format_args!("✔ {text}\n"));
}

/// Something should be looked at.
pub(crate) fn warning(text: impl Display) {
    err(format_args!("⚠️ {text}\n"));
}

/// Something has failed.
pub(crate) fn failure(text: impl Display) {
    err(format_args!("✗ {text}\n"));
}

/// Prints an object as a YAML document.
///
/// # Errors
/// As [`yaml_text`].
pub(crate) fn document(object: &serde_json::Value) -> Result<(), String> {
    out(format!("---\n{}\n", yaml_text(object)?.trim()));
    Ok(())
}

/// An object as YAML.
///
/// # Errors
/// Text that YAML cannot hold as it is. Go's library writes JSON first, which leaves such characters
/// alone, and reads that as YAML.
pub(crate) fn yaml_text(object: &serde_json::Value) -> Result<String, String> {
    let unprintable = |letter: char| matches!(letter, '\u{7f}' | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if object.to_string().contains(unprintable) {
        return Err("yaml: control characters are not allowed".to_owned());
    }
    Ok(yaml::from_json(object))
}

/// A table: columns padded with spaces, a tab after each cell; headers in capitals.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).chain([header.len()]).max();
    let mut widths = vec![0; columns.unwrap_or_default()];
    // A cell may have several lines; each is padded by itself.
    let cells: Vec<Vec<Vec<&str>>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| lines(cell)).collect())
        .collect();
    let header: Vec<String> = header.iter().map(|title| title.to_uppercase()).collect();
    for (width, title) in widths.iter_mut().zip(&header) {
        *width = width_of(title);
    }
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            let widest = cell.iter().map(|line| width_of(line)).max();
            *width = (*width).max(widest.unwrap_or_default());
        }
    }
    let mut text = String::new();
    for (index, title) in header.iter().enumerate() {
        let end = if index + 1 == header.len() {
            " \n"
        } else {
            "\t"
        };
        text.push_str(&padded(title, widths[index]));
        text.push_str(end);
    }
    for row in &cells {
        let height = row.iter().map(Vec::len).max().unwrap_or_default();
        for line in 0..height {
            for (cell, width) in row.iter().zip(&widths) {
                text.push_str(&padded(cell.get(line).copied().unwrap_or_default(), *width));
                text.push('\t');
            }
            text.push('\n');
        }
    }
    text
}

fn lines(cell: &str) -> Vec<&str> {
    cell.split('\n').collect()
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(width_of(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_padded_and_have_tabs() {
        let rows = [vec!["fleet".to_owned(), String::new()]];
        assert_eq!(
            table(&["Name", "Ready"], &rows),
            "NAME \tREADY \nfleet\t     \t\n"
        );
        assert_eq!(table(&[], &rows), "fleet\t\t\n");
    }
}
