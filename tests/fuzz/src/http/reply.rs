// SPDX-License-Identifier: GPL-2.0

//! The responses that are made here can be read.

use crate::{
    input::knobs,
    reference, //
};
use ktcpvs_core::http::{
    reason,
    valid_location,
    write_response,
    Framing,
    Limits,
    NoRoom,
    Reply,
    Version,
    REPLY_ROOM, //
};

/// Writes a response with any status, location and text.
pub fn reply(data: &[u8]) {
    let ([low, high, knobs, seconds], text) = knobs::<4>(data);
    let status = 100 + u16::from_le_bytes([low, high]) % 900;
    let (location, text) = text.split_at(text.len() * usize::from(knobs >> 6) / 3);
    let text = String::from_utf8_lossy(text);
    let reply = Reply {
        version: match knobs & 1 {
            0 => Version::Http11,
            _ => Version::Http10,
        },
        close: knobs & 2 != 0,
        head_only: knobs & 4 != 0,
        retry_after: (knobs & 8 != 0).then_some(u32::from(seconds) << (seconds % 24)),
        location: (knobs & 16 != 0).then_some(location),
        text: (knobs & 32 != 0).then_some(&text),
    };
    let room = location.len() + 5 * text.len() + REPLY_ROOM;
    let mut out = vec![0xaa; room];
    let len = write_response(&mut out, status, &reply).expect("REPLY_ROOM always has room");

    assert!(out[len..].iter().all(|byte| *byte == 0xaa));
    let mut exact = vec![0; len];
    assert_eq!(write_response(&mut exact, status, &reply), Ok(len));
    assert_eq!(exact, out[..len]);
    assert_eq!(
        write_response(&mut exact[..len - 1], status, &reply),
        Err(NoRoom)
    );
    says(&exact, status, &reply);
}

/// That `written` says what it was to say, to the last byte.
fn says(written: &[u8], status: u16, reply: &Reply<'_>) {
    let limits = Limits {
        head_max: usize::MAX,
        ..Limits::default()
    };
    // A long location is no response that this gateway would read, but one it may write.
    let Some(head) = reference::response(written, &limits) else {
        assert!(reply
            .location
            .is_some_and(|location| location.len() > 65000));
        return;
    };
    let content = &written[head.len..];

    assert_eq!(
        (head.status, head.reason),
        (status, reason(status).as_bytes())
    );
    assert!(!head.old);
    let length = match head.framing {
        Framing::Length(length) => length,
        Framing::None => 0,
        other => panic!("{other:?}"),
    };
    if !reply.head_only {
        assert_eq!(length, content.len() as u64);
    }
    assert!(!reply.head_only || content.is_empty());
    assert_eq!(head.persistent, !reply.close);
    let location = reply.location.filter(|location| valid_location(location));
    assert!(reference::values(&head.fields, "location")
        .into_iter()
        .eq(location));
    let seconds = reply.retry_after.map(|seconds| seconds.to_string());
    let told = reference::values(&head.fields, "retry-after");
    assert!(told.into_iter().eq(seconds.as_deref().map(str::as_bytes)));
    if let (Some(text), false) = (reply.text, content.is_empty()) {
        page(content, text);
    }
}

/// That `text` can be read in a page, and nothing in it is taken for HTML.
fn page(content: &[u8], text: &str) {
    let content = std::str::from_utf8(content).expect("it is UTF-8");
    let shown = match content.split_once("<p>") {
        Some((_, rest)) => rest.strip_suffix("</p>\n").expect("it is closed"),
        None => "",
    };

    assert!(!shown.contains(['<', '>']));
    let plain = shown.replace("&lt;", "<").replace("&gt;", ">");
    assert_eq!(plain.replace("&amp;", "&"), text);
}
