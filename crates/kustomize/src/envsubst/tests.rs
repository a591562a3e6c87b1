use super::*;

fn check(text: &str, expected: &str) {
    let lookup = |name: &str| match name {
        "name" => Some(b"Hello-World".to_vec()),
        "path" => Some(b"/a/b/c.tar.gz".to_vec()),
        "accents" => Some("éa".as_bytes().to_vec()),
        "empty" => Some(Vec::new()),
        _ => None,
    };
    let found = match substitute(text.as_bytes(), &lookup, false) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn texts_and_escapes() {
    check("a ${name} $name b", "a Hello-World $name b");
    check("$${name} $$ $", "${name} $ $");
    check("$$${name}", "$Hello-World");
    check("${name", "error: missing closing brace");
    check("${}", "error: unable to parse variable name");
    check("${name.x}", "error: missing closing brace");
    check("${name-x}", "error: missing closing brace");
    check("cut\0 here ${", "cut");
}

#[test]
fn defaults() {
    for operator in ["=", ":=", ":-", ":?", ":+"] {
        check(&format!("${{none{operator}d e}}"), "d e");
        check(&format!("${{name{operator}d}}"), "Hello-World");
        check(&format!("${{empty{operator}${{name}}!}}"), "Hello-World!");
    }
    check("${none:=}", "");
    check("${none:=${other:=${name}}}", "Hello-World");
    check(
        "${none:=x",
        "error: unable to parse substitution within function",
    );
}

#[test]
fn parts_and_lengths() {
    check("${#name}", "11");
    check("${#accents}", "3");
    check("${name:6}", "World");
    check("${name:0:5}", "Hello");
    check("${name:-5}", "Hello-World");
    check("${name:1:-1}", "error: slice bounds out of range");
    check("${name:99}", "");
    check("${name:2:99}", "llo-World");
    check("${name:x}", "Hello-World");
    check("${name:é}", "error: bad substitution");
}

#[test]
fn cases() {
    check("${name,}", "hello-World");
    check("${name,,}", "hello-world");
    check("${name^^}", "HELLO-WORLD");
    check("${accents^}", "Éa");
    check("${name,^}", "Hello-World");
}

#[test]
fn patterns() {
    check("${name/l/L}", "HeLlo-World");
    check("${name//l/L}", "HeLLo-WorLd");
    check("${name//l/}", "Heo-Word");
    check("${name/#Hello/Bye}", "Bye-World");
    check("${name/%World/Moon}", "Hello-Moon");
    check("${path//\\//_}", "_a_b_c.tar.gz");
    check("${path##*/}", "c.tar.gz");
    check("${path#*/}", "a/b/c.tar.gz");
    check("${path%.*}", "/a/b/c.tar");
    check("${path%%.*}", "/a/b/c");
    check("${name#[G-I]}", "ello-World");
    check("${name#[}", "Hello-World");
    check("${name//x}", "error: bad substitution");
}

#[test]
fn strict_wants_values_but_where_there_is_a_default() {
    let none = |_: &str| None;
    let run = |text: &str| substitute(text.as_bytes(), &none, true);
    assert_eq!(run("${x:=d}").unwrap(), b"d");
    assert_eq!(
        run("${x}").unwrap_err(),
        SubstituteError::NotSet("x".into())
    );
    assert_eq!(
        run("${#x}").unwrap_err().to_string(),
        "variable not set (strict mode): \"x\""
    );
}

#[test]
fn nesting_is_bounded() {
    let text = "${a:=".repeat(5000);
    let none = |_: &str| None;
    assert_eq!(
        substitute(text.as_bytes(), &none, false).unwrap_err(),
        SubstituteError::TooDeep
    );
}
