//! The one place that says which build this is.

/// The version of the program; a build may state its own (with the commit, say) in `SLUICE_VERSION`.
pub(crate) const VERSION: &str = match option_env!("SLUICE_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};
