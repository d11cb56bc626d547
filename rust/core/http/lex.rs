// SPDX-License-Identifier: GPL-2.0

//! Classes of bytes, and the searches that touch every byte of a head.
//!
//! Kernel code has no vector registers, so the searches look at eight bytes at a time in an
//! ordinary one. The tests for a byte below a bound and for a zero byte can be wrong about bytes
//! *after* the first one that is found, because of the borrow, never about the first.

/// A byte of a token (RFC 9110 §5.6.2).
pub(super) const TOKEN: u8 = 1;
/// A byte of a registered name (RFC 3986 §3.2.2), `%` included.
pub(super) const REG_NAME: u8 = 2;
/// A byte of an IP literal (RFC 3986 §3.2.2), without its brackets.
pub(super) const IP_LITERAL: u8 = 4;

static CLASSES: [u8; 256] = classes();

const fn mark(table: &mut [u8; 256], bytes: &[u8], class: u8) {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= class;
        at += 1;
    }
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let alphanumeric = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    mark(&mut table, alphanumeric, TOKEN | REG_NAME);
    mark(&mut table, b"!#$%&'*+-.^_`|~", TOKEN);
    mark(&mut table, b"-._~!$&'()*+,;=%", REG_NAME);
    mark(&mut table, b"0123456789ABCDEFabcdef:.", IP_LITERAL);
    table
}

/// Whether `byte` is of `class`.
#[inline]
pub(super) fn is(byte: u8, class: u8) -> bool {
    // The index is below 256 by its type: no check remains.
    CLASSES[usize::from(byte)] & class != 0
}

/// Whether all of `bytes` are of `class`.
#[inline]
pub(super) fn all(bytes: &[u8], class: u8) -> bool {
    bytes.iter().all(|&byte| is(byte, class))
}

/// What of `bytes` is behind the token that they begin with.
///
/// A field's name has letters and hyphens, as a rule, so that these are looked at in words.
#[inline(always)]
pub(super) fn skip_token(bytes: &[u8]) -> &[u8] {
    let rest = seek(
        bytes,
        |word| !letters_and_hyphens(word) & HIGH,
        |b| !is(b, TOKEN),
    );

    match rest {
        [b':', ..] => rest,
        _ => rest.get(span(rest, TOKEN)..).unwrap_or_default(),
    }
}

/// Whether `token`, of token bytes only, spells `lower`, in whatever case: `lower` has letters and
/// hyphens only, all of them in lower case, and at least two.
///
/// Of the bytes of a token, this bit tells only the cases of a letter apart.
#[inline(always)]
pub(super) fn spells(token: &[u8], lower: &[u8]) -> bool {
    const CASE: u64 = each(0x20);

    if token.len() != lower.len() {
        return false;
    }
    if let (Some(a), Some(b)) = (token.first_chunk::<8>(), lower.first_chunk::<8>()) {
        let (Some(y), Some(z)) = (token.last_chunk::<8>(), lower.last_chunk::<8>()) else {
            return false;
        };
        let middle = token.len() <= 16
            || match (token.get(8..), lower.get(8..)) {
                (Some(token), Some(lower)) => token.iter().zip(lower).all(|(a, b)| a | 0x20 == *b),
                _ => false,
            };
        u64::from_le_bytes(*a) | CASE == u64::from_le_bytes(*b)
            && u64::from_le_bytes(*y) | CASE == u64::from_le_bytes(*z)
            && middle
    } else if let (Some(a), Some(b)) = (token.first_chunk::<4>(), lower.first_chunk::<4>()) {
        let (Some(y), Some(z)) = (token.last_chunk::<4>(), lower.last_chunk::<4>()) else {
            return false;
        };
        u32::from_le_bytes(*a) | CASE as u32 == u32::from_le_bytes(*b)
            && u32::from_le_bytes(*y) | CASE as u32 == u32::from_le_bytes(*z)
    } else {
        token.eq_ignore_ascii_case(lower)
    }
}

/// How many of the first bytes are of `class`.
#[inline]
pub(super) fn span(bytes: &[u8], class: u8) -> usize {
    bytes
        .iter()
        .position(|&byte| !is(byte, class))
        .unwrap_or(bytes.len())
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

const HIGH: u64 = each(0x80);

/// The high bit of each byte that is zero.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(each(1)) & !word & HIGH
}

/// The high bit of each byte that is below 0x20 or above 0x7e. It is right about all bytes up to the
/// first of these: what borrows from the next byte, or carries into it, is one.
#[inline]
const fn odd_bytes(word: u64) -> u64 {
    (word.wrapping_sub(each(0x20)) | word.wrapping_add(each(1)) | word) & HIGH
}

