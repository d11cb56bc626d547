// SPDX-License-Identifier: GPL-2.0

//! Targets and hosts: a request is for one place only, whoever reads it.

use super::request;
use crate::{
    input::knobs,
    reference, //
};
use ktcpvs_core::http::{
    Limits,
    Request, //
};

const METHODS: [&str; 4] = ["GET", "OPTIONS", "CONNECT", "X"];

/// Reads any target, and behind a line's end the value of any `Host`, if there is one.
pub fn target(data: &[u8]) {
    let ([method, version], text) = knobs::<2>(data);
    let mut lines = text.splitn(2, |&byte| byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let method = METHODS[usize::from(method) % METHODS.len()];
    let version = ["HTTP/1.1", "HTTP/1.0"][usize::from(version) % 2];
    let host = lines.next();
    let mut head = [method.as_bytes(), b" ", target, b" ", version.as_bytes()].concat();

    head.extend(b"\r\n");
    if let Some(host) = host {
        head.extend([b"Host:", host, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    let limits = Limits::default();

    request::check(&head, &limits, 1);
    let read = Request::parse(&head, &limits);
    // One that has a line's end is more than one field.
    let host = host.filter(|host| !host.contains(&b'\r'));
    if let (Ok(request), Some(host)) = (read, host) {
        // Where target and field name a host, both name the same.
        let (named, _) = reference::authority(reference::trim(host)).expect("it was accepted");
        assert!(request.host().eq_ignore_ascii_case(named));
        assert!(!request.host().iter().any(|byte| b"@/?# \t".contains(byte)));
    }
}
