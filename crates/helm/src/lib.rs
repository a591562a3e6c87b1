//! Helm charts: loading, values, rendering.
//!
//! ```text
//! files ──load_files──► Chart ──process_dependencies──► Chart ─┐
//! --set, -f ──────────► values ──coalesce_values──► render_values ──Engine::render──► texts by path
//! ```
//!
//! The results are those of Helm 4.2.4. The crate reads no file, clock or cluster itself: files are given,
//! the rest comes in by traits.

pub mod chart;
pub mod engine;
pub mod manifest;
pub mod values;
