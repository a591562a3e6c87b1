//! Reading and running conformance cases: templates, sprig functions, parse trees and properties.

#![expect(
    unreachable_pub,
    reason = "shared by an example and a test, each with its own crate"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use gotemplate::json::{Numbers, decode};
use gotemplate::parse::{ParseOptions, parse};
use gotemplate::{
    CallError, Context, Environment, Function, Functions, Limits, MissingKey, Param, Signature,
    Str, Templates, Time, Value, lossy,
};

/// What one case came to.
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// What differed; `None` when all is as recorded.
    pub difference: Option<String>,
    /// Whether the case expects an error.
    pub expects_error: bool,
    /// Whether an error was expected and came, with whatever text.
    pub failed_as_expected: bool,
}

/// The wall clock and the operating system's chance, for cases about them.
pub struct Live;

impl Environment for Live {
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let mut now = Time::unix(since.as_secs() as i64, since.subsec_nanos());
        now.monotonic = Some(1);
        now
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let mut source = fs::File::open("/dev/urandom").expect("the system has a random source");
        std::io::Read::read_exact(&mut source, bytes).expect("the random source gives bytes");
    }

    fn variable(&self, name: &str) -> String {
        std::env::var(name).unwrap_or_default()
    }

    fn host_address(&self, name: &str) -> String {
        if name == "localhost" {
            "127.0.0.1".to_owned()
        } else {
            String::new()
        }
    }
}

/// Runs all cases of a file: JSON lines, or the JSON list of properties.
pub fn run_file(file: &Path) -> Result<Vec<Outcome>, String> {
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let sprig = Arc::new(Functions::sprig());
    let mut outcomes = Vec::new();
    if file
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        let (cases, error) = decode(&text, Numbers::Float);
        if let Some(error) = error {
            return Err(format!("{}: {error}", file.display()));
        }
        for case in cases.as_list().unwrap_or_default() {
            outcomes.push(run_property(case, &sprig));
        }
        return Ok(outcomes);
    }
    // Only sprig's own files know its functions: those of Go's engine expect them to be unknown.
    let is_sprig = file.components().any(|part| part.as_os_str() == "sprig")
        || file
            .file_name()
            .is_some_and(|name| name.to_string_lossy().contains("sprig"));
    for line in text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let (case, error) = decode(line, Numbers::Float);
        if let Some(error) = error {
            return Err(format!("{}: {error}", file.display()));
        }
        let is_sprig_case = is_sprig || text_of(&case, "name").starts_with("sprig/");
        outcomes.push(if has(&case, "want_trees") || has(&case, "text") {
            run_parse(&case)
        } else if is_sprig_case {
            run_case(&case, line, Some(&sprig))
        } else {
            // A file of another name may hold cases of sprig: those need functions that Go has not.
            let outcome = run_case(&case, line, None);
            let unknown =
                |text: &String| text.contains("function ") && text.contains(" not defined");
            match outcome.difference.as_ref().filter(|text| unknown(text)) {
                Some(_) => run_case(&case, line, Some(&sprig)),
                None => outcome,
            }
        });
    }
    Ok(outcomes)
}

fn get(case: &Value, key: &str) -> Value {
    case.as_map()
        .and_then(|map| map.get(key))
        .unwrap_or_default()
}

fn has(case: &Value, key: &str) -> bool {
    case.as_map().is_some_and(|map| map.contains_key(key))
}

fn bytes_of(case: &Value, key: &str) -> Vec<u8> {
    get(case, key)
        .as_str()
        .map(|text| text.as_bytes().to_vec())
        .unwrap_or_default()
}

fn text_of(case: &Value, key: &str) -> String {
    lossy(&bytes_of(case, key)).into_owned()
}

fn outcome(
    case: &Value,
    result: Result<(), String>,
    expects_error: bool,
    failed_as_expected: bool,
) -> Outcome {
    Outcome {
        name: text_of(case, "name"),
        difference: result.err(),
        expects_error,
        failed_as_expected,
    }
}

