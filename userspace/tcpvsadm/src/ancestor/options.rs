// SPDX-License-Identifier: GPL-2.0

//! The options of KTCPVS's `tcpvsadm`, read as getopt_long(3) does.

use crate::failure::{
    usage,
    Failure, //
};
use crate::text::value;
use std::ffi::OsString;

/// What is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Command {
    AddService,
    EditService,
    DeleteService,
    Flush,
    List,
    Load,
    Start,
    Stop,
    AddServer,
    EditServer,
    DeleteServer,
    AddRule,
    DeleteRule,
}

/// An option that a command takes, may take, or is.
struct Entry {
    short: Option<char>,
    long: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Is(Command),
    Numeric,
    Ident,
    Scheduler,
    Port,
    Listen,
    Server,
    Weight,
    Pattern,
    Group,
    File,
}

const fn entry(short: char, long: &'static str, kind: Kind) -> Entry {
    Entry {
        short: Some(short),
        long,
        kind,
    }
}

const fn long(long: &'static str, kind: Kind) -> Entry {
    Entry {
        short: None,
        long,
        kind,
    }
}

const ENTRIES: [Entry; 23] = [
    entry('A', "add-service", Kind::Is(Command::AddService)),
    entry('E', "edit-service", Kind::Is(Command::EditService)),
    entry('D', "delete-service", Kind::Is(Command::DeleteService)),
    entry('F', "flush", Kind::Is(Command::Flush)),
    entry('L', "list", Kind::Is(Command::List)),
    long("start", Kind::Is(Command::Start)),
    long("stop", Kind::Is(Command::Stop)),
    entry('a', "add-server", Kind::Is(Command::AddServer)),
    entry('e', "edit-server", Kind::Is(Command::EditServer)),
    entry('d', "delete-server", Kind::Is(Command::DeleteServer)),
    long("add-rule", Kind::Is(Command::AddRule)),
    long("del-rule", Kind::Is(Command::DeleteRule)),
    entry('n', "numeric", Kind::Numeric),
    entry('i', "ident", Kind::Ident),
    entry('s', "scheduler", Kind::Scheduler),
    entry('P', "port", Kind::Port),
    entry('l', "listen", Kind::Listen),
    entry('r', "real-server", Kind::Server),
    long("server", Kind::Server),
    entry('w', "weight", Kind::Weight),
    entry('p', "pattern", Kind::Pattern),
    entry('m', "match", Kind::Group),
    // Both an option and, with its value, a command.
    entry('f', "file", Kind::File),
];

impl Command {
    /// The options that it needs, and those that it may have.
    fn takes(self) -> (&'static [Kind], &'static [Kind]) {
        match self {
            Self::AddService => (&[Kind::Ident], &[Kind::Scheduler, Kind::Port, Kind::Listen]),
            Self::EditService => (&[Kind::Ident], &[Kind::Scheduler, Kind::Port, Kind::Listen]),
            Self::DeleteService => (&[Kind::Ident], &[]),
            Self::Flush => (&[], &[]),
            Self::List => (&[], &[Kind::Ident, Kind::Numeric]),
            Self::Load => (&[Kind::File], &[]),
            Self::Start | Self::Stop => (&[], &[Kind::Ident]),
            Self::AddServer => (&[Kind::Ident, Kind::Server], &[Kind::Weight]),
            Self::EditServer => (&[Kind::Ident, Kind::Server], &[Kind::Weight]),
            Self::DeleteServer => (&[Kind::Ident, Kind::Server], &[]),
            Self::AddRule | Self::DeleteRule => {
                (&[Kind::Ident, Kind::Pattern, Kind::Server], &[Kind::Group])
            }
        }
    }
}

/// A command line.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) command: Command,
    pub(super) ident: Option<String>,
    pub(super) scheduler: Option<String>,
    pub(super) port: Option<String>,
    pub(super) listen: Option<String>,
    pub(super) weight: Option<u32>,
    pub(super) group: Option<u32>,
    server: Option<String>,
    pattern: Option<String>,
    file: Option<String>,
}

