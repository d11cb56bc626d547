// SPDX-License-Identifier: GPL-2.0

//! What a group of a regular expression captures: a virtual machine that follows all ways at once.
//!
//! The way of Pike and Thompson (Cox, "Regular Expression Matching: the Virtual Machine
//! Approach", 2009): a thread for each place in the code that could be reached, in order of
//! preference, at most one a place, so that time is bounded by code × bytes. Of each thread only
//! the two ends of one group are kept.
//!
//! An instruction is three words: the operation with its operands in the upper bytes, and one or
//! two next instructions.

use super::words::Words;

/// Most instructions of a capture.
pub const INSTRUCTIONS_MAX: usize = 512;

/// The whole has matched.
pub const OP_MATCH: u32 = 0;
/// Takes a byte from bits 8–15 to bits 16–23, and goes on at the first next.
pub const OP_ANY_OF: u32 = 1;
/// Goes on at both, and prefers the first.
pub const OP_SPLIT: u32 = 2;
/// Notes where the group begins (bit 8 is 0) or ends (bit 8 is 1), and goes on at the first.
pub const OP_SAVE: u32 = 3;
/// Goes on at the first at the beginning of the value only.
pub const OP_START: u32 = 4;
/// Goes on at the first at the end of the value only.
pub const OP_END: u32 = 5;
/// Leads nowhere.
pub const OP_FAIL: u32 = 6;

/// Longest value, in bytes, in which anything is captured: it bounds the time.
const VALUE_MAX: usize = 2048;

/// Words of a thread: its place, and the two ends of the group, plus 1, or 0.
const THREAD: usize = 3;

/// Words of memory: a mark for each place, two lists of threads, and a stack.
pub(super) const MEMORY: usize = INSTRUCTIONS_MAX * (1 + 2 * THREAD + THREAD) + 2 * THREAD;

/// The code of a capture.
#[derive(Clone, Copy)]
pub(super) struct Code<'a> {
    words: Words<'a>,
    at: usize,
    number: usize,
}

#[derive(Clone, Copy)]
struct Thread {
    place: u32,
    ends: [u32; 2],
}

/// Threads in memory of the caller's.
struct List<'m> {
    memory: &'m mut [u32],
    len: usize,
}

impl List<'_> {
    fn push(&mut self, thread: Thread) {
        let at = self.len.wrapping_mul(THREAD);
        let place = self.memory.get_mut(at..at.wrapping_add(THREAD));

        if let Some([a, b, c]) = place {
            [*a, *b, *c] = [thread.place, thread.ends[0], thread.ends[1]];
            self.len = self.len.wrapping_add(1);
        }
    }

    fn get(&self, index: usize) -> Option<Thread> {
        let at = index.wrapping_mul(THREAD);

        match self.memory.get(at..at.wrapping_add(THREAD)) {
            Some(&[place, start, end]) if index < self.len => Some(Thread {
                place,
                ends: [start, end],
            }),
            _ => None,
        }
    }

    fn pop(&mut self) -> Option<Thread> {
        let last = self.len.checked_sub(1)?;
        let thread = self.get(last);

        self.len = last;
        thread
    }
}

impl<'a> Code<'a> {
    pub(super) fn new(words: Words<'a>, at: usize, number: usize) -> Self {
        Self {
            words,
            at,
            number: number.min(INSTRUCTIONS_MAX),
        }
    }

    /// The instruction at `place`. What is not there fails.
    fn instruction(&self, place: u32) -> [u32; 3] {
        let place = place as usize;

        if place >= self.number {
            return [OP_FAIL, 0, 0];
        }
        let at = self.at.wrapping_add(place.wrapping_mul(3));

        [0, 1, 2].map(|i: usize| self.words.word(at.wrapping_add(i)))
    }

    /// The bytes that the group captures in `value`.
    pub(super) fn run<'v>(&self, value: &'v [u8], memory: &mut [u32]) -> Option<&'v [u8]> {
        let lists = INSTRUCTIONS_MAX.wrapping_mul(THREAD);
        let (marks, rest) = memory.split_at_mut_checked(INSTRUCTIONS_MAX)?;
        let (one, rest) = rest.split_at_mut_checked(lists)?;
        let (two, stack) = rest.split_at_mut_checked(lists)?;
        let mut now = List {
            memory: one,
            len: 0,
        };
        let mut next = List {
            memory: two,
            len: 0,
        };
        let mut stack = List {
            memory: stack,
            len: 0,
        };
        let mut found = None;

        if value.len() > VALUE_MAX {
            return None;
        }
        marks.fill(0);
        for position in 0..=value.len() {
            let byte = value.get(position).copied();
            let here = Here {
                position,
                last: byte.is_none(),
            };

            if position == 0 {
                let start = Thread {
                    place: 0,
                    ends: [0; 2],
                };

                self.follow(start, here, marks, &mut now, &mut stack);
            }
            next.len = 0;
            let after = Here {
                position: position.wrapping_add(1),
                last: position.wrapping_add(1) == value.len(),
            };
            for thread in (0..now.len).map_while(|index| now.get(index)) {
                let [op, to, _] = self.instruction(thread.place);

                match (op & 0xff, byte) {
                    (OP_MATCH, _) => {
                        // The threads behind this one are worth less.
                        found = Some(thread.ends);
                        break;
                    }
                    (OP_ANY_OF, Some(byte)) if takes(op, byte) => {
                        let thread = Thread {
                            place: to,
                            ..thread
                        };

                        self.follow(thread, after, marks, &mut next, &mut stack);
                    }
                    _ => (),
                }
            }
            core::mem::swap(&mut now, &mut next);
            if now.len == 0 {
                break;
            }
        }
        let [start, end] = found?.map(|end| (end as usize).checked_sub(1));

        value.get(start?..end?)
    }

    /// Adds the threads that `thread` leads to without taking a byte.
    fn follow(
        &self,
        thread: Thread,
        here: Here,
        marks: &mut [u32],
        list: &mut List<'_>,
        stack: &mut List<'_>,
    ) {
        // Marks of earlier positions are smaller.
        let mark = (here.position as u32).wrapping_add(1);

        stack.len = 0;
        stack.push(thread);
        while let Some(mut thread) = stack.pop() {
            match marks.get_mut(thread.place as usize) {
                Some(old) if *old != mark => *old = mark,
                _ => continue,
            }
            let [op, to, other] = self.instruction(thread.place);

            match op & 0xff {
                OP_MATCH | OP_ANY_OF => {
                    list.push(thread);
                    continue;
                }
                OP_SPLIT => stack.push(Thread {
                    place: other,
                    ..thread
                }),
                OP_SAVE => {
                    let end = usize::from(op & 0x100 != 0);

                    if let Some(end) = thread.ends.get_mut(end) {
                        *end = mark;
                    }
                }
                OP_START if here.position == 0 => (),
                OP_END if here.last => (),
                _ => continue,
            }
            thread.place = to;
            stack.push(thread);
        }
    }
}

/// Where in the value the machine is.
#[derive(Clone, Copy)]
struct Here {
    position: usize,
    last: bool,
}

/// Whether an instruction takes `byte`.
fn takes(op: u32, byte: u8) -> bool {
    let [_, low, high, _] = op.to_le_bytes();

    (low..=high).contains(&byte)
}
