//! The conversion between versions.
//!
//! Source: apiextensions-apiserver validation, apiserver `pkg/util/webhook/validation.go`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object::field::{Error, ErrorList, Path};
use serde_json::Value;

use crate::cel::url::Url;
use crate::names;

const RECOGNIZED: [&str; 2] = ["v1", "v1beta1"];

fn present<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|value| !value.is_null())
}

/// The review versions of a conversion.
pub(super) fn review_versions(conversion: &Value) -> Vec<&str> {
    let versions = conversion
        .pointer("/webhook/conversionReviewVersions")
        .and_then(Value::as_array);
    versions
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Whether the versions of the webhook of an old definition are good enough to be asked of a new one.
pub(super) fn has_recognized_or_no_version(conversion: Option<&Value>) -> bool {
    conversion.is_none_or(|conversion| {
        let versions = review_versions(conversion);
        versions.is_empty() || versions.iter().any(|version| RECOGNIZED.contains(version))
    })
}

/// What is wrong with a CA bundle, in base64.
pub(super) fn ca_bundle_problem(bundle: &str) -> Option<String> {
    let bytes = STANDARD.decode(bundle).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let has_block =
        text.contains("-----BEGIN CERTIFICATE-----") && text.contains("-----END CERTIFICATE-----");
    (!has_block)
        .then(|| "unable to load root certificates: unable to parse bytes as PEM block".to_owned())
}

/// The CA bundle of a conversion.
pub(super) fn ca_bundle(conversion: &Value) -> &str {
    conversion
        .pointer("/webhook/clientConfig/caBundle")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(super) fn validate(
    conversion: &Value,
    require_recognized: bool,
    allow_invalid_ca: bool,
    path: &Path,
    errors: &mut ErrorList,
) {
    let strategy = conversion
        .get("strategy")
        .and_then(Value::as_str)
        .unwrap_or_default();
    super::spec::one_of(
        &path.child("strategy"),
        strategy,
        &["None", "Webhook"],
        errors,
    );
    let config = conversion
        .pointer("/webhook/clientConfig")
        .filter(|config| !config.is_null());
    let place = path.child("webhookClientConfig");
    let versions = review_versions(conversion);
    let versions_path = path.child("conversionReviewVersions");
    if strategy != "Webhook" {
        let detail = "should not be set when strategy is not set to Webhook";
        if config.is_some() {
            errors.push(Error::forbidden(&place, detail));
        }
        if !versions.is_empty() {
            errors.push(Error::forbidden(&versions_path, detail));
        }
        return;
    }
    match config {
        None => errors.push(Error::required(
            &place,
            "required when strategy is set to Webhook",
        )),
        Some(config) => {
            match (present(config, "url"), present(config, "service")) {
                (Some(url), None) => {
                    webhook_url(
                        &place.child("url"),
                        url.as_str().unwrap_or_default(),
                        errors,
                    );
                }
                (None, Some(found)) => service(&place.child("service"), found, errors),
                _ => errors.push(Error::required(
                    &place,
                    "exactly one of url or service is required",
                )),
            }
            let bundle = ca_bundle(conversion);
            if !bundle.is_empty()
                && !allow_invalid_ca
                && let Some(detail) = ca_bundle_problem(bundle)
            {
                errors.push(Error::invalid(&place.child("caBundle"), bundle, detail));
            }
        }
    }
    check_versions(&versions_path, &versions, require_recognized, errors);
}

fn check_versions(
    path: &Path,
    versions: &[&str],
    require_recognized: bool,
    errors: &mut ErrorList,
) {
    if versions.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        if versions[..index].contains(version) {
            errors.push(Error::invalid(
                &path.index(index),
                *version,
                "duplicate version",
            ));
            continue;
        }
        for detail in names::dns1035_label(version) {
            errors.push(Error::invalid(&path.index(index), *version, detail));
        }
    }
    if require_recognized && !versions.iter().any(|version| RECOGNIZED.contains(version)) {
        let shown = Value::from(versions.to_vec());
        errors.push(Error::invalid(
            path,
            shown,
            "must include at least one of v1, v1beta1",
        ));
    }
}

fn webhook_url(path: &Path, text: &str, errors: &mut ErrorList) {
    const FORM: &str = "; desired format: https://host[/path]";
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(reason) => {
            errors.push(Error::required(
                path,
                format!("url must be a valid URL: {reason}{FORM}"),
            ));
            return;
        }
    };
    if url.scheme != "https" {
        let detail = format!("'https' is the only allowed URL scheme{FORM}");
        errors.push(Error::invalid(path, url.scheme.as_str(), detail));
    }
    if url.host.is_empty() {
        errors.push(Error::invalid(
            path,
            "",
            format!("host must be specified{FORM}"),
        ));
    }
    if let Some(user) = url.user() {
        errors.push(Error::invalid(
            path,
            user,
            "user information is not permitted in the URL",
        ));
    }
    if !url.fragment().is_empty() {
        errors.push(Error::invalid(
            path,
            url.fragment(),
            "fragments are not permitted in the URL",
        ));
    }
    if !url.raw_query().is_empty() {
        let detail = "query parameters are not permitted in the URL";
        errors.push(Error::invalid(path, url.raw_query(), detail));
    }
}

fn service(path: &Path, service: &Value, errors: &mut ErrorList) {
    let text = |key: &str| service.get(key).and_then(Value::as_str).unwrap_or_default();
    // Upstream bug, kept: name and namespace are swapped.
    if text("namespace").is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    }
    if text("name").is_empty() {
        errors.push(Error::required(&path.child("namespace"), ""));
    }
    let port = service
        .get("port")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    if !(1..=65535).contains(&port) {
        let detail = "port is not valid: must be between 1 and 65535, inclusive";
        errors.push(Error::invalid(&path.child("port"), port, detail));
    }
    let url_path = text("path");
    if matches!(url_path, "" | "/") {
        return;
    }
    let path = path.child("path");
    if url_path == "//" {
        errors.push(Error::invalid(
            &path,
            url_path,
            "segment[0] may not be empty",
        ));
        return;
    }
    if !url_path.starts_with('/') {
        errors.push(Error::invalid(&path, url_path, "must start with a '/'"));
    }
    let mut characters = url_path.chars();
    characters.next();
    let rest = characters.as_str();
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    for (index, segment) in rest.split('/').enumerate() {
        if segment.is_empty() {
            errors.push(Error::invalid(
                &path,
                url_path,
                format!("segment[{index}] may not be empty"),
            ));
            continue;
        }
        for failure in names::dns1123_subdomain(segment) {
            errors.push(Error::invalid(
                &path,
                url_path,
                format!("segment[{index}]: {failure}"),
            ));
        }
    }
}
