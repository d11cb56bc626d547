// SPDX-License-Identifier: GPL-2.0

//! The configuration file of KTCPVS, which it also lists.
//!
//! ```text
//! virtual web {
//!     listen = 0.0.0.0:80
//!     scheduler = http
//!     server = 192.0.2.1:80 1
//!     rule = pattern "/images/.*" use server 192.0.2.1:80
//! }
//! ```

use super::address;
use super::virtuals::{
    Entry,
    Virtual,
    COOKIE, //
};
use crate::failure::{
    refused,
    Failure, //
};
use crate::text::{
    rule,
    value,
    words::quote, //
};
use ktcpvs_netlink::{
    Scheduler,
    Settings, //
};
use std::fmt::{
    self,
    Display, //
};

/// What KTCPVS needed for its processes and threads, and what has no meaning here.
const IGNORED: [&str; 6] = [
    "startservers",
    "maxclients",
    "minspareservers",
    "maxspareservers",
    "redirect",
    "timeout",
];

/// Services as text.
pub(super) struct Text<'a>(pub(super) &'a [Virtual]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for one in self.0 {
            f.write_str(between)?;
            show(one, f)?;
            between = "\n";
        }
        Ok(())
    }
}

/// What cannot be said here must not be hidden either: it is a comment.
fn show(one: &Virtual, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "virtual {} {{", one.service.name)?;
    if !one.service.enabled {
        writeln!(f, "    # stopped")?;
    }
    for (setting, value) in one.service.settings.differing(&Settings::default()) {
        let value = value::show_setting(setting, value);
        writeln!(f, "    # {} {value}", setting.word())?;
    }
    for listener in &one.service.listeners {
        writeln!(f, "    listen = {listener}")?;
    }
    match &one.service.pool {
        Some(pool) if *pool == one.service.name => {}
        Some(pool) => writeln!(f, "    # pool {pool}")?,
        None => writeln!(f, "    # no pool")?,
    }
    if one.uses_pool() {
        show_pool(one, f)?;
    }
    for entry in &one.rules {
        show_entry(one, entry, f)?;
    }
    writeln!(f, "}}")
}

fn show_pool(one: &Virtual, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "    scheduler = {}", one.scheduler())?;
    if let Some(affinity) = &one.pool.affinity {
        // The name chttp stands for one scheduler and one cookie.
        if one.pool.scheduler != Scheduler::Wlc {
            writeln!(f, "    # scheduler {}", one.pool.scheduler.name())?;
        }
        if affinity.cookie != COOKIE {
            writeln!(f, "    # cookie {}", quote(affinity.cookie.as_bytes()))?;
        }
        if affinity.key.is_some() {
            // The key is a secret, which a list is not.
            writeln!(f, "    # cookie-key is set")?;
        }
    }
    for server in &one.pool.servers {
        writeln!(f, "    server = {} {}", server.address, server.weight)?;
    }
    Ok(())
}

fn show_entry(one: &Virtual, entry: &Entry, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (id, pattern, group, servers) = match entry {
        Entry::Pattern {
            id,
            pattern,
            group,
            servers,
        } => (*id, pattern, group, servers),
        Entry::Other(other) => return writeln!(f, "    # rule {}", rule::show(other)),
    };
    for server in servers {
        write!(f, "    rule = pattern \"{}\"", escape(pattern))?;
        if let Some(group) = group {
            write!(f, " match {group}")?;
        }
        writeln!(f, " use server {server}")?;
    }
    let Some(pool) = one.group(id) else {
        return Ok(());
    };
    for server in &pool.servers {
        if one.pool.server(&server.address) != Some(server) {
            let (address, weight) = (server.address, server.weight);
            writeln!(
                f,
                "    # pool {}, server {address} weight {weight}",
                pool.name
            )?;
        }
    }
    Ok(())
}

/// A pattern between quotes: the same, for a regular expression.
fn escape(pattern: &str) -> String {
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                text.push('\\');
                text.extend(chars.next());
            }
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text
}

/// Splits a pattern in quotes from what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut pattern = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Some((pattern, &text[index + 2..])),
            '\\' => match chars.next()?.1 {
                '"' => pattern.push('"'),
                other => pattern.extend(['\\', other]),
            },
            c => pattern.push(c),
        }
    }
    None
}

