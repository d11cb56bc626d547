// SPDX-License-Identifier: GPL-2.0

//! `HOST[:PORT]`, each by number or by name.

use crate::failure::{
    refused,
    Failure, //
};
use std::net::{
    IpAddr,
    SocketAddr,
    ToSocketAddrs, //
};

/// The names of ports where the system has no list of them.
const PORTS: [(&str, u16); 5] = [
    ("http", 80),
    ("www", 80),
    ("https", 443),
    ("http-alt", 8080),
    ("webcache", 8080),
];

/// Splits the port off.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some(bracketed) = text.strip_prefix('[') {
        return match bracketed.split_once(']') {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => (text, None),
        };
    }
    match text.rsplit_once(':') {
        // More than one colon is an IPv6 address.
        Some((host, _)) if host.contains(':') => (text, None),
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    }
}

/// The address of a host and port; IPv4 where it has both.
///
/// # Errors
///
/// When there is no such host or port.
pub(super) fn resolve(text: &str, default_port: u16) -> Result<SocketAddr, Failure> {
    let (host, port) = split(text);
    let port = port.map_or(Ok(default_port), self::port)?;
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let found = if host.is_empty() {
        return refused(format!("'{text}' has no host"));
    } else {
        (host, port).to_socket_addrs()
    };
    let addresses: Vec<SocketAddr> = match found {
        Ok(found) => found.collect(),
        Err(error) => return refused(format!("'{host}': {error}")),
    };
    let v4 = addresses.iter().find(|a| a.is_ipv4());
    match v4.or(addresses.first()) {
        Some(address) => Ok(*address),
        None => refused(format!("'{host}' has no address")),
    }
}

/// A port by number or name.
///
/// # Errors
///
/// When there is no such port.
pub(super) fn port(text: &str) -> Result<u16, Failure> {
    let number = text.parse().ok().filter(|port| *port != 0);
    let found = number
        .or_else(|| {
            by_name(
                &std::fs::read_to_string("/etc/services").unwrap_or_default(),
                text,
            )
        })
        .or_else(|| PORTS.iter().find(|(name, _)| *name == text).map(|p| p.1));
    match found {
        Some(port) => Ok(port),
        None => refused(format!("'{text}' is not a port")),
    }
}

/// Looks a name up in the text of services(5).
fn by_name(services: &str, wanted: &str) -> Option<u16> {
    services.lines().find_map(|line| {
        let line = line.split('#').next()?;
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?;
        let named = name == wanted || words.any(|alias| alias == wanted);
        named.then(|| port.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let read = |text| resolve(text, 80).map(|a| a.to_string());
        assert_eq!(read("192.0.2.1").unwrap(), "192.0.2.1:80");
        assert_eq!(read("192.0.2.1:8080").unwrap(), "192.0.2.1:8080");
        assert_eq!(read("192.0.2.1:www").unwrap(), "192.0.2.1:80");
        assert_eq!(read("0.0.0.0:webcache").unwrap(), "0.0.0.0:8080");
        assert_eq!(read("2001:db8::1").unwrap(), "[2001:db8::1]:80");
        assert_eq!(read("[2001:db8::1]:81").unwrap(), "[2001:db8::1]:81");
        assert_eq!(read("[2001:db8::1]").unwrap(), "[2001:db8::1]:80");
        assert_eq!(read("localhost:81").unwrap(), "127.0.0.1:81");
        for text in [
            "",
            ":80",
            "192.0.2.1:",
            "192.0.2.1:0",
            "192.0.2.1:70000",
            "[::1:80",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn services_are_looked_up() {
        let text = "# a\nhttp\t80/tcp\twww # web\nx 7/udp\nx 8/tcp\n";
        assert_eq!(by_name(text, "www"), Some(80));
        assert_eq!(by_name(text, "x"), Some(8));
        assert_eq!(by_name(text, "web"), None);
    }
}
