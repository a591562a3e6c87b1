//! Any bytes as values: YAML, flags, schemas, and the way back to YAML.
#![no_main]

use gotemplate::{Map, Value};
use helm::Compat;
use helm::values::{SetKind, check_schema, from_yaml, read_values, set, to_yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(values) = read_values(data, Compat::V4) {
        let _ = to_yaml(&Value::Map(values.clone()));
        let _ = check_schema(&values, data, None);
    }
    if let Ok(value) = from_yaml(data) {
        let text = to_yaml(&value).unwrap_or_default();
        let _ = from_yaml(text.as_bytes());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        for kind in [SetKind::Typed, SetKind::String, SetKind::Json, SetKind::Literal] {
            let _ = set(text, kind, None, &Map::new(), Compat::V4);
        }
    }
});
