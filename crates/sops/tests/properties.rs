//! What is encrypted comes back; foreign bytes never panic.
#![expect(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use sops::{AgeKeys, Encrypt, Format, KeyKind, KeyService as _, Mac, Rule};

fn keys() -> (AgeKeys, Vec<Vec<KeyKind>>) {
    let mut keys = AgeKeys::default();
    keys.import(include_str!("fixtures/keys/age1.agekey"))
        .unwrap();
    let recipient = keys.held().remove(0);
    (keys, vec![vec![KeyKind::Age { recipient }]])
}

fn random(bytes: &mut [u8]) {
    rand::Rng::fill(&mut rand::rng(), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn json_documents_come_back(entries in prop::collection::btree_map("[a-z]{1,8}(_unencrypted)?", "\\PC{0,24}", 0..6), number: i64) {
        let (keys, groups) = keys();
        let mut document = serde_json::to_value(&entries).unwrap();
        document["number"] = serde_json::json!([number, true, null, {"deep": 1.5}]);
        let plain = serde_json::to_vec(&document).unwrap();
        let request = Encrypt { mac_only_encrypted: number % 2 == 0, ..Encrypt::new(groups, "2026-01-02T03:04:05Z") };
        for format in [Format::Json, Format::Binary] {
            let sealed = sops::encrypt(&plain, format, &request, &keys, &mut random).unwrap();
            let back = sops::decrypt(&sealed, format, format, &keys, Mac::Check).unwrap();
            prop_assert_eq!(&serde_json::from_slice::<serde_json::Value>(&back).unwrap(), &document);
        }
    }

    #[test]
    fn lines_come_back(entries in prop::collection::btree_map("[A-Z_]{1,8}", "[ -~]{0,24}", 1..6)) {
        prop_assume!(entries.keys().all(|key| !key.starts_with("sops_")));
        prop_assume!(entries.values().all(|value| !value.contains("\\n")));
        let (keys, groups) = keys();
        let lines: Vec<String> = entries.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        let plain = lines.concat();
        let request = Encrypt { rule: Rule::EncryptedRegex("^[A-M]".to_owned()), ..Encrypt::new(groups, "2026-01-02T03:04:05Z") };
        let sealed = sops::encrypt(plain.as_bytes(), Format::Dotenv, &request, &keys, &mut random).unwrap();
        let back = sops::decrypt(&sealed, Format::Dotenv, Format::Dotenv, &keys, Mac::Check).unwrap();
        prop_assert_eq!(String::from_utf8(back).unwrap(), plain);
    }

    #[test]
    fn foreign_bytes_are_errors(cut in 0usize..6000, flip in 0usize..6000, byte: u8, number in 0usize..5) {
        let (keys, _) = keys();
        let (format, name) = [(Format::Yaml, "age.yaml"), (Format::Json, "age.json"), (Format::Dotenv, "age.env"), (Format::Ini, "age.ini"), (Format::Binary, "age.txt")][number];
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encrypted").join(name);
        let mut data = std::fs::read(path).unwrap();
        let length = data.len();
        data[flip % length] = byte;
        data.truncate(cut.max(length / 2));
        // Only that it returns counts: a flipped byte may stand in a comment.
        let _ = sops::decrypt(&data, format, format, &keys, Mac::Ignore);
    }
}
