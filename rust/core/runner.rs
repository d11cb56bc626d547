// SPDX-License-Identifier: GPL-2.0

//! Who runs a connection next, and where.
//!
//! A connection is run in three contexts, which can take different locks. What one of them may not
//! do is handed over to the next. That decision is made here, for the module and for the model of
//! its concurrency (`tests/model`) alike.

/// More unread bytes than this are moved in process context.
pub const BULK: usize = 16 * 1024;

/// How many steps one run takes before it lets others run.
const BUDGET: usize = 64;

/// Where a connection runs, and so how it may take a second lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// In the callback of one of its sockets: the other one's lock is only tried.
    Direct,
    /// In softirq of our own: the second lock may be waited for, but not a process.
    Softirq,
    /// In process context.
    Process,
}

/// What a step of the state machine asks its runner for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The next step.
    Again,
    /// To wait until something happens.
    Wait,
    /// To run again where more may be done.
    Defer,
    /// A connection to the chosen server.
    Connect,
    /// The end: with a reset, if something was cut short.
    Close {
        /// Whether the client must see that something is missing.
        reset: bool,
    },
}

/// What is to be done after a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing, until something happens.
    Rest,
    /// To run again in [`Mode::Softirq`].
    Softirq,
    /// To run again in [`Mode::Process`].
    Process,
    /// To run again in [`Mode::Process`], but later: there is no memory.
    Starve,
    /// To connect to the chosen server, in process context and without a lock.
    Connect,
    /// To end the connection.
    Finish {
        /// With a reset.
        reset: bool,
    },
}

impl Mode {
    /// Takes steps until one waits, or asks for what cannot be had in this mode.
    #[inline(always)]
    pub fn run(self, mut step: impl FnMut() -> Step) -> Next {
        let mut budget = BUDGET;

        loop {
            return match step() {
                Step::Again if budget > 0 => {
                    budget -= 1;
                    continue;
                }
                Step::Again => Next::Process,
                Step::Wait => Next::Rest,
                Step::Defer => self.beyond(),
                Step::Connect => Next::Connect,
                Step::Close { reset } => Next::Finish { reset },
            };
        }
    }

    /// Where more may be done than in this mode.
    #[inline(always)]
    fn beyond(self) -> Next {
        match self {
            Self::Direct => Next::Softirq,
            Self::Softirq => Next::Process,
            // Every lock is waited for here, so that only memory can be missing.
            Self::Process => Next::Starve,
        }
    }
}

/// What is to be done about an event at a connection whose lock cannot be had, `owned` by a
/// process or not.
#[inline(always)]
pub fn without_lock(owned: bool) -> Next {
    if owned {
        Next::Process
    } else {
        Next::Softirq
    }
}

/// What is to be done instead of a run in [`Mode::Direct`] where so much is `unread`, if anything.
#[inline(always)]
pub fn instead_of_direct(unread: usize) -> Option<Next> {
    (unread > BULK).then_some(Next::Process)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a state machine that takes the `steps`, and says how many it took.
    fn run(mode: Mode, steps: &[Step]) -> (Next, usize) {
        let mut taken = 0;
        let next = mode.run(|| {
            taken += 1;
            steps[(taken - 1).min(steps.len() - 1)]
        });

        (next, taken)
    }

    #[test]
    fn deferral_goes_one_context_further() {
        assert_eq!(run(Mode::Direct, &[Step::Defer]).0, Next::Softirq);
        assert_eq!(run(Mode::Softirq, &[Step::Defer]).0, Next::Process);
        assert_eq!(run(Mode::Process, &[Step::Defer]).0, Next::Starve);
    }

    #[test]
    fn a_run_ends_with_the_first_step_that_is_not_again() {
        let steps = [Step::Again, Step::Again, Step::Wait];

        assert_eq!(run(Mode::Direct, &steps), (Next::Rest, 3));
        assert_eq!(
            run(Mode::Process, &[Step::Again, Step::Connect]),
            (Next::Connect, 2)
        );
        assert_eq!(
            run(Mode::Softirq, &[Step::Close { reset: true }]),
            (Next::Finish { reset: true }, 1)
        );
    }

    #[test]
    fn a_run_without_end_is_given_up() {
        for mode in [Mode::Direct, Mode::Softirq, Mode::Process] {
            assert_eq!(run(mode, &[Step::Again]), (Next::Process, BUDGET + 1));
        }
    }

    #[test]
    fn what_cannot_run_at_once_is_queued_where_it_can() {
        assert_eq!(without_lock(true), Next::Process);
        assert_eq!(without_lock(false), Next::Softirq);
        assert_eq!(instead_of_direct(BULK), None);
        assert_eq!(instead_of_direct(BULK + 1), Some(Next::Process));
    }
}
