//! Applying one object.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::meta::ObjectId;
use object::{Value, meta};

use super::Applier;
use super::repair::TRIES;
use crate::change::{Action, Change, id_of};
use crate::check::is_invalid;
use crate::compare::{changed_fields, has_drifted};
use crate::error::{ObjectError, Step, masked};
use crate::ignore;
use crate::manifest::{Manifest, any_in_metadata};
use crate::memory::{Digest, InFlight, Key, Known, Policy};
use crate::options::Options;
use crate::rest::{Failure, Form, Resource, Target};

/// What to do about the objects of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Apply.
    Apply,
    /// Find out whether the object would be accepted; it will be applied after that.
    Try,
    /// Find out whether the object would be accepted; it will not be applied, since something else has failed.
    Check,
}

/// An object, and what is known about it.
pub(super) struct Plan {
    pub(super) id: ObjectId,
    is_doubtful: bool,
    pub(super) object: Arc<Value>,
    origin: Option<Arc<str>>,
    pub(super) resource: Arc<Resource>,
    known: Known,
    flight: Option<InFlight>,
    /// What is already clear.
    settled: Option<Change>,
}

impl Plan {
    /// Whether something has to be sent.
    pub(super) fn is_pending(&self) -> bool {
        self.settled.is_none()
    }

    /// Whether the API server may well refuse it.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
            || (self.known.exists != Some(true) && is_invalid(&self.object, &self.resource))
    }

    /// Whether it changes an object that is there.
    pub(super) fn is_update(&self) -> bool {
        self.known.is_update
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target {
            resource: &self.resource,
            namespace: &self.id.namespace,
            name: &self.id.name,
        }
    }

    fn change(&self, action: Action) -> Change {
        Change::new(self.id.clone(), self.resource.gvk.version.as_str(), action)
    }

    pub(super) fn error(&self, step: Step, failure: Failure) -> ObjectError {
        ObjectError {
            id: self.id.clone(),
            step,
            failure: masked(failure, &self.object),
            origin: self.origin.clone(),
        }
    }

    /// The object was applied; `answer` is the object or its metadata.
    fn done(&mut self, answer: &Value, is_corrected: bool) {
        if let Some(flight) = self.flight.take() {
            flight.done(answer, is_corrected);
        }
    }

    fn set_uncertain(&mut self, is_uncertain: bool) {
        if let Some(flight) = &mut self.flight {
            flight.set_uncertain(is_uncertain);
        }
    }

    /// The change entry of an object that is left alone. One that is not there is named as the manifest names it.
    fn skipped(&self, exists: bool) -> Change {
        if exists {
            return self.change(Action::Skipped);
        }
        Change::of(&self.object, Action::Skipped)
    }
}

impl Applier {
    /// Looks at what is known about an object.
    pub(super) fn plan(
        &self,
        manifest: &Manifest,
        resource: Arc<Resource>,
        options: &Options,
        policy: &Arc<Policy>,
    ) -> Plan {
        let mut id = id_of(&manifest.object);
        if !resource.is_namespaced {
            id.namespace = String::new();
        }
        let mut plan = Plan {
            id,
            is_doubtful: manifest.is_doubtful,
            object: Arc::clone(&manifest.object),
            origin: manifest.origin.clone(),
            resource,
            known: Known::default(),
            flight: None,
            settled: None,
        };
        let key = Key {
            namespace: plan.id.namespace.as_str().into(),
            name: plan.id.name.as_str().into(),
        };
        if any_in_metadata(&plan.object, &options.exclusions) {
            plan.known.is_excluded = true;
            let exists = self.cluster.memory().exists(&plan.resource, &key);
            plan.settled = exists.map(|exists| plan.skipped(exists));
            return plan;
        }
        let salt = format!("{:?}", options.ignore.paths_of(&plan.object));
        let digest = Digest::of(&plan.object, salt.as_bytes());
        let memory = self.cluster.memory();
        let (known, flight) = memory.begin(
            &self.owner,
            &plan.resource,
            &key,
            digest,
            &options.exclusions,
            policy,
        );
        plan.settled = match &known {
            known if known.is_excluded => Some(plan.skipped(true)),
            known if known.is_clean => Some(plan.change(Action::Unchanged)),
            known
                if known.exists == Some(true)
                    && any_in_metadata(&plan.object, &options.if_not_present) =>
            {
                Some(plan.skipped(true))
            }
            _ => None,
        };
        plan.known = known;
        plan.flight = flight.filter(|_| plan.settled.is_none());
        plan
    }

