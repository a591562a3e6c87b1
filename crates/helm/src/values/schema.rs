//! `values.schema.json`. Source: Helm `pkg/chart/common/util/jsonschema.go`.
//!
//! Schemas are checked by boon, which its author wrote after the Go library that Helm uses: both find the same
//! failures in the same tree, so that Helm's texts can be made of them.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use boon::{CompileError, Compiler, ErrorKind, Schemas, UrlLoader, ValidationError};
use gotemplate::json::{EncodeOptions, encode};
use gotemplate::strconv::{FloatFormat, append_float, quote};
use gotemplate::{Map, Value, lossy};
use serde_json::Value as Json;

use crate::chart::Chart;

/// Where Helm says a schema is.
const LOCATION: &str = "file:///values.schema.json";
/// Larger whole numbers have no exact float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Fetches schemas that others refer to by URL.
pub trait FetchSchema: Send + Sync {
    /// The document at a URL of scheme `http` or `https`; the error is a text.
    fn fetch(&self, url: &str) -> Result<Json, String>;
}

/// Checks the values of a chart and those of the charts it depends on. The error is Helm's text.
pub fn check_schemas(
    chart: &Chart,
    values: &Map,
    fetch: Option<&Arc<dyn FetchSchema>>,
) -> Result<(), String> {
    let mut problems = String::new();
    collect(chart, values, fetch, &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{problems}"
    ))
}

fn collect(
    chart: &Chart,
    values: &Map,
    fetch: Option<&Arc<dyn FetchSchema>>,
    problems: &mut String,
) {
    if let Some(schema) = &chart.schema
        && let Err(error) = check_schema(values, schema.as_bytes(), fetch)
    {
        let _ = write!(problems, "{}:\n{error}", chart.metadata.name);
    }
    for child in &chart.dependencies {
        let name = &child.metadata.name;
        match values.get(name) {
            None | Some(Value::Nil) => {}
            Some(Value::Map(values)) => collect(child, &values, fetch, problems),
            Some(other) => {
                let _ = writeln!(
                    problems,
                    "{name}:\ninvalid type for values: expected object (map), got {}",
                    other.type_name()
                );
            }
        }
    }
}

/// Checks values against the text of a schema. The error is Helm's text.
pub fn check_schema(
    values: &Map,
    schema: &[u8],
    fetch: Option<&Arc<dyn FetchSchema>>,
) -> Result<(), String> {
    let schema: Json =
        serde_json::from_slice(schema).map_err(|error| parse_error(schema, &error))?;
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(Loader(fetch.cloned())));
    compiler
        .add_resource(LOCATION, schema)
        .map_err(|error| compile_error(&error))?;
    let mut schemas = Schemas::new();
    let index = compiler
        .compile(LOCATION, &mut schemas)
        .map_err(|error| compile_error(&error))?;
    let instance = to_json(&Value::Map(values.clone()))?;
    schemas.validate(&instance, index).map_err(|error| {
        let text = describe(&error);
        let head = format!("jsonschema validation failed with '{LOCATION}#'\n");
        format!("{}\n", text.strip_prefix(&head).unwrap_or(&text))
    })
}

/// Go's words for a text that is no JSON, where they are known.
fn parse_error(text: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return if text.trim_ascii().is_empty() {
            "EOF"
        } else {
            "unexpected EOF"
        }
        .to_owned();
    }
    if error.to_string().starts_with("trailing characters") {
        return "invalid character after top-level value".to_owned();
    }
    match gotemplate::json::decode(text, gotemplate::json::Numbers::Float) {
        (_, Some(error)) => error.to_string(),
        _ => error.to_string(),
    }
}

