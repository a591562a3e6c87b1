//! The functions that Helm adds to sprig's. Source: Helm `engine.initFunMap`, `funcMap`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gotemplate::json::{EncodeOptions, Numbers, decode, encode};
use gotemplate::{
    CallError, Context, Function, Functions, Map, Param, Signature, Str, Templates, Value, lossy,
    replace_all,
};

use super::error::{WARN_END, WARN_START};
use super::{Engine, toml};
use crate::Compat;
use crate::values::{from_yaml, to_yaml, to_yaml_pretty};

/// How often a template may be included within itself.
const MAX_INCLUDES: usize = 1000;

/// How deep `tpl` may be nested in itself. Helm has no bound: its process ends when the stack does.
const MAX_TPL_DEPTH: usize = 250;

/// What templates may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Whether missing keys are errors.
    pub strict: bool,
    /// Whether `required` and `fail` pass, for linting.
    pub lint: bool,
    /// Whether `getHostByName` asks the environment.
    pub dns: bool,
}

/// Reads objects of a cluster.
pub trait Lookup: Send + Sync {
    /// The object of a name, or the list of all with an empty name; an empty map if there is none.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Map, String>;
}

type Called = Result<Value, CallError>;

fn text(args: &[Value], index: usize) -> &[u8] {
    match args.get(index) {
        Some(Value::String(text)) => text.as_bytes(),
        _ => b"",
    }
}

const TEXT: Signature = Signature::new(&[Param::String]);
const ANY: Signature = Signature::new(&[Param::Any]);
const TEXT_ANY: Signature = Signature::new(&[Param::String, Param::Any]);

/// The functions for one rendering.
pub(super) fn functions(engine: &Engine<'_>) -> Functions {
    let mut functions = Functions::sprig();
    functions.remove("env");
    functions.remove("expandenv");
    add_formats(&mut functions, engine.compat);
    if engine.compat >= Compat::V4_3 {
        super::duration::add(&mut functions);
    }
    let mode = engine.mode;

    let included: Arc<Mutex<HashMap<Vec<u8>, usize>>> = Arc::default();
    functions.insert(
        "include",
        Function::new(TEXT_ANY, move |context, args| {
            include(context, args, &included)
        }),
    );
    let depth = Arc::new(AtomicUsize::new(0));
    functions.insert(
        "tpl",
        Function::new(TEXT_ANY, move |context, args| {
            // The error of each level holds those below: without a bound a loop ends late, with a huge message.
            if depth.fetch_add(1, Ordering::Relaxed) >= MAX_TPL_DEPTH {
                depth.fetch_sub(1, Ordering::Relaxed);
                return Err(CallError::new(format!(
                    "tpl is nested in itself more than {MAX_TPL_DEPTH} times"
                )));
            }
            let result = tpl(context, args);
            depth.fetch_sub(1, Ordering::Relaxed);
            result
        }),
    );
    functions.insert(
        "required",
        Function::new(TEXT_ANY.any(), move |_, args| {
            let missing = match &args[1] {
                Value::Nil => true,
                Value::String(text) => text.is_empty(),
                _ => false,
            };
            match (missing, mode.lint) {
                (false, _) => Ok(args[1].clone()),
                (true, true) => Ok(Value::from("")),
                (true, false) => Err(warning(text(args, 0))),
            }
        }),
    );
    functions.insert(
        "fail",
        Function::new(TEXT, move |_, args| {
            if mode.lint {
                Ok(Value::from(""))
            } else {
                Err(warning(text(args, 0)))
            }
        }),
    );
    let source = engine.lookup.clone().filter(|_| !mode.lint);
    functions.insert(
        "lookup",
        Function::new(
            Signature::new(&[Param::String, Param::String, Param::String, Param::String]),
            move |_, args| {
                let Some(source) = &source else {
                    return Ok(Value::Map(Map::new()));
                };
                let part = |index| lossy(text(args, index)).into_owned();
                source
                    .lookup(&part(0), &part(1), &part(2), &part(3))
                    .map(Value::Map)
                    .map_err(CallError::new)
            },
        ),
    );
    if !mode.dns {
        functions.insert(
            "getHostByName",
            Function::new(TEXT, |_, _| Ok(Value::from(""))),
        );
    }
    functions
}

fn warning(message: &[u8]) -> CallError {
    CallError::new(format!("{WARN_START}{}{WARN_END}", lossy(message)))
}

/// Renders a named template to text.
fn include(
    context: &mut Context<'_>,
    args: &[Value],
    included: &Mutex<HashMap<Vec<u8>, usize>>,
) -> Called {
    let name = text(args, 0);
    let count = |change: fn(&mut usize)| {
        let mut included = included
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = included.entry(name.to_vec()).or_default();
        change(count);
        *count
    };
    if count(|_| ()) > MAX_INCLUDES {
        return Err(CallError::new(format!(
            "rendering template has a nested reference name: {}: unable to execute template",
            lossy(name)
        ))
        .caused_by(CallError::new("unable to execute template")));
    }
    count(|count| *count += 1);
    let mut out = Vec::new();
    let result = context.execute(name, args[1].clone(), &mut out);
    count(|count| *count -= 1);
    result?;
    context.charge(out.len())?;
    Ok(Value::string(out))
}

