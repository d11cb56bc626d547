// SPDX-License-Identifier: GPL-2.0

//! Chunked contents that are good, and some that are not.

use ktcpvs_core::http::BodyError;

/// Chunked contents, and how many bytes are in their chunks.
pub const GOOD: &[(&[u8], u64)] = &[
    (b"0\r\n\r\n", 0),
    (b"5\r\nhello\r\n0\r\n\r\n", 5),
    (b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", 6),
    (b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 20),
    // What is in a chunk is nobody's business.
    (b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", 7),
    (b"3\r\n\0\xff\n\r\n0\r\n\r\n", 3),
    // Leading zeros, as many as fit in the digits of 64 bits.
    (b"05\r\nhello\r\n000\r\n\r\n", 5),
    (b"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", 5),
    // Extensions (RFC 9112 §7.1.1), with white space where it may be.
    (b"5;a\r\nhello\r\n0;b=c\r\n\r\n", 5),
    (b"5;a=\"b;c\\\"d\";e\r\nhello\r\n0\r\n\r\n", 5),
    (b"5 ;\ta = b\t; c\r\nhello\r\n0 \t ; d\r\n\r\n", 5),
    (b"5;a=\"caf\xe9\"\r\nhello\r\n0\r\n\r\n", 5),
    (b"5;a=\"\";b=\"\\\\\";c=\"\\\t\"\r\nhello\r\n0\r\n\r\n", 5),
    // Trailer sections (RFC 9112 §7.1.2).
    (b"0\r\nA: b\r\n\r\n", 0),
    (
        b"5\r\nhello\r\n0\r\nA:\r\nb!#$%&'*+-.^_`|~:c: d\te\xff\r\n\r\n",
        5,
    ),
    // Names that only begin or end as forbidden ones do.
    (
        b"0\r\nContent-Lengths: 5\r\nContent-Lengt: 5\r\nx-host: a\r\nt: e\r\n\r\n",
        0,
    ),
    (
        b"0\r\nA: Content-Length: 5\r\nHosts: a\r\nte-: b\r\n\r\n",
        0,
    ),
];

/// Faults, and contents that have them.
type Refused = (&'static [BodyError], &'static [&'static [u8]]);

/// Chunked contents that are refused. Each is so with its last byte.
pub const BAD: &[Refused] = &[
    (
        &[BodyError::ChunkSize],
        &[
            b"\r",
            b";",
            b" ",
            b"g",
            b"-",
            b"+",
            b"\0",
            b"0x",
            b"5,",
            b"5\0",
            b"5\xff",
            // Sixteen digits are 64 bits.
            b"10000000000000000",
            b"00000000000000005",
            b"FFFFFFFFFFFFFFFFF",
            b"5\r\nhello\r\n\r",
            b"5\r\nhello\r\nh",
        ],
    ),
    (
        &[BodyError::LineEnd],
        &[
            b"5\n",
            b"5\r5",
            b"5\r\r",
            b"5;a\n",
            b"5;a\rb",
            b"5;a=\"\n",
            b"5;a=\"\\\n",
            b"5\r\nhello!",
            b"5\r\nhello\n",
            b"5\r\nhello0",
            b"5\r\nhello\r0",
            b"5\r\nhello\r\r",
            b"0\n",
            b"0\r0",
            b"0\r\n\rA",
            b"0\r\nA: b\n",
            b"0\r\nA: b\rC",
            b"0\r\nA: b\r\n\r\r",
        ],
    ),
    (
        &[BodyError::LineEnd, BodyError::Trailer],
        &[b"0\r\n\n", b"0\r\nA\n", b"0\r\nA\r"],
    ),
    (
        &[BodyError::Extension],
        &[
            b"5 5",
            b"5 \t5",
            b"5 =",
            b"5;\0",
            b"5;a\x01",
            b"5;a=\"\x7f",
            b"5;\x0b",
            // A line end in quotes is none for everyone.
            b"5;\"\r",
            b"5;a=\"\r",
            b"5;a=\"b\r",
            b"5;a=\"b\"\"\r",
            b"5;a=\"b\\\"\r",
            b"5;a=\"\\\r",
            b"5;a=\"\0",
            b"5;a=\"\\\x7f",
        ],
    ),
    // White space behind a size is followed by an extension.
    (
        &[BodyError::Extension, BodyError::LineEnd],
        &[b"5 \r", b"0\t\r"],
    ),
    (
        &[BodyError::Trailer],
        &[
            b"0\r\n:",
            b"0\r\n ",
            b"0\r\n\t",
            b"0\r\nA ",
            b"0\r\nA: b\r\n ",
            b"0\r\nA\xff",
            b"0\r\n\0",
            b"0\r\nA: \0",
            b"0\r\nA: b\x7f",
            b"0\r\nA: b\r\nC: \x1f",
        ],
    ),
    (
        // What RFC 9110 §6.5.1 says of fields that frame, route or control.
        &[BodyError::ForbiddenTrailer],
        &[
            b"0\r\nContent-Length:",
            b"0\r\nTRANSFER-ENCODING:",
            b"0\r\nhost:",
            b"0\r\nConnection:",
            b"0\r\nupGRADE:",
            b"0\r\nte:",
            b"0\r\nTrailer:",
            b"0\r\nExpect:",
            b"0\r\nA: b\r\nHost:",
            b"0\r\nContent-Lengths: 5\r\nContent-Length:",
        ],
    ),
];
