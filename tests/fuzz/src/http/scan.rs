// SPDX-License-Identifier: GPL-2.0

//! The end of a head does not depend on the pieces it comes in.

use crate::input::{
    knobs,
    limits,
    pieces, //
};
use ktcpvs_core::http::{
    HeadError,
    HeadScanner,
    Kind,
    Limits, //
};

/// Where a head ends, if it does.
pub type End = Result<Option<usize>, HeadError>;

/// Where the head in `pieces` ends. If there are `limits`, as far as it is within them.
pub fn end<'p>(
    kind: Kind,
    pieces: impl IntoIterator<Item = &'p [u8]>,
    limits: Option<&Limits>,
) -> End {
    let mut scanner = HeadScanner::new(kind);
    let mut seen = 0;

    assert!(scanner.is_empty() && scanner.is_idle() && !scanner.is_done());
    for piece in pieces {
        let found = scanner.feed(piece).inspect_err(|&error| {
            assert_eq!(scanner.feed(b"GET / HTTP/1.1\r\n\r\n"), Err(error));
            assert_eq!(scanner.feed(b"x"), Err(error));
            assert!(matches!(error.status(), 400 | 501));
        })?;
        seen += found.unwrap_or(piece.len());
        assert!(found.is_none_or(|n| n <= piece.len()));
        assert_eq!(scanner.len(), seen);
        assert_eq!(scanner.is_done(), found.is_some());
        assert!(!(scanner.is_done() && scanner.is_idle()));
        if let Some(limits) = limits {
            scanner.check(limits)?;
        }
        if found.is_some() {
            assert_eq!(scanner.feed(piece), Ok(Some(0)));
            assert_eq!(scanner.len(), seen);
            return Ok(Some(seen));
        }
    }
    Ok(None)
}

/// What of `bytes` is a head, whatever pieces they come in.
pub fn split(kind: Kind, bytes: &[u8], seed: u64) -> End {
    let whole = end(kind, [bytes], None);

    assert_eq!(end(kind, bytes.chunks(1), None), whole);
    assert_eq!(end(kind, pieces(bytes, seed), None), whole);
    if let Ok(Some(len)) = whole {
        // It ends with an empty line, which nothing before it is.
        assert!(bytes[..len].ends_with(b"\r\n\r\n"));
        assert_eq!(end(kind, [&bytes[..len]], None), whole);
        assert_eq!(end(kind, [&bytes[..len - 1]], None), Ok(None));
    }
    whole
}

/// Scans any bytes for a head of either kind.
pub fn scan(data: &[u8]) {
    let ([a, b, c, seed @ ..], bytes) = knobs::<11>(data);
    let limits = limits([a, b, c]);

    for kind in [Kind::Request, Kind::Response] {
        let whole = split(kind, bytes, u64::from_le_bytes(seed));
        let within = end(kind, bytes.chunks(1), Some(&limits));

        match within {
            Err(HeadError::TooLarge) => assert!(bytes.len() > limits.head_max.min(65535)),
            Err(HeadError::TargetTooLong) => assert!(bytes.len() > limits.target_max),
            _ => assert_eq!(within, whole),
        }
    }
}
