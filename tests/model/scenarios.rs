// SPDX-License-Identifier: GPL-2.0

//! What can come together, and what must be true of it whatever the order.

use crate::{
    connection::{
        Conn,
        Phase,
        RESPONSE, //
    },
    hold::{
        Hold,
        OLD, //
    },
    kernel::Packet,
    mutant::{
        explore,
        Mutant, //
    },
    stage::*,
    upstream::Upstream,
    world::World,
};
use ktcpvs_core::runner::{
    Next,
    BULK, //
};
use loom::{
    sync::atomic::Ordering::Relaxed,
    thread, //
};
use std::sync::Arc;

/// Both halves of a response, on two CPUs, and what the client sends next.
fn relay() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, 2, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(1), Packet::Data(1)]),
            client_sends(&world, &conn, [Packet::Data(1)]),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!((tally.up, tally.down), (1, 2)));
    end(&world, [&conn]);
}

/// So much that a process moves it, while more comes at both ends.
fn bulk() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, BULK + 3, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(BULK + 1), Packet::Data(1)]),
            client_sends(&world, &conn, [Packet::Data(1)]),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.down, BULK + 2));
    end(&world, [&conn]);
}

/// The sweep looks at a connection, in process context, as a request comes.
fn look() {
    let world = World::new();
    let conn = idle_client(&world, 0);
    let looked_at = conn.clone();

    settle(
        &world,
        [
            cpu(&world, move || looked_at.defer_to_process()),
            client_sends(&world, &conn, [Packet::Data(1)]),
        ],
    );
    answer_connects(&world);
    world.queues.work();
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.up, 1));
    end(&world, [&conn]);
}

/// The same, as something comes at both ends.
fn look_at_both() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, 2, ROOM);
    let looked_at = conn.clone();
    let (client, server) = (conn.clone(), upstream);

    settle(
        &world,
        [
            cpu(&world, move || looked_at.defer_to_process()),
            cpu(&world, move || {
                client.stream.sk.receive(Packet::Data(1));
                server.stream.sk.receive(Packet::Data(1));
            }),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.down, 1));
    end(&world, [&conn]);
}

/// Connects and closes are looked for, and there are none, as the server says something.
fn control_in_passing() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, 2, ROOM);
    let passed = conn.clone();

    settle(
        &world,
        [
            cpu(&world, move || passed.go_on(Next::Connect)),
            server_sends(&world, &upstream, [Packet::Data(1)]),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.down, 1));
    end(&world, [&conn]);
}

/// TCP gives the client up, which may be found out inside a send of ours.
fn give_up() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, BULK + 2, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(BULK + 1)]),
            client_sends(&world, &conn, [Packet::Timeout]),
        ],
    );
    drop(upstream);
    assert!(conn.stream.lock().is_none(), "not released");
    end(&world, [&conn]);
}

/// The client has no room for all of a response until it acknowledges some.
fn no_room() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, 3, 1);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(2), Packet::Data(BULK)]),
            client_sends(&world, &conn, [Packet::Ack(1)]),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.down, 2));
    end(&world, [&conn]);
}

/// The server ends in the middle of a response, of which the client has not acknowledged all.
fn cut() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, 3, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(2), Packet::Reset]),
            client_sends(&world, &conn, [Packet::Ack(1)]),
        ],
    );
    drop(upstream);
    assert_at_rest(&conn);
    conn.stream.sk.receive(Packet::Ack(2));
    world.queues.work();
    assert!(conn.stream.lock().is_none(), "not released");
    end(&world, [&conn]);
}

/// A server's connection goes from one client to the next while its server says something.
fn hand_over(packet: Packet) {
    let world = World::new();
    let (first, upstream) = exchange(&world, 1, ROOM);
    let second = idle_client(&world, 0);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(1), packet]),
            client_sends(&world, &second, [Packet::Data(1)]),
        ],
    );
    drop(upstream);
    assert_at_rest(&first);
    assert_at_rest(&second);
    end(&world, [&first, &second]);
}

