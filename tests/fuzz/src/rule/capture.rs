// SPDX-License-Identifier: GPL-2.0

//! The code of captures from anywhere captures what backtracking would.

use super::Request;
use crate::input::knobs;
use ktcpvs_core::rule::{
    Program,
    HEADER,
    MAGIC,
    OP_ANY_OF,
    OP_END,
    OP_FAIL,
    OP_MATCH,
    OP_SAVE,
    OP_SPLIT,
    OP_START,
    PATH,
    SCRATCH_WORDS, //
};

/// Most instructions here: it bounds what the naive way takes.
const INSTRUCTIONS: usize = 48;

/// An instruction: the operation with its operands, and where it leads.
type Instruction = [u32; 3];

/// Takes any bytes for instructions, three a time, and the last ones for a value.
pub fn capture(data: &[u8]) {
    let (text, bytes) = knobs::<12>(data);
    let raw: Vec<_> = bytes.chunks_exact(3).take(INSTRUCTIONS).collect();
    let end = raw.len() as u32;
    let code: Vec<_> = raw.iter().map(|raw| instruction(raw, end)).collect();
    let words = around(&code);
    let layout = match Program::verify(&words, 1) {
        Ok(layout) => layout,
        Err(error) => panic!("{error:?}: {code:?}"),
    };
    // Few bytes, so that ranges meet them; 0 to the end of the value is not part of it.
    let len = text
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(text.len());
    let request = Request {
        url: text[..len].iter().map(|byte| byte % 8).collect(),
        ..Request::default()
    };
    // What is in the memory but the set does not matter.
    let mut scratch = vec![0; SCRATCH_WORDS];
    let half = SCRATCH_WORDS / 2;
    scratch[half..].fill(u32::from(text[0]));

    let program = Program::new(&words, &layout);
    let found = program.capture(0, &request, &mut scratch, <[u8]>::to_vec);
    assert_eq!(found.as_deref(), naive(&code, &request.url), "{code:?}");
    assert_eq!(program.capture(1, &request, &mut scratch, |_| ()), None);
}

/// An instruction of code with `end` instructions.
fn instruction(raw: &[u8], end: u32) -> Instruction {
    let [op, a, b] = [raw[0], raw[1], raw[2]].map(u32::from);
    let lead = |place: u32| place % end;

    match op % 8 {
        OP_MATCH => [OP_MATCH, 0, 0],
        OP_SAVE => [OP_SAVE | ((op & 8) << 5), lead(a), 0],
        OP_FAIL => [OP_FAIL, a, b],
        op @ (OP_SPLIT | OP_START | OP_END) => [op, lead(a), lead(b)],
        _ => [OP_ANY_OF | ((b & 7) << 8) | ((b >> 4) << 16), lead(a), 0],
    }
}

/// A program of one rule, which always matches and captures by `code` in the path.
fn around(code: &[Instruction]) -> Vec<u32> {
    let mut words = vec![0; HEADER];
    let mut append = |more: &[u32]| {
        words.extend(more);
        (words.len() - more.len()) as u32
    };
    let subject = append(&[PATH, 0, 0, 0, 0]);
    let rule = append(&[0, 0]);
    let always = append(&[0]);
    let at = append(&code.concat());
    let captures = append(&[0, 0, at, code.len() as u32]);

    words[..HEADER].copy_from_slice(&[
        MAGIC, 1, 0, 1, subject, rule, 0, always, 1, captures, 1, //
    ]);
    words
}

/// What the first way through the code captures, by preference, that ends with a match.
fn naive<'v>(code: &[Instruction], value: &'v [u8]) -> Option<&'v [u8]> {
    let mut visited = vec![false; code.len() * (value.len() + 1)];
    // Places in the code, in the value, and the ends seen so far: the last is tried first.
    let mut ways = vec![(0, 0, [None; 2])];

    while let Some((place, at, mut ends)) = ways.pop() {
        let Some(&[op, to, other]) = code.get(place) else {
            continue;
        };
        let seen = &mut visited[place * (value.len() + 1) + at];
        if std::mem::replace(seen, true) {
            continue;
        }
        let to = to as usize;
        let [_, low, high, _] = op.to_le_bytes();
        match op & 0xff {
            OP_MATCH => return value.get(ends[0]?..ends[1]?),
            OP_ANY_OF if value.get(at).is_some_and(|b| (low..=high).contains(b)) => {
                ways.push((to, at + 1, ends));
            }
            OP_SPLIT => ways.extend([(other as usize, at, ends), (to, at, ends)]),
            OP_SAVE => {
                ends[usize::from(low)] = Some(at);
                ways.push((to, at, ends));
            }
            OP_START if at == 0 => ways.push((to, at, ends)),
            OP_END if at == value.len() => ways.push((to, at, ends)),
            _ => {}
        }
    }
    None
}
