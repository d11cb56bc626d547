// SPDX-License-Identifier: GPL-2.0

//! The module's own work queues.
//!
//! They are the module's own, and not the system's, so that the module can wait for the last
//! instruction of its last work item before its text goes away.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h).

use crate::linux::bindings;
use core::{
    ptr::{
        self,
        NonNull, //
    },
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc,
    time::msecs_to_jiffies,
    workqueue::{
        HasDelayedWork,
        HasWork,
        Queue,
        WorkItem, //
    },
};

/// Where a work item runs. Each runs on the CPU that queued it.
#[derive(Clone, Copy)]
pub(crate) enum On {
    /// In softirq, as soon as the current one is over.
    Softirq = 0,
    /// In process context, for moving data: at high priority.
    Process = 1,
    /// In process context, for accepting, connecting, closing and what may wait.
    Control = 2,
}

static QUEUES: [AtomicPtr<bindings::workqueue_struct>; 3] =
    [const { AtomicPtr::new(ptr::null_mut()) }; 3];

/// Keeps the queues in being. There is one, in the module, and it is dropped last.
///
/// # Invariants
///
/// While this exists, every pointer in `QUEUES` is a valid queue.
pub(crate) struct Queues(());

impl Queues {
    /// Makes the queues. Process context.
    pub(crate) fn new() -> Result<Self> {
        // INVARIANT: Each queue is made here or the call fails, and `drop()` undoes what was made.
        let this = Self(());

        for (queue, name, bh, highpri) in [
            (On::Softirq, c"ktcpvs_bh", true, false),
            (On::Process, c"ktcpvs_data", false, true),
            (On::Control, c"ktcpvs_ctl", false, false),
        ] {
            // SAFETY: The name is a C string, which the queue copies.
            let wq = unsafe { bindings::ktcpvs_alloc_workqueue(name.as_char_ptr(), bh, highpri) };
            let wq = NonNull::new(wq).ok_or(ENOMEM)?;

            QUEUES[queue as usize].store(wq.as_ptr(), Ordering::Release);
        }
        Ok(this)
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        for queue in &QUEUES {
            let wq = queue.swap(ptr::null_mut(), Ordering::AcqRel);

            if !wq.is_null() {
                // SAFETY: We made it, and nobody queues any more: the module has shut down all
                // that does. This waits for what runs.
                unsafe { bindings::destroy_workqueue(wq) };
            }
        }
    }
}

/// Queues `item`. Nothing happens if it is queued already: the run that is coming serves both.
pub(crate) fn enqueue<T, const ID: u64>(on: On, item: Arc<T>)
where
    T: WorkItem<ID, Pointer = Arc<T>> + HasWork<T, ID> + Send + Sync + 'static,
{
    if let Some(queue) = queue(on) {
        let _ = queue.enqueue::<Arc<T>, ID>(item);
    }
}

/// Queues `item` in `delay` milliseconds. Nothing happens if it is queued already.
pub(crate) fn enqueue_delayed<T, const ID: u64>(on: On, item: Arc<T>, delay: u32)
where
    T: WorkItem<ID, Pointer = Arc<T>> + HasDelayedWork<T, ID> + Send + Sync + 'static,
{
    if let Some(queue) = queue(on) {
        let _ = queue.enqueue_delayed::<Arc<T>, ID>(item, msecs_to_jiffies(delay));
    }
}

/// The queue for `on`. `None` while the module comes up or goes away.
fn queue(on: On) -> Option<&'static Queue> {
    let wq = QUEUES[on as usize].load(Ordering::Acquire);

    if wq.is_null() {
        pr_err!("work queued while the module is not up\n");
        return None;
    }
    // SAFETY: The queue is valid as long as `Queues` exists, which the module drops after
    // everything that could call this.
    Some(unsafe { Queue::from_raw(wq.cast_const().cast()) })
}
