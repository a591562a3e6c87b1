//! Server-side apply in stages, inventory, prune, health and drift.
