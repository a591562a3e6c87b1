//! Events: to the API server as client-go's recorder posts them, and to the receiver that `--events-addr`
//! names as Flux's recorder does. Source: fluxcd/pkg `runtime/events`, client-go `tools/record`.

mod correlate;
mod sink;
mod webhook;

use std::collections::BTreeMap;

use api::constants::annotations::EVENT_PREFIX;
use api::meta::{Object, Time};
use serde::Serialize;

use crate::Kind;
pub(crate) use sink::Sink;

/// How an event is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// All is well.
    Normal,
    /// Someone should look.
    Warning,
    /// Of no interest to the receiver of events; a normal one for the API server.
    Trace,
}

impl EventType {
    /// The type in the API: `Normal` or `Warning`.
    pub(crate) fn kubernetes(self) -> &'static str {
        match self {
            Self::Normal | Self::Trace => "Normal",
            Self::Warning => "Warning",
        }
    }

    /// The severity for the receiver; `None` if it is not told.
    fn severity(self) -> Option<&'static str> {
        match self {
            Self::Normal => Some("info"),
            Self::Warning => Some("error"),
            Self::Trace => None,
        }
    }
}

/// The object that an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Involved {
    /// The kind.
    pub kind: String,
    /// The namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The identity.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Group and version.
    pub api_version: String,
    /// The revision of the object that the event was made for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
}

impl Involved {
    /// A reference to `object`.
    pub fn of<S: Kind>(object: &Object<S>) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Self {
            kind: S::NAMES.kind.to_owned(),
            namespace: text(&object.metadata.namespace),
            name: text(&object.metadata.name),
            uid: text(&object.metadata.uid),
            api_version: S::NAMES.api_version(S::VERSION),
            resource_version: text(&object.metadata.resource_version),
        }
    }
}

/// An event on its way.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) involved: Involved,
    pub(crate) r#type: EventType,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) component: String,
    pub(crate) at: Time,
}

/// Records events that come from one controller.
#[derive(Clone)]
pub struct Recorder {
    sink: Sink,
    component: String,
}

impl Recorder {
    pub(crate) fn new(sink: Sink, component: &str) -> Self {
        Self {
            sink,
            component: component.to_owned(),
        }
    }

    /// Records an event about `object`. The metadata become annotations, and so do the object's own
    /// annotations that begin with `event.toolkit.fluxcd.io/`.
    ///
    /// It returns at once; when too many events are on their way, this one is dropped.
    pub fn event<S: Kind>(
        &self,
        object: &Object<S>,
        r#type: EventType,
        reason: &str,
        message: &str,
        metadata: BTreeMap<String, String>,
    ) {
        let mut annotations = metadata;
        for (key, value) in object.metadata.annotations.iter().flatten() {
            if key.starts_with(EVENT_PREFIX) {
                annotations.insert(key.clone(), value.clone());
            }
        }
        self.sink.send(Event {
            involved: Involved::of(object),
            r#type,
            reason: reason.to_owned(),
            message: message.to_owned(),
            annotations,
            component: self.component.clone(),
            at: jiff::Timestamp::now().into(),
        });
    }
}
