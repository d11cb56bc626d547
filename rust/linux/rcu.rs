// SPDX-License-Identifier: GPL-2.0

//! A shared pointer that readers follow without a lock.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use crate::linux::bindings;
use core::{
    mem, ptr,
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
};

/// An [`Arc`] that can be replaced while others read it.
///
/// # Invariants
///
/// `ptr` came from [`Arc::into_raw`]. The reference that it stands for is given up no sooner than
/// a grace period after `ptr` has been replaced.
pub(crate) struct RcuArc<T> {
    ptr: AtomicPtr<T>,
    _owns: core::marker::PhantomData<Arc<T>>,
}

impl<T: Send + Sync> RcuArc<T> {
    /// Begins with `value`.
    pub(crate) fn new(value: Arc<T>) -> Self {
        // INVARIANT: By construction.
        Self {
            ptr: AtomicPtr::new(Arc::into_raw(value).cast_mut()),
            _owns: core::marker::PhantomData,
        }
    }

    /// The value as it is now. Any context.
    pub(crate) fn get(&self) -> Arc<T> {
        let _guard = rcu::read_lock();
        let raw = self.ptr.load(Ordering::Acquire).cast_const();

        // SAFETY: We are in a read-side section, so by the type invariants the reference that
        // `raw` stands for lasts, whatever is put in its place; it stays with us by `forget()`.
        unsafe {
            let held = Arc::from_raw(raw);
            let value = held.clone();

            mem::forget(held);
            value
        }
    }

    /// Whether the value is `other`. A hint, unless changes are kept away.
    pub(crate) fn is(&self, other: &Arc<T>) -> bool {
        ptr::eq(self.ptr.load(Ordering::Relaxed).cast_const(), &**other)
    }

    /// Puts `value` in force. The old one is given up a grace period later.
    pub(crate) fn replace(&self, value: Arc<T>) -> Retired<T> {
        let old = self
            .ptr
            .swap(Arc::into_raw(value).cast_mut(), Ordering::AcqRel);

        // INVARIANT: `Retired` gives the reference up after a grace period.
        // SAFETY: By the type invariants `old` stands for a reference, ours now.
        Retired::new(unsafe { Arc::from_raw(old.cast_const()) })
    }
}

impl<T> Drop for RcuArc<T> {
    fn drop(&mut self) {
        // SAFETY: Nobody can read any more, so no grace period is needed to give the reference up.
        drop(unsafe { Arc::from_raw(self.ptr.get_mut().cast_const()) });
    }
}

/// A value that was replaced. Dropping it waits for a grace period: process context only.
#[must_use = "dropping this waits for readers; collect several for retire()"]
pub(crate) struct Retired<T>(Option<Arc<T>>);

impl<T> Retired<T> {
    /// A reference that readers may still have found where it was.
    pub(in crate::linux) fn new(value: Arc<T>) -> Self {
        Self(Some(value))
    }
}

impl<T> Drop for Retired<T> {
    fn drop(&mut self) {
        if self.0.is_some() {
            synchronize();
        }
    }
}

/// Gives several values up after one grace period. Process context.
pub(crate) fn retire<T>(mut values: KVVec<Retired<T>>) {
    if values.is_empty() {
        return;
    }
    synchronize();
    for value in values.iter_mut() {
        drop(value.0.take());
    }
}

/// Waits until every reader of now is done.
fn synchronize() {
    // SAFETY: Process context, by the contracts of our callers, who are in no read-side section.
    unsafe { bindings::synchronize_rcu() };
}
