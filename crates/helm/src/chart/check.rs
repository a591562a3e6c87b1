//! What has to hold before a chart is installed. Source: Helm `checkIfInstallable`, `CheckDependencies`,
//! `ValidateReleaseName`.

use super::Chart;
use crate::Compat;

/// Why a chart is not to be installed: Helm's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInstallable {
    /// It is a library.
    #[error("{0} charts are not installable")]
    Kind(String),
    /// Charts it depends on are not below `charts/`.
    #[error("{advice}: found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", "))]
    Missing {
        /// What Helm advises to do.
        advice: &'static str,
        /// Their names.
        missing: Vec<String>,
    },
}

/// Fails for charts that only lend templates to others.
pub fn check_installable(chart: &Chart) -> Result<(), NotInstallable> {
    match chart.metadata.chart_type.as_str() {
        "" | "application" => Ok(()),
        other => Err(NotInstallable::Kind(other.to_owned())),
    }
}

/// Fails if a chart that `Chart.yaml` names is not there.
pub fn check_dependencies(chart: &Chart, compat: Compat) -> Result<(), NotInstallable> {
    let is_there = |name: &str| {
        chart
            .dependencies
            .iter()
            .any(|child| child.metadata.name == name)
    };
    let needed = chart.metadata.dependencies.iter();
    let missing: Vec<String> = needed
        .map(|dependency| dependency.name.clone())
        .filter(|name| !is_there(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let advice = if compat.is_v3() {
        "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies"
    } else {
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies"
    };
    Err(NotInstallable::Missing { advice, missing })
}

/// Why a text is no name for a release: Helm's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It is empty.
    #[error("no name provided")]
    Missing,
    /// It has other characters, or too many.
    #[error(
        r"invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
    )]
    Invalid,
}

/// Checks the name of a release: a DNS subdomain of at most 53 bytes.
pub fn check_release_name(name: &str) -> Result<(), InvalidName> {
    if name.is_empty() {
        return Err(InvalidName::Missing);
    }
    let fits = |part: &str| {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = part.as_bytes();
        bytes.iter().all(|byte| is_word(*byte) || *byte == b'-')
            && bytes.first().is_some_and(|byte| is_word(*byte))
            && bytes.last().is_some_and(|byte| is_word(*byte))
    };
    if name.len() > 53 || !name.split('.').all(fits) {
        return Err(InvalidName::Invalid);
    }
    Ok(())
}
