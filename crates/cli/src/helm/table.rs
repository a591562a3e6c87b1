//! Tables as Helm prints them: columns padded with spaces and separated by tabs.
//!
//! Source: gosuri/uitable.

/// Rows as text, each cell padded to the width of its column.
pub(super) fn print(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        out.push_str(&cells.join("\t"));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_are_padded_also_the_last() {
        let rows = [
            vec!["NAME".to_owned(), "V".to_owned()],
            vec!["a".to_owned(), "1.0".to_owned()],
        ];
        assert_eq!(super::print(&rows), "NAME\tV  \na   \t1.0\n");
    }
}
