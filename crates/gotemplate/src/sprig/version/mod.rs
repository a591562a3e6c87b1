//! Semantic versions and constraints on them: Masterminds/semver 3.5.

mod constraint;
mod object;

pub use constraint::Constraints;

use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

use regex::Regex;

use super::args::text;
use super::{Row, row};
use crate::function::{CallError, Param, Signature};
use crate::text::lossy;
use crate::value::Value;

pub(super) fn functions() -> Vec<Row> {
    vec![
        row(
            "semver",
            Signature::new(&[Param::String]),
            |_, args| match Version::parse(&lossy(text(args, 0))) {
                Ok(version) => Ok(object::pointer(version)),
                Err(error) => Err(CallError::new(error.to_string())),
            },
        ),
        row(
            "semverCompare",
            Signature::new(&[Param::String, Param::String]),
            |_, args| {
                let check = || -> Result<bool, VersionError> {
                    let constraints = Constraints::parse(&lossy(text(args, 0)))?;
                    Ok(constraints.check(&Version::parse(&lossy(text(args, 1)))?))
                };
                check()
                    .map(Value::Bool)
                    .map_err(|error| CallError::new(error.to_string()))
            },
        ),
    ]
}

/// Why text is no version or constraint; the texts of Masterminds/semver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not a version at all.
    #[error("invalid semantic version")]
    Invalid,
    /// A numeric part with a leading zero.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// The part after `-`.
    #[error("invalid prerelease string")]
    Prerelease,
    /// The part after `+`.
    #[error("invalid metadata string")]
    Metadata,
    /// A number that does not fit.
    #[error("error parsing version segment: strconv.ParseUint: parsing {0:?}: value out of range")]
    Range(String),
    /// Not a constraint.
    #[error("improper constraint: {}", lossy(&crate::strconv::quote(.0.as_bytes())))]
    Constraint(String),
    /// A constraint whose version is wrong.
    #[error("constraint parser error")]
    ConstraintVersion,
    /// Beyond the length or number of parts allowed.
    #[error("{0}")]
    TooLong(&'static str),
}

/// A semantic version.
#[derive(Clone, Debug)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
    /// What follows `-`.
    pub prerelease: String,
    /// What follows `+`.
    pub metadata: String,
    /// The text it was read from.
    pub original: String,
}

/// The longest version that is read.
const MAX_LENGTH: usize = 256;

/// The pattern of a version, with parts missing allowed.
const LOOSE: &str = r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?$";

impl Version {
    /// Reads a version; minor and patch may be missing. Source: semver `NewVersion`.
    pub fn parse(text: &str) -> Result<Version, VersionError> {
        static PATTERN: OnceLock<Regex> = OnceLock::new();
        if text.len() > MAX_LENGTH {
            return Err(VersionError::TooLong(
                "version string is too long (max 256 bytes)",
            ));
        }
        let pattern = PATTERN.get_or_init(|| Regex::new(LOOSE).expect("the pattern is a constant"));
        let captures = pattern.captures(text).ok_or(VersionError::Invalid)?;
        let group = |index: usize| captures.get(index).map_or("", |part| part.as_str());
        let number = |index: usize| -> Result<u64, VersionError> {
            let digits = group(index).trim_start_matches('.');
            if digits.is_empty() {
                return Ok(0);
            }
            digits
                .parse()
                .map_err(|_| VersionError::Range(digits.to_owned()))
        };
        let version = Version {
            major: number(1)?,
            minor: number(2)?,
            patch: number(3)?,
            prerelease: group(5).to_owned(),
            metadata: group(8).to_owned(),
            original: text.to_owned(),
        };
        if !version.prerelease.is_empty() {
            check_prerelease(&version.prerelease)?;
        }
        if !version.metadata.is_empty() {
            check_metadata(&version.metadata)?;
        }
        Ok(version)
    }

    /// The order of two versions; metadata does not count.
    pub fn compare(&self, other: &Version) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(
                || match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                    (true, true) => Ordering::Equal,
                    (true, false) => Ordering::Greater,
                    (false, true) => Ordering::Less,
                    (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
                },
            )
    }

    /// With other numbers, without prerelease and metadata, and keeping a leading `v` of the original.
    fn bumped(&self, major: u64, minor: u64, patch: u64) -> Version {
        let mut version = Version {
            major,
            minor,
            patch,
            prerelease: String::new(),
            metadata: String::new(),
            original: String::new(),
        };
        version.original = self.with_prefix(&version);
        version
    }

    fn with_prefix(&self, version: &Version) -> String {
        let prefix = if self.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        format!("{prefix}{version}")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn is_identifier(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn check_prerelease(text: &str) -> Result<(), VersionError> {
    for part in text.split('.') {
        if !is_identifier(part) {
            return Err(VersionError::Prerelease);
        }
        if part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(VersionError::LeadingZero);
        }
    }
    Ok(())
}

fn check_metadata(text: &str) -> Result<(), VersionError> {
    if text.split('.').all(is_identifier) {
        Ok(())
    } else {
        Err(VersionError::Metadata)
    }
}

/// The order of prereleases, part by part: numbers before words, fewer parts before more.
fn compare_prereleases(left: &str, right: &str) -> Ordering {
    let mut left = left.split('.');
    let mut right = right.split('.');
    loop {
        let (first, second) = (left.next(), right.next());
        if first.is_none() && second.is_none() {
            return Ordering::Equal;
        }
        let order = compare_parts(first.unwrap_or(""), second.unwrap_or(""));
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn compare_parts(left: &str, right: &str) -> Ordering {
    if left == right || left.is_empty() || right.is_empty() {
        return left.is_empty().cmp(&right.is_empty()).reverse();
    }
    let number = |part: &str| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u64>().ok().filter(|_| digits)
    };
    match (number(left), number(right)) {
        (None, None) => left.cmp(right),
        (None, Some(_)) => Ordering::Greater,
        (Some(left), Some(right)) if left > right => Ordering::Greater,
        // Also numbers that are equal but written differently, as upstream has it.
        (Some(_), _) => Ordering::Less,
    }
}
