//! Helm charts, values, rendering, hooks and release records.
