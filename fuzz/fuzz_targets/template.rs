//! Any bytes as a template: lexer, parser, executor, all of sprig and Helm's functions.
#![no_main]

use gotemplate::{FixedEnvironment, Limits, Map, Time};
use helm::chart::{File, load_files};
use helm::engine::{Capabilities, ReleaseOptions};
use helm::{Compat, RenderOptions, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let files = vec![
        File::new("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        File::new("values.yaml", "a: 1\nb: [x, {y: z}]\nc: {d: \"{{ .Values.a }}\"}\n"),
        File::new("templates/t.yaml", data),
    ];
    let Ok(mut chart) = load_files(files, Compat::V4) else {
        return;
    };
    let environment = FixedEnvironment::new(Time::unix(0, 0), 1);
    let mut options = RenderOptions::new(
        ReleaseOptions::install("r", "ns"),
        Capabilities::assumed(Compat::V4),
        &environment,
    );
    options.limits = Limits {
        steps: 200_000,
        output: 4 << 20,
        value: 4 << 20,
        allocated: 64 << 20,
        ..Limits::default()
    };
    let _ = render(&mut chart, &Map::new(), &options);
});
