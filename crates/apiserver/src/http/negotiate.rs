//! Content negotiation: the forms in which objects are read and answered.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

use crate::error::ApiError;

/// An encoding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`.
    #[default]
    Json,
    /// `application/yaml`.
    Yaml,
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
}

impl Encoding {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }

    fn named(media_type: &str) -> Option<Self> {
        [Self::Json, Self::Yaml, Self::Protobuf]
            .into_iter()
            .find(|encoding| encoding.media_type().eq_ignore_ascii_case(media_type))
    }
}

/// Into what an answer is turned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transform {
    /// Nothing: the object itself.
    #[default]
    None,
    /// A `Table` of `meta.k8s.io`, in `v1` or `v1beta1`.
    Table(&'static str),
    /// `PartialObjectMetadata`.
    Metadata(&'static str),
    /// `PartialObjectMetadataList`.
    MetadataList(&'static str),
}

/// What the client gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accept {
    /// The encoding.
    pub encoding: Encoding,
    /// The transformation.
    pub transform: Transform,
    /// Whether JSON is indented.
    pub pretty: bool,
}

/// The encodings of built-in kinds.
pub const ALL: [Encoding; 3] = [Encoding::Json, Encoding::Yaml, Encoding::Protobuf];

/// One clause of an `Accept` header.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    pub(crate) media_type: String,
    quality: f32,
    pub(crate) parameters: Vec<(String, String)>,
}

impl Clause {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads an `Accept` header into clauses, the best first (goautoneg).
pub(crate) fn clauses(header: &str) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = header
        .split(',')
        .filter_map(|part| {
            let mut pieces = part.split(';');
            let media_type = pieces.next()?.trim().to_ascii_lowercase();
            if !media_type.contains('/') && media_type != "*" {
                return None;
            }
            let mut clause = Clause {
                media_type,
                quality: 1.0,
                parameters: Vec::new(),
            };
            for piece in pieces {
                let Some((key, value)) = piece.split_once('=') else {
                    continue;
                };
                let (key, value) = (key.trim(), value.trim());
                if key == "q" {
                    clause.quality = value.parse().unwrap_or(1.0);
                } else {
                    clause.parameters.push((key.to_owned(), value.to_owned()));
                }
            }
            Some(clause)
        })
        .collect();
    // By quality, then the more specific first; otherwise in the order in which they came.
    let width = |clause: &Clause| {
        if clause.media_type == "*/*" {
            2
        } else {
            u8::from(clause.media_type.ends_with("/*"))
        }
    };
    clauses.sort_by(|a, b| {
        b.quality
            .total_cmp(&a.quality)
            .then(width(a).cmp(&width(b)))
    });
    clauses
}

/// The `Accept` header, `*/*` if there is none.
pub(crate) fn accept_header(headers: &HeaderMap) -> String {
    let values: Vec<_> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    if values.is_empty() || values == [""] {
        "*/*".to_owned()
    } else {
        values.join(",")
    }
}

/// Whether go-restful would route a request of this `Accept` header to a handler that produces
/// `offered`: it knows neither `application/*` nor parameters.
pub(super) fn restful_accepts(header: &str, offered: &[&str]) -> bool {
    header.split(',').any(|part| {
        let media_type = part.split(';').next().unwrap_or_default().trim();
        media_type == "*/*" || offered.contains(&media_type)
    })
}

/// The 406 of go-restful.
pub(super) fn restful_not_acceptable(offered: &[&str]) -> ApiError {
    let message = format!(
        "406: Not Acceptable\n\nAvailable representations: {}",
        offered.join(", ")
    );
    ApiError::new(406, "NotAcceptable", message).with_details(crate::error::Details::default())
}

/// Picks the encoding and transformation. `tables` says whether `;as=` is understood here.
///
/// Source: apiserver, `handlers/negotiation/negotiate.go`.
pub fn negotiate(
    headers: &HeaderMap,
    offered: &[Encoding],
    tables: bool,
) -> Result<Accept, ApiError> {
    let header = accept_header(headers);
    for clause in clauses(&header) {
        for encoding in offered {
            let media_type = encoding.media_type();
            let matches = clause.media_type == media_type
                || clause.media_type == "*/*"
                || clause.media_type == "*"
                || clause.media_type == "application/*";
            if !matches {
                continue;
            }
            if let Some(transform) = transform_of(&clause, *encoding, tables) {
                return Ok(Accept {
                    encoding: *encoding,
                    transform,
                    pretty: clause.parameter("pretty") == Some("1"),
                });
            }
        }
    }
    let names: Vec<_> = offered
        .iter()
        .map(|encoding| encoding.media_type())
        .collect();
    Err(ApiError::not_acceptable(&names))
}

/// The transformation a clause asks for; `None` if it is one that is not known.
fn transform_of(clause: &Clause, encoding: Encoding, tables: bool) -> Option<Transform> {
    let Some(name) = clause.parameter("as") else {
        // A group or version without `as` asks for nothing.
        return Some(Transform::None);
    };
    if clause.parameter("g") != Some("meta.k8s.io") || !tables {
        return None;
    }
    let version = match clause.parameter("v") {
        Some("v1") => "v1",
        Some("v1beta1") => "v1beta1",
        _ => return None,
    };
    match name {
        // Tables have no protobuf form.
        "Table" if encoding != Encoding::Protobuf => Some(Transform::Table(version)),
        "PartialObjectMetadata" => Some(Transform::Metadata(version)),
        "PartialObjectMetadataList" => Some(Transform::MetadataList(version)),
        _ => None,
    }
}

/// The encoding for an error: the client's choice where it can be had, else JSON.
pub fn for_error(headers: &HeaderMap) -> Encoding {
    let header = accept_header(headers);
    clauses(&header)
        .iter()
        .find_map(|clause| Encoding::named(&clause.media_type))
        .unwrap_or_default()
}

/// The media type of the body; JSON if there is none.
pub fn content_type(headers: &HeaderMap) -> String {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    if media_type.is_empty() {
        "application/json".to_owned()
    } else {
        media_type.to_owned()
    }
}

/// The encoding of a body that holds an object.
pub fn of_body(media_type: &str, offered: &[Encoding]) -> Result<Encoding, ApiError> {
    Encoding::named(media_type)
        .filter(|encoding| offered.contains(encoding))
        .ok_or_else(|| {
            let names: Vec<_> = offered
                .iter()
                .map(|encoding| encoding.media_type())
                .collect();
            ApiError::unsupported_media_type(&names)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(header: &str) -> Option<Accept> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, header.parse().unwrap());
        negotiate(&headers, &ALL, true).ok()
    }

    #[test]
    fn the_best_clause_that_is_offered_wins() {
        let plain = |encoding| {
            Some(Accept {
                encoding,
                ..Accept::default()
            })
        };
        assert_eq!(accept("*/*"), plain(Encoding::Json));
        assert_eq!(
            accept("application/json;q=0.5,application/yaml"),
            plain(Encoding::Yaml)
        );
        assert_eq!(
            accept("application/json;as=Table;v=v9;g=meta.k8s.io,application/json"),
            plain(Encoding::Json)
        );
        assert_eq!(
            accept("application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
                .unwrap()
                .transform,
            Transform::Table("v1")
        );
        assert_eq!(accept("text/html"), None);
    }
}
