// SPDX-License-Identifier: GPL-2.0

//! Durations, sizes, switches, addresses and keys as text.

use ktcpvs_netlink::{
    Key,
    Setting,
    Unit, //
};
use std::fmt::Write;
use std::net::SocketAddr;

/// Units of time in milliseconds, the largest first.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
/// Units of size in bytes, the largest first.
const SIZES: [(&str, u64); 3] = [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)];

/// Reads the value of a setting.
///
/// # Errors
///
/// What is expected instead.
pub(crate) fn setting(setting: Setting, text: &str) -> Result<u64, String> {
    let value = match setting.unit() {
        Unit::Time => duration(text)?,
        Unit::Bytes => size(text)?,
        Unit::Count => number(text)?,
        Unit::Switch => switch(text)?.into(),
    };
    let (least, greatest) = setting.range();
    if (least..=greatest).contains(&value) {
        Ok(value)
    } else {
        Err(format!(
            "is not from {} to {}",
            show_setting(setting, least),
            show_setting(setting, greatest)
        ))
    }
}

/// The value of a setting as [`setting`] reads it.
pub(crate) fn show_setting(setting: Setting, value: u64) -> String {
    match setting.unit() {
        Unit::Time => with_unit(value, &TIMES),
        Unit::Bytes => show_size(value),
        Unit::Count => value.to_string(),
        Unit::Switch => show_switch(value != 0).to_owned(),
    }
}

fn with_unit(value: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, unit): &&(&str, u64)| value != 0 && value % unit == 0;
    match units.iter().find(fits) {
        Some((name, unit)) => format!("{}{name}", value / unit),
        None if units.contains(&("ms", 1)) => format!("{value}ms"),
        None => value.to_string(),
    }
}

/// Splits a number from the unit behind it.
fn split(text: &str) -> Option<(u64, String)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit.to_ascii_lowercase()))
}

/// Milliseconds, written as 500ms, 10s, 1m or 1h.
///
/// # Errors
///
/// When it is not.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = split(text)?;
        let factor = TIMES.iter().find(|(name, _)| *name == unit)?.1;
        number.checked_mul(factor)
    };
    read().ok_or_else(|| "is not a duration such as 500ms, 10s or 1m".to_owned())
}

/// Bytes, written as 512, 16k or 1m.
///
/// # Errors
///
/// When it is not.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = split(text)?;
        if unit.is_empty() {
            return Some(number);
        }
        let factor = SIZES.iter().find(|(name, _)| *name == unit)?.1;
        number.checked_mul(factor)
    };
    read().ok_or_else(|| "is not a size such as 512, 16k or 1m".to_owned())
}

/// A limit in bytes, or 0 for `default`.
///
/// # Errors
///
/// When it is neither.
pub(crate) fn limit(text: &str) -> Result<u64, String> {
    if text == "default" {
        return Ok(0);
    }
    size(text).map_err(|fault| format!("{fault}, nor 'default'"))
}

/// What [`size`] reads.
pub(crate) fn show_size(value: u64) -> String {
    with_unit(value, &SIZES)
}

/// On or off.
///
/// # Errors
///
/// When it is neither.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("is neither on nor off".to_owned()),
    }
}

/// What [`switch`] reads.
pub(crate) fn show_switch(on: bool) -> &'static str {
    if on {
        "on"
    } else {
        "off"
    }
}

/// A decimal number.
///
/// # Errors
///
/// When it is none, or too large.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| "is not a number, or too large a one".to_owned())
}

/// An address and a port.
///
/// # Errors
///
/// When it is not, or with a scope or port 0.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "is not an address and port such as 192.0.2.1:80 or [2001:db8::1]:80")?;
    if address.port() == 0 {
        return Err("has port 0".to_owned());
    }
    if matches!(address, SocketAddr::V6(v6) if v6.scope_id() != 0) {
        return Err("has a scope, which is not supported".to_owned());
    }
    Ok(address)
}

/// A key in hexadecimal digits.
///
/// # Errors
///
/// When it is not.
pub(crate) fn key(text: &str) -> Result<Key, String> {
    let mut key = Key::default();
    let wrong = || format!("is not a key: {} hexadecimal digits", key.len() * 2);
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.ok_or_else(wrong)?;
    if digits.len() != key.len() * 2 {
        return Err(wrong());
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (pair[0] * 16 + pair[1]) as u8;
    }
    Ok(key)
}

/// What [`key`] reads.
pub(crate) fn show_key(key: &Key) -> String {
    key.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_read() {
        assert_eq!(duration("500ms"), Ok(500));
        assert_eq!(duration("10s"), Ok(10_000));
        assert_eq!(duration("1m"), Ok(60_000));
        assert_eq!(size("16k"), Ok(16_384));
        assert_eq!(size("1M"), Ok(1 << 20));
        assert_eq!(size("7"), Ok(7));
        assert_eq!(limit("256m"), Ok(256 << 20));
        assert_eq!((limit("0"), limit("default")), (Ok(0), Ok(0)));
        for text in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "1d",
            "99999999999999999999s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "k", "1kb", "-1", "18446744073709551615k"] {
            assert!(size(text).is_err(), "{text}");
            assert!(limit(text).is_err(), "{text}");
        }
        for text in ["", "+1", "1x", "4294967296"] {
            assert!(number::<u32>(text).is_err(), "{text}");
        }
        for text in [
            "192.0.2.1",
            "192.0.2.1:0",
            "::1:80x",
            "a:80",
            "[fe80::1%2]:80",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        assert!(key("00").is_err() && key(&"0g".repeat(16)).is_err());
        assert!(setting(Setting::HeadMax, "1m").is_err());
        assert!(setting(Setting::TimeoutHead, "0s").is_err());
    }

    proptest! {
        #[test]
        fn settings_round_trip(index in 0..10usize, value: u64) {
            let which = Setting::ALL[index];
            let (least, greatest) = which.range();
            let value = value.clamp(least, greatest);
            prop_assert_eq!(setting(which, &show_setting(which, value)), Ok(value));
        }

        #[test]
        fn sizes_round_trip(value: u64, shift in 0..64u32) {
            let value = value >> shift << (shift / 2);
            prop_assert_eq!(size(&show_size(value)), Ok(value));
        }

        #[test]
        fn keys_round_trip(wanted: Key) {
            prop_assert_eq!(key(&show_key(&wanted)), Ok(wanted));
        }
    }
}
