//! Admission webhooks: servers elsewhere that are asked about writes, and may change or refuse them.
//!
//! Source: apiserver `admission/plugin/webhook/{generic,mutating,validating}`.

mod client;
mod mutating;
mod review;
mod validating;

use std::sync::Arc;
use std::time::Duration;

use object::{GroupResource, Value, field, meta};
use parking_lot::RwLock;

use super::matching::{self, Matched};
use super::policy::Conditions;
use super::{Attributes, Operation};
use crate::core::Core;
use crate::error::ApiError;
use crate::store::Range;
use review::{Answer, Review};

pub(super) use mutating::{Rounds, mutate};
pub(super) use validating::validate;

const GROUP: &str = "admissionregistration.k8s.io";

/// One webhook of a configuration.
struct Webhook {
    /// Its name, as messages have it.
    name: String,
    /// Its entry in the configuration.
    spec: Value,
    conditions: Conditions,
}

/// The webhooks of one sort, kept until a configuration changes.
struct Known {
    resource: &'static str,
    kept: RwLock<Option<(i64, Arc<Vec<Webhook>>)>>,
}

/// The webhooks that are configured.
pub struct Webhooks {
    mutating: Known,
    validating: Known,
}

impl Default for Webhooks {
    fn default() -> Self {
        let known = |resource| Known {
            resource,
            kept: RwLock::default(),
        };
        Self {
            mutating: known("mutatingwebhookconfigurations"),
            validating: known("validatingwebhookconfigurations"),
        }
    }
}

impl Known {
    /// The webhooks, by the names of their configurations and in their order there.
    fn current(&self, core: &Core) -> Arc<Vec<Webhook>> {
        let bucket = core.store.bucket(&GroupResource::new(GROUP, self.resource));
        let revision = bucket.last_change();
        if let Some((known, webhooks)) = &*self.kept.read()
            && *known == revision
        {
            return Arc::clone(webhooks);
        }
        let mut configurations: Vec<Value> = bucket
            .list(&Range::all())
            .objects
            .into_iter()
            .map(|stored| stored.value())
            .collect();
        configurations.sort_by(|one, other| meta::name(one).cmp(meta::name(other)));
        let webhooks = configurations.iter_mut().flat_map(|configuration| {
            match configuration["webhooks"].take() {
                Value::Array(webhooks) => webhooks,
                _ => Vec::new(),
            }
        });
        let made: Arc<Vec<Webhook>> = Arc::new(webhooks.map(Webhook::of).collect());
        *self.kept.write() = Some((revision, Arc::clone(&made)));
        made
    }
}

/// Why a webhook did not let a write pass.
enum Trouble {
    /// It could not be asked or its answer makes no sense: the failure policy decides.
    Calling(String),
    /// It, or a rule about it, says no.
    Refused(ApiError),
}

impl Webhook {
    fn of(spec: Value) -> Self {
        Self {
            name: spec["name"].as_str().unwrap_or_default().to_owned(),
            conditions: Conditions::of(&spec),
            spec,
        }
    }

    fn ignores_failures(&self) -> bool {
        self.spec["failurePolicy"] == "Ignore"
    }

    /// Under what the webhook is to be asked about the write; `None` if it is not.
    fn concerns(
        &self,
        attributes: &Attributes<'_>,
        object: Option<&Value>,
    ) -> Result<Option<Matched>, ApiError> {
        let spec = &self.spec;
        let in_namespace =
            matching::namespace_matches(attributes, &spec["namespaceSelector"], object);
        let selected = matching::object_matches(attributes, &spec["objectSelector"], object);
        if in_namespace == Ok(false) || selected == Ok(false) {
            return Ok(None);
        }
        let Some(matched) = matching::by_rules(attributes, &spec["rules"], &spec["matchPolicy"])
        else {
            return Ok(None);
        };
        in_namespace.map_err(ApiError::internal)?;
        selected.map_err(ApiError::internal)?;
        match self.conditions.hold(attributes, object, &matched) {
            Ok(true) => Ok(Some(matched)),
            Ok(false) => Ok(None),
            Err(_) if self.ignores_failures() => Ok(None),
            Err(why) => Err(attributes.forbidden(object.unwrap_or(&Value::Null), &why)),
        }
    }

    /// Asks the webhook. Its warnings go to the client.
    async fn ask(
        &self,
        attributes: &Attributes<'_>,
        object: Option<&Value>,
        matched: &Matched,
        is_mutating: bool,
    ) -> Result<Answer, Trouble> {
        let effects = self.spec["sideEffects"].as_str();
        if attributes.dry_run && !matches!(effects, Some("None" | "NoneOnDryRun")) {
            return Err(Trouble::Refused(ApiError::bad_request(format!(
                "admission webhook {} does not support dry run",
                field::quote(&self.name)
            ))));
        }
        let review =
            Review::of(&self.spec, attributes, object, matched).map_err(Trouble::Calling)?;
        let timeout = self.spec["timeoutSeconds"].as_u64().unwrap_or(10).max(1);
        let timeout = Duration::from_secs(timeout);
        let core = &attributes.call.core;
        let answer = client::post(core, &self.spec["clientConfig"], &review.body, timeout)
            .await
            .and_then(|answer| {
                let read = review.read(answer, is_mutating);
                read.map_err(|why| format!("received invalid webhook response: {why}"))
            })
            .map_err(Trouble::Calling)?;
        for warning in &answer.warnings {
            attributes.call.context.warn(warning.as_str());
        }
        if answer.allowed {
            Ok(answer)
        } else {
            Err(Trouble::Refused(answer.refusal(&self.name)))
        }
    }

    /// What trouble comes to: nothing, where failures are ignored.
    fn decide(&self, trouble: Trouble) -> Result<(), ApiError> {
        let why = match trouble {
            Trouble::Refused(error) => return Err(error),
            Trouble::Calling(why) => why,
        };
        let name = field::quote(&self.name);
        let message = format!("failed calling webhook {name}: {why}");
        if self.ignores_failures() {
            tracing::warn!(
                webhook = self.name,
                error = why,
                "failed calling webhook, failing open"
            );
            return Ok(());
        }
        Err(ApiError::internal(message))
    }
}

/// Whether webhooks are asked about writes of this sort at all.
fn is_asked(attributes: &Attributes<'_>) -> bool {
    attributes.operation != Operation::Connect && !matching::is_exempt(attributes)
}
