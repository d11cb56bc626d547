// SPDX-License-Identifier: GPL-2.0

//! What words may look like.

use super::Fault;
use crate::{
    config::{
        Refusal,
        Word, //
    },
    linux::net::genetlink::Attr,
};
use core::{
    fmt,
    net::{
        IpAddr,
        Ipv4Addr,
        Ipv6Addr,
        SocketAddr, //
    },
};
use kernel::prelude::*;

/// Refuses `attr` because of what `why` says.
pub(super) fn wrong<'a>(attr: Attr<'a>, why: fmt::Arguments<'_>) -> Fault<'a> {
    Fault::at(attr, Refusal::new(EINVAL, why))
}

/// The attribute of type `kind` in `nest`, which must be there; `name` is what it is called.
pub(super) fn required<'a>(nest: Attr<'a>, kind: u16, name: &str) -> Result<Attr<'a>, Fault<'a>> {
    nest.nested()
        .get(kind)
        .ok_or_else(|| wrong(nest, format_args!("{name} is missing")))
}

/// The name of a service or a pool: one or more of `[A-Za-z0-9_.-]`.
pub(super) fn name<'a>(attr: Attr<'a>) -> Result<&'a [u8], Fault<'a>> {
    let name = attr.string();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);

    if name.is_empty() || !name.iter().all(fits) {
        return Err(wrong(
            attr,
            format_args!("\"{}\" is no name: use letters, digits, . _ -", Word(name)),
        ));
    }
    Ok(name)
}

/// A name as in [`name()`], or nothing.
pub(super) fn name_or_none<'a>(attr: Attr<'a>) -> Result<&'a [u8], Fault<'a>> {
    if attr.string().is_empty() {
        return Ok(&[]);
    }
    name(attr)
}

/// The name of a header field or a cookie (RFC 9110 §5.6.2).
pub(super) fn token<'a>(attr: Attr<'a>) -> Result<&'a [u8], Fault<'a>> {
    let token = attr.string();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);

    if token.is_empty() || !token.iter().all(fits) {
        return Err(wrong(
            attr,
            format_args!("\"{}\" is no name of a header or cookie", Word(token)),
        ));
    }
    Ok(token)
}

/// An address of 4 or 16 bytes and a port, from the attributes of these types in `nest`.
pub(super) fn socket_addr<'a>(
    nest: Attr<'a>,
    address: u16,
    port: u16,
) -> Result<SocketAddr, Fault<'a>> {
    let address = required(nest, address, "address")?;
    let port = required(nest, port, "port")?;
    let bytes = address.bytes();
    let ip = if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        IpAddr::V4(Ipv4Addr::from(bytes))
    } else if let Ok(bytes) = <[u8; 16]>::try_from(bytes) {
        IpAddr::V6(Ipv6Addr::from(bytes))
    } else {
        return Err(wrong(
            address,
            format_args!("an address has 4 or 16 bytes, not {}", bytes.len()),
        ));
    };

    Ok(SocketAddr::new(ip, port.be16()?))
}
