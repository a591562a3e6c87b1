//! Running the tests of a release.
//!
//! Source: Helm `pkg/action/release_testing.go`.

use std::time::Duration;

use helm::release::{Hook, Release};

use crate::actions::{Actions, Common};
use crate::cluster::Cluster;
use crate::error::ActionError;

/// A run of tests.
#[derive(Debug, Clone)]
pub struct Test {
    /// How long each test may take.
    pub timeout: Duration,
    /// The tests to run, by name; all if empty.
    pub include: Vec<String>,
    /// Tests not to run, by name.
    pub exclude: Vec<String>,
}

impl Default for Test {
    fn default() -> Self {
        Self {
            timeout: Common::default().timeout,
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

impl Test {
    fn runs(&self, hook: &Hook) -> bool {
        !self.exclude.contains(&hook.name)
            && (self.include.is_empty() || self.include.contains(&hook.name))
    }
}

impl<C: Cluster> Actions<C> {
    /// Runs the tests of the newest revision; gives it with how they fared, also with an error.
    ///
    /// # Errors
    /// There is no such release.
    pub async fn test(
        &self,
        name: &str,
        options: &Test,
    ) -> Result<(Release, Result<(), ActionError>), ActionError> {
        helm::chart::check_release_name(name).map_err(|_| {
            ActionError::Invalid(format!("releaseTest: Release name is invalid: {name}"))
        })?;
        let mut release = self.storage().get(name, 0).await?;
        let (run, left_out): (Vec<Hook>, Vec<Hook>) = std::mem::take(&mut release.hooks)
            .into_iter()
            .partition(|hook| options.runs(hook));
        release.hooks = run;
        let ran = self
            .run_hooks(&mut release, "test", true, options.timeout)
            .await;
        release.hooks.extend(left_out);
        self.storage().update(&release).await?;
        Ok((release, ran))
    }
}
