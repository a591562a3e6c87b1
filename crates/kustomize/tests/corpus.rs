//! The recorded cases of `kustomize build`, as the command and as Flux builds them.

#![expect(clippy::print_stderr, reason = "how much was compared is worth a line")]

mod cases;

use kustomize::Profile;

/// All results must agree; of the errors' first lines at least this share of a hundred.
///
/// Flux's share is low because the corpus has its own wording only where it differs in outcome too: the
/// other cases are recorded with what the command prints, and Flux reads files by other means.
fn agree(profile: Profile, least_first_lines: usize) {
    let Some(corpus) = testkit::conformance("kustomize") else {
        return;
    };
    let mut tally = testkit::Tally::default();
    let (mut same, mut errors) = (0, 0);
    for case in cases::folders(&corpus) {
        let Some(outcome) = cases::run(&case, profile) else {
            continue;
        };
        if let Some((wanted, found)) = outcome.first_lines {
            errors += 1;
            same += usize::from(wanted == found);
        }
        tally.record(
            &case.file_name().unwrap_or_default().to_string_lossy(),
            outcome.problem.map_or(Ok(()), Err),
        );
    }
    eprintln!(
        "{profile:?}: {} cases, {same} of {errors} first lines",
        tally.total()
    );
    assert!(tally.total() > 1000, "{} cases", tally.total());
    assert!(tally.failures().is_empty(), "{}", tally.report());
    assert!(
        same * 100 >= errors * least_first_lines,
        "{same} of {errors}"
    );
}

#[test]
fn builds_agree_with_the_command() {
    agree(Profile::Command, 98);
}

#[test]
fn builds_agree_with_flux() {
    agree(Profile::Flux, 80);
}
