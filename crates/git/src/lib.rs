//! Fetches commits of Git repositories into file trees, and pushes.
