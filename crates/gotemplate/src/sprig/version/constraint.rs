//! Constraints: `>=1.2, <2 || ~3.1`.

use std::sync::OnceLock;

use regex::Regex;

use super::{Version, VersionError};

/// The longest constraint that is read.
const MAX_LENGTH: usize = 512;
/// The most alternatives of a constraint.
const MAX_GROUPS: usize = 32;

/// The operators, in the order in which they are tried.
const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
/// A version of a constraint, where `x`, `X` and `*` stand for anything.
const VERSION: &str = r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";
/// White space as Go's patterns have it.
const SPACE: &str = r"[\t\n\x0C\r ]";

struct Patterns {
    one: Regex,
    range: Regex,
    find: Regex,
    valid: Regex,
}

fn patterns() -> &'static Patterns {
    static PATTERNS: OnceLock<Patterns> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let make = |pattern: String| Regex::new(&pattern).expect("the pattern is a constant");
        Patterns {
            one: make(format!("^{SPACE}*({OPERATORS}){SPACE}*({VERSION}){SPACE}*$")),
            range: make(format!("{SPACE}*({VERSION}){SPACE}+-{SPACE}+({VERSION}){SPACE}*")),
            find: make(format!("({OPERATORS}){SPACE}*({VERSION})")),
            valid: make(format!(
                "^({SPACE}*({OPERATORS}){SPACE}*({VERSION}){SPACE}*)((?:{SPACE}+|,{SPACE}*)({OPERATORS}){SPACE}*({VERSION}){SPACE}*)*$"
            )),
        }
    })
}

/// A set of constraints: one of the alternatives must hold as a whole.
#[derive(Clone, Debug)]
pub struct Constraints {
    alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug)]
struct Alternative {
    constraints: Vec<Constraint>,
    /// Whether a prerelease is named, so that prereleases may satisfy it.
    names_prerelease: bool,
}

#[derive(Clone, Debug)]
struct Constraint {
    operator: String,
    version: Version,
    /// Some number is missing or any.
    dirty: bool,
    minor_dirty: bool,
    patch_dirty: bool,
}

fn is_any(part: &str) -> bool {
    matches!(part.strip_prefix('.').unwrap_or(part), "" | "x" | "X" | "*")
}

impl Constraint {
    fn parse(text: &str) -> Result<Constraint, VersionError> {
        let captures = patterns()
            .one
            .captures(text)
            .ok_or_else(|| VersionError::Constraint(text.to_owned()))?;
        let group = |index: usize| captures.get(index).map_or("", |part| part.as_str());
        let (major, minor, patch, prerelease) = (group(3), group(4), group(5), group(6));
        let (mut dirty, mut minor_dirty, mut patch_dirty) = (true, false, false);
        let version = if is_any(major) {
            format!("0.0.0{prerelease}")
        } else if is_any(minor) {
            minor_dirty = true;
            format!("{major}.0.0{prerelease}")
        } else if is_any(patch) {
            patch_dirty = true;
            format!("{major}{minor}.0{prerelease}")
        } else {
            dirty = false;
            group(2).to_owned()
        };
        Ok(Constraint {
            operator: group(1).to_owned(),
            version: Version::parse(&version).map_err(|_| VersionError::ConstraintVersion)?,
            dirty,
            minor_dirty,
            patch_dirty,
        })
    }

    fn check(&self, version: &Version, with_prereleases: bool) -> bool {
        if !version.prerelease.is_empty() && !with_prereleases {
            return false;
        }
        let order = version.compare(&self.version);
        match self.operator.as_str() {
            "" | "=" if self.dirty => self.tilde(version),
            "" | "=" => order.is_eq(),
            "!=" => self.differs(version),
            ">" => self.is_exceeded_by(version),
            "<" => order.is_lt(),
            ">=" | "=>" => order.is_ge(),
            "<=" | "=<" => self.is_not_exceeded_by(version),
            "~" | "~>" => self.tilde(version),
            _ => self.caret(version),
        }
    }

