//! Named formats of texts. Source: apiserver `pkg/cel/library/format.go`.

use super::super::super::{names, value};
use super::super::declarations;
use super::super::url::Url;
use super::super::value::{Outcome, Val};
use super::mismatch;

fn problems(format: &str, text: &str) -> Vec<String> {
    let masked = names::mask_trailing_dash(text);
    let unless = |is_valid: bool, message: &str| {
        if is_valid {
            Vec::new()
        } else {
            vec![message.to_owned()]
        }
    };
    match format {
        "dns1123Label" => names::dns1123_label(text),
        "dns1123Subdomain" => names::dns1123_subdomain(text),
        "dns1035Label" => names::dns1035_label(text),
        "qualifiedName" => names::qualified_name(text),
        "dns1123LabelPrefix" => names::dns1123_label(&masked),
        "dns1123SubdomainPrefix" => names::dns1123_subdomain(&masked),
        "dns1035LabelPrefix" => names::dns1035_label(&masked),
        "labelValue" => names::label_value(text),
        "uri" => Url::parse_request_uri(text).err().into_iter().collect(),
        "uuid" => unless(
            value::validates_format("uuid", text),
            "does not match the UUID format",
        ),
        "byte" => unless(value::validates_format("byte", text), "invalid base64"),
        "date" => unless(value::validates_format("date", text), "invalid date"),
        _ => unless(
            value::validates_format("datetime", text),
            "invalid datetime",
        ),
    }
}

pub(super) fn call<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    match (function, args) {
        ("validate", [Val::Format(format), Val::Text(text)]) => {
            let found = problems(format, text);
            Ok(if found.is_empty() {
                Val::Optional(None)
            } else {
                Val::some(Val::texts(found))
            })
        }
        ("format.named", [Val::Text(name)]) => {
            let wanted = format!("format.{}", &**name);
            let found = declarations::FORMATS
                .iter()
                .find(|format| **format == wanted);
            Ok(match found {
                Some(format) => Val::some(Val::Format(short(format))),
                None => Val::Optional(None),
            })
        }
        (_, []) => match declarations::FORMATS
            .iter()
            .find(|format| **format == function)
        {
            Some(format) => Ok(Val::Format(short(format))),
            None => Err(mismatch(function, args)),
        },
        _ => Err(mismatch(function, args)),
    }
}

fn short(format: &'static str) -> &'static str {
    format.strip_prefix("format.").unwrap_or(format)
}

/// The longest regular expression of a format, by which its cost is counted.
pub(crate) fn regex_size(format: &str) -> u64 {
    match format {
        "dns1123Label" | "dns1035Label" | "dns1123LabelPrefix" | "dns1035LabelPrefix" => 30,
        "dns1123Subdomain" | "qualifiedName" | "dns1123SubdomainPrefix" => 60,
        "labelValue" => 40,
        "uri" => 1103,
        "uuid" => 76,
        "byte" => 84,
        _ => 78,
    }
}
