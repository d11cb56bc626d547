// SPDX-License-Identifier: GPL-2.0

//! Per-CPU data.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::linux::bindings;
use core::{
    cell::UnsafeCell,
    ffi::c_void,
    ptr::NonNull, //
};
use kernel::prelude::*;
use pin_init::Wrapper;

/// One more than the highest number of a CPU. Never changes.
pub(crate) fn cpus() -> usize {
    // SAFETY: The number never changes once the kernel is up.
    unsafe { bindings::nr_cpu_ids as usize }
}

/// The number of the CPU that this runs on, or ran on a moment ago: below [`cpus()`].
pub(crate) fn some_cpu() -> usize {
    // SAFETY: No requirements.
    unsafe { bindings::ktcpvs_some_cpu() as usize }
}

/// `N` counters, each counted on every CPU by itself.
///
/// # Invariants
///
/// `ptr` came from `ktcpvs_counters_alloc(N)` and is ours.
pub(crate) struct Counters<const N: usize> {
    ptr: NonNull<c_void>,
}

// SAFETY: The functions may be called anywhere, on any CPU, at once.
unsafe impl<const N: usize> Send for Counters<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for Counters<N> {}

impl<const N: usize> Counters<N> {
    /// All are 0. Process context.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: No requirements.
        let ptr = unsafe { bindings::ktcpvs_counters_alloc(N as u32) };

        // INVARIANT: Just allocated.
        Ok(Self {
            ptr: NonNull::new(ptr).ok_or(ENOMEM)?,
        })
    }

    /// Adds `n` to counter `I`. Any context.
    #[inline]
    pub(crate) fn add<const I: usize>(&self, n: u64) {
        const { assert!(I < N) };
        // SAFETY: By the type invariants the counters are there, and `I` is one of them.
        unsafe { bindings::ktcpvs_counters_add(self.ptr.as_ptr(), I as u32, n) };
    }

    /// Adds `n` to counter `I` and those behind it. Any context.
    #[inline]
    pub(crate) fn add3<const I: usize>(&self, n: [u64; 3]) {
        const { assert!(I + 2 < N) };
        // SAFETY: As above.
        unsafe {
            bindings::ktcpvs_counters_add3(self.ptr.as_ptr(), I as u32, n[0], n[1], n[2]);
        }
    }

    /// What all CPUs have counted in counter `I`. Each CPU's part is read as it is just then.
    pub(crate) fn sum<const I: usize>(&self) -> u64 {
        const { assert!(I < N) };
        // SAFETY: As above.
        unsafe { bindings::ktcpvs_counters_sum(self.ptr.as_ptr(), I as u32) }
    }
}

impl<const N: usize> Drop for Counters<N> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the counters are ours.
        unsafe { bindings::ktcpvs_counters_free(self.ptr.as_ptr()) };
    }
}

/// A `T` for every CPU, to be used with softirqs off.
///
/// # Invariants
///
/// There are `nr_cpu_ids` cells. A cell is touched only on its own CPU with softirqs off, and its
/// value only by who has set `busy`.
pub(crate) struct PerCpuCell<T> {
    cells: KVec<Pin<KBox<Cell<T>>>>,
}

#[pin_data]
struct Cell<T> {
    busy: UnsafeCell<bool>,
    #[pin]
    value: UnsafeCell<T>,
}

// SAFETY: By the type invariants a cell is touched by one at a time, which may be any thread.
unsafe impl<T: Send> Send for PerCpuCell<T> {}
// SAFETY: As above.
unsafe impl<T: Send> Sync for PerCpuCell<T> {}

impl<T> PerCpuCell<T> {
    /// Fills the cells with what `make` makes. Process context.
    pub(crate) fn new<I: Init<T, Error>>(make: impl Fn() -> I) -> Result<Self> {
        let nr = cpus();
        let mut cells = KVec::with_capacity(nr, GFP_KERNEL_ACCOUNT)?;

        for _ in 0..nr {
            let value = make();
            let cell = try_pin_init!(Cell {
                busy: UnsafeCell::new(false),
                // In place: a `T` may be large, and the stack is not.
                value <- UnsafeCell::pin_init(value),
            }? Error);

            cells.push(
                KBox::pin_init(cell, GFP_KERNEL_ACCOUNT)?,
                GFP_KERNEL_ACCOUNT,
            )?;
        }
        // INVARIANT: A cell for each possible number of a CPU.
        Ok(Self { cells })
    }

    /// Lets `f` use this CPU's value, with softirqs off. `None` if it is in use already, by whom
    /// we were called. Softirq or process context, not with interrupts off.
    pub(crate) fn with_bh<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut bh = false;
        // SAFETY: `bh` is a place for the result. Undone below.
        let cpu = unsafe { bindings::ktcpvs_this_cpu_begin(&mut bh) } as usize;
        let result = self.cells.get(cpu).and_then(|cell| {
            // SAFETY: This is the cell's CPU and softirqs are off, so nobody else looks at `busy`;
            // and whoever finds it unset and sets it has the value alone until it is unset.
            unsafe {
                if *cell.busy.get() {
                    return None;
                }
                *cell.busy.get() = true;
                let result = f(&mut *cell.value.get());
                *cell.busy.get() = false;
                Some(result)
            }
        });

        if bh {
            // SAFETY: Pairs with the beginning, which turned them off.
            unsafe { bindings::ktcpvs_this_cpu_end() };
        }
        result
    }
}