/// The high bit of each byte that is below 0x20 or 0x7f.
#[inline]
const fn control_bytes(word: u64) -> u64 {
    (word.wrapping_sub(each(0x20)) & !word & HIGH) | zero_bytes(word ^ each(0x7f))
}

/// The high bit of each byte that is an ASCII letter or a hyphen. It is right about all bytes up to
/// the first that is neither.
#[inline]
const fn letters_and_hyphens(word: u64) -> u64 {
    let low = word | each(0x20);
    // From 'a' on the first sum has the high bit, behind 'z' the second has it too. Only a byte
    // above 0x7f, which is itself refused, carries into the next.
    let letters = low.wrapping_add(each(0x80 - b'a')) & !low.wrapping_add(each(0x80 - b'z' - 1));
    // Unlike `zero_bytes()`, this is right about every byte.
    let other = word ^ each(b'-');
    let hyphens = !((other & !HIGH).wrapping_add(!HIGH) | other);

    (letters & !word | hyphens) & HIGH
}

/// The high bit of each byte that is a lower-case letter, a digit, a hyphen or a dot; if there is a
/// byte above 0x7f, of some others too, but not of that.
#[inline]
const fn lower_name_bytes(word: u64) -> u64 {
    let letters = word.wrapping_add(each(0x80 - b'a')) & !word.wrapping_add(each(0x80 - b'z' - 1));
    // From the hyphen on to the nine; the slash is between them.
    let others = word.wrapping_add(each(0x80 - b'-')) & !word.wrapping_add(each(0x80 - b'9' - 1));
    let no_slash = ((word ^ each(b'/')) & !HIGH).wrapping_add(!HIGH);

    (letters | (others & no_slash)) & !word & HIGH
}

/// The high bit of each byte that cannot be in a target or that is `?`.
#[inline]
const fn target_stops(word: u64) -> u64 {
    ((word.wrapping_sub(each(0x21)) | word.wrapping_add(each(1)) | word) & HIGH)
        | zero_bytes(word ^ each(b'#'))
        | zero_bytes(word ^ each(b'?'))
}

/// The two words of `pair`.
#[inline(always)]
const fn words(pair: &[u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(*pair);
    [both as u64, (both >> 64) as u64]
}

/// Which byte of a word is the first of those marked.
#[inline(always)]
const fn marked(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// `bytes` from the first byte on that `words` marks in eight bytes and `byte` accepts alone.
#[inline(always)]
fn seek(bytes: &[u8], words: impl Fn(u64) -> u64, byte: impl Fn(u8) -> bool) -> &[u8] {
    let mut rest = bytes;

    while let Some(word) = rest.first_chunk::<8>() {
        let marks = words(u64::from_le_bytes(*word));
        if marks != 0 {
            return rest.get(marked(marks)..).unwrap_or_default();
        }
        rest = rest.get(8..).unwrap_or_default();
    }
    while let [first, tail @ ..] = rest {
        if byte(*first) {
            break;
        }
        rest = tail;
    }
    rest
}

/// Whether `bytes`, four at least, are lower-case letters, digits, hyphens and dots only.
#[inline]
pub(super) fn is_lower_name(bytes: &[u8]) -> bool {
    let lower = |word| lower_name_bytes(word) == HIGH;

    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        // The last word can have bytes of the one before.
        lower(u64::from_le_bytes(*first))
            && lower(u64::from_le_bytes(*last))
            && (bytes.len() <= 16
                || bytes.chunks_exact(8).all(|word| match word.first_chunk() {
                    Some(word) => lower(u64::from_le_bytes(*word)),
                    None => false,
                }))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|part| u64::from(u32::from_le_bytes(*part)));
        lower(first | (last << 32))
    } else {
        false
    }
}

/// What of `bytes` is behind `start`, if they begin with it. It is compared in words, where a pattern
/// would be compared byte by byte.
#[inline(always)]
pub(super) fn strip<'a, const N: usize>(bytes: &'a [u8], start: &[u8; N]) -> Option<&'a [u8]> {
    match bytes.split_first_chunk::<N>() {
        Some((first, rest)) if first == start => Some(rest),
        _ => None,
    }
}

/// What of `bytes` is before `rest`, its end.
#[inline(always)]
pub(super) fn before<'a>(bytes: &'a [u8], rest: &[u8]) -> &'a [u8] {
    bytes
        .get(..bytes.len().wrapping_sub(rest.len()))
        .unwrap_or_default()
}

