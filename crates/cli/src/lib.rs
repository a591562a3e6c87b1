//! The command line: Flux's verbs and our own.