    /// Does what is to be done about an object. `None` for an object that was only checked.
    pub(super) async fn run(
        &self,
        plan: &mut Plan,
        options: &Options,
        policy: &Arc<Policy>,
        mode: Mode,
    ) -> Result<Option<Change>, ObjectError> {
        if let Some(change) = &plan.settled {
            return Ok((mode == Mode::Apply).then(|| change.clone()));
        }
        let end = Instant::now() + options.retry_for;
        let mut pause = Duration::from_millis(100);
        loop {
            let result = if mode == Mode::Apply {
                plan.set_uncertain(true);
                let result = self.apply_object(plan, options, policy).await.map(Some);
                // What the API server refuses it has not done. Without an answer nobody knows.
                let is_refused = |error: &ObjectError| matches!(error.failure, Failure::Status(_));
                plan.set_uncertain(!result.as_ref().is_err_and(is_refused));
                result
            } else {
                self.try_object(plan, options).await.map(|()| None)
            };
            match result {
                Err(error) if is_passing(&error.failure) && Instant::now() + pause < end => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                result => return result,
            }
        }
    }

    /// Finds out whether an object would be accepted.
    async fn try_object(&self, plan: &Plan, options: &Options) -> Result<(), ObjectError> {
        if plan.known.is_excluded {
            return Ok(());
        }
        let tried = self
            .rest
            .apply(&plan.target(), &plan.object, true, Form::Metadata)
            .await;
        match tried {
            Ok(_) => Ok(()),
            Err(failure) => {
                if failure.is_immutable() && self.should_recreate(plan, options).await?.is_some() {
                    return Ok(());
                }
                Err(plan.error(Step::Apply, failure))
            }
        }
    }

    async fn apply_object(
        &self,
        plan: &mut Plan,
        options: &Options,
        policy: &Arc<Policy>,
    ) -> Result<Change, ObjectError> {
        let excluded = plan.known.is_excluded;
        if plan.known.exists.is_none() || excluded {
            let live = self.read(plan, Form::Metadata).await?;
            let is_there = live.is_some();
            if excluded
                || live
                    .as_ref()
                    .is_some_and(|live| any_in_metadata(live, &options.exclusions))
            {
                return Ok(plan.skipped(is_there));
            }
            if is_there && any_in_metadata(&plan.object, &options.if_not_present) {
                return Ok(plan.skipped(true));
            }
            plan.known.exists = Some(is_there);
            plan.known.version = live
                .as_ref()
                .map_or(0, |live| number(meta::resource_version(live)));
        }
        let is_there = plan.known.exists == Some(true);
        let mut is_patched = false;
        if is_there && options.migrate_api_version {
            is_patched = self.migrate(plan).await?;
        }
        let paths = options.ignore.paths_of(&plan.object);
        if is_there && (!paths.is_empty() || plan.known.is_drift) {
            let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
            return self
                .compare(plan, options, policy, &paths, is_patched)
                .await;
        }
        let (is_new, answer) = self
            .send(plan, &plan.object, options, Form::Metadata)
            .await?;
        let answer = if is_new {
            None
        } else {
            self.clean_up(plan, &plan.object, &answer, options, Form::Metadata)
                .await?
        }
        .map_or((answer, is_patched), |answer| (answer, true));
        let (answer, is_patched) = answer;
        let version = number(meta::resource_version(&answer));
        let action = if is_new {
            Action::Created
        } else if is_patched || version == 0 || version != plan.known.version {
            Action::Configured
        } else {
            Action::Unchanged
        };
        let mut change = plan.change(action);
        change.is_drift = plan.known.is_drift && action.has_changed();
        plan.done(&answer, change.is_drift);
        Ok(change)
    }