    fn differs(&self, version: &Version) -> bool {
        if !self.dirty {
            return version.compare(&self.version).is_ne();
        }
        if self.version.major != version.major {
            return true;
        }
        if self.minor_dirty {
            return false;
        }
        if self.version.minor != version.minor {
            return true;
        }
        if self.patch_dirty {
            let prereleases = !version.prerelease.is_empty() || !self.version.prerelease.is_empty();
            return prereleases
                && super::compare_prereleases(&version.prerelease, &self.version.prerelease)
                    .is_ne();
        }
        self.version.patch != version.patch || version.compare(&self.version).is_ne()
    }

    fn is_exceeded_by(&self, version: &Version) -> bool {
        if !self.dirty || version.major != self.version.major {
            return if self.dirty {
                version.major > self.version.major
            } else {
                version.compare(&self.version).is_gt()
            };
        }
        if self.minor_dirty {
            return false;
        }
        if self.patch_dirty {
            return version.minor > self.version.minor;
        }
        version.compare(&self.version).is_gt()
    }

    fn is_not_exceeded_by(&self, version: &Version) -> bool {
        if !self.dirty {
            return version.compare(&self.version).is_le();
        }
        let beyond_minor = version.major == self.version.major
            && version.minor > self.version.minor
            && !self.minor_dirty;
        version.major <= self.version.major && !beyond_minor
    }

    fn tilde(&self, version: &Version) -> bool {
        if version.compare(&self.version).is_lt() {
            return false;
        }
        let anything = (self.version.major, self.version.minor, self.version.patch) == (0, 0, 0)
            && !self.minor_dirty
            && !self.patch_dirty;
        anything
            || version.major == self.version.major
                && (version.minor == self.version.minor || self.minor_dirty)
    }

    fn caret(&self, version: &Version) -> bool {
        if version.compare(&self.version).is_lt() {
            return false;
        }
        if self.version.major > 0 || self.minor_dirty {
            return version.major == self.version.major;
        }
        if version.major > 0 {
            return false;
        }
        if self.version.minor > 0 || self.patch_dirty {
            return version.minor == self.version.minor;
        }
        version.minor == 0 && version.patch == self.version.patch
    }
}

impl Constraints {
    /// Reads constraints. Source: semver `NewConstraint`.
    pub fn parse(text: &str) -> Result<Constraints, VersionError> {
        if text.len() > MAX_LENGTH {
            return Err(VersionError::TooLong(
                "constraint string is too long (max 512 bytes)",
            ));
        }
        let text = rewrite_ranges(text);
        let groups: Vec<&str> = text.split("||").collect();
        if groups.len() > MAX_GROUPS {
            return Err(VersionError::TooLong("too many constraint groups (max 32)"));
        }
        let mut alternatives = Vec::with_capacity(groups.len());
        for group in groups {
            if !patterns().valid.is_match(group) {
                return Err(VersionError::Constraint(group.to_owned()));
            }
            let constraints = patterns()
                .find
                .find_iter(group)
                .map(|found| Constraint::parse(found.as_str()))
                .collect::<Result<Vec<_>, _>>()?;
            alternatives.push(Alternative {
                names_prerelease: constraints
                    .iter()
                    .any(|one| !one.version.prerelease.is_empty()),
                constraints,
            });
        }
        Ok(Constraints { alternatives })
    }

    /// Whether a version satisfies them.
    pub fn check(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|alternative| {
            let mut constraints = alternative.constraints.iter();
            constraints.all(|constraint| constraint.check(version, alternative.names_prerelease))
        })
    }
}

/// `1.2 - 2.3` as `>= 1.2, <= 2.3 `.
fn rewrite_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    for captures in patterns().range.captures_iter(text) {
        let group = |index: usize| captures.get(index).map_or("", |part| part.as_str());
        let bounds = format!(">= {}, <= {} ", group(1), group(11));
        out = out.replacen(group(0), &bounds, 1);
    }
    out
}
