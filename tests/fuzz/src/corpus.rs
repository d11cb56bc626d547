// SPDX-License-Identifier: GPL-2.0

//! The inputs that are kept.
//!
//! Those of a target are in one file, one a line, as Rust would write them in a byte string: so
//! they can be read, and a change to them reviewed. Seeds come from the tables of core's tests
//! besides, and are not kept twice.

use crate::seeds;
use std::{
    fs,
    io,
    path::{
        Path,
        PathBuf, //
    }, //
};

/// How many bytes a target's inputs may have, as they are written. None comes near it: more is not
/// what somebody would look at, or is not the least that covers the same.
const KEPT_MAX: usize = 256 << 10;

/// The file of a target's inputs.
#[must_use]
pub fn file(target: &str) -> PathBuf {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");

    corpus.join(target).with_extension("txt")
}

/// The inputs of a target: seeds, and those that were found.
///
/// # Errors
///
/// The file is there, but cannot be read.
pub fn inputs(target: &str) -> io::Result<Vec<Vec<u8>>> {
    let text = match fs::read_to_string(file(target)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut inputs = seeds::seeds(target);

    for line in text.lines() {
        let input = unescaped(line).ok_or_else(|| io::Error::other(format!("{target}: {line}")))?;
        inputs.push(input);
    }
    Ok(inputs)
}

/// What `[u8]::escape_ascii` wrote as `line`.
fn unescaped(line: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = line.as_bytes();

    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b'r', after @ ..]) => (b'\r', after),
            (b'\\', [b't', after @ ..]) => (b'\t', after),
            (b'\\', [byte @ (b'\\' | b'\'' | b'"'), after @ ..]) => (*byte, after),
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                (u8::from_str_radix(digits, 16).ok()?, after)
            }
            (b'\\', _) => return None,
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Some(bytes)
}

/// Does what the executable of `target` was asked to, instead of fuzzing, and exits: `--unpack DIR`
/// writes the inputs to files in a directory, `--pack DIR` keeps the files of one, but seeds, as
/// the target's inputs.
pub fn serve(target: &str) {
    let arguments: Vec<_> = std::env::args().collect();
    let done = match &arguments[..] {
        [_, command, dir] if command == "--unpack" => unpack(target, Path::new(dir)),
        [_, command, dir] if command == "--pack" => pack(target, Path::new(dir)),
        _ => return,
    };

    match done {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("{target}: {error}");
            std::process::exit(1);
        }
    }
}

fn unpack(target: &str, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (index, input) in inputs(target)?.iter().enumerate() {
        fs::write(dir.join(format!("kept-{index:03}")), input)?;
    }
    Ok(())
}

fn pack(target: &str, dir: &Path) -> io::Result<()> {
    let seeds = seeds::seeds(target);
    let mut kept = Vec::new();

    for entry in fs::read_dir(dir)? {
        let input = fs::read(entry?.path())?;
        if !seeds.contains(&input) {
            kept.push(input);
        }
    }
    fs::write(file(target), lines(kept)?)
}

/// All of `inputs` as they are written, the shortest first: they are read with the least effort.
/// None is left out for want of room, which nobody would see: it may be the only one that covers
/// what it does.
fn lines(mut inputs: Vec<Vec<u8>>) -> io::Result<String> {
    inputs.sort_by_key(|input| (input.len(), input.clone()));
    let mut lines = String::new();

    for input in &inputs {
        lines.extend(input.escape_ascii().map(char::from));
        lines.push('\n');
    }
    if lines.len() > KEPT_MAX {
        let (number, len) = (inputs.len(), lines.len());
        return Err(io::Error::other(format!(
            "{number} inputs have {len} bytes, more than {KEPT_MAX}: nothing was changed"
        )));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::{
        lines,
        unescaped,
        KEPT_MAX, //
    };

    #[test]
    fn what_is_escaped_is_read_again() {
        let all: Vec<u8> = (0..=255).collect();
        let line = all.escape_ascii().to_string();

        assert_eq!(unescaped(&line), Some(all));
        assert_eq!(unescaped(""), Some(vec![]));
        for bad in ["\\", "\\x1", "\\q", "\\xgg"] {
            assert_eq!(unescaped(bad), None);
        }
    }

    #[test]
    fn all_are_kept_or_none() {
        let long = vec![b'a'; KEPT_MAX - 3];
        let kept = lines(vec![long.clone(), b"b".to_vec()]).expect("there is room");

        assert_eq!(
            kept.lines().map(str::len).collect::<Vec<_>>(),
            [1, long.len()]
        );
        assert!(lines(vec![long, b"bc".to_vec()]).is_err());
    }
}
