//! Fixtures for tests: corpora, loopback servers, peers.
