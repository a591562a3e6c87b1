//! Hooks: made in the order of their weights, waited for, and removed as they ask.
//!
//! Source: Helm `pkg/action/hooks.go`.

use std::time::Duration;

use helm::release::{Hook, HookExecution, HookPhase, Release};

use crate::actions::{Actions, now};
use crate::change;
use crate::cluster::{Call, Cluster, Verb};
use crate::error::ActionError;
use crate::objects;
use crate::wait::{self, Until};

const BEFORE_CREATION: &str = "before-hook-creation";
const SUCCEEDED: &str = "hook-succeeded";
const FAILED: &str = "hook-failed";

/// The places of the hooks of `event`, in the order in which they run.
fn order(hooks: &[Hook], event: &str) -> Vec<usize> {
    let mut places: Vec<usize> = (0..hooks.len())
        .filter(|place| hooks[*place].events.iter().any(|own| own == event))
        .collect();
    places.sort_by(|a, b| {
        let (a, b) = (&hooks[*a], &hooks[*b]);
        a.weight.cmp(&b.weight).then_with(|| a.name.cmp(&b.name))
    });
    places
}

impl<C: Cluster> Actions<C> {
    /// Runs the hooks of `event`. How they fared is written into `release`.
    pub(crate) async fn run_hooks(
        &self,
        release: &mut Release,
        event: &str,
        server_side: bool,
        timeout: Duration,
    ) -> Result<(), ActionError> {
        let places = order(&release.hooks, event);
        for (number, place) in places.iter().copied().enumerate() {
            if release.hooks[place].delete_policies.is_empty() {
                // Helm's default, which it also records.
                release.hooks[place].delete_policies = vec![BEFORE_CREATION.to_owned()];
            }
            let hook = release.hooks[place].clone();
            self.delete_hook(&hook, BEFORE_CREATION, timeout).await?;
            release.hooks[place].last_run = HookExecution {
                started_at: now(),
                completed_at: String::new(),
                phase: HookPhase::Running,
            };
            self.record(release).await;
            let ran = self.run_hook(&hook, event, server_side, timeout).await;
            let run = &mut release.hooks[place].last_run;
            run.completed_at = now();
            if let Err(error) = ran {
                run.phase = HookPhase::Failed;
                self.show_log(&hook, FAILED).await;
                if let Err(error) = self.delete_hook(&hook, FAILED, timeout).await {
                    tracing::warn!(hook = hook.name, %error, "cannot remove a failed hook");
                }
                for before in &places[..number] {
                    let before = release.hooks[*before].clone();
                    self.delete_hook(&before, SUCCEEDED, timeout).await?;
                }
                return Err(error);
            }
            run.phase = HookPhase::Succeeded;
        }
        for place in places.into_iter().rev() {
            let hook = release.hooks[place].clone();
            self.show_log(&hook, SUCCEEDED).await;
            self.delete_hook(&hook, SUCCEEDED, timeout).await?;
        }
        Ok(())
    }

    async fn run_hook(
        &self,
        hook: &Hook,
        event: &str,
        server_side: bool,
        timeout: Duration,
    ) -> Result<(), ActionError> {
        let objects = objects::build(&self.cluster, &hook.manifest, &self.namespace)
            .await
            .map_err(|error| {
                error.within(format!(
                    "unable to build kubernetes object for {event} hook {}",
                    hook.path
                ))
            })?;
        let applying = crate::Common::default().applying(server_side, &self.manager);
        change::create(&self.cluster, &objects, applying)
            .await
            .map_err(|error| error.within(format!("warning: Hook {event} {} failed", hook.path)))?;
        wait::ready(&self.cluster, &objects, Until::HooksRan, timeout).await
    }

    /// Removes the object of a hook if its policies say so. Definitions are never removed.
    async fn delete_hook(
        &self,
        hook: &Hook,
        policy: &str,
        timeout: Duration,
    ) -> Result<(), ActionError> {
        let asked = hook.delete_policies.iter().any(|own| own == policy);
        if hook.kind == "CustomResourceDefinition" || !asked {
            return Ok(());
        }
        let objects = objects::build(&self.cluster, &hook.manifest, &self.namespace)
            .await
            .map_err(|error| {
                error.within(format!(
                    "unable to build kubernetes object for deleting hook {}",
                    hook.path
                ))
            })?;
        let errors = change::delete(&self.cluster, &objects, "Background").await;
        ActionError::join(errors, "; ")?;
        wait::gone(&self.cluster, &objects, timeout).await
    }

    /// Shows the logs of the pods of a hook, if it asks for that and somebody looks.
    async fn show_log(&self, hook: &Hook, policy: &str) {
        let asked = hook.output_log_policies.iter().any(|own| own == policy);
        let (Some(log), true) = (&self.hook_log, asked) else {
            return;
        };
        if let Err(error) = self.print_logs(hook, log).await {
            tracing::warn!(hook = hook.name, %error, "cannot show the log of a hook");
        }
    }

    async fn print_logs(
        &self,
        hook: &Hook,
        log: &crate::actions::HookLog,
    ) -> Result<(), ActionError> {
        let pods = object::GroupVersionKind::new("", "v1", "Pod");
        let resource = self.cluster.resource(&pods).await?;
        let manifest = yaml::to_json(hook.manifest.as_bytes())
            .map_err(|error| ActionError::Invalid(error.to_string()))?;
        let namespace = match object::meta::namespace(&manifest) {
            "" => self.namespace.as_str(),
            own => own,
        };
        let call = |verb, name| Call {
            resource: &resource,
            namespace,
            name,
            verb,
            dry_run: false,
        };
        let found = match hook.kind.as_str() {
            "Job" => {
                let labels = format!("job-name={}", hook.name);
                let list = self.cluster.call(call(Verb::List { labels }, "")).await?;
                list["items"].as_array().cloned().unwrap_or_default()
            }
            "Pod" => vec![self.cluster.call(call(Verb::Get, &hook.name)).await?],
            _ => Vec::new(),
        };
        for pod in found {
            let name = object::meta::name(&pod);
            for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
                let container = container["name"].as_str().unwrap_or_default();
                log(&self.cluster.log(namespace, name, container).await?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_run_by_weight_and_name() {
        let hook = |name: &str, weight, event: &str| Hook {
            name: name.to_owned(),
            weight,
            events: vec![event.to_owned()],
            ..Hook::default()
        };
        let hooks = [
            hook("b", 0, "pre-install"),
            hook("a", 5, "pre-install"),
            hook("c", -5, "pre-install"),
            hook("a", 0, "pre-install"),
            hook("d", -9, "test"),
        ];
        assert_eq!(order(&hooks, "pre-install"), [2, 3, 0, 1]);
    }
}
