//! What stands in the way of applying an object: fields that cannot change, managers that hold fields, old versions.

use std::time::{Duration, Instant};

use object::{Value, meta};

use super::Applier;
use super::object::Plan;
use crate::error::{ObjectError, Step};
use crate::managed::{cleanup_patch, migration_patch};
use crate::manifest::any_in_metadata;
use crate::options::{Options, Propagation};
use crate::rest::{Failure, Form};

/// How often an object is patched or applied again when others change it meanwhile.
pub(super) const TRIES: u32 = 3;

impl Applier {
    /// The live object, if it is there and may be deleted to be made anew.
    pub(super) async fn should_recreate(
        &self,
        plan: &Plan,
        options: &Options,
    ) -> Result<Option<Value>, ObjectError> {
        let is_forced = options.force || any_in_metadata(&plan.object, &options.force_selector);
        let Some(live) = self.read(plan, Form::Metadata).await? else {
            return Ok(None);
        };
        let is_forced = is_forced || any_in_metadata(&live, &options.force_selector);
        Ok(Some(live).filter(|_| is_forced))
    }

    pub(super) async fn recreate_or(
        &self,
        plan: &Plan,
        object: &Value,
        options: &Options,
        failure: Failure,
        form: Form,
    ) -> Result<(bool, Value), ObjectError> {
        let Some(live) = self.should_recreate(plan, options).await? else {
            return Err(plan.error(Step::Apply, failure));
        };
        let (target, uid) = (plan.target(), meta::uid(&live));
        let background = Propagation::Background.name();
        match self.rest.delete(&target, background, Some(uid)).await {
            Ok(()) => {}
            Err(failure) if failure.is_not_found() => {}
            Err(failure) => return Err(plan.error(Step::Recreate, failure)),
        }
        let end = Instant::now() + options.wait_timeout;
        let mut pause = Duration::from_millis(20);
        loop {
            let live = self.rest.get(&target, Form::Metadata).await;
            match live.map_err(|failure| plan.error(Step::AwaitRecreation, failure))? {
                Some(live) if meta::uid(&live) == uid => {}
                _ => break,
            }
            if Instant::now() + pause > end {
                return Err(plan.error(Step::AwaitRecreation, Failure::Deadline));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(options.wait_interval);
        }
        let answer = self.rest.apply(&target, object, false, form).await;
        let answer = answer.map_err(|failure| plan.error(Step::Apply, failure))?;
        Ok((answer.is_new, answer.object))
    }

    /// Takes fields over from managers that should not have them, removes annotations of other tools, and applies the
    /// manifest again. `None` if there was nothing to do.
    pub(super) async fn clean_up(
        &self,
        plan: &Plan,
        object: &Value,
        live: &Value,
        options: &Options,
        form: Form,
    ) -> Result<Option<Value>, ObjectError> {
        if self.clean_up_only(plan, live, options).await?.is_none() {
            return Ok(None);
        }
        let (_, answer) = self.send(plan, object, options, form).await?;
        Ok(Some(answer))
    }

    pub(super) async fn clean_up_only(
        &self,
        plan: &Plan,
        live: &Value,
        options: &Options,
    ) -> Result<Option<Value>, ObjectError> {
        let cleanup = &options.cleanup;
        let is_left = any_in_metadata(&plan.object, &cleanup.exclusions)
            || any_in_metadata(live, &cleanup.exclusions);
        if is_left {
            return Ok(None);
        }
        self.patch(plan, live, Step::Cleanup, |live| {
            cleanup_patch(live, cleanup, &self.owner.field_manager)
        })
        .await
    }

    pub(super) async fn migrate(&self, plan: &Plan) -> Result<bool, ObjectError> {
        let Some(live) = self.read(plan, Form::Metadata).await? else {
            return Ok(false);
        };
        let version = plan.resource.gvk.api_version();
        let patched = self
            .patch(plan, &live, Step::Migrate, |live| {
                migration_patch(live, &version)
            })
            .await;
        patched.map(|live| live.is_some()).map_err(|mut error| {
            let text = format!(
                "failed to migrate managed fields API version to {version}: {}",
                error.failure
            );
            error.failure = Failure::Local(text);
            error
        })
    }

    /// Patches an object as `patch` says; again if someone else has changed it meanwhile.
    async fn patch(
        &self,
        plan: &Plan,
        live: &Value,
        step: Step,
        patch: impl Fn(&Value) -> Option<Value>,
    ) -> Result<Option<Value>, ObjectError> {
        let Some(mut operations) = patch(live) else {
            return Ok(None);
        };
        for tried in 1.. {
            let failure = match self
                .rest
                .patch(&plan.target(), &operations, Form::Metadata)
                .await
            {
                Ok(answer) => return Ok(Some(answer.object)),
                Err(failure) => failure,
            };
            if tried == TRIES || !matches!(failure.code(), 409 | 422) {
                return Err(plan.error(step, failure));
            }
            let Some(live) = self.read(plan, Form::Metadata).await? else {
                return Ok(None);
            };
            match patch(&live) {
                Some(again) => operations = again,
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}
