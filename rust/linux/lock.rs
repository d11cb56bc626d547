// SPDX-License-Identifier: GPL-2.0

//! A spinlock that also keeps softirqs off.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::linux::bindings;
use kernel::sync::lock::{
    Backend,
    Lock, //
};

/// Makes an initialiser of a [`SpinLockBh`] with a lock class and a name of its own.
macro_rules! new_spinlock_bh {
    ($inner:expr, $name:literal) => {
        $crate::linux::lock::SpinLockBh::new(
            $inner,
            kernel::optional_name!($name),
            kernel::static_lock_class!(),
        )
    };
}
pub(crate) use new_spinlock_bh;

/// A spinlock for what is used in softirq and in process context alike.
pub(crate) type SpinLockBh<T> = Lock<T, SpinLockBhBackend>;

/// The `_bh` forms of a kernel `spinlock_t`.
pub(crate) struct SpinLockBhBackend;

// SAFETY: The underlying `spinlock_t` ensures mutual exclusion, and `relock` is the default.
unsafe impl Backend for SpinLockBhBackend {
    type State = kernel::bindings::spinlock_t;
    /// Whether softirqs had to be turned off.
    type GuardState = bool;

    #[inline]
    unsafe fn init(
        ptr: *mut Self::State,
        name: *const kernel::ffi::c_char,
        key: *mut kernel::bindings::lock_class_key,
    ) {
        // SAFETY: `ptr` is valid for writes, `name` and `key` for reads for ever.
        unsafe { kernel::bindings::__spin_lock_init(ptr, name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState {
        // SAFETY: `ptr` is an initialised lock.
        unsafe { bindings::ktcpvs_spin_lock_bh(ptr.cast()) }
    }

    #[inline]
    unsafe fn unlock(ptr: *mut Self::State, bh: &Self::GuardState) {
        // SAFETY: `ptr` is an initialised lock that the caller holds.
        unsafe { bindings::ktcpvs_spin_unlock_bh(ptr.cast(), *bh) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState> {
        // SAFETY: `ptr` is an initialised lock.
        unsafe { bindings::ktcpvs_spin_trylock_bh(ptr.cast()) }.then_some(true)
    }

    #[inline]
    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: `ptr` is an initialised lock.
        #[cfg(CONFIG_LOCKDEP)]
        unsafe {
            bindings::ktcpvs_spin_assert_held(ptr.cast())
        }
        #[cfg(not(CONFIG_LOCKDEP))]
        let _ = ptr;
    }
}