/// `bytes` from the first byte on that is no visible ASCII and no space.
#[inline(always)]
pub(super) fn seek_odd(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;

    while let Some((pair, tail)) = rest.split_first_chunk::<16>() {
        let [first, second] = words(pair);
        let marks = odd_bytes(first);
        if marks != 0 {
            return rest.get(marked(marks)..).unwrap_or_default();
        }
        let marks = odd_bytes(second);
        if marks != 0 {
            return rest
                .get(marked(marks).wrapping_add(8)..)
                .unwrap_or_default();
        }
        rest = tail;
    }
    seek(rest, odd_bytes, |b| !(0x20..0x7f).contains(&b))
}

/// `bytes` from the first control byte (tab included) on.
#[inline(always)]
pub(super) fn seek_control(bytes: &[u8]) -> &[u8] {
    seek(bytes, control_bytes, |b| b < 0x20 || b == 0x7f)
}

/// Where the first control byte (tab included) is, or the length.
#[inline]
pub(super) fn find_control(bytes: &[u8]) -> usize {
    before(bytes, seek_control(bytes)).len()
}

/// Where `wanted` first is, or the length.
#[inline]
pub(super) fn find_byte(bytes: &[u8], wanted: u8) -> usize {
    let pattern = each(wanted);
    let rest = seek(bytes, |word| zero_bytes(word ^ pattern), |b| b == wanted);

    before(bytes, rest).len()
}

/// Where the first byte is that cannot be in a target, or is `?`, or the length.
///
/// More is let through than RFC 3986 allows, since browsers send `|`, `{`, `"` and the like as
/// they are; spaces, control bytes, bytes above 0x7e and `#` are not.
#[inline]
pub(super) fn find_target_stop(bytes: &[u8]) -> usize {
    let stop = |b| !(0x21..0x7f).contains(&b) || b == b'#' || b == b'?';

    before(bytes, seek(bytes, target_stops, stop)).len()
}

/// `bytes` without the spaces and tabs at its ends (`OWS`, RFC 9110 §5.6.3).
///
/// One space before and none behind is what most values have.
#[inline]
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = match bytes {
        [b' ', rest @ ..] => rest,
        _ => bytes,
    };

    match bytes {
        [first, .., last] if *first > b' ' && *last > b' ' => bytes,
        _ => trim_any(bytes),
    }
}

#[inline(never)]
fn trim_any(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The non-empty elements of a comma-separated list of tokens (RFC 9110 §5.6.1).
#[inline]
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    value
        .split(|&byte| byte == b',')
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// The number that `digits` writes in decimal, if it is one below 2⁶⁴.
#[inline]
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    // What has fewer digits than 2⁶⁴ is below it.
    if digits.is_empty() || digits.len() >= 20 {
        return long_decimal(digits);
    }
    digits.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number.wrapping_mul(10).wrapping_add(digit.into()))
    })
}

