//! Any bytes as the archive of a chart, packed and unpacked.
#![no_main]

use helm::Compat;
use helm::chart::{File, load_archive, load_files};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = load_archive(data, Compat::V4);
    // The same bytes as the files of a chart: names and contents by turns.
    let mut parts = data.split(|byte| *byte == 0);
    let mut files = Vec::new();
    while let (Some(name), Some(content)) = (parts.next(), parts.next()) {
        files.push(File::new(String::from_utf8_lossy(name), content));
    }
    let _ = load_files(files, Compat::V3);
});
