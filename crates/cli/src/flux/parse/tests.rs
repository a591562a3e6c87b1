use super::*;
use crate::flux::table::TABLE;

fn request(line: &str) -> Result<Request<'static>, String> {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    parse(&TABLE, "flux", &[], &words)
}

fn arguments(line: &str) -> Arguments<'static> {
    match request(line) {
        Ok(Request::Run(arguments)) => arguments,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn flags_stand_anywhere() {
    let parsed = arguments("-n apps create source git --url=x web --export --branch main");
    assert_eq!(parsed.command.path, "create source git");
    assert_eq!(parsed.words, ["web"]);
    assert_eq!(
        (parsed.text("namespace"), parsed.text("branch")),
        ("apps", "main")
    );
    assert!(parsed.boolean("export"));
}

#[test]
fn a_word_after_a_boolean_is_an_argument() {
    let parsed = arguments("create ks web --prune false --source=a");
    assert_eq!(parsed.words, ["web", "false"]);
    assert!(parsed.boolean("prune"));
}

#[test]
fn groups_show_their_help() {
    for line in ["create", "create foo", "reconcile alert x", "help create"] {
        assert!(matches!(request(line), Ok(Request::Help(_))), "{line}");
    }
}

#[test]
fn errors_have_the_library_s_words() {
    let cases = [
        ("create source git a --bran=x", "unknown flag: --bran"),
        ("create source git a --url", "flag needs an argument: --url"),
        (
            "create source git a -u",
            "flag needs an argument: 'u' in -u",
        ),
        ("get ks -o yaml", "unknown shorthand flag: 'o' in -o"),
        ("create source git a --=x", "bad flag syntax: --=x"),
        ("debug ks", "accepts 1 arg(s), received 0"),
        ("check x", "unknown command \"x\" for \"flux check\""),
        (
            "suspnd",
            "unknown command \"suspnd\" for \"flux\"\n\nDid you mean this?\n\tsuspend\n",
        ),
        (
            "get ks --timeout=1",
            "invalid argument \"1\" for \"--timeout\" flag: time: missing unit in duration \"1\"",
        ),
    ];
    for (line, message) in cases {
        assert_eq!(request(line).unwrap_err(), message, "{line}");
    }
}

#[test]
fn deprecated_flags_are_told_of() {
    let parsed = arguments("create ks web --source=a --validation=client");
    assert!(
        parsed
            .notices
            .starts_with("Flag --validation has been deprecated, ")
    );
}
