// SPDX-License-Identifier: GPL-2.0

//! A rule as words: pairs of a keyword and its value.

use super::value;
use super::words::{
    quote,
    shown, //
};
use ktcpvs_netlink::{
    Action,
    Condition,
    Operator,
    Rule,
    Subject, //
};
use std::fmt::Write;

/// The prefix of a keyword whose condition must not hold.
const NOT: &str = "not-";
/// What a redirection's status is unless one says otherwise.
const CODE: u32 = 302;

/// The keywords of conditions, as an administrator is told of them.
pub(crate) const HELP: &str = "\
Conditions, all of which must hold; none is always true:
  --path P  --url U  --host H  --method M  --header NAME=V  --cookie NAME=V
                        equal; a host *.DOMAIN is any host below the domain
  --path-prefix P, --path-suffix P, --path-regex RE, and likewise for the others
  --not-path P, --not-path-prefix P, and likewise: the comparison must fail

Action, exactly one:
  --use-pool POOL [--capture N]
                        a server of the pool, with --capture by the hash of what
                        group N of the rule's first regular expression matched
  --use-server POOL/ADDRESS:PORT
                        one server of the pool
  --redirect LOCATION [--code 301|302|303|307|308]
                        a redirection, 302 unless said otherwise
  --status CODE         an answer with nothing but this status";

/// A rule being read.
#[derive(Default)]
pub(crate) struct Builder {
    /// The id, if one is given.
    id: Option<u32>,
    conditions: Vec<Condition>,
    action: Option<Action>,
    capture: Option<u32>,
    code: Option<u32>,
}

impl Builder {
    /// Takes a keyword and its value.
    ///
    /// # Errors
    ///
    /// What is wrong, with the word.
    pub(crate) fn take(&mut self, keyword: &str, value: &[u8]) -> Result<(), String> {
        match keyword {
            "id" => {
                let id = in_text(keyword, value, value::number)?;
                if id == 0 {
                    return Err("an id is at least 1: '0'".to_owned());
                }
                once(&mut self.id, keyword, id)
            }
            "capture" => {
                let group = in_text(keyword, value, value::number)?;
                once(&mut self.capture, keyword, group)
            }
            "code" => {
                let code = in_text(keyword, value, value::number)?;
                once(&mut self.code, keyword, code)
            }
            _ => match action(keyword, value)? {
                Some(_) if self.action.is_some() => {
                    Err(format!("a rule has one action: '{keyword}' is a second"))
                }
                Some(action) => {
                    self.action = Some(action);
                    Ok(())
                }
                None => {
                    self.conditions.push(condition(keyword, value)?);
                    Ok(())
                }
            },
        }
    }

    /// The rule.
    ///
    /// # Errors
    ///
    /// What is missing, or does not go together.
    pub(crate) fn finish(self) -> Result<Rule, String> {
        let mut action = self
            .action
            .ok_or("a rule needs an action: use-pool, use-server, redirect or status")?;
        match (&mut action, self.capture) {
            (Action::Pool { capture, .. }, group) => *capture = group,
            (_, Some(_)) => return Err("'capture' goes with use-pool only".to_owned()),
            (_, None) => {}
        }
        match (&mut action, self.code) {
            (Action::Redirect { status, .. }, code) => *status = code.unwrap_or(CODE),
            (_, Some(_)) => return Err("'code' goes with redirect only".to_owned()),
            (_, None) => {}
        }
        Ok(Rule {
            id: self.id.unwrap_or(0),
            conditions: self.conditions,
            action,
        })
    }
}

fn once<T>(place: &mut Option<T>, keyword: &str, value: T) -> Result<(), String> {
    if place.replace(value).is_some() {
        return Err(format!("'{keyword}' is given twice"));
    }
    Ok(())
}

