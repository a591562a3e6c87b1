//! `list`: many objects, in pages if the client wants.
//!
//! Source: apiserver, `storage/etcd3/store.go` and `storage/cacher`; apimachinery,
//! `apis/meta/internalversion/validation`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use object::field::{self, Path, quote};
use object::{GroupKind, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::selector::Selection;
use super::{Call, Object, metadata, read};
use crate::error::ApiError;
use crate::registry::ServedResource;
use crate::store::{Gap, Range, Snapshot, Stored};

/// A list.
pub struct Listed {
    /// The resource, in the version asked for.
    pub resource: Arc<ServedResource>,
    /// The revision of the list.
    pub revision: i64,
    /// The token for the next page; empty at the end.
    pub continue_token: String,
    /// How many objects come after this page, if that is known.
    pub remaining: Option<i64>,
    /// The objects.
    pub items: Vec<Object>,
    /// Whether the items are null in JSON: Go's list of one object that is not there.
    pub is_null: bool,
    keys: Vec<Box<str>>,
}

impl Listed {
    /// The list as a value; each item has its kind and version.
    pub fn into_value(self) -> Value {
        let items: Vec<Value> = self.items.into_iter().map(Object::into_value).collect();
        let mut list = json!({
            "apiVersion": self.resource.gvk.api_version(),
            "kind": self.resource.list_kind,
            "metadata": {"resourceVersion": self.revision.to_string()},
            "items": items,
        });
        if !self.continue_token.is_empty() {
            list["metadata"]["continue"] = Value::from(self.continue_token);
        }
        if let Some(remaining) = self.remaining {
            list["metadata"]["remainingItemCount"] = Value::from(remaining);
        }
        list
    }

    /// The namespaces (empty for objects of the cluster) and names of the items.
    pub fn names(&self) -> Vec<(String, String)> {
        self.keys
            .iter()
            .map(|key| match key.split_once('/') {
                Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
                None => (String::new(), key.to_string()),
            })
            .collect()
    }
}

/// The options of lists and watches.
#[derive(Debug, Default)]
pub(super) struct ListOptions {
    pub(super) limit: usize,
    continue_token: String,
    pub(super) version: String,
    matching: String,
    pub(super) timeout_seconds: Option<i64>,
    pub(super) bookmarks: bool,
    pub(super) send_initial: Option<bool>,
}

impl ListOptions {
    /// Reads the query; [`ListOptions::check`] is to follow.
    pub(super) fn read(call: &Call) -> Result<Self, ApiError> {
        let query = &call.query;
        let number = |key: &str| match query.get(key) {
            None | Some("") => Ok(None),
            Some(text) => text.parse::<i64>().map(Some).map_err(|_| {
                let why = if text
                    .trim_start_matches(['-', '+'])
                    .bytes()
                    .all(|b| b.is_ascii_digit())
                    && text.bytes().any(|b| b.is_ascii_digit())
                {
                    "value out of range"
                } else {
                    "invalid syntax"
                };
                ApiError::bad_request(format!("strconv.ParseInt: parsing {}: {why}", quote(text)))
            }),
        };
        Ok(Self {
            limit: number("limit")?.unwrap_or(0).max(0) as usize,
            continue_token: query.text("continue").to_owned(),
            version: query.text("resourceVersion").to_owned(),
            matching: query.text("resourceVersionMatch").to_owned(),
            timeout_seconds: number("timeoutSeconds")?,
            bookmarks: query.is_true("allowWatchBookmarks"),
            send_initial: query
                .has("sendInitialEvents")
                .then(|| query.is_true("sendInitialEvents")),
        })
    }

    /// Checks what does not go together.
    pub(super) fn check(&self, is_watch: bool) -> Result<(), ApiError> {
        let errors = if is_watch {
            self.watch_errors()
        } else {
            self.list_errors()
        };
        if errors.is_empty() {
            return Ok(());
        }
        let kind = GroupKind::new("meta.k8s.io", "ListOptions");
        Err(ApiError::invalid(&kind, "", &errors))
    }

    fn list_errors(&self) -> Vec<field::Error> {
        let path = Path::new("resourceVersionMatch");
        let mut errors = Vec::new();
        let forbid = |text: &str| field::Error::forbidden(&path, text);
        if !self.matching.is_empty() {
            if self.version.is_empty() {
                errors.push(forbid(
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                ));
            }
            if !self.continue_token.is_empty() {
                errors.push(forbid(
                    "resourceVersionMatch is forbidden when continue is provided",
                ));
            }
            if !matches!(self.matching.as_str(), "Exact" | "NotOlderThan") {
                errors.push(field::Error::not_supported(
                    &path,
                    self.matching.as_str(),
                    &["Exact", "NotOlderThan", ""],
                ));
            }
            if self.matching == "Exact" && self.version == "0" {
                errors.push(forbid(
                    "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
                ));
            }
        }
        if self.send_initial.is_some() {
            errors.push(field::Error::forbidden(
                &Path::new("sendInitialEvents"),
                "sendInitialEvents is forbidden for list",
            ));
        }
        errors
    }

    fn watch_errors(&self) -> Vec<field::Error> {
        let path = Path::new("resourceVersionMatch");
        let mut errors = Vec::new();
        let is_not_older = self.matching == "NotOlderThan";
        if self.send_initial.is_some() && !is_not_older {
            errors.push(field::Error::forbidden(
                &path,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        }
        if self.matching.is_empty() {
            return errors;
        }
        if self.send_initial.is_none() {
            errors.push(field::Error::forbidden(
                &path,
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        if !is_not_older {
            errors.push(field::Error::not_supported(
                &path,
                self.matching.as_str(),
                &["NotOlderThan"],
            ));
        }
        if !self.continue_token.is_empty() {
            errors.push(field::Error::forbidden(
                &path,
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        errors
    }
}

/// What Go says of a resource version that is none.
pub(super) fn version_error(text: &str) -> String {
    let quoted = quote(text);
    format!(
        "resourceVersion: Invalid value: {quoted}: strconv.ParseUint: parsing {quoted}: invalid syntax"
    )
}

/// What the token of a page holds.
#[derive(Serialize, Deserialize)]
struct Token {
    #[serde(default)]
    v: String,
    #[serde(default)]
    rv: i64,
    #[serde(default)]
    start: String,
}

impl Token {
    fn encode(revision: i64, start: &str) -> String {
        let token = Self {
            v: "meta.k8s.io/v1".to_owned(),
            rv: revision,
            start: start.to_owned(),
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
    }

    fn decode(text: &str) -> Result<Self, ApiError> {
        let invalid = |why: &str| {
            ApiError::bad_request(format!(
                "invalid continue token: continue key is not valid{why}"
            ))
        };
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .or_else(|_| STANDARD.decode(text))
            .map_err(|_| invalid(": illegal base64 data at input byte 0"))?;
        let token: Self = serde_json::from_slice(&bytes).map_err(|error| {
            let why = builtin::decode::syntax_error(&bytes).unwrap_or_else(|| error.to_string());
            invalid(&format!(": {why}"))
        })?;
        if token.v != "meta.k8s.io/v1" {
            return Err(invalid(&format!(
                ": server does not recognize this encoded version {}",
                quote(&token.v)
            )));
        }
        if token.rv == 0 {
            return Err(invalid(
                ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
            ));
        }
        if token.start.is_empty() {
            return Err(invalid(
                ": encoded start key empty (version meta.k8s.io/v1)",
            ));
        }
        let leads_up = token
            .start
            .split('/')
            .skip(usize::from(token.start.starts_with('/')))
            .any(|part| part.is_empty() || part == "." || part == "..");
        if leads_up {
            return Err(invalid(&format!(": {}", token.start)));
        }
        Ok(token)
    }
}

/// Lists objects.
pub(super) fn list(call: &Call) -> Result<Listed, ApiError> {
    let options = ListOptions::read(call)?;
    let selection = Selection::read(call)?;
    options.check(false)?;
    let range = match (selection.name(), call.namespace.is_empty()) {
        // One object, wherever it could be, without looking at the others.
        (Some(name), false) if options.continue_token.is_empty() => {
            Range::only(&crate::store::key_of(&call.namespace, name))
        }
        (Some(name), true) if !call.resource.namespaced && options.continue_token.is_empty() => {
            Range::only(name)
        }
        _ => Range::namespace(&call.namespace),
    };
    let snapshot = snapshot(call, &options, range)?;
    Ok(page(call, &options, &selection, snapshot))
}

/// The objects at the revision that is asked for.
fn snapshot(call: &Call, options: &ListOptions, range: Range) -> Result<Snapshot, ApiError> {
    let bucket = call.bucket();
    if !options.continue_token.is_empty() {
        let token = Token::decode(&options.continue_token)?;
        if !options.version.is_empty() && options.version != "0" {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let prefix = if call.namespace.is_empty() {
            String::new()
        } else {
            format!("{}/", call.namespace)
        };
        let start = token.start.trim_start_matches('/');
        let range = range.from(&format!("{prefix}{start}"));
        if token.rv < 0 {
            return Ok(bucket.list(&range));
        }
        return bucket
            .list_at(&range, token.rv)
            .map_err(|_| too_old_token(start));
    }
    if options.version.is_empty() || options.version == "0" {
        return Ok(bucket.list(&range));
    }
    let version = metadata::parse_version(&options.version).ok_or_else(|| {
        ApiError::bad_request(format!(
            "invalid resource version: {}",
            version_error(&options.version)
        ))
    })?;
    let current = bucket.revision();
    if version > current {
        return Err(ApiError::resource_version_too_large(version, current));
    }
    let is_exact =
        options.matching == "Exact" || (options.matching.is_empty() && options.limit > 0);
    if is_exact {
        return bucket.list_at(&range, version).map_err(|_: Gap| {
            ApiError::expired("The resourceVersion for the provided list is too old.")
        });
    }
    Ok(bucket.list(&range))
}

fn too_old_token(start: &str) -> ApiError {
    ApiError::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
    .with_continue(Token::encode(-1, start))
}

/// The page of a snapshot that is asked for.
fn page(call: &Call, options: &ListOptions, selection: &Selection, snapshot: Snapshot) -> Listed {
    let revision = snapshot.revision;
    let mut objects = snapshot.objects;
    let everything = selection.is_everything();
    if !everything {
        objects.retain(|stored| selection.matches(stored));
    }
    let mut continue_token = String::new();
    let mut remaining = None;
    // The watch cache, which answers for version 0, knows no pages.
    let limit_counts = options.limit > 0 && options.version != "0";
    if limit_counts && objects.len() > options.limit {
        if everything {
            remaining = Some((objects.len() - options.limit) as i64);
        }
        objects.truncate(options.limit);
        if let Some(last) = objects.last() {
            let key = relative(call, last);
            continue_token = Token::encode(revision, &format!("{key}\0"));
        }
    }
    let keys = objects.iter().map(|stored| stored.key.clone()).collect();
    Listed {
        resource: Arc::clone(&call.resource),
        revision,
        continue_token,
        remaining,
        is_null: objects.is_empty()
            && selection.name().is_some()
            && call.resource.custom().is_none(),
        items: objects
            .into_iter()
            .map(|stored| read::view(&call.resource, stored))
            .collect(),
        keys,
    }
}

/// The key as tokens have it: without the namespace that the list is of.
fn relative<'a>(call: &Call, stored: &'a Stored) -> &'a str {
    if call.namespace.is_empty() {
        &stored.key
    } else {
        stored.name()
    }
}
