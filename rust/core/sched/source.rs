// SPDX-License-Identifier: GPL-2.0

//! Source hashing: the same key, the same server, as long as the pool stays as it is.

use super::{
    Candidate,
    Choice,
    Policy,
    Turn, //
};

/// How often a key is hashed on before the next server by position is taken.
const REHASHES: usize = 16;

/// `sh`: the key's place among the weights.
pub(super) struct Hash;

impl Policy for Hash {
    fn pick<C, F>(_turn: &Turn, choice: &Choice<'_, C, F>) -> Option<usize>
    where
        C: Candidate,
        F: Fn(usize) -> bool,
    {
        let mut key = choice.key;
        let mut owner = choice.table.owner(key)?;
        // The clients of a server that is down are hashed on, not handed to its neighbour: so
        // they spread over all that are left, and come back when it does.
        for _ in 0..REHASHES {
            if choice.usable(owner).is_some() {
                return Some(owner);
            }
            key = mix(key);
            owner = choice.table.owner(key)?;
        }
        choice.first_from(owner)
    }
}

/// SplitMix64's step: a bijection without short cycles, and with well mixed bits.
fn mix(key: u64) -> u64 {
    let z = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