    /// Compares an object with what a dry run makes of it, and applies it if it has drifted: for objects with fields that
    /// are ignored, and for those that someone else has changed, so that the fields can be named.
    async fn compare(
        &self,
        plan: &mut Plan,
        options: &Options,
        policy: &Arc<Policy>,
        paths: &[String],
        mut is_patched: bool,
    ) -> Result<Change, ObjectError> {
        let Some(live) = self.read(plan, Form::Full).await? else {
            let (is_new, answer) = self
                .send(plan, &plan.object, options, Form::Metadata)
                .await?;
            let mut change = plan.change(if is_new {
                Action::Created
            } else {
                Action::Configured
            });
            change.is_drift = plan.known.is_drift;
            plan.done(&answer, change.is_drift);
            return Ok(change);
        };
        let dry_run = match self
            .rest
            .apply(&plan.target(), &plan.object, true, Form::Full)
            .await
        {
            Ok(answer) => answer.object,
            Err(failure) if failure.is_immutable() => {
                let (_, answer) = self
                    .recreate_or(plan, &plan.object, options, failure, Form::Metadata)
                    .await?;
                plan.done(&answer, plan.known.is_drift);
                return Ok(plan.change(Action::Created));
            }
            Err(failure) => return Err(plan.error(Step::Apply, failure)),
        };
        let without = |object: &Value| {
            let mut object = object.clone();
            for path in paths {
                crate::pointer::remove(&mut object, path);
            }
            object
        };
        let (before, wanted) = (without(&live), without(&dry_run));
        let mut fields = Vec::new();
        let mut object = Arc::clone(&plan.object);
        let cleaned = self.clean_up_only(plan, &live, options).await?;
        is_patched |= cleaned.is_some();
        let drifted = has_drifted(&before, &wanted);
        if !drifted && !is_patched {
            plan.done(&live, false);
            return Ok(plan.change(Action::Unchanged));
        }
        if !paths.is_empty() {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let manager = &policy.field_manager;
            ignore::resolve(Arc::make_mut(&mut object), &live, &dry_run, &paths, manager);
        }
        let (_, answer) = self.send(plan, &object, options, Form::Full).await?;
        let is_drift = plan.known.is_drift;
        if is_drift {
            fields = changed_fields(&before, &without(&answer));
        }
        plan.done(&answer, is_drift);
        let mut change = plan.change(Action::Configured);
        change.is_drift = is_drift;
        change.fields = fields;
        Ok(change)
    }

    pub(super) async fn read(&self, plan: &Plan, form: Form) -> Result<Option<Value>, ObjectError> {
        // Flux does not look at why an object cannot be read; what then fails is the dry run.
        let live = self.rest.get(&plan.target(), form).await;
        live.map_err(|failure| plan.error(Step::Apply, failure))
    }

    /// Applies a manifest; makes the object anew if it must be. Returns whether it is new.
    pub(super) async fn send(
        &self,
        plan: &Plan,
        object: &Value,
        options: &Options,
        form: Form,
    ) -> Result<(bool, Value), ObjectError> {
        let mut answer = self.rest.apply(&plan.target(), object, false, form).await;
        for _ in 1..TRIES {
            // Many writers at once. Flux would take it for an immutable field, and delete the object if forced.
            if !answer.as_ref().is_err_and(Failure::is_conflict) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            answer = self.rest.apply(&plan.target(), object, false, form).await;
        }
        match answer {
            Ok(answer) => Ok((answer.is_new, answer.object)),
            Err(failure) if failure.is_immutable() => {
                self.recreate_or(plan, object, options, failure, form).await
            }
            Err(failure) => Err(plan.error(Step::Apply, failure)),
        }
    }
}

/// The version as a number; 0 if it is none.
fn number(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

/// Whether the failure may pass by itself in a moment: a webhook that is not up yet, a namespace that is still being made
/// ready, an API server that restarts.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Status(status) => {
            let message = &status.message;
            let is_webhook = message.contains("failed calling webhook")
                && [
                    "connection refused",
                    "no endpoints available",
                    "not found",
                    "EOF",
                    "timeout",
                    "deadline exceeded",
                ]
                .iter()
                .any(|cause| message.contains(cause));
            is_webhook || matches!(status.code, 429 | 503 | 504) || status.reason == "ServerTimeout"
        }
        Failure::Transport(_) => true,
        Failure::NoKind { .. } | Failure::Deadline | Failure::Local(_) => false,
    }
}
