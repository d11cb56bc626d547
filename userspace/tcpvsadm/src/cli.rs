// SPDX-License-Identifier: GPL-2.0

//! The command line in its long forms.

use crate::text::{
    rule,
    value, //
};
use clap::{
    Args,
    Parser,
    Subcommand,
    ValueEnum, //
};
use ktcpvs_netlink::{
    Key,
    Scheduler,
    Setting, //
};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

const ANCESTOR: &str = "\
The commands of KTCPVS are understood as well:
  tcpvsadm -A|-E -i IDENT [-s SCHED] [-P PORT] [-l ADDR[:PORT]]
  tcpvsadm -D -i IDENT | -F | -L [-i IDENT] [-n] | -f FILE
  tcpvsadm --start|--stop [-i IDENT]
  tcpvsadm -a|-e -i IDENT -r HOST[:PORT] [-w WEIGHT]
  tcpvsadm -d -i IDENT -r HOST[:PORT]
  tcpvsadm --add-rule|--del-rule -i IDENT -p ERE -r HOST[:PORT] [-m GROUP]";

/// Administers the virtual services of ktcpvs.
#[derive(Debug, Parser)]
#[command(name = "tcpvsadm", version, after_help = ANCESTOR)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add, change or delete a virtual service
    #[command(subcommand)]
    Service(Service),
    /// Add, change or delete a pool of real servers
    #[command(subcommand)]
    Pool(Pool),
    /// Add, change or delete a real server of a pool
    #[command(subcommand)]
    Server(Server),
    /// Add, change, delete or move a rule of a service
    #[command(subcommand)]
    Rule(Rule),
    /// Change a setting of the whole network namespace
    Set {
        /// What all connections may take, 0 or default for half of the machine's memory
        #[arg(long, value_name = "SIZE", value_parser = value::limit)]
        mem_limit: u64,
    },
    /// Show the configuration, or what has been counted
    Show {
        /// What to show; the whole configuration unless given
        what: Option<What>,
        /// Only of the service or pool of this name
        name: Option<String>,
        /// As JSON, with all counters
        #[arg(short, long)]
        json: bool,
    },
    /// Write the configuration to a file, or to standard output
    Save {
        /// The file
        file: Option<PathBuf>,
    },
    /// Replace the configuration, in one transaction
    Apply {
        /// The file, - for standard input
        #[arg(short, long)]
        file: PathBuf,
    },
    /// Check a file without the kernel
    Check {
        /// The file, - for standard input
        #[arg(short, long)]
        file: PathBuf,
    },
    /// Set counters to zero
    Zero {
        /// Of what; of everything unless given
        #[arg(requires = "name")]
        what: Option<Zeroed>,
        /// The service or pool
        name: Option<String>,
    },
    /// Delete all services and pools, and put all settings back to their defaults
    Flush,
}

/// What `show` shows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum What {
    /// The services
    Services,
    /// The pools
    Pools,
    /// The real servers, with counters
    Servers,
    /// The rules, with counters
    Rules,
    /// All counters, and the memory in use
    Stats,
}

/// Whose counters are set to zero.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Zeroed {
    /// A service's and its rules'
    Service,
    /// A pool's servers'
    Pool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Add a service
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        options: ServiceOptions,
    },
    /// Change what is given of a service
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        options: ServiceOptions,
    },
    /// Delete a service and its rules
    Del {
        /// Its name
        name: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ServiceOptions {
    /// Where to listen: all addresses
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 1.., value_parser = value::address)]
    pub(crate) listen: Vec<SocketAddr>,
    /// The pool of requests that no rule matches
    #[arg(long, conflicts_with = "no_pool")]
    pub(crate) pool: Option<String>,
    /// No such pool any more
    #[arg(long)]
    pub(crate) no_pool: bool,
    /// Whether it listens
    #[arg(long, value_name = "on|off", value_parser = value::switch)]
    pub(crate) enabled: Option<bool>,
    /// For a whole request head to arrive [10s]
    #[arg(long, value_name = "TIME", value_parser = of(Setting::TimeoutHead))]
    timeout_head: Option<u64>,
    /// For the next request of a connection to begin [1m]
    #[arg(long, value_name = "TIME", value_parser = of(Setting::TimeoutIdle))]
    timeout_idle: Option<u64>,
    /// For a real server to accept a connection [5s]
    #[arg(long, value_name = "TIME", value_parser = of(Setting::TimeoutConnect))]
    timeout_connect: Option<u64>,
    /// For a real server's silence [1m]
    #[arg(long, value_name = "TIME", value_parser = of(Setting::TimeoutResponse))]
    timeout_response: Option<u64>,
    /// For a client or real server that moves no data of a body [1m]
    #[arg(long, value_name = "TIME", value_parser = of(Setting::TimeoutStall))]
    timeout_stall: Option<u64>,
    /// Longest head of a request or response [16k]
    #[arg(long, value_name = "SIZE", value_parser = of(Setting::HeadMax))]
    head_max: Option<u64>,
    /// Longest request target [8k]
    #[arg(long, value_name = "SIZE", value_parser = of(Setting::TargetMax))]
    target_max: Option<u64>,
    /// Most header fields of a head [100]
    #[arg(long, value_name = "NUMBER", value_parser = of(Setting::HeadersMax))]
    headers_max: Option<u64>,
    /// Longest body of a request, 0 for any [0]
    #[arg(long, value_name = "SIZE", value_parser = of(Setting::BodyMax))]
    body_max: Option<u64>,
    /// Whether X-Forwarded-For tells servers the client's address [off]
    #[arg(long, value_name = "on|off", value_parser = of(Setting::ForwardedFor))]
    forwarded_for: Option<u64>,
}

