// SPDX-License-Identifier: GPL-2.0

//! Network namespaces.
//!
//! C header: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h)

use crate::linux::bindings;
use core::{
    any::TypeId,
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::{
        Arc,
        Completion, //
    },
};

/// A network namespace that does not go away while this exists.
///
/// Kernel sockets do not count as users of their namespace, so this is no reference in the
/// kernel's sense: the namespace's end waits until every clone is gone. See [`Pernet::exit`].
#[derive(Clone)]
pub(crate) struct Net(Arc<Tether>);

/// # Invariants
///
/// `ptr` points to a live namespace, whose `exit` waits for `gone`, which `drop` announces.
struct Tether {
    ptr: NonNull<bindings::net>,
    gone: Arc<Gone>,
}

#[pin_data]
struct Gone {
    #[pin]
    done: Completion,
}

// SAFETY: A namespace may be used anywhere.
unsafe impl Send for Tether {}
// SAFETY: As above.
unsafe impl Sync for Tether {}

impl Drop for Tether {
    fn drop(&mut self) {
        self.gone.done.complete_all();
    }
}

impl Net {
    /// The kernel's namespace, valid as long as `self`.
    pub(in crate::linux) fn as_ptr(&self) -> *mut bindings::net {
        self.0.ptr.as_ptr()
    }

    /// Whether it belongs to a container: to another user namespace than the first, whose root may
    /// be nobody elsewhere.
    pub(crate) fn is_container(&self) -> bool {
        // SAFETY: By the type invariants of `Tether` it is alive.
        unsafe { bindings::ktcpvs_ns_is_container(self.as_ptr()) }
    }
}

/// A network namespace that is alive for `'a`, in which [`Pernet::init`] has run and
/// [`Pernet::exit`] has not.
#[derive(Clone, Copy)]
pub(crate) struct NetRef<'a> {
    ptr: NonNull<bindings::net>,
    _alive: PhantomData<&'a ()>,
}

impl NetRef<'_> {
    /// Makes one of the kernel's.
    ///
    /// # Safety
    ///
    /// `ptr` must be as the type says for the lifetime that the caller chooses.
    pub(in crate::linux) unsafe fn from_ptr(ptr: NonNull<bindings::net>) -> Self {
        Self {
            ptr,
            _alive: PhantomData,
        }
    }

    /// The object that [`Pernet::init`] made. `T` is the type that was registered.
    pub(crate) fn object<T: Pernet>(self) -> Option<Arc<T>> {
        // SAFETY: The namespace is alive, and between `init()` and `exit()` the slot holds null or
        // an `Entry` of the type that is registered, which begins with a `TypeId`.
        unsafe {
            let entry = *bindings::ktcpvs_ns_slot(self.ptr.as_ptr());
            let kind = entry.cast::<TypeId>().as_ref()?;

            (*kind == TypeId::of::<T>()).then(|| (*entry.cast::<Entry<T>>()).object.clone())
        }
    }
}

/// What the module has in each namespace.
pub(crate) trait Pernet: Sized + Send + Sync + 'static {
    /// Makes the object of a namespace. Process context.
    fn init(net: Net) -> Result<Arc<Self>>;

    /// Ends all that goes on in a namespace, so that before long every clone of the [`Net`] that
    /// `init` got is dropped; the namespace's end waits for that. Process context.
    fn exit(&self);
}

/// What a namespace's slot points to.
#[repr(C)]
struct Entry<T> {
    /// Which `T` this is. First, so that it can be read without knowing.
    kind: TypeId,
    object: Arc<T>,
    net: Net,
    gone: Arc<Gone>,
}

/// Keeps a `T` in every network namespace.
///
/// # Invariants
///
/// The operations of `T` are registered, by this value alone.
pub(crate) struct Registration<T: Pernet>(PhantomData<T>);

impl<T: Pernet> Registration<T> {
    /// Makes a `T` in every namespace, now and in future. Fails with `EBUSY` where another
    /// registration exists. Process context.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: The functions keep to the contract of pernet operations, and live in the module,
        // which drops this before it goes.
        to_result(unsafe { bindings::ktcpvs_ns_register(Some(init::<T>), Some(exit::<T>)) })?;
        // INVARIANT: Just registered.
        Ok(Self(PhantomData))
    }
}

impl<T: Pernet> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants they are registered.
        unsafe { bindings::ktcpvs_ns_unregister() };
    }
}

/// Makes the object of the namespace `ptr`.
fn enter<T: Pernet>(ptr: NonNull<bindings::net>) -> Result<KBox<Entry<T>>> {
    let gone = Arc::pin_init(
        pin_init!(Gone {
            done <- Completion::new(),
        }),
        GFP_KERNEL_ACCOUNT,
    )?;
    // INVARIANT: The namespace is just being made, and `exit()` waits for `gone`. If `init()`
    // fails the namespace does not outlive it, but then nobody has a clone either.
    let tether = Tether {
        ptr,
        gone: gone.clone(),
    };
    let net = Net(Arc::new(tether, GFP_KERNEL_ACCOUNT)?);
    let object = T::init(net.clone())?;

    let entry = Entry {
        kind: TypeId::of::<T>(),
        object,
        net,
        gone,
    };

    Ok(KBox::new(entry, GFP_KERNEL_ACCOUNT)?)
}

/// Makes the object of a namespace.
///
/// # Safety
///
/// To be called as the pernet operation only.
unsafe extern "C" fn init<T: Pernet>(net: *mut bindings::net) -> i32 {
    from_result(|| {
        let entry = enter::<T>(NonNull::new(net).ok_or(EINVAL)?)?;

        // SAFETY: The kernel has made room for the slot, which is ours.
        unsafe { *bindings::ktcpvs_ns_slot(net) = KBox::into_raw(entry).cast() };
        Ok(0)
    })
}

/// Ends what `init()` began.
///
/// # Safety
///
/// To be called as the pernet operation only.
unsafe extern "C" fn exit<T: Pernet>(net: *mut bindings::net) {
    // SAFETY: `init()` has put an `Entry<T>` there. No control operation runs any more: the
    // namespace's sockets are gone, or our family is.
    let entry = unsafe {
        let slot = bindings::ktcpvs_ns_slot(net);

        KBox::from_raw(ptr::replace(slot, ptr::null_mut()).cast::<Entry<T>>())
    };
    let Entry {
        object, net, gone, ..
    } = KBox::into_inner(entry);

    object.exit();
    drop(object);
    drop(net);
    gone.done.wait_for_completion();
    // Who dropped the last clone may still be on its way out of our text.
    // SAFETY: Process context, no lock held.
    unsafe { bindings::synchronize_net() };
}