/// Reads a file.
///
/// # Errors
///
/// The first line that makes no sense, with the file's name.
pub(super) fn read(text: &[u8], name: &str) -> Result<Vec<Virtual>, Failure> {
    let mut services: Vec<Virtual> = Vec::new();
    let mut open = None;
    for (index, line) in text.split(|b| *b == b'\n').enumerate() {
        let at = |message: String| Failure::Refused(format!("{name}:{}: {message}", index + 1));
        let line = std::str::from_utf8(line).map_err(|_| at("not UTF-8".to_owned()))?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match &mut open {
            None => open = Some((begin(line, &services).map_err(at)?, index + 1)),
            Some((one, _)) if line == "}" => {
                finish(one).map_err(at)?;
                services.extend(open.take().map(|(one, _)| one));
            }
            Some((one, _)) => directive(one, line).map_err(at)?,
        }
    }
    match open {
        None => Ok(services),
        Some((_, line)) => refused(format!("{name}:{line}: no line '}}' ends what begins here")),
    }
}

fn begin(line: &str, services: &[Virtual]) -> Result<Virtual, String> {
    let mut words = line.split_whitespace();
    let keyword = words.next().unwrap_or_default();
    if !keyword.eq_ignore_ascii_case("virtual") {
        return Err(format!("'virtual' expected, not '{keyword}'"));
    }
    let ident = words.next().ok_or("'virtual' needs a name")?;
    let (ident, mut brace) = match ident.strip_suffix('{') {
        Some(ident) => (ident, Some("{")),
        None => (ident, None),
    };
    brace = brace.or_else(|| words.next());
    if let Some(fault) = ktcpvs_netlink::name_fault(ident) {
        return Err(format!("'{ident}': {fault}"));
    }
    if brace != Some("{") {
        return Err(format!("'{{' expected after '{ident}'"));
    }
    if let Some(word) = words.next() {
        return Err(format!("unexpected '{word}'"));
    }
    if services.iter().any(|s| s.service.name == ident) {
        return Err(format!("there is a virtual '{ident}' already"));
    }
    Ok(Virtual::new(ident))
}

fn finish(one: &mut Virtual) -> Result<(), String> {
    if one.service.listeners.is_empty() {
        one.set_listen(None, None).map_err(said)?;
    }
    Ok(())
}

fn said(failure: Failure) -> String {
    match failure {
        Failure::Usage(message) | Failure::Refused(message) => message,
        other => other.to_string(),
    }
}

fn directive(one: &mut Virtual, line: &str) -> Result<(), String> {
    let (key, text) = line
        .split_once('=')
        .ok_or_else(|| format!("'=' expected in '{line}'"))?;
    let key = key.trim().to_ascii_lowercase();
    let text = text.trim();
    let mut words = text.split_whitespace();
    let first = words
        .next()
        .ok_or_else(|| format!("'{key}' needs a value"))?;
    match &*key {
        "listen" => {
            let address = address::resolve(first, 80).map_err(said)?;
            one.service.listeners.push(address);
        }
        "scheduler" => one.set_scheduler(first).map_err(said)?,
        "server" => {
            let weight = match words.next() {
                Some(word) => value::number(word).map_err(|fault| format!("'{word}' {fault}"))?,
                None => 1,
            };
            let address = one.address(first).map_err(said)?;
            one.add_server(address, weight).map_err(said)?;
        }
        "rule" => return rule_directive(one, text),
        key if IGNORED.contains(&key) => return Ok(()),
        key => return Err(format!("unknown word '{key}'")),
    }
    match words.next() {
        Some(word) => Err(format!("unexpected '{word}'")),
        None => Ok(()),
    }
}

/// Reads `pattern "RE" [match N] use server HOST[:PORT]`.
fn rule_directive(one: &mut Virtual, text: &str) -> Result<(), String> {
    let rest = text
        .strip_prefix("pattern")
        .ok_or_else(|| format!("'pattern' expected in '{text}'"))?;
    let (pattern, rest) = quoted(rest.trim_start())
        .ok_or_else(|| format!("a pattern in \"\" expected in '{text}'"))?;
    let mut words = rest.split_whitespace().peekable();
    let mut group = None;
    if words.next_if_eq(&"match").is_some() {
        let word = words.next().ok_or("'match' needs a number")?;
        group = Some(value::number(word).map_err(|fault| format!("'{word}' {fault}"))?);
    }
    for expected in ["use", "server"] {
        match words.next() {
            Some(word) if word == expected => {}
            Some(word) => return Err(format!("'{expected}' expected, not '{word}'")),
            None => return Err(format!("'{expected}' is missing in '{text}'")),
        }
    }
    let server = words.next().ok_or("'use server' needs a server")?;
    if let Some(word) = words.next() {
        return Err(format!("unexpected '{word}'"));
    }
    let address = one.address(server).map_err(said)?;
    one.add_rule(&pattern, group, address).map_err(said)
}
