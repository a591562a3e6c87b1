//! `create source`.

pub(super) mod bucket;
pub(super) mod chart;
pub(super) mod git;
pub(super) mod helm;
pub(super) mod oci;
