// SPDX-License-Identifier: GPL-2.0

//! What scenarios are made of, and what must be true when all have had their say.

use crate::{
    connection::{
        Conn,
        Phase, //
    },
    kernel::{
        Packet,
        Tcp, //
    },
    upstream::Upstream,
    world::World,
};
use loom::thread;
use std::sync::Arc;

/// Room that is never used up.
pub const ROOM: usize = usize::MAX / 2;

pub fn tcp(unread: usize, room: usize) -> Tcp {
    Tcp {
        unread,
        room,
        ..Tcp::default()
    }
}

/// A connection in [`Phase::Head`].
pub fn idle_client(world: &Arc<World>, unread: usize) -> Arc<Conn> {
    let conn = Conn::new(world, tcp(unread, ROOM), Phase::Head);

    conn.start();
    world.queues.work();
    conn
}

/// A connection through which a client and a server talk, with so much room towards the server.
pub fn tunnel(world: &Arc<World>, room: usize) -> (Arc<Conn>, Arc<Upstream>) {
    talk(world, Phase::Tunnel, ROOM, room)
}

/// A connection that waits for `left` bytes of a response, with `room` for them, and the server's.
pub fn exchange(world: &Arc<World>, left: usize, room: usize) -> (Arc<Conn>, Arc<Upstream>) {
    talk(world, Phase::Exchange { left }, room, ROOM)
}

/// A connection that has a server's, with so much room for what goes to the client and the server.
fn talk(world: &Arc<World>, phase: Phase, down: usize, up: usize) -> (Arc<Conn>, Arc<Upstream>) {
    let conn = Conn::new(world, tcp(0, down), phase);
    let upstream = Upstream::new(world, tcp(0, up), Some(conn.clone()));

    with_state(&conn, |state| state.upstream = Some(upstream.clone()));
    conn.start();
    world.queues.work();
    (conn, upstream)
}

pub fn with_state<R>(conn: &Conn, f: impl FnOnce(&mut crate::connection::State) -> R) -> Option<R> {
    let client = conn.stream.lock()?;
    let guard = client.state();

    // SAFETY: Behind the lock; loom checks it.
    Some(f(unsafe { guard.deref() }))
}

/// A CPU on which `f` happens, and which then works on what is queued.
pub fn cpu(world: &Arc<World>, f: impl FnOnce() + 'static) -> thread::JoinHandle<()> {
    let world = world.clone();

    thread::spawn(move || {
        f();
        world.queues.work();
    })
}

/// A CPU that receives `packets` for the server's connection `upstream`.
pub fn server_sends<const N: usize>(
    world: &Arc<World>,
    upstream: &Arc<Upstream>,
    packets: [Packet; N],
) -> thread::JoinHandle<()> {
    let upstream = upstream.clone();

    cpu(world, move || {
        for packet in packets {
            upstream.stream.sk.receive(packet);
        }
    })
}

/// A CPU that receives `packets` from the client.
pub fn client_sends<const N: usize>(
    world: &Arc<World>,
    conn: &Arc<Conn>,
    packets: [Packet; N],
) -> thread::JoinHandle<()> {
    let conn = conn.clone();

    cpu(world, move || {
        for packet in packets {
            conn.stream.sk.receive(packet);
        }
    })
}

/// Waits for the `cpus`, and works on what they have left.
pub fn settle<const N: usize>(world: &Arc<World>, cpus: [thread::JoinHandle<()>; N]) {
    for cpu in cpus {
        cpu.join().unwrap();
    }
    world.queues.work();
}

/// Nothing is queued any more: so there must be nothing that `conn` could do.
pub fn assert_at_rest(conn: &Conn) {
    let Some(client) = conn.stream.lock() else {
        return;
    };
    let guard = client.state();
    // SAFETY: Behind the lock; loom checks it.
    let state = unsafe { guard.deref() };
    let server = state.upstream.as_ref().map(|upstream| {
        let server = upstream.stream.lock().expect("lent, but released");
        let tcp = server.wire();

        (tcp.unread, tcp.closed, tcp.connecting, tcp.room)
    });

    assert!(!client.wire().closed, "the client's end was not seen");
    match (state.phase, server) {
        (Phase::Head, None) => assert_eq!(client.wire().unread, 0, "a request was not seen"),
        (Phase::Waiting, Some((_, closed, connecting, _))) => {
            assert!(connecting && !closed, "the server's answer was not seen");
        }
        (Phase::Tunnel, Some((unread, closed, _, room))) => {
            assert_eq!(
                unread.min(client.wire().room),
                0,
                "what a server said was not seen"
            );
            assert_eq!(
                client.wire().unread.min(room),
                0,
                "what a client said was not seen"
            );
            assert!(!closed, "the server's end was not seen");
        }
        (Phase::Exchange { left }, Some((unread, closed, ..))) => {
            let movable = unread.min(left).min(client.wire().room);

            assert_eq!(movable, 0, "a response was not seen");
            assert!(!closed || unread > 0, "the server's end was not seen");
        }
        // Until the client has acknowledged what it was sent.
        (Phase::Cutting, None) => assert_ne!(client.wire().unacked, 0, "a cut was not seen"),
        (phase, server) => panic!("at rest in {phase:?} with {server:?}"),
    }
}

/// Nobody is idle in the pool who should not be.
pub fn assert_pool_at_rest(world: &World) {
    while let Some(upstream) = world.idle.take() {
        let server = upstream.stream.lock().expect("idle, but released");

        assert!(upstream.owner.lock().unwrap().is_none(), "idle and lent");
        assert_eq!(server.wire().unread, 0, "idle, with something unread");
        assert!(!server.wire().closed, "idle and closed");
        drop(server);
        Upstream::close(upstream);
    }
}

/// Ends everything as the module's end does, and sees whether it was.
pub fn end<const N: usize>(world: &Arc<World>, conns: [&Arc<Conn>; N]) {
    assert_pool_at_rest(world);
    world.idle.shut();
    for conn in conns {
        conn.kill();
    }
    world.queues.work();
    world.connecting.lock().unwrap().clear();
    for conn in conns {
        assert!(conn.stream.lock().is_none(), "not released");
        assert!(conn.stream.sk.tcp().calls.is_none(), "still called");
    }
    world.tally(|tally| {
        assert_eq!(tally.conns_closed, tally.conns_opened);
        assert_eq!(tally.upstreams_closed, tally.upstreams_opened);
    });
    for conn in conns {
        assert_eq!(Arc::strong_count(conn), 1, "not given up");
    }
}
