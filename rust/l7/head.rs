// SPDX-License-Identifier: GPL-2.0

//! The head of a message in a socket's receive queue.

use crate::linux::net::Wire;
use core::ops::ControlFlow;
use kernel::prelude::*;
use ktcpvs_core::http::{
    Body,
    HeadError,
    HeadScanner,
    Limits,
    Request, //
};

/// Looks at the bytes that have come since the last look. The length of the head, if it is whole.
pub(super) fn scan(
    scanner: &mut HeadScanner,
    wire: &Wire<'_>,
    limits: &Limits,
) -> Result<Option<usize>, HeadError> {
    let seen = scanner.len();
    let unread = wire.unread();

    // It was found before, but could not be dealt with then.
    if scanner.is_done() {
        return Ok(Some(seen));
    }
    if unread <= seen {
        return Ok(None);
    }
    let end = wire.pieces(seen, unread - seen, |piece| {
        match scanner
            .feed(piece)
            .and_then(|end| scanner.check(limits).map(|()| end))
        {
            Ok(None) => ControlFlow::Continue(()),
            end => ControlFlow::Break(end),
        }
    });

    match end {
        Ok(None) => Ok(None),
        Ok(Some(end)) => end.map(|_| Some(scanner.len())),
        // The bytes cannot be read.
        Err(_) => Err(HeadError::NotOneHead),
    }
}

/// The head of `len` bytes in one piece: in place, or copied into `buf`.
pub(super) fn linear<'b>(wire: &'b Wire<'_>, len: usize, buf: &'b mut [u8]) -> Result<&'b [u8]> {
    if let Some(head) = wire.contiguous(len) {
        return Ok(head);
    }
    let buf = buf.get_mut(..len).ok_or(EIO)?;

    wire.copy(buf)?;
    Ok(buf)
}

/// Whether anything follows the head of `request`.
pub(super) fn has_body(request: &Request<'_>) -> bool {
    !Body::new(request.framing()).done()
}
