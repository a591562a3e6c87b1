//! Where the tables of Flux's API are.

use std::path::{Path, PathBuf};

/// `$SLUICE_FLUX_DATA`, else `shared/flux` beside the checkout. When it is absent, a line on standard error
/// says that the test was skipped.
pub(crate) fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("SLUICE_FLUX_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/flux"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stderr, reason = "the report of a test run")]
    {
        eprintln!(
            "SKIPPED: the tables of Flux's API are not at {}",
            folder.display()
        );
    }
    None
}
