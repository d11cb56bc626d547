// SPDX-License-Identifier: GPL-2.0

//! TCP sockets that belong to the kernel.
//!
//! C headers: [`include/linux/net.h`](srctree/include/linux/net.h),
//! [`include/net/sock.h`](srctree/include/net/sock.h).

use crate::linux::{
    bindings,
    net::ns::Net, //
};
use core::{
    mem::size_of,
    net::{
        IpAddr,
        Ipv6Addr,
        SocketAddr, //
    },
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// How an address to listen on is asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Bind {
    /// Nobody may be listening on it, nor on all addresses where it is one, or the reverse.
    Alone,
    /// That is not checked, since who is in the way is about to leave.
    Beside,
}

/// A TCP socket of the kernel's own, released when dropped.
///
/// # Invariants
///
/// `ptr` points to a `struct socket` of type `SOCK_STREAM` and protocol TCP that nobody else
/// releases, and whose `sk` is set. `net` keeps its network namespace alive.
pub(crate) struct Socket {
    ptr: NonNull<bindings::socket>,
    net: Net,
}

// SAFETY: The functions that take a `struct socket` do their own locking.
unsafe impl Send for Socket {}
// SAFETY: As above.
unsafe impl Sync for Socket {}

/// What the stack says where it has no memory for a socket or a packet, as `ENOMEM`.
fn no_memory(error: Error) -> Error {
    match error {
        e if e == ENFILE || e == ENOBUFS => ENOMEM,
        e => e,
    }
}

impl Socket {
    /// Makes an unbound socket for addresses of `family`'s kind in `net`. Fails with `ENOMEM` where
    /// there is no memory. Process context.
    pub(crate) fn new(net: &Net, family: &SocketAddr) -> Result<Self> {
        let mut ptr = ptr::null_mut();
        let domain = match family {
            SocketAddr::V4(_) => bindings::AF_INET,
            SocketAddr::V6(_) => bindings::AF_INET6,
        };

        // SAFETY: `net` is alive, and `ptr` is a place for the result.
        to_result(unsafe {
            bindings::sock_create_kern(
                net.as_ptr(),
                domain as i32,
                bindings::sock_type_SOCK_STREAM as i32,
                bindings::IPPROTO_TCP as i32,
                &mut ptr,
            )
        })
        .map_err(no_memory)?;
        // INVARIANT: `sock_create_kern()` succeeded, so the socket is whole, and ours.
        Ok(Self {
            ptr: NonNull::new(ptr).ok_or(ENOMEM)?,
            net: net.clone(),
        })
    }

    /// Makes a socket that listens on `addr`, with `SO_REUSEADDR` and, for IPv6, for IPv6 alone,
    /// so that the two families can have services of their own on one port.
    ///
    /// `before` runs between bind and listen: the place to put callbacks in.
    pub(crate) fn listen(
        net: &Net,
        addr: &SocketAddr,
        backlog: i32,
        bind: Bind,
        before: impl FnOnce(&Self) -> Result,
    ) -> Result<Self> {
        let socket = Self::new(net, addr)?;
        let (mut name, len) = sockaddr(addr);

        // SAFETY: By the type invariants `sk` is valid; nothing else knows the socket yet.
        unsafe { bindings::ktcpvs_sock_set_reuse(socket.sk().as_ptr(), bind == Bind::Beside) };
        if addr.is_ipv6() {
            // SAFETY: As above.
            unsafe { bindings::ktcpvs_sock_set_v6only(socket.sk().as_ptr()) };
        }
        // SAFETY: `name` holds an address of `len` bytes.
        to_result(unsafe {
            bindings::kernel_bind(socket.ptr.as_ptr(), (&raw mut name).cast(), len)
        })?;
        before(&socket)?;
        // SAFETY: By the type invariants the socket is valid.
        to_result(unsafe { bindings::kernel_listen(socket.ptr.as_ptr(), backlog) })?;
        if bind == Bind::Beside {
            // SAFETY: As above. Who comes later is to find the address taken.
            unsafe { bindings::ktcpvs_sock_set_reuse(socket.sk().as_ptr(), false) };
        }
        Ok(socket)
    }

