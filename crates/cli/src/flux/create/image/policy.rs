//! `create image policy`.

use gotemplate::sprig::Regexp;
use serde_json::{Value, json};

use super::super::{Spec, labels, object};
use super::finish;
use crate::flux::cluster::kinds::IMAGE_POLICY;
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, Stop};
use object::time::Duration;

pub(in crate::flux::create) fn run(invocation: &Invocation<'_>) -> Outcome {
    let reference = invocation
        .some_text("image-ref")
        .ok_or("the name of an ImageRepository in the namespace is required (--image-ref)")?;
    let labels = labels(invocation)?;
    let mut spec = Spec::default()
        .set("imageRepositoryRef", json!({"name": reference}))
        .set("policy", choice(invocation)?)
        .some("filterTags", filter(invocation)?);
    let reflect = invocation.text("reflect-digest");
    if !["", "Never", "IfNotPresent", "Always"].contains(&reflect) {
        return Err(
            "invalid value for --reflect-digest, must be one of 'Never', 'IfNotPresent', 'Always'"
                .into(),
        );
    }
    spec = spec.text("digestReflectionPolicy", reflect);
    let interval = invocation.duration("interval");
    if interval != Duration::ZERO {
        if reflect != "Always" {
            return Err(
                "the --interval flag can only be used with the 'Always' digest reflection policy, \
                        use --reflect-digest=Always"
                    .into(),
            );
        }
        spec = spec.duration("interval", interval);
    }
    finish(
        invocation,
        &IMAGE_POLICY,
        object(invocation, &IMAGE_POLICY, labels, spec),
    )
}

fn choice(invocation: &Invocation<'_>) -> Result<Value, Stop> {
    let (semver, alpha, numeric) = (
        invocation.text("select-semver"),
        invocation.text("select-alpha"),
        invocation.text("select-numeric"),
    );
    let order = |flag: &str, field: &str, order: &str| {
        if order == "asc" || order == "desc" {
            return Ok(json!({field: {"order": order}}));
        }
        Err(format!("--{flag} must be one of [\"asc\", \"desc\"]").into())
    };
    match (semver, alpha, numeric) {
        ("", "", "") => {
            Err("a policy must be provided with either --select-semver or --select-alpha".into())
        }
        ("", alpha, "") => order("select-alpha", "alphabetical", alpha),
        ("", "", numeric) => order("select-numeric", "numerical", numeric),
        ("", _, _) => Err(
            "only one of --select-semver, --select-alpha or --select-numeric can be specified"
                .into(),
        ),
        (range, "", "") => Ok(json!({"semver": {"range": range}})),
        // Upstream bug, kept: a version range with another choice gives no policy at all.
        _ => Ok(json!({})),
    }
}

fn filter(invocation: &Invocation<'_>) -> Result<Option<Value>, Stop> {
    let (pattern, extract) = (
        invocation.text("filter-regex"),
        invocation.text("filter-extract"),
    );
    if pattern.is_empty() {
        if !extract.is_empty() {
            return Err("cannot specify --filter-extract without specifying --filter-regex".into());
        }
        return Ok(None);
    }
    Regexp::new(pattern.as_bytes())
        .map_err(|_| Stop::from("--filter-regex is an invalid regex pattern"))?;
    check_extract(extract, &group_names(pattern))?;
    let filter = Spec::default()
        .set("pattern", pattern)
        .set("extract", extract);
    Ok(Some(filter.value()))
}

/// The names of a pattern's groups. It has been read as a whole, so that `(?<` and `(?P<` start one
/// wherever they are not escaped and not in a class.
fn group_names(pattern: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        rest = match letter {
            '\\' => after
                .chars()
                .next()
                .map_or(after, |next| &after[next.len_utf8()..]),
            '[' => {
                in_class = true;
                after
            }
            ']' => {
                in_class = false;
                after
            }
            '(' if !in_class => {
                let group = after
                    .strip_prefix("?P<")
                    .or_else(|| after.strip_prefix("?<"));
                if let Some((name, _)) = group.and_then(|group| group.split_once('>')) {
                    names.push(name);
                }
                after
            }
            _ => after,
        };
    }
    names
}

/// Whether all groups that a template names are in the pattern. Source: Go's `Regexp.expand`.
fn check_extract(template: &str, names: &[&str]) -> Result<(), Stop> {
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let malformed = || Stop::from("--filter-extract is malformed");
        let (body, brace) = match rest.strip_prefix('{') {
            Some(body) => (body, true),
            None => (rest, false),
        };
        let end = body
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .unwrap_or(body.len());
        let name = &body[..end];
        if name.is_empty() {
            return Err(malformed());
        }
        rest = &body[end..];
        if brace {
            rest = rest.strip_prefix('}').ok_or_else(malformed)?;
        }
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit())
            && name.len() <= 9
            && (name == "0" || !name.starts_with('0'));
        if !is_number && !names.contains(&name) {
            return Err(format!(
                "capture group ${name} used in --filter-extract not found in --filter-regex"
            )
            .into());
        }
    }
    Ok(())
}
