// SPDX-License-Identifier: GPL-2.0

//! Schedulers, whatever happens to the servers between two decisions.

use arbitrary::{
    Result,
    Unstructured, //
};
use ktcpvs_core::sched::{
    Candidate,
    Kind,
    Scheduler,
    Table, //
};

/// A real server.
#[derive(Clone, Copy, Debug)]
struct Server {
    weight: u32,
    load: u32,
    up: bool,
    excluded: bool,
}

impl Candidate for Server {
    fn weight(&self) -> u32 {
        self.weight
    }

    fn load(&self) -> u32 {
        self.load
    }

    fn available(&self) -> bool {
        self.up
    }
}

impl Server {
    fn any(input: &mut Unstructured<'_>) -> Result<Self> {
        let flags: u8 = input.arbitrary()?;

        Ok(Self {
            weight: match flags & 3 {
                0 => input.int_in_range(0..=9)?,
                1 => input.int_in_range(0..=65535)?,
                2 => 100,
                _ => input.arbitrary()?,
            },
            load: match flags & 4 {
                0 => input.int_in_range(0..=3)?,
                _ => input.arbitrary()?,
            },
            up: flags & 0x18 != 0x18,
            excluded: flags & 0xe0 == 0xe0,
        })
    }

    fn usable(&self) -> bool {
        self.weight > 0 && self.up && !self.excluded
    }
}

/// Makes any decisions among any servers.
pub fn sched(data: &[u8]) {
    // What ends too early has said enough.
    let _ = decide(&mut Unstructured::new(data));
}

fn decide(input: &mut Unstructured<'_>) -> Result<()> {
    let kind = *input.choose(&Kind::ALL)?;
    let number = input.int_in_range(0..=12)?;
    let mut servers = (0..number)
        .map(|_| Server::any(input))
        .collect::<Result<Vec<_>>>()?;
    let mut scheduler = Scheduler::new(kind);

    assert_eq!(Kind::from_name(kind.name().as_bytes()), Some(kind));
    exact(&servers);
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        match input.int_in_range(0..=5)? {
            0 if !servers.is_empty() => {
                let at = input.choose_index(servers.len())?;
                servers[at] = Server::any(input)?;
            }
            1 => servers.push(Server::any(input)?),
            2 => drop(servers.pop()),
            3 => scheduler = scheduler.successor(),
            _ => {}
        }
        assert_eq!(scheduler.kind(), kind);
        let key = input.arbitrary()?;
        // A table that is not of these servers does no harm.
        let words: [u64; 5] = input.arbitrary()?;
        let picked = scheduler.pick(&servers, &Table::new(&words), key, |_| false);
        assert!(picked.is_none_or(|index| servers[index].weight > 0 && servers[index].up));
        check(&scheduler, &servers, key);
    }
    Ok(())
}

fn table(servers: &[Server]) -> Vec<u64> {
    let mut memory = vec![7; Table::words(servers.len())];
    Table::fill(servers.iter().map(Candidate::weight), &mut memory);
    memory
}

/// That of a table's tickets each server owns as many as its weight has it.
fn exact(servers: &[Server]) {
    let memory = table(servers);
    let table = Table::new(&memory);
    let sum: u64 = servers.iter().map(|server| u64::from(server.weight)).sum();

    assert_eq!(table.total() == 0, sum == 0);
    if sum == 0 || table.total() > 5000 {
        return;
    }
    assert_eq!(sum % table.total(), 0);
    let mut turns = vec![0u64; servers.len()];
    let mut tickets = turns.clone();
    for at in 0..table.total() {
        tickets[table.owner(at).expect("there is one")] += 1;
        turns[table.of_turn(at as usize).expect("there is one")] += 1;
    }
    assert_eq!(turns, tickets);
    for (server, tickets) in servers.iter().zip(tickets) {
        assert_eq!(u64::from(server.weight), tickets * (sum / table.total()));
    }
}

/// Makes a decision, and another by `key`.
fn check(scheduler: &Scheduler, servers: &[Server], key: u64) {
    let memory = table(servers);
    let table = Table::new(&memory);
    let out = |index: usize| servers[index].excluded;
    let any = servers.iter().any(Server::usable);
    let good = |picked: Option<usize>| match picked {
        Some(index) => servers[index].usable(),
        None => !any,
    };
    let picked = scheduler.pick(servers, &table, key, out);
    let hashed = scheduler.pick_hashed(servers, &table, key, out);

    assert!(good(picked), "{picked:?} of {servers:?}");
    assert!(good(hashed), "{hashed:?} of {servers:?}");
    // A key keeps its server.
    assert_eq!(scheduler.pick_hashed(servers, &table, key, out), hashed);
    if let Some(home) = table.owner(key).filter(|&home| servers[home].usable()) {
        assert_eq!(hashed, Some(home));
    }
    let Some(best) = picked.map(|index| servers[index]) else {
        return;
    };
    let load = |server: &Server| match scheduler.kind() {
        Kind::LeastConnection => u128::from(server.load),
        Kind::WeightedLeastConnection => u128::from(server.load) * u128::from(best.weight),
        _ => 0,
    };
    for other in servers.iter().filter(|server| server.usable()) {
        match scheduler.kind() {
            Kind::WeightedLeastConnection => {
                let ours = u128::from(best.load) * u128::from(other.weight);
                assert!(ours <= load(other), "{best:?}, {other:?}");
            }
            _ => assert!(load(&best) <= load(other), "{best:?}, {other:?}"),
        }
    }
}
