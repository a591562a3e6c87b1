//! The built-in Kubernetes kinds: schema facts, decoding, defaulting, validation, tables, protobuf.
