// SPDX-License-Identifier: GPL-2.0

//! Every input that is kept, in each of its target, and without a fuzzer.

use ktcpvs_fuzz::{
    corpus,
    TARGETS, //
};
use std::{
    collections::BTreeSet,
    fs,
    io,
    panic::catch_unwind,
    path::Path, //
};

/// Each is tried also as it is when it comes short, and with something behind it.
#[test]
fn inputs_that_are_kept() {
    let mut failed = Vec::new();
    let mut number = 0;

    for (name, target) in TARGETS {
        let inputs = corpus::inputs(name).expect("the corpus can be read");

        assert!(!inputs.is_empty(), "{name} has no inputs");
        for input in inputs {
            for input in [&input[..], &input[..input.len() / 2], b"x"] {
                number += 1;
                if catch_unwind(|| target(input)).is_err() {
                    failed.push(format!("{name}: {}", input.escape_ascii()));
                }
            }
        }
    }
    assert!(failed.is_empty(), "of {number}: {}", failed.join("\n"));
    println!("{number} inputs");
}

/// What no target has would be forgotten, and a target that no executable has would not be run.
#[test]
fn nothing_is_left_over() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |dir, suffix: &str| {
        let entries = here.join(dir).read_dir().expect("it is there");
        let name = |entry: io::Result<fs::DirEntry>| {
            let name = entry.expect("it can be read").file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(suffix));
            name.map(str::to_owned).expect("it has the suffix")
        };
        entries.map(name).collect::<BTreeSet<_>>()
    };
    let targets: BTreeSet<_> = TARGETS.iter().map(|target| target.0.to_owned()).collect();
    let manifest = fs::read_to_string(here.join("Cargo.toml")).expect("it can be read");

    assert_eq!(files("fuzz_targets", ".rs"), targets);
    assert_eq!(files("corpus", ".txt"), targets);
    assert!(files("dictionaries", ".dict").is_subset(&targets));
    for name in &targets {
        assert!(
            manifest.contains(&format!("\nname = \"{name}\"\n")),
            "{name}"
        );
        let text = fs::read_to_string(here.join(format!("fuzz_targets/{name}.rs")));
        assert!(
            text.is_ok_and(|text| text.contains(&format!("serve(\"{name}\")"))),
            "{name}"
        );
    }
}