/// Reads a value that is text; what is wrong with it follows the word.
fn in_text<T>(
    keyword: &str,
    value: &[u8],
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, String> {
    let text = std::str::from_utf8(value).map_err(|_| "is not UTF-8".to_owned());
    text.and_then(read)
        .map_err(|fault| format!("{keyword} {} {fault}", shown(value)))
}

fn action(keyword: &str, value: &[u8]) -> Result<Option<Action>, String> {
    let text = |text: &str| Ok(text.to_owned());
    Ok(Some(match keyword {
        "use-pool" => Action::Pool {
            pool: in_text(keyword, value, text)?,
            capture: None,
        },
        "use-server" => in_text(keyword, value, |text| {
            let (pool, address) = text
                .split_once('/')
                .ok_or("is not POOL/ADDRESS:PORT".to_owned())?;
            Ok(Action::Server {
                pool: pool.to_owned(),
                address: value::address(address)?,
            })
        })?,
        "redirect" => Action::Redirect {
            status: CODE,
            location: in_text(keyword, value, text)?,
        },
        "status" => Action::Status(in_text(keyword, value, value::number)?),
        _ => return Ok(None),
    }))
}

fn condition(keyword: &str, value: &[u8]) -> Result<Condition, String> {
    let unknown = || format!("unknown word '{keyword}'");
    let (not, bare) = match keyword.strip_prefix(NOT) {
        Some(bare) => (true, bare),
        None => (false, keyword),
    };
    let (subject, operator) = match bare.split_once('-') {
        None => (bare, Operator::Exact),
        Some((subject, operator)) => {
            let operator = Operator::from_word(operator).ok_or_else(unknown)?;
            (subject, operator)
        }
    };
    let named = || {
        let end = value.iter().position(|b| *b == b'=');
        let (name, rest) = end
            .map(|end| (&value[..end], &value[end + 1..]))
            .ok_or_else(|| format!("{keyword} {} is not NAME=VALUE", shown(value)))?;
        let name = in_text(keyword, name, |name| {
            ktcpvs_netlink::token_fault(name).map_or(Ok(name.to_owned()), Err)
        })?;
        Ok::<_, String>((name, rest.to_vec()))
    };
    let (subject, mut value) = match subject {
        "path" => (Subject::Path, value.to_vec()),
        "url" => (Subject::Url, value.to_vec()),
        "host" => (Subject::Host, value.to_vec()),
        "method" => (Subject::Method, value.to_vec()),
        "header" => named().map(|(name, value)| (Subject::Header(name), value))?,
        "cookie" => named().map(|(name, value)| (Subject::Cookie(name), value))?,
        _ => return Err(unknown()),
    };
    let mut operator = operator;
    if subject == Subject::Host {
        if bare == "host" && value.starts_with(b"*.") {
            operator = Operator::Wildcard;
        }
        if operator != Operator::Regex {
            // A request's host is compared in lower case.
            value.make_ascii_lowercase();
        }
    }
    Ok(Condition {
        subject,
        operator,
        value,
        not,
    })
}

/// The words of a rule, but for its id.
pub(crate) fn show(rule: &Rule) -> String {
    let mut text = String::new();
    let mut word = |keyword: &str, value: &[u8]| {
        let space = if text.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        let _ = write!(text, "{space}{keyword} {}", quote(value));
    };
    for condition in &rule.conditions {
        show_condition(&mut word, condition);
    }
    match &rule.action {
        Action::Pool { pool, capture } => {
            word("use-pool", pool.as_bytes());
            if let Some(group) = capture {
                word("capture", group.to_string().as_bytes());
            }
        }
        Action::Server { pool, address } => {
            word("use-server", format!("{pool}/{address}").as_bytes());
        }
        Action::Redirect { status, location } => {
            word("redirect", location.as_bytes());
            word("code", status.to_string().as_bytes());
        }
        Action::Status(status) => word("status", status.to_string().as_bytes()),
    }
    text
}

fn show_condition(word: &mut impl FnMut(&str, &[u8]), condition: &Condition) {
    let not = if condition.not { NOT } else { "" };
    let subject = condition.subject.word();
    let starred = condition.subject == Subject::Host && condition.value.starts_with(b"*.");
    let operator = match condition.operator {
        Operator::Exact if !starred => String::new(),
        Operator::Wildcard if starred => String::new(),
        other => format!("-{}", other.word()),
    };
    let keyword = format!("{not}{subject}{operator}");
    match condition.subject.name() {
        Some(name) => {
            let value = [name.as_bytes(), b"=", &condition.value].concat();
            word(&keyword, &value);
        }
        None => word(&keyword, &condition.value),
    }
}