#[inline(never)]
fn long_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{
        string::String,
        vec,
        vec::Vec, //
    };

    /// Every byte at every position of a word, behind every length of harmless bytes.
    #[test]
    fn searches_agree_with_the_naive_ones() {
        for before in 0..20 {
            for after in 0..10 {
                for byte in 0..=255u8 {
                    let mut bytes = [b'a'; 40];
                    bytes[before] = byte;
                    let bytes = &bytes[..before + 1 + after];
                    let naive = |stop: &dyn Fn(u8) -> bool| {
                        bytes.iter().position(|&b| stop(b)).unwrap_or(bytes.len())
                    };

                    let odd = |b: u8| b != b' ' && !b.is_ascii_graphic();

                    assert_eq!(find_control(bytes), naive(&|b| b.is_ascii_control()));
                    assert_eq!(super::before(bytes, seek_odd(bytes)).len(), naive(&odd));
                    assert_eq!(find_byte(bytes, byte), naive(&|b| b == byte));
                    assert_eq!(
                        find_target_stop(bytes),
                        naive(&|b| !b.is_ascii_graphic() || b == b'#' || b == b'?'),
                        "{byte:#x} at {before}"
                    );
                }
            }
        }
    }

    /// Two bytes that stop a search, in one word: the first is the one that counts.
    #[test]
    fn the_first_of_two_is_found() {
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                let bytes = [b'a', first, second, b'a', b'a', b'a', b'a', b'a', b'a'];
                let control = bytes.iter().position(u8::is_ascii_control);
                let stop = bytes
                    .iter()
                    .position(|&b| !b.is_ascii_graphic() || b == b'#' || b == b'?');
                let odd = bytes.iter().position(|&b| !(0x20..0x7f).contains(&b));

                assert_eq!(before(&bytes, seek_odd(&bytes)).len(), odd.unwrap_or(9));
                assert_eq!(find_control(&bytes), control.unwrap_or(9));
                assert_eq!(find_target_stop(&bytes), stop.unwrap_or(9));
            }
        }
    }

    /// Every pair of bytes at every position, behind letters and hyphens.
    #[test]
    fn tokens_end_where_their_bytes_do() {
        for at in 0..18 {
            for first in 0..=255u8 {
                for second in [b'-', b',', b'a', b':', 0x80, 0xff, first] {
                    let mut bytes = *b"ab-dEfgHijkLmnopqrs-uVwx";
                    bytes[at] = first;
                    bytes[at + 1] = second;
                    let naive = bytes.iter().position(|&b| !is(b, TOKEN));

                    let token = before(&bytes, skip_token(&bytes)).len();

                    assert_eq!(token, naive.unwrap_or(24), "{first:#x} {second:#x}");
                }
            }
        }
    }

    /// A token spells a name if nothing but the case differs; every byte counts.
    #[test]
    fn spelling() {
        for name in [
            &b"te"[..],
            b"host",
            b"cookie",
            b"upgrade",
            b"connection",
            b"content-length",
            b"x-forwarded-for",
            b"proxy-connection",
            b"transfer-encoding",
        ] {
            assert!(spells(name, name));
            assert!(spells(&name.to_ascii_uppercase(), name));
            assert!(!spells(&name[1..], name));
            for at in 0..name.len() {
                for byte in (0..=255u8).filter(|&byte| is(byte, TOKEN)) {
                    let mut token = Vec::from(name);
                    token[at] = byte;

                    assert_eq!(spells(&token, name), token.eq_ignore_ascii_case(name));
                }
            }
        }
    }

    /// Every byte at every position of a name of every length.
    #[test]
    fn lower_names() {
        for len in 0..40 {
            for at in 0..len {
                for byte in 0..=255u8 {
                    let mut name = vec![b'a'; len];
                    name[at] = byte;
                    let naive = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.') && len >= 4;

                    assert_eq!(is_lower_name(&name), naive, "{byte:#x} at {at} of {len}");
                }
            }
        }
        assert!(!is_lower_name(b""));
        assert!(is_lower_name(b"0.az-9.example.org"));
    }

    /// Every pair of bytes at the ends, with nothing or something between them.
    #[test]
    fn trimming() {
        for first in 0..=255u8 {
            for last in 0..=255u8 {
                for middle in [&b""[..], b"a", b" ", b" a", b"\ta ", b" \t a\t "] {
                    let bytes = [&[first], middle, &[last]].concat();
                    let ows = |byte: &u8| !matches!(*byte, b' ' | b'\t');
                    let start = bytes.iter().position(ows).unwrap_or(bytes.len());
                    let end = bytes.iter().rposition(ows).map_or(start, |at| at + 1);

                    assert_eq!(trim(&bytes), &bytes[start..end]);
                    assert_eq!(trim(&bytes[1..]), trim_any(&bytes[1..]));
                }
            }
        }
        assert_eq!(trim(b""), b"");
        assert_eq!(trim(b" "), b"");
    }

    #[test]
    fn stripping() {
        assert_eq!(strip(b"GET /", b"GET "), Some(&b"/"[..]));
        assert_eq!(strip(b"GET ", b"GET "), Some(&b""[..]));
        assert_eq!(strip(b"GET", b"GET "), None);
        assert_eq!(strip(b"get /", b"GET "), None);
    }

    /// With as many digits as can be read without looking for an overflow, and with more.
    #[test]
    fn long_decimals() {
        for len in 1..30 {
            for byte in 0..=255u8 {
                let mut digits = vec![b'9'; len];
                digits[len / 2] = byte;
                let naive = byte
                    .is_ascii_digit()
                    .then(|| String::from_utf8_lossy(&digits).parse().ok())
                    .flatten();

                assert_eq!(decimal(&digits), naive);
            }
        }
    }

    #[test]
    fn decimals() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for bad in [
            "",
            "18446744073709551616",
            "99999999999999999999999",
            "+1",
            "-1",
            "1 ",
            "0x1",
            "1,1",
            "\u{661}",
        ] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn tokens() {
        for byte in 0..=255u8 {
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is(byte, TOKEN), token, "{byte:#x}");
        }
    }

    #[test]
    fn lists() {
        let list: Vec<&[u8]> = elements(b" a ,, b\t,c d,").collect();
        assert_eq!(list, [&b"a"[..], b"b", b"c d"]);
        assert_eq!(elements(b"").count(), 0);
    }
}