fn hand_over_while_it_talks() {
    hand_over(Packet::Data(1));
}

fn hand_over_while_it_closes() {
    hand_over(Packet::Reset);
}

/// A process puts a server's connection back as its server closes it.
fn put_back() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, BULK + 1, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(BULK + 1)]),
            server_sends(&world, &upstream, [Packet::Reset]),
        ],
    );
    drop(upstream);
    assert_at_rest(&conn);
    end(&world, [&conn]);
}

/// Three CPUs.
fn crowd() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, 2, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(1)]),
            client_sends(&world, &conn, [Packet::Data(1)]),
            server_sends(&world, &upstream, [Packet::Data(1)]),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.down, 2));
    end(&world, [&conn]);
}

/// Three CPUs, one of which ends it all.
fn unload_in_a_crowd() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, RESPONSE, ROOM);
    let killed = conn.clone();

    settle(
        &world,
        [
            cpu(&world, move || killed.kill()),
            server_sends(&world, &upstream, [Packet::Data(RESPONSE)]),
            client_sends(&world, &conn, [Packet::Data(1)]),
        ],
    );
    drop(upstream);
    assert!(conn.stream.lock().is_none(), "not released");
    end(&world, [&conn]);
}

/// Client and server talk through a tunnel at once.
fn tunnel_both_ways() {
    let world = World::new();
    let (conn, upstream) = tunnel(&world, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(1), Packet::Data(1)]),
            client_sends(&world, &conn, [Packet::Data(BULK + 1)]),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!((tally.up, tally.down), (BULK + 1, 2)));
    end(&world, [&conn]);
}

/// The server has no room for all that the client says until it acknowledges some.
fn tunnel_without_room() {
    let world = World::new();
    let (conn, upstream) = tunnel(&world, 1);

    settle(
        &world,
        [
            client_sends(&world, &conn, [Packet::Data(2)]),
            server_sends(&world, &upstream, [Packet::Ack(1)]),
        ],
    );
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.up, 2));
    end(&world, [&conn]);
}

/// One end leaves a tunnel while the other one talks.
fn tunnel_that_ends() {
    let world = World::new();
    let (conn, upstream) = tunnel(&world, ROOM);

    settle(
        &world,
        [
            server_sends(&world, &upstream, [Packet::Data(1), Packet::Reset]),
            client_sends(&world, &conn, [Packet::Data(1)]),
        ],
    );
    drop(upstream);
    conn.stream.sk.receive(Packet::Ack(1));
    world.queues.work();
    assert!(conn.stream.lock().is_none(), "not released");
    end(&world, [&conn]);
}

/// Another CPU, while a client asks and a server's connection is idle.
type Meanwhile = fn(&Arc<World>, &Arc<Conn>, Arc<Upstream>) -> thread::JoinHandle<()>;

/// A client asks where a server's connection is idle, and something else happens meanwhile.
fn borrow(meanwhile: Meanwhile) -> Arc<World> {
    let world = World::new();
    let upstream = Upstream::new(&world, tcp(0, ROOM), None);
    let conn = idle_client(&world, 0);

    world.idle.put(upstream.clone()).ok();
    settle(
        &world,
        [
            client_sends(&world, &conn, [Packet::Data(1)]),
            meanwhile(&world, &conn, upstream),
        ],
    );
    answer_connects(&world);
    world.queues.work();
    assert_at_rest(&conn);
    end(&world, [&conn]);
    world
}

/// It is given up, for its memory.
fn given_up_while_it_asks() {
    borrow(|world, conn, _| {
        let given_up = conn.clone();

        cpu(world, move || given_up.give_up())
    });
}

/// The server's connection has been idle for too long and is closed.
fn expire() {
    let world = borrow(|world, _, _| {
        let sweep = world.clone();

        cpu(world, move || sweep.idle.expire())
    });

    world.tally(|tally| assert_eq!(tally.up, 1));
}

