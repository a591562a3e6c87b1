//! Whatever the bytes, reading ends, and what was read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Ok(value) = yaml::to_json(text) {
        let written = yaml::from_json(&value);
        assert!(yaml::to_json(written.as_bytes()).is_ok());
    }
    if let Ok(Some(document)) = yaml::parse(text) {
        let _ = yaml::node_to_string(&document.root, yaml::SequenceIndent::Compact);
    }
});
