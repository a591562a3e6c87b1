//! The OpenAPI documents of what is served.

use crate::core::Core;

/// A document: its media type, entity tag and bytes.
pub struct Document {
    /// The `Content-Type`.
    pub media_type: String,
    /// The `ETag`, in quotes.
    pub etag: String,
    /// The bytes.
    pub bytes: bytes::Bytes,
}

/// Answers `/openapi/v2`, `/openapi/v3` and what is below. `accept` is the request's header.
pub fn document(core: &Core, path: &str, accept: &str) -> Option<Document> {
    let _ = (core, path, accept);
    None
}