/// There is no memory for a server's connection at first, and something more comes from the client.
fn without_memory(packet: Packet) -> Arc<World> {
    let world = World::new();
    let conn = idle_client(&world, 0);

    world.no_memory.store(1, Relaxed);
    settle(
        &world,
        [
            client_sends(&world, &conn, [Packet::Data(1)]),
            client_sends(&world, &conn, [packet]),
        ],
    );
    answer_connects(&world);
    world.queues.work();
    assert_at_rest(&conn);
    end(&world, [&conn]);
    world
}

fn connect_without_memory() {
    without_memory(Packet::Data(1)).tally(|tally| assert_eq!(tally.up, 1));
}

fn leave_without_memory() {
    without_memory(Packet::Reset);
}

/// Its server closes it.
fn borrow_dying() {
    borrow(|world, _, upstream| server_sends(world, &upstream, [Packet::Reset]));
}

/// The server answers while its connection is being made.
fn connect() {
    let world = World::new();
    let conn = idle_client(&world, 0);
    let network = world.clone();

    settle(
        &world,
        [
            client_sends(&world, &conn, [Packet::Data(1), Packet::Data(1)]),
            cpu(&world, move || answer_connects(&network)),
        ],
    );
    answer_connects(&world);
    world.queues.work();
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.up, 1));
    end(&world, [&conn]);
}

fn answer_connects(world: &World) {
    let connecting = std::mem::take(&mut *world.connecting.lock().unwrap());

    for upstream in connecting {
        upstream.stream.sk.receive(Packet::SynAck);
    }
}

/// The client leaves while a connection to the server is being made for it.
fn connect_for_nobody() {
    let world = World::new();
    let conn = idle_client(&world, 0);
    let network = world.clone();

    settle(
        &world,
        [
            client_sends(&world, &conn, [Packet::Data(1), Packet::Reset]),
            cpu(&world, move || answer_connects(&network)),
        ],
    );
    answer_connects(&world);
    world.queues.work();
    assert_at_rest(&conn);
    end(&world, [&conn]);
}

/// A request comes while the connection is being accepted.
fn accept() {
    let world = World::new();
    let conn = Conn::new(&world, tcp(0, ROOM), Phase::Head);
    let accepted = conn.clone();

    settle(
        &world,
        [
            client_sends(&world, &conn, [Packet::Data(1)]),
            cpu(&world, move || accepted.start()),
        ],
    );
    answer_connects(&world);
    world.queues.work();
    assert_at_rest(&conn);
    world.tally(|tally| assert_eq!(tally.up, 1));
    end(&world, [&conn]);
}

/// The module goes while packets come at both ends.
fn unload() {
    let world = World::new();
    let (conn, upstream) = exchange(&world, RESPONSE, ROOM);
    let killed = conn.clone();

    settle(
        &world,
        [
            cpu(&world, move || killed.kill()),
            server_sends(&world, &upstream, [Packet::Data(RESPONSE)]),
        ],
    );
    drop(upstream);
    assert!(conn.stream.lock().is_none(), "not released");
    end(&world, [&conn]);
}

/// The module goes while a connection is being accepted.
fn unload_while_accepting() {
    let world = World::new();
    let conn = Conn::new(&world, tcp(1, ROOM), Phase::Head);
    let (accepted, killed) = (conn.clone(), conn.clone());

    settle(
        &world,
        [
            cpu(&world, move || accepted.start()),
            cpu(&world, move || killed.kill()),
        ],
    );
    assert!(conn.stream.lock().is_none(), "not released");
    end(&world, [&conn]);
}

/// A hold ends and another begins while the timer looks.
fn hold() {
    let hold = Arc::new(Hold::new(OLD));
    let runner = hold.clone();
    let runner = thread::spawn(move || {
        runner.end();
        runner.begin();
    });
    let look = hold.look();

    runner.join().unwrap();
    let (times, listed, on) = hold.parts();

    // The list's lock may be taken by the timer before or after.
    assert!(on && listed, "a hold that nobody looks after");
    assert_eq!(times, 1, "not on the list once, after {look:?}");
}