    /// Starts a connection to `addr` without waiting for it. Fails with `ENOMEM` where there is no
    /// memory. From now on the socket's lock may be taken inside another's, see
    /// [`Order`](crate::linux::net::Order). Process context.
    pub(crate) fn connect(&self, addr: &SocketAddr) -> Result {
        let (mut name, len) = sockaddr(addr);

        #[cfg(CONFIG_LOCKDEP)]
        // SAFETY: `sk` is valid, and nobody else knows the socket as long as it is unbound.
        unsafe {
            bindings::ktcpvs_sock_lock_inner(self.sk().as_ptr())
        };
        // SAFETY: `name` holds an address of `len` bytes; the socket is valid.
        let ret = unsafe {
            bindings::kernel_connect(
                self.ptr.as_ptr(),
                (&raw mut name).cast(),
                len,
                bindings::O_NONBLOCK as i32,
            )
        };
        if ret == -(bindings::EINPROGRESS as i32) {
            return Ok(());
        }
        to_result(ret).map_err(no_memory)
    }

    /// Takes a connection from the queue of a listening socket, or returns `EAGAIN`. Process
    /// context.
    pub(crate) fn accept(&self) -> Result<Self> {
        let mut ptr = ptr::null_mut();

        // SAFETY: The socket is valid, and `ptr` is a place for the result.
        to_result(unsafe {
            bindings::kernel_accept(self.ptr.as_ptr(), &mut ptr, bindings::O_NONBLOCK as i32)
        })?;
        // INVARIANT: `kernel_accept()` succeeded, so the socket is whole, and ours. It is in the
        // namespace of its listener.
        Ok(Self {
            ptr: NonNull::new(ptr).ok_or(ENOMEM)?,
            net: self.net.clone(),
        })
    }

    /// The address of the other end. IPv4-mapped addresses are given as IPv4.
    pub(crate) fn peer(&self) -> SocketAddr {
        let mut addr = [0; 16];
        let mut port = 0;

        // SAFETY: `sk` is valid and the two places hold what the function writes.
        unsafe { bindings::ktcpvs_sock_peer(self.sk().as_ptr(), addr.as_mut_ptr(), &mut port) };
        SocketAddr::new(IpAddr::V6(Ipv6Addr::from(addr)).to_canonical(), port)
    }

    /// Makes the release of this socket send a reset in place of a FIN.
    pub(crate) fn reset_on_release(&self) {
        // SAFETY: `sk` is valid; the function takes its lock.
        unsafe { bindings::sock_no_linger(self.sk().as_ptr()) };
    }

    pub(super) fn sk(&self) -> NonNull<bindings::sock> {
        // SAFETY: By the type invariants the socket is valid and `sk` is set.
        unsafe { NonNull::new_unchecked(bindings::ktcpvs_socket_sk(self.ptr.as_ptr())) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: By the type invariants nobody else releases the socket.
        unsafe { bindings::ktcpvs_socket_release(self.ptr.as_ptr()) };
    }
}

/// The C form of `addr`, and its length in bytes.
fn sockaddr(addr: &SocketAddr) -> (bindings::__kernel_sockaddr_storage, i32) {
    let mut storage = bindings::__kernel_sockaddr_storage::default();

    match addr {
        SocketAddr::V4(addr) => {
            let name = bindings::sockaddr_in {
                sin_family: bindings::AF_INET as u16,
                sin_port: addr.port().to_be(),
                sin_addr: bindings::in_addr {
                    s_addr: u32::from(*addr.ip()).to_be(),
                },
                ..Default::default()
            };

            // SAFETY: The storage is larger than, and aligned for, every kind of address.
            unsafe {
                (&raw mut storage)
                    .cast::<bindings::sockaddr_in>()
                    .write(name)
            };
            (storage, size_of::<bindings::sockaddr_in>() as i32)
        }
        SocketAddr::V6(addr) => {
            let mut name = bindings::sockaddr_in6 {
                sin6_family: bindings::AF_INET6 as u16,
                sin6_port: addr.port().to_be(),
                sin6_scope_id: addr.scope_id(),
                ..Default::default()
            };

            name.sin6_addr.in6_u.u6_addr8 = addr.ip().octets();
            // SAFETY: As above.
            unsafe {
                (&raw mut storage)
                    .cast::<bindings::sockaddr_in6>()
                    .write(name)
            };
            (storage, size_of::<bindings::sockaddr_in6>() as i32)
        }
    }
}