/// An option as it was written, and its value.
struct Given {
    kind: Kind,
    written: String,
    value: Option<String>,
}

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// The word that makes no sense, or what is missing.
    pub(super) fn read(arguments: &[OsString]) -> Result<Self, Failure> {
        let given = split(arguments)?;
        let mut commands = given.iter().filter_map(|given| match given.kind {
            Kind::Is(command) => Some((command, &given.written)),
            Kind::File => Some((Command::Load, &given.written)),
            _ => None,
        });
        let Some((command, first)) = commands.next() else {
            return usage("a command is missing, such as -A, -L or --add-rule");
        };
        if let Some((_, second)) = commands.next() {
            return usage(format!("'{first}' and '{second}' do not go together"));
        }
        let (needed, allowed) = command.takes();
        for (index, option) in given.iter().enumerate() {
            let taken = needed.contains(&option.kind) || allowed.contains(&option.kind);
            if !taken && !matches!(option.kind, Kind::Is(_)) {
                return usage(format!("'{}' does not go with '{first}'", option.written));
            }
            if given[..index].iter().any(|other| other.kind == option.kind) {
                return usage(format!("'{}' is given twice", option.written));
            }
        }
        for kind in needed {
            if !given.iter().any(|given| given.kind == *kind) {
                return usage(format!("'{first}' needs '{}'", written(*kind)));
            }
        }
        Self::collect(command, given)
    }

    fn collect(command: Command, given: Vec<Given>) -> Result<Self, Failure> {
        let mut options = Self {
            command,
            ident: None,
            scheduler: None,
            port: None,
            listen: None,
            weight: None,
            group: None,
            server: None,
            pattern: None,
            file: None,
        };
        for Given {
            kind,
            written,
            value,
        } in given
        {
            let number = |value: Option<String>| {
                let text = value.unwrap_or_default();
                let number = value::number(&text);
                number.map_err(|fault| Failure::Usage(format!("{written} '{text}' {fault}")))
            };
            match kind {
                Kind::Is(_) | Kind::Numeric => {}
                Kind::Ident => options.ident = value,
                Kind::Scheduler => options.scheduler = value,
                Kind::Port => options.port = value,
                Kind::Listen => options.listen = value,
                Kind::Server => options.server = value,
                Kind::Weight => options.weight = Some(number(value)?),
                Kind::Pattern => options.pattern = value,
                Kind::Group => options.group = Some(number(value)?),
                Kind::File => options.file = value,
            }
        }
        Ok(options)
    }

    // What a command needs is there: see `read`.

    pub(super) fn ident(&self) -> &str {
        self.ident.as_deref().unwrap_or_default()
    }

    pub(super) fn server(&self) -> &str {
        self.server.as_deref().unwrap_or_default()
    }

    pub(super) fn pattern(&self) -> &str {
        self.pattern.as_deref().unwrap_or_default()
    }

    pub(super) fn file(&self) -> &str {
        self.file.as_deref().unwrap_or_default()
    }
}

fn written(kind: Kind) -> String {
    let entry = ENTRIES.iter().find(|entry| entry.kind == kind);
    match entry.and_then(|entry| entry.short) {
        Some(short) => format!("-{short}"),
        None => entry.map_or_else(String::new, |entry| format!("--{}", entry.long)),
    }
}

/// Splits arguments into options and their values.
fn split(arguments: &[OsString]) -> Result<Vec<Given>, Failure> {
    let mut given = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let argument = text(argument)?;
        if let Some(option) = argument.strip_prefix("--") {
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (option, None),
            };
            let entry = ENTRIES.iter().find(|entry| entry.long == name);
            let written = format!("--{name}");
            let Some(entry) = entry else {
                return usage(format!("unknown option '{written}'"));
            };
            given.push(with_value(entry.kind, written, value, &mut rest)?);
        } else if let Some(cluster) = argument.strip_prefix('-').filter(|c| !c.is_empty()) {
            let mut letters = cluster.chars();
            while let Some(letter) = letters.next() {
                let entry = ENTRIES.iter().find(|entry| entry.short == Some(letter));
                let written = format!("-{letter}");
                let Some(entry) = entry else {
                    return usage(format!("unknown option '{written}'"));
                };
                let attached = letters.as_str();
                let flag = matches!(entry.kind, Kind::Is(_) | Kind::Numeric);
                let value = (!flag && !attached.is_empty()).then(|| attached.to_owned());
                given.push(with_value(entry.kind, written, value, &mut rest)?);
                if !flag {
                    break;
                }
            }
        } else {
            return usage(format!("unexpected word '{argument}'"));
        }
    }
    Ok(given)
}

fn text(argument: &OsString) -> Result<&str, Failure> {
    argument.to_str().ok_or_else(|| {
        let shown = argument.to_string_lossy();
        Failure::Usage(format!("'{shown}' is not UTF-8"))
    })
}

fn with_value<'a>(
    kind: Kind,
    written: String,
    value: Option<String>,
    rest: &mut impl Iterator<Item = &'a OsString>,
) -> Result<Given, Failure> {
    let flag = matches!(kind, Kind::Is(_) | Kind::Numeric);
    let value = match value {
        Some(value) if flag => {
            return usage(format!("'{written}' takes no value, but has '{value}'"));
        }
        None if !flag => match rest.next() {
            Some(value) => Some(text(value)?.to_owned()),
            None => return usage(format!("'{written}' needs a value")),
        },
        other => other,
    };
    Ok(Given {
        kind,
        written,
        value,
    })
}
