//! File paths in specs.
//!
//! Source: `pkg/apis/core/validation`.

use crate::strategy::node::{Errors, Located, Node};

/// A path without `..`.
pub(crate) fn no_backsteps(errors: &mut Errors, at: &impl Located, path: &str) {
    if path.split('/').any(|part| part == "..") {
        errors.invalid(at, path, "must not contain '..'");
    }
}

/// A relative path without `..`.
pub(crate) fn local_descending(errors: &mut Errors, at: &impl Located, path: &str) {
    if path.starts_with('/') {
        errors.invalid(at, path, "must be a relative path");
    }
    no_backsteps(errors, at, path);
}

/// A relative path that does not begin with `..`.
pub(crate) fn local_non_reserved(errors: &mut Errors, at: &impl Located, path: &str) {
    local_descending(errors, at, path);
    if path.starts_with("..") && !path.starts_with("../") {
        errors.invalid(at, path, "must not start with '..'");
    }
}

/// The permissions of a file, if given.
pub(crate) fn file_mode(errors: &mut Errors, mode: &Node<'_>) {
    if let Some(bits) = mode.opt_int()
        && !(0..=0o777).contains(&bits)
    {
        errors.invalid(
            mode,
            bits,
            "must be a number between 0 and 0777 (octal), both inclusive",
        );
    }
}
