//! `watch`: the changes as they happen.
//!
//! A watch is a cursor into the history of its resource, so a slow client holds nothing but its
//! place there; one that falls out of the history is told so with a 410 and has to list again.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object::Value;
use rand::Rng as _;
use serde_json::json;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::list::{ListOptions, version_error};
use super::selector::Selection;
use super::{Call, Outcome, metadata, read};
use crate::error::ApiError;
use crate::http::answer;
use crate::http::negotiate::{Encoding, Transform};
use crate::store::{Bucket, Encoded, Event, EventKind, Range, Stored, frame};
use crate::table::IncludeObject;

/// How often a quiet watch is told how far the server is.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// How long before its end a watch gets a last bookmark.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// How many events are put together into one frame at most.
const BATCH: usize = 100;

/// Starts a watch.
pub(super) fn watch(call: &Call) -> Result<Outcome, ApiError> {
    let options = ListOptions::read(call)?;
    let selection = Selection::read(call)?;
    options.check(true)?;
    let bucket = call.bucket();
    let version = if options.version.is_empty() {
        0
    } else {
        metadata::parse_version(&options.version)
            .ok_or_else(|| ApiError::new(500, "", version_error(&options.version)))?
    };
    let range = Range::namespace(&call.namespace);
    let mut watcher = Watcher::new(call, bucket, selection, range, &options)?;
    watcher.start(version, &options);
    let frames = futures::stream::unfold(watcher, |mut watcher| async move {
        watcher.next().await.map(|frame| (frame, watcher))
    });
    Ok(Outcome::Watch(Box::pin(frames)))
}

/// A running watch.
struct Watcher {
    call: Call,
    bucket: Arc<Bucket>,
    selection: Selection,
    range: Range,
    include: IncludeObject,
    /// All events up to here have been sent.
    cursor: i64,
    ready: VecDeque<Bytes>,
    changed: Receiver<i64>,
    ends: Instant,
    bookmark_at: Option<Instant>,
    /// Goes off at the next bookmark or the end. It and the next are kept from event to event: to register
    /// them anew would be most of the work of a wake-up.
    timer: Pin<Box<Sleep>>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    is_over: bool,
    has_sent_columns: bool,
    generation: u64,
}

impl Watcher {
    fn new(
        call: &Call,
        bucket: Arc<Bucket>,
        selection: Selection,
        range: Range,
        options: &ListOptions,
    ) -> Result<Self, ApiError> {
        let seconds = match options.timeout_seconds {
            Some(seconds) if seconds > 0 => seconds as u64,
            _ => rand::rng().random_range(1800..3600),
        };
        let include = match call.query.text("includeObject") {
            "" | "Metadata" => IncludeObject::Metadata,
            "None" => IncludeObject::None,
            "Object" => IncludeObject::Object,
            other => return Err(crate::table::bad_include(other)),
        };
        let now = Instant::now();
        let lasts = Duration::from_secs(seconds.min(u64::from(u32::MAX)));
        let ends = now + lasts;
        let first = lasts.saturating_sub(LAST_BOOKMARK).min(BOOKMARK_EVERY);
        let bookmark_at = options.bookmarks.then(|| now + first);
        Ok(Self {
            call: call.clone(),
            changed: bucket.subscribe(),
            bucket,
            selection,
            range,
            include,
            cursor: 0,
            ready: VecDeque::new(),
            ends,
            bookmark_at,
            timer: Box::pin(tokio::time::sleep_until(bookmark_at.unwrap_or(ends))),
            shutdown: Box::pin(call.core.shutdown.clone().cancelled_owned()),
            is_over: false,
            has_sent_columns: false,
            generation: 0,
        })
    }

