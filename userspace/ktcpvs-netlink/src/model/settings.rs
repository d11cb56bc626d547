// SPDX-License-Identifier: GPL-2.0

//! The timeouts, limits and switches of a service, as one table: what a setting is called, where
//! it goes in a message and what it may be is said once, here.

use crate::uapi::{
    self,
    a_service, //
};

/// What a setting is measured in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// On (1) or off (0).
    Switch,
}

/// How a setting is encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Width {
    U8,
    U32,
    Uint,
}

/// A timeout, limit or switch of a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Setting {
    /// For a whole head of a request to arrive.
    TimeoutHead,
    /// For the next request of a connection to begin.
    TimeoutIdle,
    /// For a real server to accept a connection.
    TimeoutConnect,
    /// For a real server's silence.
    TimeoutResponse,
    /// For a client or real server that moves no data of a body.
    TimeoutStall,
    /// Longest head of a request or response.
    HeadMax,
    /// Longest request target.
    TargetMax,
    /// Most header fields of a head.
    HeadersMax,
    /// Longest body of a request; 0 for any.
    BodyMax,
    /// Whether X-Forwarded-For tells the server the client's address.
    ForwardedFor,
}

/// A setting's entry in the table.
struct Entry {
    word: &'static str,
    attribute: u16,
    width: Width,
    unit: Unit,
    default: u64,
    range: (u64, u64),
}

const fn timeout(word: &'static str, attribute: u16, default: u64) -> Entry {
    Entry {
        word,
        attribute,
        width: Width::U32,
        unit: Unit::Time,
        default,
        range: (1, uapi::TIMEOUT_MAX as u64),
    }
}

const fn limit(word: &'static str, attribute: u16, default: u64, range: (u32, u32)) -> Entry {
    Entry {
        word,
        attribute,
        width: Width::U32,
        unit: Unit::Bytes,
        default,
        range: (range.0 as u64, range.1 as u64),
    }
}

/// In the order of [`Setting`].
static TABLE: [Entry; 10] = [
    timeout("timeout-head", a_service::TIMEOUT_HEAD, 10_000),
    timeout("timeout-idle", a_service::TIMEOUT_IDLE, 60_000),
    timeout("timeout-connect", a_service::TIMEOUT_CONNECT, 5_000),
    timeout("timeout-response", a_service::TIMEOUT_RESPONSE, 60_000),
    timeout("timeout-stall", a_service::TIMEOUT_STALL, 60_000),
    limit(
        "head-max",
        a_service::HEAD_MAX,
        16_384,
        (uapi::HEAD_MIN, uapi::HEAD_MAX),
    ),
    limit(
        "target-max",
        a_service::TARGET_MAX,
        8_192,
        (1, uapi::HEAD_MAX),
    ),
    Entry {
        word: "headers-max",
        attribute: a_service::HEADERS_MAX,
        width: Width::U32,
        unit: Unit::Count,
        default: 100,
        range: (1, uapi::HEADERS_MAX as u64),
    },
    Entry {
        word: "body-max",
        attribute: a_service::BODY_MAX,
        width: Width::Uint,
        unit: Unit::Bytes,
        default: 0,
        range: (0, u64::MAX),
    },
    Entry {
        word: "forwarded-for",
        attribute: a_service::FORWARDED_FOR,
        width: Width::U8,
        unit: Unit::Switch,
        default: 0,
        range: (0, 1),
    },
];

impl Setting {
    /// Every setting.
    pub const ALL: [Self; 10] = [
        Self::TimeoutHead,
        Self::TimeoutIdle,
        Self::TimeoutConnect,
        Self::TimeoutResponse,
        Self::TimeoutStall,
        Self::HeadMax,
        Self::TargetMax,
        Self::HeadersMax,
        Self::BodyMax,
        Self::ForwardedFor,
    ];

    fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    /// The word an administrator uses.
    pub fn word(self) -> &'static str {
        self.entry().word
    }

    /// The setting of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// What it is measured in.
    pub fn unit(self) -> Unit {
        self.entry().unit
    }

    /// What it is unless one says otherwise.
    pub fn default_value(self) -> u64 {
        self.entry().default
    }

    /// The least and the greatest value.
    pub fn range(self) -> (u64, u64) {
        self.entry().range
    }

    pub(crate) fn attribute(self) -> u16 {
        self.entry().attribute
    }

    pub(crate) fn width(self) -> Width {
        self.entry().width
    }
}

/// The values of all settings of a service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings([u64; 10]);

impl Default for Settings {
    fn default() -> Self {
        Self(Setting::ALL.map(Setting::default_value))
    }
}

impl Settings {
    /// The value of a setting.
    pub fn get(&self, setting: Setting) -> u64 {
        self.0[setting as usize]
    }

    /// Changes a setting.
    pub fn set(&mut self, setting: Setting, value: u64) {
        self.0[setting as usize] = value;
    }

    /// The settings that differ from `other`'s, with their values here.
    pub fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (Setting, u64)> + 'a {
        Setting::ALL
            .into_iter()
            .filter(|&s| self.get(s) != other.get(s))
            .map(|s| (s, self.get(s)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enumeration() {
        assert_eq!(Setting::TimeoutHead.word(), "timeout-head");
        assert_eq!(Setting::HeadMax.word(), "head-max");
        assert_eq!(Setting::ForwardedFor.word(), "forwarded-for");
        for setting in Setting::ALL {
            assert_eq!(Setting::from_word(setting.word()), Some(setting));
            let (least, greatest) = setting.range();
            assert!((least..=greatest).contains(&setting.default_value()));
        }
    }
}