/// Values as the checker takes them: whole floats are integers.
fn to_json(value: &Value) -> Result<Json, String> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(_, number) => Json::from(*number),
        Value::Uint(_, number) => Json::from(*number),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < EXACT => {
            Json::from(*number as i64)
        }
        Value::Float(number) => Json::from(*number),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(list) => {
            Json::Array(list.items().iter().map(to_json).collect::<Result<_, _>>()?)
        }
        Value::Map(map) => Json::Object(
            map.entries()
                .into_iter()
                .map(|(key, value)| Ok((key.to_string(), to_json(&value)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => {
            let text = encode(other, EncodeOptions::default())?;
            serde_json::from_slice(&text).map_err(|error| error.to_string())?
        }
    })
}

/// Loads what schemas refer to: never a file.
struct Loader(Option<Arc<dyn FetchSchema>>);

impl UrlLoader for Loader {
    fn load(&self, url: &str) -> Result<Json, Box<dyn Error>> {
        let scheme = url.split(':').next().unwrap_or_default();
        match (scheme, &self.0) {
            // Helm takes anything for a name that it cannot resolve.
            ("urn", _) => Ok(Json::Bool(true)),
            ("http" | "https", Some(fetch)) => Ok(fetch.fetch(url)?),
            ("http" | "https", None) => Err("schemas are not fetched here".into()),
            ("file", _) => Err("schemas are not read from files".into()),
            _ => Err(format!("no URLLoader registered for {url:?}").into()),
        }
    }
}

fn compile_error(error: &CompileError) -> String {
    match error {
        CompileError::ParseUrlError { url, src } => format!("error in parsing {url:?}: {src}"),
        CompileError::LoadUrlError { url, src } => format!("failing loading {url:?}: {src}"),
        CompileError::UnsupportedUrlScheme { url } => {
            format!("no URLLoader registered for {url:?}")
        }
        CompileError::InvalidMetaSchemaUrl { url, src } => {
            format!("invalid $schema in {url:?}: {src}")
        }
        CompileError::UnsupportedDraft { url } => format!("draft {url:?} is not supported"),
        CompileError::MetaSchemaCycle { url } => {
            format!("cycle in resolving $schema in {url:?}")
        }
        CompileError::ValidationError { url, src } => {
            let url = if url.contains('#') {
                url.clone()
            } else {
                format!("{url}#")
            };
            format!("{url:?} is not valid against metaschema: {}", describe(src))
        }
        CompileError::ParseIdError { loc } => format!("error in parsing id at {loc:?}"),
        CompileError::ParseAnchorError { loc } => format!("error in parsing anchor at {loc:?}"),
        CompileError::DuplicateId {
            url,
            id,
            ptr1,
            ptr2,
        } => {
            format!("duplicate id {id:?} in {url:?} at {ptr1:?} and {ptr2:?}")
        }
        CompileError::DuplicateAnchor {
            anchor,
            url,
            ptr1,
            ptr2,
        } => {
            format!("duplicate anchor {anchor:?} in {url:?} at {ptr1:?} and {ptr2:?}")
        }
        CompileError::InvalidJsonPointer(url) => format!("invalid json-pointer {url:?}"),
        CompileError::JsonPointerNotFound(url) => format!("json-pointer in {url:?} not found"),
        CompileError::AnchorNotFound { url, reference } => {
            format!("anchor in {reference:?} not found in schema {url:?}")
        }
        CompileError::UnsupportedVocabulary { url, vocabulary } => {
            format!("unsupported vocabulary {vocabulary:?} in {url:?}")
        }
        CompileError::InvalidRegex { url, regex, src } => {
            format!("invalid regex {regex:?} at {url:?}: {src}")
        }
        CompileError::Bug(error) => error.to_string(),
    }
}

/// The tree of failures as the Go library prints it.
fn describe(error: &ValidationError<'_, '_>) -> String {
    let mut out = String::new();
    describe_below(error, 0, &mut out);
    out
}

fn describe_below(error: &ValidationError<'_, '_>, indent: usize, out: &mut String) {
    let mut indent = indent;
    let is_passed_over =
        error.causes.len() == 1 && matches!(error.kind, ErrorKind::Reference { .. });
    if !is_passed_over {
        if indent > 0 {
            out.push('\n');
            for _ in 1..indent {
                out.push_str("  ");
            }
            out.push_str("- ");
        }
        indent += 1;
        if !matches!(error.kind, ErrorKind::Schema { .. }) {
            let place = error.instance_location.to_string();
            let _ = write!(out, "at {}: ", quoted(&place));
        }
        out.push_str(&failure(&error.kind));
    }
    for cause in &error.causes {
        describe_below(cause, indent, out);
    }
}

/// What one failure is in the words of the Go library (`kind/kind.go`).
#[expect(
    clippy::too_many_lines,
    reason = "a table: one arm for each kind of failure"
)]
fn failure(kind: &ErrorKind<'_, '_>) -> String {
    let bound = |name: &str, got: usize, want: usize| {
        format!("{name}: got {}, want {}", count(got), count(want))
    };
    let limit = |name: &str, got: &serde_json::Number, want: &serde_json::Number| {
        format!("{name}: got {}, want {}", number(got), number(want))
    };
    let places = |places: &[usize]| {
        let texts: Vec<String> = places.iter().map(ToString::to_string).collect();
        texts.join(" ")
    };
    match kind {
        ErrorKind::Group | ErrorKind::Reference { .. } => "validation failed".to_owned(),
        ErrorKind::Schema { url } => {
            let url = if url.contains('#') {
                (*url).to_owned()
            } else {
                format!("{url}#")
            };
            format!("jsonschema validation failed with {}", quoted(&url))
        }
        ErrorKind::ContentSchema => "'contentSchema' failed".to_owned(),
        ErrorKind::PropertyName { prop } => format!("invalid propertyName {}", quoted(prop)),
        ErrorKind::RefCycle {
            url,
            kw_loc1,
            kw_loc2,
        } => {
            format!("both {kw_loc1} and {kw_loc2} resolve to {url:?} causing reference cycle")
        }
        ErrorKind::FalseSchema => "false schema".to_owned(),
        ErrorKind::Type { got, want } => {
            let got = if matches!(got, boon::Type::Integer) {
                boon::Type::Number
            } else {
                *got
            };
            let want: Vec<String> = want.iter().map(|kind| kind.to_string()).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        ErrorKind::Enum { want } => {
            if !want.iter().all(is_primitive) {
                return "'enum' failed".to_owned();
            }
            let shown: Vec<String> = want.iter().map(shown).collect();
            match &shown[..] {
                [only] => format!("value must be {only}"),
                several => format!("value must be one of {}", several.join(", ")),
            }
        }
        ErrorKind::Const { want } if is_primitive(want) => format!("value must be {}", shown(want)),
        ErrorKind::Const { .. } => "'const' failed".to_owned(),
        ErrorKind::Format { got, want, err } => {
            format!("{} is not valid {want}: {err}", shown(got))
        }
        ErrorKind::MinProperties { got, want } => bound("minProperties", *got, *want),
        ErrorKind::MaxProperties { got, want } => bound("maxProperties", *got, *want),
        ErrorKind::AdditionalProperties { got } => {
            format!("additional properties {} not allowed", join_quoted(got))
        }
        ErrorKind::Required { want } => match &want[..] {
            [only] => format!("missing property {}", quoted(only)),
            several => format!("missing properties {}", join_quoted(several)),
        },
        ErrorKind::Dependency { prop, missing }
        | ErrorKind::DependentRequired { prop, missing } => {
            format!(
                "properties {} required, if {} exists",
                join_quoted(missing),
                quoted(prop)
            )
        }
        ErrorKind::MinItems { got, want } => bound("minItems", *got, *want),
        ErrorKind::MaxItems { got, want } => bound("maxItems", *got, *want),
        ErrorKind::Contains => "no items match contains schema".to_owned(),
        ErrorKind::MinContains { got, want } if got.is_empty() => {
            format!("min {want} items required to match contains schema, but none matched")
        }
        ErrorKind::MinContains { got, want } => format!(
            "min {want} items required to match contains schema, but matched {} items at {}",
            got.len(),
            places(got)
        ),
        ErrorKind::MaxContains { got, want } => format!(
            "max {want} items required to match contains schema, but matched {} items at {}",
            got.len(),
            places(got)
        ),
        ErrorKind::UniqueItems {
            got: [first, second],
        } => {
            format!("items at {first} and {second} are equal")
        }
        ErrorKind::AdditionalItems { got } => {
            format!("last {} additionalItem(s) not allowed", count(*got))
        }
        ErrorKind::MinLength { got, want } => bound("minLength", *got, *want),
        ErrorKind::MaxLength { got, want } => bound("maxLength", *got, *want),
        ErrorKind::Pattern { got, want } => {
            format!("{} does not match pattern {}", quoted(got), quoted(want))
        }
        ErrorKind::ContentEncoding { want, err } => {
            format!("value is not {} encoded: {err}", quoted(want))
        }
        ErrorKind::ContentMediaType { want, err, .. } => {
            format!("value if not of mediatype {}: {err}", quoted(want))
        }
        ErrorKind::Minimum { got, want } => limit("minimum", got, want),
        ErrorKind::Maximum { got, want } => limit("maximum", got, want),
        ErrorKind::ExclusiveMinimum { got, want } => limit("exclusiveMinimum", got, want),
        ErrorKind::ExclusiveMaximum { got, want } => limit("exclusiveMaximum", got, want),
        ErrorKind::MultipleOf { got, want } => limit("multipleOf", got, want),
        ErrorKind::Not => "'not' failed".to_owned(),
        ErrorKind::AllOf => "'allOf' failed".to_owned(),
        ErrorKind::AnyOf => "'anyOf' failed".to_owned(),
        ErrorKind::OneOf(None) => "'oneOf' failed, none matched".to_owned(),
        ErrorKind::OneOf(Some((first, second))) => {
            format!("'oneOf' failed, subschemas {first}, {second} matched")
        }
    }
}

fn is_primitive(value: &Json) -> bool {
    !value.is_array() && !value.is_object()
}

/// `'…'`, with escapes as Go's `%q` has them.
fn quoted(text: &str) -> String {
    let quoted = quote(text.as_bytes());
    let quoted = lossy(&quoted);
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    format!("'{}'", inner.replace("\\\"", "\"").replace('\'', "\\'"))
}

fn join_quoted<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    texts.join(", ")
}

fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(_) | Json::Object(_) => "value".to_owned(),
        Json::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// An integer in English: with commas between thousands.
fn count(number: usize) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number in English, as `message.Printer` prints a `float64`.
fn number(number: &serde_json::Number) -> String {
    let mut out = Vec::new();
    append_float(
        &mut out,
        number.as_f64().unwrap_or_default(),
        FloatFormat::General,
        None,
    );
    let text = lossy(&out).into_owned();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", &text[..]),
    };
    if let Some((mantissa, exponent)) = digits.split_once('e') {
        let raised: String = exponent.chars().filter_map(superscript).collect();
        return format!("{sign}{mantissa}×10{raised}");
    }
    match digits.split_once('.') {
        Some((whole, rest)) => format!("{sign}{}.{rest}", grouped(whole)),
        None => format!("{sign}{}", grouped(digits)),
    }
}

fn superscript(char: char) -> Option<char> {
    Some(match char {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4'..='9' => char::from_u32(0x2070 + char.to_digit(10)?)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded with golang.org/x/text v0.40 (`message.NewPrinter(language.English)`, `%v`).
    #[test]
    fn numbers_are_english() {
        for (value, text) in [
            (0.0, "0"),
            (-5.0, "-5"),
            (65_536.0, "65,536"),
            (1_234_567.0, "1.234567×10⁰⁶"),
            (1e20, "1×10²⁰"),
            (1.25e-7, "1.25×10⁻⁰⁷"),
            (123_456.789, "123,456.789"),
            (-1234.5, "-1,234.5"),
            (0.123_456_78, "0.12345678"),
        ] {
            assert_eq!(number(&serde_json::Number::from_f64(value).unwrap()), text);
        }
    }
}