/// Renders a text as a template that sees all others.
fn tpl(context: &mut Context<'_>, args: &[Value]) -> Called {
    let source = match &args[0] {
        Value::String(source) => source.clone(),
        _ => Str::default(),
    };
    if gotemplate::find(source.as_bytes(), b"{{").is_none() {
        let plain = replace_all(source.as_bytes(), b"<no value>", b"");
        return Ok(Value::string(plain));
    }
    let quoted = || lossy(&gotemplate::strconv::quote(source.as_bytes())).into_owned();
    let mut templates = Templates::on_top_of(context.templates());
    let functions = Arc::clone(context.functions());
    let name = templates.name().clone();
    let tree = templates
        .parse(name, source.clone(), &functions)
        .map_err(|error| {
            CallError::new(format!("cannot parse template {}: {error}", quoted()))
                .caused_by(CallError::new(error.to_string()))
        })?;
    let mut out = Vec::new();
    let result = context.with_templates(Arc::new(templates), |context| {
        context.execute_tree(tree, args[1].clone(), &mut out)
    });
    result.map_err(|error| {
        CallError::new(format!(
            "error during tpl function execution for {}: {error}",
            quoted()
        ))
        .caused_by(CallError::from(error))
    })?;
    context.charge(out.len())?;
    Ok(Value::string(super::without_no_value(out)))
}

/// `toYaml`, `fromJson` and their kin.
fn add_formats(functions: &mut Functions, compat: Compat) {
    let mut to = |name: &str, strict: bool, write: fn(&Value) -> Result<String, String>| {
        functions.insert(
            name,
            Function::new(ANY, move |context, args| {
                let written = match write(&args[0]) {
                    Ok(written) => written,
                    Err(error) if strict => return Err(CallError::new(error)),
                    Err(_) => String::new(),
                };
                context.charge(written.len())?;
                Ok(Value::from(written))
            }),
        );
    };
    to("toYaml", false, |value| {
        to_yaml(value).map(without_line_end)
    });
    to("toYamlPretty", false, |value| {
        to_yaml_pretty(value).map(without_line_end)
    });
    to("toJson", false, to_json);
    if !compat.is_v3() {
        to("mustToYaml", true, |value| {
            to_yaml(value).map(without_line_end)
        });
        to("mustToJson", true, to_json);
        to("mustToToml", true, toml::encode);
    }
    // Here the error becomes the result; a Go program would also die of nil.
    functions.insert(
        "toToml",
        Function::new(ANY, |context, args| {
            if args[0].is_nil() {
                return Err(CallError::new(
                    "reflect: call of reflect.Value.Type on zero Value",
                ));
            }
            let written = toml::encode(&args[0]).unwrap_or_else(|error| error);
            context.charge(written.len())?;
            Ok(Value::from(written))
        }),
    );
    let mut from = |name: &str, list: bool, read: fn(&[u8]) -> Result<Value, String>| {
        functions.insert(
            name,
            Function::new(TEXT, move |context, args| {
                context.charge(text(args, 0).len().saturating_mul(4))?;
                let read = read(text(args, 0)).and_then(|value| checked(value, list));
                Ok(match read {
                    Ok(value) => value,
                    Err(error) if list => Value::list(vec![Value::from(error)]),
                    Err(error) => Value::map([(Str::from("Error"), Value::from(error))]),
                })
            }),
        );
    };
    let json: fn(&[u8]) -> Result<Value, String> = |text| match decode(text, Numbers::Float) {
        (value, None) => Ok(value),
        (_, Some(error)) => Err(error.to_string()),
    };
    from("fromYaml", false, |text| {
        let value = from_yaml(text)?;
        checked(value, false)
            .map_err(|error| format!("error unmarshaling JSON: while decoding JSON: {error}"))
    });
    from("fromYamlArray", true, |text| {
        let value = from_yaml(text)?;
        checked(value, true)
            .map_err(|error| format!("error unmarshaling JSON: while decoding JSON: {error}"))
    });
    from("fromJson", false, json);
    from("fromJsonArray", true, json);
    from("fromToml", false, toml::decode);
}

fn without_line_end(text: String) -> String {
    match text.strip_suffix('\n') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

fn to_json(value: &Value) -> Result<String, String> {
    let options = EncodeOptions {
        escape_html: true,
        pretty: false,
    };
    encode(value, options).map(|out| lossy(&out).into_owned())
}

/// A map or list as Go's decoder takes it; null is an empty one.
fn checked(value: Value, list: bool) -> Result<Value, String> {
    match value {
        Value::Nil if list => Ok(Value::list(Vec::new())),
        Value::Nil => Ok(Value::Map(Map::new())),
        Value::List(_) if list => Ok(value),
        Value::Map(_) if !list => Ok(value),
        other => Err(format!(
            "json: cannot unmarshal {} into Go value of type {}",
            crate::values::json_kind(&other),
            if list {
                "[]interface {}"
            } else {
                "map[string]interface {}"
            }
        )),
    }
}
