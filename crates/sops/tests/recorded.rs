//! Files encrypted and decrypted by `sops` 3.13.2, with keys made for these tests by age and GnuPG.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use sops::{AgeKeys, Format, KeyService, Mac, PgpKeys};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn read(path: &str) -> Vec<u8> {
    fs::read(fixtures().join(path)).unwrap()
}

fn age(names: &[&str]) -> AgeKeys {
    let mut keys = AgeKeys::default();
    for name in names {
        let text = String::from_utf8(read(&format!("keys/{name}"))).unwrap();
        keys.import(&text).unwrap();
    }
    keys
}

fn pgp(names: &[&str]) -> PgpKeys {
    let mut keys = PgpKeys::default();
    for name in names {
        keys.import(&read(&format!("keys/{name}"))).unwrap();
    }
    keys
}

#[test]
fn every_file_is_decrypted_as_by_sops() {
    let (age, pgp) = (age(&["age1.agekey"]), pgp(&["rsa.asc", "ec.asc"]));
    let keys: [&dyn KeyService; 2] = [&age, &pgp];
    let mut count = 0;
    for entry in fs::read_dir(fixtures().join("encrypted")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (data, wanted) = (
            read(&format!("encrypted/{name}")),
            read(&format!("decrypted/{name}")),
        );
        let format = Format::of_path(&name);
        assert!(format.marks(&data), "{name} is not recognised");
        let plain = sops::decrypt(&data, format, format, &Together(keys), Mac::Check)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            String::from_utf8_lossy(&plain),
            String::from_utf8_lossy(&wanted),
            "{name}"
        );
        count += 1;
    }
    assert!(count >= 14, "only {count} files");
}

struct Together<'a>([&'a dyn KeyService; 2]);

impl KeyService for Together<'_> {
    fn decrypt(&self, key: &sops::MasterKey) -> Option<Result<Vec<u8>, String>> {
        self.0[..].decrypt(key)
    }

    fn encrypt(&self, key: &sops::KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        self.0[..].encrypt(key, plaintext)
    }
}

#[test]
fn a_file_can_come_out_in_another_form() {
    let keys = age(&["age1.agekey"]);
    for (input, output, name) in [
        (Format::Json, Format::Yaml, "age.json.as.yaml"),
        (Format::Yaml, Format::Json, "age.yaml.as.json"),
    ] {
        let data = read(&format!("encrypted/{}", &name[..8]));
        let plain = sops::decrypt(&data, input, output, &keys, Mac::Check).unwrap();
        let wanted = read(&format!("decrypted/{name}"));
        assert_eq!(
            String::from_utf8_lossy(&plain),
            String::from_utf8_lossy(&wanted)
        );
    }
}

#[test]
fn the_wrong_key_is_told_with_what_is_held() {
    let keys = age(&["age2.agekey"]);
    let error = sops::decrypt(
        &read("encrypted/age.yaml"),
        Format::Yaml,
        Format::Yaml,
        &keys,
        Mac::Check,
    )
    .unwrap_err()
    .to_string();
    let recipients: Vec<&str> = error
        .split_whitespace()
        .filter(|word| word.starts_with("age1"))
        .collect();
    assert_eq!(recipients.len(), 2, "{error}");
    assert!(
        error.starts_with(
            "cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.\n\nGroup 0: FAILED\n"
        ),
        "{error}"
    );
    let upstream = "    - | failed to create reader for decrypting sops data key with\n      | age: identity did not match any of the recipients: incorrect\n      | identity for recipient block";
    assert!(error.contains(upstream), "{error}");
}

#[test]
fn two_of_three_groups_are_enough_and_one_is_not() {
    let data = read("encrypted/shamir.yaml");
    let decrypt =
        |keys: &dyn KeyService| sops::decrypt(&data, Format::Yaml, Format::Yaml, keys, Mac::Check);
    let plain = decrypt(&age(&["age1.agekey", "age2.agekey"])).unwrap();
    assert!(plain == read("decrypted/shamir.yaml"));
    let error = decrypt(&age(&["age2.agekey"])).unwrap_err().to_string();
    assert!(error.contains("Group 1: SUCCESS"), "{error}");
    let words = error.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("Shamir threshold of 2, but only 1 part(s)"),
        "{error}"
    );
}

#[test]
fn a_changed_value_is_found() {
    let keys = age(&["age1.agekey"]);
    let text = String::from_utf8(read("encrypted/regex.yaml")).unwrap();
    let changed = text.replace("kind: Secret", "kind: Sekret");
    assert_ne!(text, changed);
    let decrypt = |mac| sops::decrypt(changed.as_bytes(), Format::Yaml, Format::Yaml, &keys, mac);
    assert!(matches!(decrypt(Mac::Check), Err(sops::Error::MacMismatch)));
    assert!(decrypt(Mac::Ignore).is_ok());
    let at = text.find("AES256_GCM,data:").unwrap() + 16;
    let swapped = if &text[at..=at] == "A" { "B" } else { "A" };
    let broken = format!("{}{swapped}{}", &text[..at], &text[at + 1..]);
    let error = sops::decrypt(
        broken.as_bytes(),
        Format::Yaml,
        Format::Yaml,
        &keys,
        Mac::Ignore,
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("message authentication failed")
    );
}

#[test]
fn no_message_holds_a_plain_value() {
    let keys = age(&["age1.agekey"]);
    let text = String::from_utf8(read("encrypted/age.json")).unwrap();
    // A value that someone forgot to encrypt must not reach a log.
    let start = text.find("\"ENC[").unwrap();
    let end = start + text[start..].find("]\"").unwrap() + 2;
    let forgotten = format!("{}\"CANARY-51e7\"{}", &text[..start], &text[end..]);
    let error = sops::decrypt(
        forgotten.as_bytes(),
        Format::Json,
        Format::Json,
        &keys,
        Mac::Check,
    )
    .unwrap_err()
    .to_string();
    assert!(!error.contains("CANARY"), "{error}");
    assert!(error.contains("<redacted>"), "{error}");
    for (bad, format) in [
        ("CANARY-51e7", Format::Dotenv),
        ("[a]\nCANARY-51e7", Format::Ini),
        ("{\"CANARY-51e7", Format::Json),
    ] {
        let error = sops::decrypt(bad.as_bytes(), format, format, &keys, Mac::Check).unwrap_err();
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
    let error = AgeKeys::default()
        .import("AGE-SECRET-KEY-1CANARY")
        .unwrap_err();
    assert!(!error.to_string().contains("CANARY"), "{error}");
}
