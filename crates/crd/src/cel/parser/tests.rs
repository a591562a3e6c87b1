use crate::cel::Environment;

fn errors(text: &str) -> String {
    let compiled = Environment::new().compile(text);
    compiled
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

/// Facts of cel-go's `parser/parser_test.go`.
#[test]
fn reading_goes_on_after_a_missing_operand() {
    for (text, first, second) in [("1 + +", 5, 6), ("in", 1, 3), ("?", 1, 2)] {
        let errors = errors(text);
        let operator = text.split(' ').next_back().unwrap();
        assert!(
            errors.contains(&format!(
                "<input>:1:{first}: Syntax error: mismatched input '{operator}' expecting {{"
            )),
            "{errors}"
        );
        assert!(
            errors.contains(&format!(
                "<input>:1:{second}: Syntax error: mismatched input '<EOF>' expecting {{"
            )),
            "{errors}"
        );
    }
}

#[test]
fn words_of_other_languages_are_reserved() {
    assert_eq!(
        errors("while"),
        "ERROR: <input>:1:1: reserved identifier: while\n | while\n | ^"
    );
}