impl ServiceOptions {
    /// The settings that are given.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (Setting, u64)> {
        let given = [
            (Setting::TimeoutHead, self.timeout_head),
            (Setting::TimeoutIdle, self.timeout_idle),
            (Setting::TimeoutConnect, self.timeout_connect),
            (Setting::TimeoutResponse, self.timeout_response),
            (Setting::TimeoutStall, self.timeout_stall),
            (Setting::HeadMax, self.head_max),
            (Setting::TargetMax, self.target_max),
            (Setting::HeadersMax, self.headers_max),
            (Setting::BodyMax, self.body_max),
            (Setting::ForwardedFor, self.forwarded_for),
        ];
        let given = given.into_iter();
        given.filter_map(|(setting, value)| Some((setting, value?)))
    }
}

/// Reads the value of a setting.
fn of(setting: Setting) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| value::setting(setting, text)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Pool {
    /// Add a pool
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        options: PoolOptions,
    },
    /// Change what is given of a pool
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        options: PoolOptions,
    },
    /// Delete a pool and its servers
    Del {
        /// Its name
        name: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct PoolOptions {
    /// How a server is chosen: rr, wrr, lc, wlc or sh [wlc]
    #[arg(long, value_parser = scheduler)]
    pub(crate) scheduler: Option<Scheduler>,
    /// Keep a client at its server by a cookie of this name
    #[arg(long, value_name = "NAME", conflicts_with = "no_cookie")]
    pub(crate) cookie: Option<String>,
    /// The secret key of the cookie's values [random]
    #[arg(long, value_name = "HEX", value_parser = value::key)]
    pub(crate) key: Option<Key>,
    /// Keep clients no more
    #[arg(long, conflicts_with = "key")]
    pub(crate) no_cookie: bool,
}

fn scheduler(name: &str) -> Result<Scheduler, String> {
    let names = Scheduler::ALL.map(Scheduler::name).join(", ");
    Scheduler::from_name(name).ok_or_else(|| format!("is none of {names}"))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Add a real server
    Add {
        /// The pool's name
        pool: String,
        /// Where the server listens
        #[arg(value_name = "ADDRESS:PORT", value_parser = value::address)]
        address: SocketAddr,
        /// Its share of new work; 0 drains it
        #[arg(long, default_value_t = 1)]
        weight: u32,
    },
    /// Change a real server's weight
    Set {
        /// The pool's name
        pool: String,
        /// Where the server listens
        #[arg(value_name = "ADDRESS:PORT", value_parser = value::address)]
        address: SocketAddr,
        /// Its share of new work; 0 drains it
        #[arg(long)]
        weight: u32,
    },
    /// Remove a real server
    Del {
        /// The pool's name
        pool: String,
        /// Where the server listens
        #[arg(value_name = "ADDRESS:PORT", value_parser = value::address)]
        address: SocketAddr,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// Add a rule, at the end unless told otherwise
    #[command(after_help = rule::HELP)]
    Add {
        /// The service's name
        service: String,
        /// [--id N] [--before N] CONDITIONS ACTION
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Replace a rule; it keeps its place and counters
    #[command(after_help = rule::HELP)]
    Set {
        /// The service's name
        service: String,
        /// --id N CONDITIONS ACTION
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Delete a rule
    Del {
        /// The service's name
        service: String,
        /// The rule's id
        #[arg(long)]
        id: u32,
    },
    /// Move a rule to another place
    Move {
        /// The service's name
        service: String,
        /// The rule's id
        #[arg(long)]
        id: u32,
        /// Before the rule of this id; to the end unless given
        #[arg(long)]
        before: Option<u32>,
    },
}
