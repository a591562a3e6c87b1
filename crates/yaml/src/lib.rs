//! YAML as the Go libraries of Kustomize, Helm and kubectl read and write it.
//!
//! ```text
//! bytes ─ reader ─► text ─ scanner ─► tokens ─ parser ─► events ─ compose ─► Node ─ emit ─► text
//!                                                                   └─ json ─► serde_json::Value ─┘
//! ```
//!
//! Two libraries are followed, and [`Dialect`] names them: go-yaml v2 below sigs.k8s.io/yaml
//! ([`to_json`], [`from_json`]: manifests for kubectl, the API server and Helm, and what `kustomize
//! build` prints) and go-yaml v3 below kyaml ([`parse`], [`node_to_string`]: nodes with styles and
//! comments).
//!
//! Why the scanner and parser are our own: both libraries are libyaml with changes that show in outputs
//! and messages. Which comment goes with which node is decided from the token queue while it is being
//! filled; the line an error names depends on whether scanner or parser raised it and on how many tokens
//! are scanned ahead. No event parser offers that: saphyr-parser follows YAML 1.2 and drops comments,
//! and the ports of libyaml drop comments and scan no further than the next token.
//!
//! Everything is bounded: nesting to 400 levels, aliases as go-yaml bounds them.
//!
//! ```
//! let value = yaml::to_json(b"on: yes\nlist:\n  - 1.0\n")?;
//! assert_eq!(value, serde_json::json!({"true": true, "list": [1]}));
//! assert_eq!(yaml::from_json(&value), "list:\n- 1\n\"true\": true\n");
//! # Ok::<(), yaml::Error>(())
//! ```
//!
//! Known differences: go-yaml stops at 10 000 levels; a bad character in a text is reported before any
//! other problem of that text, where go-yaml may report a problem more than 512 bytes before it.

mod compose;
mod edit;
mod emit;
mod error;
mod json;
mod node;
mod number;
mod parser;
mod reader;
mod resolve;
mod scanner;

/// The text of scalars: short ones are kept in place.
pub type Text = compact_str::CompactString;

pub use compose::{Document, parse, parse_documents};
pub use edit::{Edit, edit_scalars};
pub use emit::compare_keys;
pub use emit::{
    SequenceIndent, Value, View, document_to_string, node_to_string, node_to_string_with_step,
    to_yaml,
};
pub use error::{Dialect, Error};
pub use json::{
    from_json, is_non_string, split_documents, to_json, to_json_documents, to_json_strict,
};
pub use node::{Extras, Kind, Node, Plain, Style, Tag};
pub use number::{go_float, go_float_32, json_float};
pub use resolve::{Scalar, implicit_tag, is_plain_string, resolve};
