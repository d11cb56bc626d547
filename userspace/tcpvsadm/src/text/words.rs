// SPDX-License-Identifier: GPL-2.0

//! A line and its words.
//!
//! Words are separated by white space. `#` at the beginning of a word makes the rest of the line
//! a comment. Between single quotes everything stands for itself; between double quotes a
//! backslash escapes: `\\`, `\"`, `\n`, `\r`, `\t` and `\xHH`. Elsewhere a backslash is an
//! ordinary character, as in `path-regex \.png$`.

use std::fmt::Write;

/// A word, and whether some of it was quoted, so that it is no brace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Word {
    pub(crate) bytes: Vec<u8>,
    pub(crate) quoted: bool,
}

impl Word {
    /// Whether it is this word, unquoted.
    pub(crate) fn is(&self, word: &str) -> bool {
        !self.quoted && self.bytes == word.as_bytes()
    }
}

/// Splits a line into words.
///
/// # Errors
///
/// What is wrong with the quotes.
pub(crate) fn split(line: &[u8]) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii();
    while let Some(&first) = rest.first() {
        if first == b'#' {
            break;
        }
        let (word, after) = take(rest)?;
        words.push(word);
        rest = after.trim_ascii_start();
    }
    Ok(words)
}

fn take(mut rest: &[u8]) -> Result<(Word, &[u8]), String> {
    let mut bytes = Vec::new();
    let mut quoted = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b if b.is_ascii_whitespace() => break,
            b'\'' => {
                quoted = true;
                let end = after.iter().position(|b| *b == b'\'');
                let end = end.ok_or_else(|| format!("{}: no closing '", shown(rest)))?;
                bytes.extend_from_slice(&after[..end]);
                &after[end + 1..]
            }
            b'"' => {
                quoted = true;
                unescape(after, &mut bytes)
                    .ok_or_else(|| format!("{}: no closing \", or no such escape", shown(rest)))?
            }
            0 => return Err(format!("{}: a zero byte", shown(rest))),
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    Ok((Word { bytes, quoted }, rest))
}

/// Takes what follows a double quote, up to the closing one.
fn unescape<'a>(mut rest: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some(rest),
            b'\\' => {
                let (&escape, after) = rest.split_first()?;
                rest = after;
                bytes.push(match escape {
                    b'\\' | b'"' => escape,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'x' => {
                        let (digits, after) = rest.split_at_checked(2)?;
                        rest = after;
                        let high = char::from(digits[0]).to_digit(16)?;
                        let low = char::from(digits[1]).to_digit(16)?;
                        u8::try_from(high * 16 + low).ok()?
                    }
                    _ => return None,
                });
            }
            _ => bytes.push(byte),
        }
    }
}

/// A word so that [`split`] reads it as it is.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let printable = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.chars().any(char::is_control));
    let Some(text) = printable else {
        return escape(bytes);
    };
    let plain = !text.is_empty()
        && !text.starts_with('#')
        && !["{", "}"].contains(&text)
        && !text.contains(|c: char| c == '\'' || c == '"' || c.is_whitespace());
    if plain {
        text.to_owned()
    } else if text.contains('\'') {
        escape(bytes)
    } else {
        format!("'{text}'")
    }
}

fn escape(bytes: &[u8]) -> String {
    let mut word = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => word.extend(['\\', c]),
                '\n' => word.push_str("\\n"),
                '\r' => word.push_str("\\r"),
                '\t' => word.push_str("\\t"),
                c if c.is_control() => {
                    let mut encoded = [0; 4];
                    hex(&mut word, c.encode_utf8(&mut encoded).as_bytes());
                }
                c => word.push(c),
            }
        }
        hex(&mut word, chunk.invalid());
    }
    word.push('"');
    word
}

fn hex(word: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(word, "\\x{byte:02x}");
    }
}

/// A word in a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(bytes);
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("'{}…'", &text[..end]),
        None => format!("'{text}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Vec<String> {
        let words = split(line.as_bytes()).unwrap().into_iter();
        words.map(|w| String::from_utf8(w.bytes).unwrap()).collect()
    }

    #[test]
    fn lines_are_split() {
        assert_eq!(words("  a b\tc \r"), ["a", "b", "c"]);
        assert_eq!(words("a # b"), ["a"]);
        assert_eq!(words("a#b"), ["a#b"]);
        assert_eq!(words("# x"), [""; 0]);
        assert_eq!(words("'a b' c'd e'f ''"), ["a b", "cd ef", ""]);
        assert_eq!(words(r#""a\"b\\\x41\n" \d+"#), ["a\"b\\A\n", r"\d+"]);
    }

    #[test]
    fn a_quoted_brace_is_no_brace() {
        let words = split(b"{ '{'").unwrap();
        assert!(words[0].is("{") && !words[1].is("{"));
        assert_eq!(quote(b"}"), "'}'");
    }

    #[test]
    fn open_quotes_are_errors() {
        for line in [
            "'a",
            "\"a",
            r#""\"#,
            r#""\q""#,
            r#""\x4""#,
            r#""\xzz""#,
            "a\0",
        ] {
            assert!(split(line.as_bytes()).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read(word in proptest::collection::vec(any::<u8>(), 0..20)) {
            let words = split(quote(&word).as_bytes()).unwrap();
            prop_assert_eq!(words.len(), 1);
            prop_assert_eq!(&words[0].bytes, &word);
            let brace = ["{", "}"].iter().any(|brace| words[0].is(brace));
            prop_assert!(!brace);
        }

        #[test]
        fn text_is_quoted_readably(word in "[ -~é#'\"]{0,9}") {
            let quoted = quote(word.as_bytes());
            prop_assert!(word.contains("\\x") || !quoted.contains("\\x"));
            prop_assert_eq!(words(&quoted), [word]);
        }
    }
}
