//! JSON as Go's `encoding/json` writes and reads it.

mod decode;
mod encode;

pub use decode::{DecodeError, Numbers, decode, decode_prefix};
pub use encode::{EncodeOptions, append_string, encode};