macro_rules! holds {
    ($($scenario:ident within $preemptions:expr,)*) => {
        mod holds {
            use super::*;

            $(#[test]
            fn $scenario() {
                explore(None, $preemptions, super::$scenario);
            })*
        }
    };
}

macro_rules! finds {
    ($($name:ident: $mutant:ident in $scenario:ident by $message:literal,)*) => {
        mod finds {
            use super::*;

            $(#[test]
            #[should_panic(expected = $message)]
            fn $name() {
                explore(Some(Mutant::$mutant), PREEMPTIONS, $scenario);
            })*
        }
    };
}

/// How often at most a CPU is held up at a place where it could go on, in any one order.
const PREEMPTIONS: usize = 4;

/// The same where there are three of them: one more takes a hundred times as long.
const IN_A_CROWD: usize = 1;

holds! {
    relay within PREEMPTIONS,
    bulk within PREEMPTIONS,
    look within PREEMPTIONS,
    look_at_both within PREEMPTIONS,
    control_in_passing within PREEMPTIONS,
    give_up within PREEMPTIONS,
    no_room within PREEMPTIONS,
    cut within PREEMPTIONS,
    hand_over_while_it_talks within PREEMPTIONS,
    hand_over_while_it_closes within PREEMPTIONS,
    put_back within PREEMPTIONS,
    tunnel_both_ways within PREEMPTIONS,
    tunnel_without_room within PREEMPTIONS,
    tunnel_that_ends within PREEMPTIONS,
    given_up_while_it_asks within PREEMPTIONS,
    expire within PREEMPTIONS,
    connect_without_memory within PREEMPTIONS,
    leave_without_memory within PREEMPTIONS,
    borrow_dying within PREEMPTIONS,
    connect within PREEMPTIONS,
    connect_for_nobody within PREEMPTIONS,
    accept within PREEMPTIONS,
    unload within PREEMPTIONS,
    unload_while_accepting within PREEMPTIONS,
    hold within PREEMPTIONS,
    crowd within IN_A_CROWD,
    unload_in_a_crowd within IN_A_CROWD,
}

finds! {
    pending_cleared_after: PendingClearedAfter in relay by "was not seen",
    busy_not_queued: BusyNotQueued in relay by "was not seen",
    owned_not_queued: OwnedNotQueued in look by "was not seen",
    softirq_not_handed_over: SoftirqNotHandedOver in control_in_passing by "was not seen",
    waits_against_order: WaitsAgainstOrder in relay by "maximum number of branches",
    owned_not_looked_at: OwnedNotLookedAt in give_up by "currently writing to cell",
    released_without_lock: ReleasedWithoutLock in unload by "Causality",
    put_back_unlocked: PutBackUnlocked in put_back by "idle",
    lent_after_look: LentAfterLook in borrow_dying by "was not seen",
    idle_not_taken_out: IdleNotTakenOut in borrow_dying by "left",
    not_looked_at_once: NotLookedAtOnce in accept by "was not seen",
    connected_not_looked_at: ConnectedNotLookedAt in connect by "was not seen",
    connected_forgotten: ConnectedForgotten in connect_for_nobody by "left",
    no_space_not_asked: NoSpaceNotAsked in no_room by "was not seen",
    writable_not_queued: WritableNotQueued in tunnel_without_room by "was not seen",
    starved_forgotten: StarvedForgotten in connect_without_memory by "at rest in Waiting",
    wait_ended_unseen: WaitEndedUnseen in given_up_while_it_asks by "timed out",
    expired_not_taken_out: ExpiredNotTakenOut in expire by "left",
    drained_not_asked: DrainedNotAsked in cut by "not released",
    hold_unordered: HoldUnordered in hold by "nobody looks after",
    hold_not_looked_at_again: HoldNotLookedAtAgain in hold by "nobody looks after",
}