    /// Puts the cursor where the watch begins, and the objects there are in front of it if they are
    /// wanted.
    fn start(&mut self, version: i64, options: &ListOptions) {
        self.generation = self.call.core.registry().generation;
        let wants_state = options.send_initial.unwrap_or(version == 0);
        if !wants_state {
            self.cursor = if version == 0 {
                self.bucket.revision()
            } else {
                version
            };
            return;
        }
        let snapshot = self.bucket.list(&self.range);
        self.cursor = snapshot.revision;
        for stored in snapshot.objects {
            if self.selection.matches(&stored)
                && let Some(frame) = self.frame(EventKind::Added, &stored)
            {
                self.ready.push_back(frame);
            }
        }
        if options.bookmarks {
            let bookmark = self.bookmark(snapshot.revision, true);
            self.ready.push_back(bookmark);
        }
    }

    /// The next frame; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.take_ready() {
                return Some(frame);
            }
            if self.is_over {
                return None;
            }
            // Before looking, so that what is published meanwhile wakes the wait below.
            self.changed.borrow_and_update();
            self.read_events();
            if !self.ready.is_empty() {
                continue;
            }
            self.wait().await;
        }
    }

    /// What is ready, put together up to a bound.
    fn take_ready(&mut self) -> Option<Bytes> {
        let first = self.ready.pop_front()?;
        if self.ready.is_empty() {
            return Some(first);
        }
        let mut joined = first.to_vec();
        while joined.len() < 64 * 1024
            && let Some(next) = self.ready.pop_front()
        {
            joined.extend_from_slice(&next);
        }
        Some(Bytes::from(joined))
    }

    async fn wait(&mut self) {
        tokio::select! {
            changed = self.changed.changed() => {
                if changed.is_err() || self.is_gone() {
                    self.is_over = true;
                }
            }
            () = self.timer.as_mut() => self.on_time(),
            () = self.shutdown.as_mut() => self.is_over = true,
        }
    }

    /// The end, or time for a bookmark.
    fn on_time(&mut self) {
        if Instant::now() >= self.ends {
            self.is_over = true;
            return;
        }
        let revision = self.bucket.published().max(self.cursor);
        let frame = self.bookmark(revision, false);
        self.ready.push_back(frame);
        self.plan_bookmark();
        let due = self.bookmark_at.unwrap_or(self.ends);
        self.timer.as_mut().reset(due);
    }

    /// Whether the resource is no longer served: its definition is gone.
    fn is_gone(&mut self) -> bool {
        let registry = self.call.core.registry();
        if registry.generation == self.generation {
            return false;
        }
        self.generation = registry.generation;
        let gvr = &self.call.resource.gvr;
        registry
            .resource(&gvr.group, &gvr.version, &gvr.resource)
            .is_none()
    }

    fn plan_bookmark(&mut self) {
        let now = Instant::now();
        let last = self.ends - LAST_BOOKMARK;
        let next = now + BOOKMARK_EVERY;
        self.bookmark_at = if now >= last {
            None
        } else {
            Some(next.min(last))
        };
    }

    fn read_events(&mut self) {
        // Bookmarks promise that everything before them has been sent.
        let published = self.bucket.published();
        match self.bucket.events_since(self.cursor, BATCH) {
            Ok(events) => {
                let is_all = events.len() < BATCH;
                for event in events {
                    self.cursor = event.revision;
                    if let Some(frame) = self.event(&event) {
                        self.ready.push_back(frame);
                    }
                }
                if is_all {
                    self.cursor = self.cursor.max(published);
                }
            }
            Err(gap) => {
                let error = ApiError::expired(format!(
                    "too old resource version: {} ({})",
                    self.cursor, gap.oldest
                ));
                let frame = self.encode("ERROR", &error.status());
                self.ready.push_back(frame);
                self.is_over = true;
            }
        }
    }

    /// What an event is for this watch.
    fn event(&mut self, event: &Event) -> Option<Bytes> {
        if !self.range.contains(&event.object.key) {
            return None;
        }
        if self.selection.is_everything() {
            if self.is_plain(&event.object) {
                return Some(event.line());
            }
            return self.frame(event.kind, &event.object);
        }
        let was = event
            .previous
            .as_ref()
            .is_some_and(|old| self.selection.matches(old));
        let is = event.kind != EventKind::Deleted && self.selection.matches(&event.object);
        match (was, is) {
            (false, false) => None,
            (false, true) => self.frame(EventKind::Added, &event.object),
            (true, true) => self.frame(EventKind::Modified, &event.object),
            (true, false) if event.kind == EventKind::Deleted => {
                self.frame(EventKind::Deleted, &event.object)
            }
            (true, false) => {
                // It no longer matches: as it was, but with the revision of the change.
                let old = event.previous.as_ref()?;
                let last = Encoded::of(&old.value()).stored(&old.key, event.revision);
                self.frame(EventKind::Deleted, &last)
            }
        }
    }

    /// Whether frames hold the stored bytes.
    fn is_plain(&self, stored: &Stored) -> bool {
        self.call.accept.encoding == Encoding::Json
            && self.call.accept.transform == Transform::None
            && read::is_raw(&self.call.resource, stored)
    }

    fn frame(&mut self, kind: EventKind, stored: &Stored) -> Option<Bytes> {
        let name = match kind {
            EventKind::Added => "ADDED",
            EventKind::Modified => "MODIFIED",
            EventKind::Deleted => "DELETED",
        };
        if self.is_plain(stored) {
            return Some(frame(name.as_bytes(), &stored.raw));
        }
        let object = read::to_request_version(
            &self.call.resource,
            read::stored_value(&self.call.resource, stored),
        );
        let shown = match self.call.accept.transform {
            Transform::None => object,
            Transform::Metadata(version) | Transform::MetadataList(version) => {
                answer::partial(&object, version)
            }
            Transform::Table(version) => {
                let with_columns = !std::mem::replace(&mut self.has_sent_columns, true);
                answer::watch_table(
                    &self.call.core,
                    &self.call.resource,
                    version,
                    self.include,
                    &object,
                    with_columns,
                )
            }
        };
        Some(self.encode(name, &shown))
    }

    fn encode(&self, kind: &str, object: &Value) -> Bytes {
        if self.call.accept.encoding == Encoding::Protobuf {
            return match builtin::protobuf::encode_watch_event(kind, object) {
                Ok(bytes) => Bytes::from(bytes),
                Err(error) => {
                    tracing::warn!(%error, "an event has no protobuf form");
                    Bytes::new()
                }
            };
        }
        frame(
            kind.as_bytes(),
            &serde_json::to_vec(object).unwrap_or_default(),
        )
    }

    fn bookmark(&mut self, revision: i64, ends_initial: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let kind = &self.call.resource.gvk;
        let object = json!({
            "kind": kind.kind, "apiVersion": kind.api_version(), "metadata": metadata,
        });
        let shown = match self.call.accept.transform {
            Transform::None => {
                if self.call.resource.custom().is_none() {
                    complete(kind, object)
                } else {
                    object
                }
            }
            Transform::Metadata(version) | Transform::MetadataList(version) => {
                answer::partial(&object, version)
            }
            Transform::Table(version) => {
                let with_columns = !std::mem::replace(&mut self.has_sent_columns, true);
                answer::watch_table(
                    &self.call.core,
                    &self.call.resource,
                    version,
                    self.include,
                    &object,
                    with_columns,
                )
            }
        };
        self.encode("BOOKMARK", &shown)
    }
}

/// A bookmark of a built-in kind has what Go writes of an empty object.
fn complete(kind: &object::GroupVersionKind, object: Value) -> Value {
    let mut whole = crate::registry::schema::empty_object(kind);
    if let (Some(whole), Value::Object(object)) = (whole.as_object_mut(), object) {
        for (key, value) in object {
            whole.insert(key, value);
        }
    }
    whole
}
