// SPDX-License-Identifier: GPL-2.0

//! What a transaction asks for, and how it is refused.

use core::{
    fmt::{
        self,
        Write, //
    },
    net::SocketAddr, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};
use ktcpvs_core::{
    hash,
    inline::Inline,
    netlink::WrongLength,
    sched::Kind, //
};

/// A step of a transaction. The words are borrowed from the message, and syntactically right.
pub(crate) enum Change<'a> {
    /// Adds a virtual service.
    ServiceAdd(ServiceSpec<'a>),
    /// Changes what is given.
    ServiceSet(ServiceSpec<'a>),
    /// Deletes a virtual service.
    ServiceDel(&'a [u8]),
    /// Adds a pool.
    PoolAdd(PoolSpec<'a>),
    /// Changes what is given.
    PoolSet(PoolSpec<'a>),
    /// Deletes a pool and its servers.
    PoolDel(&'a [u8]),
    /// Adds a real server to its pool.
    ServerAdd(ServerSpec<'a>),
    /// Changes what is given.
    ServerSet(ServerSpec<'a>),
    /// Removes a real server from its pool.
    ServerDel(ServerSpec<'a>),
    /// Begins a new list of rules for a service.
    RulesSet(&'a [u8]),
    /// Appends a rule to the list.
    RuleAdd(RuleSpec<'a>),
    /// Appends words to the list's program.
    ProgramAdd {
        /// The service's name.
        service: &'a [u8],
        /// Words of 32 bits in the machine's byte order.
        piece: &'a [u8],
    },
    /// Deletes everything, and sets all settings to their defaults.
    Flush,
    /// Changes what is given of the settings of the namespace.
    SettingsSet(SettingsSpec),
    /// Sets all counters to zero.
    ZeroAll,
    /// Sets the counters of a service and its rules to zero.
    ZeroService(&'a [u8]),
    /// Sets the counters of a pool's servers to zero.
    ZeroPool(&'a [u8]),
}

/// What to change of the settings of a namespace.
#[derive(Default)]
pub(crate) struct SettingsSpec {
    /// What its connections may take, in bytes; 0 for the default.
    pub(crate) mem_limit: Option<u64>,
}

/// A virtual service, or what to change of it.
#[derive(Default)]
pub(crate) struct ServiceSpec<'a> {
    /// The name.
    pub(crate) name: &'a [u8],
    /// All addresses to listen on.
    pub(crate) listeners: Option<KVec<SocketAddr>>,
    /// The default pool's name; empty for none.
    pub(crate) pool: Option<&'a [u8]>,
    /// Whether it listens.
    pub(crate) enabled: Option<bool>,
    /// In milliseconds: head, idle, connect, response, stall.
    pub(crate) timeouts: [Option<u32>; 5],
    /// Longest head in bytes.
    pub(crate) head_max: Option<u32>,
    /// Longest target in bytes.
    pub(crate) target_max: Option<u32>,
    /// Most header fields.
    pub(crate) headers_max: Option<u32>,
    /// Longest body of a request in bytes; 0 for any.
    pub(crate) body_max: Option<u64>,
    /// Whether X-Forwarded-For is added.
    pub(crate) forwarded_for: Option<bool>,
}

/// A pool, or what to change of it.
#[derive(Default)]
pub(crate) struct PoolSpec<'a> {
    /// The name.
    pub(crate) name: &'a [u8],
    /// How it chooses.
    pub(crate) scheduler: Option<Kind>,
    /// The affinity cookie's name; empty for none.
    pub(crate) cookie: Option<&'a [u8]>,
    /// The key of the cookie's values.
    pub(crate) key: Option<hash::Key>,
}

/// A real server, or what to change of it.
pub(crate) struct ServerSpec<'a> {
    /// The pool's name.
    pub(crate) pool: &'a [u8],
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    /// Its share of new work.
    pub(crate) weight: Option<u32>,
}

/// A rule.
pub(crate) struct RuleSpec<'a> {
    /// The service's name.
    pub(crate) service: &'a [u8],
    /// What its counters are kept by.
    pub(crate) id: u32,
    /// All must hold. Kept only to be shown: the program does the work.
    pub(crate) conditions: KVec<ConditionSpec<'a>>,
    /// What becomes of a request.
    pub(crate) action: ActionSpec<'a>,
    /// The group of the first regular expression whose match the server is chosen by.
    pub(crate) capture: Option<u32>,
}

/// A condition of a rule. Numbers are those of the netlink interface.
#[derive(Clone, Copy)]
pub(crate) struct ConditionSpec<'a> {
    /// What is compared.
    pub(crate) subject: u32,
    /// How.
    pub(crate) operator: u32,
    /// Which header field or cookie.
    pub(crate) name: Option<&'a [u8]>,
    /// With what.
    pub(crate) value: &'a [u8],
    /// Whether the comparison must fail.
    pub(crate) not: bool,
}

/// What becomes of a request.
#[derive(Clone, Copy)]
pub(crate) enum ActionSpec<'a> {
    /// A server of the pool.
    Pool(&'a [u8]),
    /// One server of the pool.
    Server(&'a [u8], SocketAddr),
    /// A redirection.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The Location field's value.
        location: &'a [u8],
    },
    /// An answer with this status.
    Status(u16),
}

/// Why a transaction was refused, as an administrator reads it.
pub(crate) struct Refusal {
    /// The kind of error.
    pub(crate) errno: Error,
    message: Message,
}

/// One short line. Not within the refusal: every function that may refuse has room for some of
/// those on its stack.
enum Message {
    Plain(&'static str),
    Made(KBox<Inline<80>>),
}

impl Refusal {
    /// With a message that fits into an extended ack; what is longer is cut. Process context.
    #[inline(never)]
    pub(crate) fn new(errno: Error, message: fmt::Arguments<'_>) -> Self {
        let message = match message.as_str() {
            Some(text) => Message::Plain(text),
            None => Message::made(message),
        };

        Self { errno, message }
    }

    /// The message.
    pub(crate) fn message(&self) -> &[u8] {
        match &self.message {
            Message::Plain(text) => text.as_bytes(),
            Message::Made(text) => text.as_slice(),
        }
    }
}

impl Message {
    fn made(message: fmt::Arguments<'_>) -> Self {
        match KBox::new(Inline::new(), GFP_KERNEL) {
            Ok(mut text) => {
                // Too long a message is cut, which is all that can be done with it.
                let _ = text.write_fmt(message);
                Self::Made(text)
            }
            Err(_) => Self::Plain("refused, and out of memory to say why"),
        }
    }
}

impl From<Error> for Refusal {
    fn from(errno: Error) -> Self {
        if errno == ENOMEM {
            Self::new(errno, format_args!("out of memory"))
        } else {
            Self::new(errno, format_args!("refused by the kernel"))
        }
    }
}

impl From<AllocError> for Refusal {
    fn from(_: AllocError) -> Self {
        ENOMEM.into()
    }
}

impl From<WrongLength> for Refusal {
    fn from(_: WrongLength) -> Self {
        Self::new(EINVAL, format_args!("an attribute has the wrong length"))
    }
}

/// Bytes of a name or an address, shown as text. What is not printable is escaped.
pub(crate) struct Word<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}
