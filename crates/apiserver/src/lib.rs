//! The embedded Kubernetes API server: an HTTP service over a SQLite store.
