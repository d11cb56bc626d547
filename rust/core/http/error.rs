// SPDX-License-Identifier: GPL-2.0

//! What can be wrong with a head.

/// Why a head is refused.
///
/// Each variant is one fault. In a response any of them means that the server's answer cannot be
/// used: the client is answered 502.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// A control byte where none may be (RFC 9110 §5.5).
    ControlByte,
    /// CR without LF, or LF without CR (RFC 9112 §2.2: a lone LF may be taken for a line's end by
    /// one reader and not by another).
    BareLineEnd,
    /// The bytes given are not one whole head: the empty line is missing or not the last.
    NotOneHead,
    /// Too many empty lines before a request line (RFC 9112 §2.2).
    EmptyLines,
    /// The first line is neither a request line nor a status line (RFC 9112 §3, §4).
    BadStartLine,
    /// The method is longer than any known one (RFC 9112 §3).
    MethodTooLong,
    /// `CONNECT`: this is a gateway, it makes no tunnels to where the client says.
    Connect,
    /// A target that is malformed or does not fit its method (RFC 9112 §3.2).
    BadTarget,
    /// The target is longer than [`Limits::target_max`](super::Limits::target_max).
    TargetTooLong,
    /// A version of HTTP other than 1.0 and 1.1 (RFC 9110 §2.5).
    Version,
    /// The head is longer than [`Limits::head_max`](super::Limits::head_max).
    TooLarge,
    /// More fields than [`Limits::headers_max`](super::Limits::headers_max).
    TooManyFields,
    /// A field's name is empty, is no token, or is not directly followed by a colon
    /// (RFC 9112 §5.1).
    BadFieldName,
    /// A field line that continues the one before (RFC 9112 §5.2).
    Folded,
    /// A request of HTTP/1.1 without `Host` (RFC 9112 §3.2).
    NoHost,
    /// More than one `Host` (RFC 9112 §3.2).
    ManyHosts,
    /// A `Host` that is no host with an optional port (RFC 9112 §3.2).
    BadHost,
    /// `Host` is not the host that the target names.
    HostMismatch,
    /// A `Content-Length` that is no number below 2⁶⁴ (RFC 9112 §6.2).
    BadLength,
    /// More than one `Content-Length` (RFC 9112 §6.3, rule 5).
    ManyLengths,
    /// `Content-Length` beside `Transfer-Encoding` (RFC 9112 §6.1).
    LengthAndCoding,
    /// A `Transfer-Encoding` that is malformed, or where `chunked` is not the last coding or not
    /// the only time (RFC 9112 §6.1, §6.3).
    BadCoding,
    /// A transfer coding other than `chunked` (RFC 9112 §6.1).
    UnknownCoding,
    /// `Transfer-Encoding` in HTTP/1.0 (RFC 9112 §6.1).
    CodingInOld,
    /// More or longer `Connection` fields than anyone needs.
    BadConnection,
}

impl HeadError {
    /// The status to answer a request with that has this fault.
    pub const fn status(self) -> u16 {
        match self {
            Self::TargetTooLong => 414,
            Self::TooLarge | Self::TooManyFields => 431,
            Self::MethodTooLong | Self::Connect | Self::UnknownCoding => 501,
            Self::Version => 505,
            _ => 400,
        }
    }
}