/// What came of a template: bytes, or the phase in which it failed and the text.
type Ran = Result<Vec<u8>, (&'static str, String)>;

fn run_case(case: &Value, line: &[u8], sprig: Option<&Arc<Functions>>) -> Outcome {
    let numbers = match text_of(case, "numbers").as_str() {
        "int" => Numbers::Int,
        "int64" => Numbers::Int64,
        _ => Numbers::Float,
    };
    let (again, _) = decode(line, numbers);
    let ran = render(case, get(&again, "data"), sprig);
    if has(case, "want_error") {
        let want = text_of(case, "want_error");
        let phase = text_of(case, "phase");
        let result = match &ran {
            Ok(out) => Err(format!("gave {:?}, want the error {want:?}", lossy(out))),
            Err((failed, text)) if phase == *failed && *text == want => Ok(()),
            Err((failed, text)) => Err(format!(
                "{failed} error {text:?}, want {phase} error {want:?}"
            )),
        };
        let failed = matches!(&ran, Err((failed, _)) if phase == *failed);
        return outcome(case, result, true, failed);
    }
    let want = if has(case, "want_b64") {
        let encoded = bytes_of(case, "want_b64");
        base64_decode(&encoded)
    } else {
        bytes_of(case, "want")
    };
    let result = match ran {
        Ok(out) if out == want => Ok(()),
        Ok(out) => Err(format!("gave {:?}, want {:?}", lossy(&out), lossy(&want))),
        Err((phase, text)) => Err(format!("{phase} error {text:?}, want {:?}", lossy(&want))),
    };
    outcome(case, result, false, false)
}

fn base64_decode(text: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .expect("a corpus holds good base64")
}

fn render(case: &Value, data: Value, sprig: Option<&Arc<Functions>>) -> Ran {
    let mut functions = sprig.map_or_else(Functions::builtin, |functions| (**functions).clone());
    for name in get(case, "funcs").as_list().unwrap_or_default() {
        if let Some(name) = name.as_str() {
            let name = name.to_string();
            functions.insert(&name, test_function(&name));
        }
    }
    let functions = Arc::new(functions);
    let mut templates = Templates::new();
    if let Some([left, right]) = get(case, "delims").as_list() {
        let text = |value: &Value| value.as_str().map(Str::to_string).unwrap_or_default();
        templates.set_delimiters(&text(left), &text(right));
    }
    templates.set_missing_key(match text_of(case, "missingkey").as_str() {
        "zero" => MissingKey::Zero,
        "error" => MissingKey::Error,
        _ => MissingKey::Invalid,
    });
    let mut sources = Vec::new();
    for entry in get(case, "templates").as_list().unwrap_or_default() {
        sources.push((bytes_of(entry, "name"), bytes_of(entry, "text")));
    }
    if has(case, "template") {
        sources.push((b"t".to_vec(), bytes_of(case, "template")));
    }
    let root = sources
        .first()
        .map(|(name, _)| name.clone())
        .unwrap_or_default();
    for (name, text) in sources {
        if let Err(error) = templates.parse(name, text, &functions) {
            return Err(("parse", error.to_string()));
        }
    }
    let name = if has(case, "exec") {
        bytes_of(case, "exec")
    } else {
        root.clone()
    };
    let environment = Live;
    let templates = Arc::new(templates);
    if templates.lookup(&name).is_none() {
        let text = format!(
            "template: no template {} associated with template {}",
            lossy(&gotemplate::strconv::quote(&name)),
            lossy(&gotemplate::strconv::quote(&root))
        );
        return Err(("exec", text));
    }
    let mut context = Context::new(&templates, &functions, &environment, Limits::default());
    let mut out = Vec::new();
    match context.execute(&name, data, &mut out) {
        Ok(()) => Ok(out),
        Err(error) => Err(("exec", error.to_string())),
    }
}

/// The functions that the cases of Go's own tests register.
fn test_function(name: &str) -> Function {
    const NONE: Signature = Signature::new(&[]);
    const TEXT: Signature = Signature::new(&[Param::String]);
    let text = |args: &[Value], index: usize| lossy(&args[index].print()).into_owned();
    match name {
        "add" => Function::new(NONE.variadic(Param::Int), |_, args| {
            let sum = args
                .iter()
                .map(|arg| {
                    if let Value::Int(_, number) = arg {
                        *number
                    } else {
                        0
                    }
                })
                .sum();
            Ok(Value::int(sum))
        }),
        "echo" => Function::new(Signature::new(&[Param::Any]).any(), |_, args| {
            Ok(args[0].clone())
        }),
        "makemap" => Function::new(NONE.variadic(Param::String), |_, args| {
            let pairs = args.chunks(2).filter(|pair| pair.len() == 2);
            let entries = pairs.map(|pair| {
                (
                    pair[0].as_str().cloned().unwrap_or_default(),
                    pair[1].clone(),
                )
            });
            Ok(Value::Map(gotemplate::Map::typed(
                gotemplate::MapType::String,
                entries.collect(),
            )))
        }),
        "mapOfThree" => Function::new(NONE.any(), |_, _| {
            Ok(Value::Map(gotemplate::Map::typed(
                gotemplate::MapType::Named("map[string]int"),
                [(Str::from("three"), Value::int(3))].into_iter().collect(),
            )))
        }),
        "oneArg" => Function::new(TEXT, move |_, args| {
            Ok(Value::from(format!("oneArg={}", text(args, 0))))
        }),
        "twoArgs" => Function::new(
            Signature::new(&[Param::String, Param::String]),
            move |_, args| {
                Ok(Value::from(format!(
                    "twoArgs={}{}",
                    text(args, 0),
                    text(args, 1)
                )))
            },
        ),
        "dddArg" => Function::new(
            Signature::new(&[Param::Int]).variadic(Param::String),
            |_, args| {
                let strings =
                    Value::strings(args[1..].iter().filter_map(|arg| arg.as_str().cloned()));
                Ok(Value::string(gotemplate::fmt::sprintln(&[
                    args[0].clone(),
                    strings,
                ])))
            },
        ),
        "typeOf" => Function::new(Signature::new(&[Param::Any]), |_, args| {
            Ok(Value::from(args[0].type_name().into_owned()))
        }),
        "valueString" => Function::new(TEXT, |_, _| Ok(Value::from("value is ignored"))),
        "returnInt" => Function::new(NONE, |_, _| Ok(Value::int(7))),
        "zeroArgs" => Function::new(NONE, |_, _| Ok(Value::from("zeroArgs"))),
        "die" => Function::new(NONE, |_, _| Err(CallError::new("die"))),
        "doPanic" => Function::new(NONE, |_, _| Err(CallError::new("custom panic string"))),
        _ => Function::new(NONE, |_, _| Ok(Value::Nil)),
    }
}

fn run_parse(case: &Value) -> Outcome {
    let functions = Functions::builtin();
    let known: Vec<String> = get(case, "funcs")
        .as_list()
        .unwrap_or_default()
        .iter()
        .filter_map(|name| name.as_str().map(Str::to_string))
        .collect();
    let delimiters: Vec<String> = get(case, "delims")
        .as_list()
        .unwrap_or_default()
        .iter()
        .filter_map(|name| name.as_str().map(Str::to_string))
        .collect();
    let options = ParseOptions {
        left: delimiters.first().map_or("", |left| left),
        right: delimiters.get(1).map_or("", |right| right),
        has_function: &|name| functions.contains(name) || known.iter().any(|known| known == name),
    };
    let parsed = parse(
        &Str::from("t"),
        &Str::from(bytes_of(case, "text")),
        &options,
    );
    if has(case, "want_error") {
        let want = text_of(case, "want_error");
        let result = match &parsed {
            Ok(_) => Err(format!("parsed, want the error {want:?}")),
            Err(error) if error.to_string() == want => Ok(()),
            Err(error) => Err(format!("error {:?}, want {want:?}", error.to_string())),
        };
        return outcome(case, result, true, parsed.is_err());
    }
    let result = parsed.map_err(|error| error.to_string()).and_then(|trees| {
        let want = get(case, "want_trees");
        let want = want
            .as_map()
            .map(gotemplate::Map::entries)
            .unwrap_or_default();
        let got: Vec<(Str, Value)> = trees
            .iter()
            .map(|(name, tree)| (name.clone(), Value::string(tree.print())))
            .collect();
        let show = |entries: &[(Str, Value)]| {
            entries
                .iter()
                .fold(String::new(), |mut text, (name, tree)| {
                    let _ = write!(text, "{name:?}: {:?} ", lossy(&tree.print()));
                    text
                })
        };
        if show(&want) != show(&got) {
            return Err(format!("trees {}, want {}", show(&got), show(&want)));
        }
        let empty = trees
            .get(&Str::from("t"))
            .is_some_and(gotemplate::parse::Tree::is_empty);
        let want_empty = matches!(get(case, "want_empty"), Value::Bool(true));
        if empty == want_empty {
            Ok(())
        } else {
            Err(format!("empty: {empty}, want {want_empty}"))
        }
    });
    outcome(case, result, false, false)
}

/// A case of a random or time function: the output has a property.
fn run_property(case: &Value, sprig: &Arc<Functions>) -> Outcome {
    let property = get(case, "property");
    let template = bytes_of(case, "template");
    let named = Value::map([
        (
            Str::from("name"),
            Value::string([b"property ".as_slice(), &template].concat()),
        ),
        (Str::from("template"), Value::string(template)),
    ]);
    let result = match render(&named, Value::Nil, Some(sprig)) {
        Err((phase, text)) => Err(format!("{phase} error {text:?}")),
        Ok(out) => check_property(&property, &out),
    };
    outcome(&named, result, false, false)
}

fn check_property(property: &Value, out: &[u8]) -> Result<(), String> {
    let text = lossy(out);
    if has(property, "regex") {
        let pattern = text_of(property, "regex");
        let regex = regex::Regex::new(&pattern).map_err(|error| error.to_string())?;
        if !regex.is_match(&text) {
            return Err(format!("gave {text:?}, which does not match {pattern}"));
        }
    }
    if has(property, "equals") && text_of(property, "equals") != text {
        return Err(format!(
            "gave {text:?}, want {:?}",
            text_of(property, "equals")
        ));
    }
    if let Some(choices) = get(property, "one_of").as_list()
        && !choices.iter().any(|choice| choice.print() == out)
    {
        return Err(format!("gave {text:?}, want one of {choices:?}"));
    }
    Ok(())
}
