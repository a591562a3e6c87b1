//! The text of an expression, and errors that point into it.
//!
//! Source: cel-go `common/{source,error,errors}.go`.

/// The most errors that are shown.
const MAX_ERRORS: usize = 100;
/// Longer lines are not shown.
const MAX_SNIPPET: usize = 16_384;

/// An error at a place in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    /// Its offset in code points; `None` for the expression as a whole.
    pub(crate) offset: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
}

/// Prints errors as cel-go prints them: sorted by place, each with its line and a caret.
pub(crate) fn print(text: &str, issues: &[Issue]) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut located: Vec<(i64, usize, &str)> = issues
        .iter()
        .take(MAX_ERRORS)
        .map(|issue| match issue.offset {
            None => (-1, 0, issue.message.as_str()),
            Some(offset) => {
                let (line, column) = place(&lines, offset);
                (line as i64, column, issue.message.as_str())
            }
        })
        .collect();
    located.sort_by_key(|&(line, column, _)| (line, column));
    let mut shown: Vec<String> = located
        .iter()
        .map(|&(line, column, message)| print_one(&lines, line, column, message))
        .collect();
    if issues.len() > MAX_ERRORS {
        shown.push(format!(
            "{} more errors were truncated",
            issues.len() - MAX_ERRORS
        ));
    }
    shown.join("\n")
}

/// The line, from 1, and the column, from 0, of an offset.
fn place(lines: &[&str], offset: usize) -> (usize, usize) {
    let mut rest = offset;
    for (index, line) in lines.iter().enumerate() {
        let length = line.chars().count();
        if rest <= length || index + 1 == lines.len() {
            return (index + 1, rest);
        }
        rest -= length + 1;
    }
    (1, 0)
}

fn print_one(lines: &[&str], line: i64, column: usize, message: &str) -> String {
    let shown_column = if line < 0 { 0 } else { column + 1 };
    let mut text = format!("ERROR: <input>:{line}:{shown_column}: {message}");
    let snippet = usize::try_from(line - 1)
        .ok()
        .and_then(|index| lines.get(index));
    if let Some(snippet) = snippet.filter(|snippet| snippet.len() <= MAX_SNIPPET) {
        let snippet = snippet.replace('\t', " ");
        text.push_str("\n | ");
        text.push_str(&snippet);
        text.push_str("\n | ");
        let mut characters = snippet.chars();
        for character in characters.by_ref().take(column) {
            text.push(if character.len_utf8() > 1 {
                '\u{ff0e}'
            } else {
                '.'
            });
        }
        let is_wide = characters
            .next()
            .is_some_and(|character| character.len_utf8() > 1);
        text.push(if is_wide { '\u{ff3e}' } else { '^' });
    }
    text
}
