// SPDX-License-Identifier: GPL-2.0

//! The generic netlink family, whose operations and policies are generated C.
//!
//! C header: [`include/net/genetlink.h`](srctree/include/net/genetlink.h)

mod message;

pub(crate) use self::message::Message;
use crate::linux::{
    bindings,
    net::NetRef, //
};
use core::{
    marker::PhantomData,
    mem::size_of,
    ptr::{
        self,
        NonNull, //
    },
    slice,
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::Arc, //
};
pub(crate) use ktcpvs_core::netlink::{
    Attr,
    Attrs, //
};

/// The longest message of a dump in bytes, headers included.
const DUMP_MESSAGE_MAX: u32 = 24 * 1024;

/// How far a dump has come; what the numbers mean is the family's business.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// What kind of object comes next.
    pub(crate) stage: u32,
    /// Which one.
    pub(crate) outer: u32,
    /// Which one in that.
    pub(crate) inner: u32,
}

/// What the family's operations do.
pub(crate) trait Family: 'static {
    /// What a dump shows: a state that does not change meanwhile.
    type Snapshot: Send + Sync + 'static;

    /// Carries a transaction out. Process context; several at once.
    fn change<'a>(net: NetRef<'_>, attrs: Attrs<'a>, ack: &mut Ack<'a>) -> Result;

    /// What a dump that begins now shows.
    fn snapshot(net: NetRef<'_>) -> Result<Arc<Self::Snapshot>>;

    /// Writes the object at `cursor` into `message` and moves on. Returns false at the end.
    fn dump(
        snapshot: &Self::Snapshot,
        cursor: &mut Cursor,
        message: &mut Message<'_>,
    ) -> Result<bool>;
}

/// What is said of a request beside its error code.
///
/// # Invariants
///
/// `ptr` is valid as long as the request is, or null.
pub(crate) struct Ack<'a> {
    ptr: *mut bindings::netlink_ext_ack,
    _message: PhantomData<&'a [u8]>,
}

impl<'a> Ack<'a> {
    /// Says `text`, of which 79 bytes are kept.
    pub(crate) fn say(&mut self, text: &[u8]) {
        if !self.ptr.is_null() {
            // SAFETY: By the type invariants; the text is copied.
            unsafe { bindings::ktcpvs_genl_ack_text(self.ptr, text.as_ptr(), text.len()) };
        }
    }

    /// Points at the attribute to blame.
    pub(crate) fn blame(&mut self, attr: Attr<'a>) {
        if !self.ptr.is_null() {
            // SAFETY: By the type invariants; the attribute lies in the request.
            unsafe { bindings::ktcpvs_genl_ack_blame(self.ptr, attr.whole().as_ptr().cast()) };
        }
    }
}

/// Keeps the family registered.
///
/// # Invariants
///
/// The family is registered, by this value alone.
pub(crate) struct Registration(());

impl Registration {
    /// Registers the family. Its operations must be ready. Process context.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: The family is generated, whole, and registered once.
        to_result(unsafe { bindings::genl_register_family(&raw mut bindings::ktcpvs_nl_family) })?;
        // INVARIANT: Just registered.
        Ok(Self(()))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: By the type invariants it is registered. This waits for operations to end.
        unsafe { bindings::genl_unregister_family(&raw const bindings::ktcpvs_nl_family) };
    }
}

/// What a dump keeps between its calls, in `netlink_callback::ctx`.
///
/// # Invariants
///
/// `snapshot` came from [`Arc::into_raw`], and is given up in [`done`].
struct Dump<S> {
    snapshot: *const S,
    cursor: Cursor,
}

/// Where `cb` keeps the state of a dump.
///
/// # Safety
///
/// `cb` must be valid.
unsafe fn context<S>(cb: *mut bindings::netlink_callback) -> *mut Dump<S> {
    const { assert!(size_of::<Dump<S>>() <= bindings::KTCPVS_GENL_CTX as usize) };
    // SAFETY: By the safety requirements.
    unsafe { bindings::ktcpvs_genl_dump_ctx(cb).cast() }
}

/// # Safety
///
/// To be called as the family's `doit` only.
pub(crate) unsafe fn change<F: Family>(info: *mut bindings::genl_info) -> i32 {
    let mut payload = bindings::ktcpvs_piece::default();

    // SAFETY: The request is valid, and so is its namespace, while it is carried out.
    unsafe {
        bindings::ktcpvs_genl_payload(info, &mut payload);
        let Some(net) = NonNull::new(bindings::ktcpvs_genl_net(info)) else {
            return EINVAL.to_errno();
        };
        let attrs = Attrs::new(slice::from_raw_parts(payload.data, payload.len));
        // INVARIANT: It is the request's own.
        let mut ack = Ack {
            ptr: bindings::ktcpvs_genl_ack(info),
            _message: PhantomData,
        };

        from_result(|| F::change(NetRef::from_ptr(net), attrs, &mut ack).map(|()| 0))
    }
}

/// # Safety
///
/// To be called as the family's `start` only.
pub(crate) unsafe fn start<F: Family>(cb: *mut bindings::netlink_callback) -> i32 {
    from_result(|| {
        // SAFETY: The callback and its namespace are valid while we are called.
        let net = unsafe {
            NetRef::from_ptr(NonNull::new(bindings::ktcpvs_genl_dump_net(cb)).ok_or(EINVAL)?)
        };
        // INVARIANT: By construction.
        let dump = Dump {
            snapshot: Arc::into_raw(F::snapshot(net)?),
            cursor: Cursor::default(),
        };

        // SAFETY: The callback is valid, and there is room, aligned for pointers.
        unsafe {
            bindings::ktcpvs_genl_dump_alloc(cb, DUMP_MESSAGE_MAX);
            context::<F::Snapshot>(cb).write(dump);
        }
        Ok(0)
    })
}

/// # Safety
///
/// To be called as the family's `dumpit` only.
pub(crate) unsafe fn dump<F: Family>(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
    cmd: u8,
) -> i32 {
    // SAFETY: The callback is ours while we are called, and `start()` has filled the context.
    let dump = unsafe { &mut *context::<F::Snapshot>(cb) };
    // SAFETY: By the type invariants the snapshot lasts until `done()`.
    let snapshot = unsafe { &*dump.snapshot };

    loop {
        let mut cursor = dump.cursor;
        // SAFETY: Both are valid and ours while we are called.
        let message = unsafe { Message::begin(skb, cb, cmd) };
        let written = message.and_then(|mut message| {
            let any = F::dump(snapshot, &mut cursor, &mut message)?;

            if any {
                message.end();
            }
            Ok(any)
        });
        // SAFETY: The buffer is valid.
        let len = unsafe { bindings::ktcpvs_skb_len(skb) } as i32;

        match written {
            Ok(true) => dump.cursor = cursor,
            Ok(false) => return len,
            // The buffer is full; the object goes into the next.
            Err(e) if e == EMSGSIZE && len > 0 => return len,
            Err(e) => return e.to_errno(),
        }
    }
}

/// # Safety
///
/// To be called as the family's `done` only.
pub(crate) unsafe fn done<F: Family>(cb: *mut bindings::netlink_callback) -> i32 {
    // SAFETY: The callback is valid, and `start()` has filled the context; nobody uses it any
    // more.
    unsafe {
        let dump = context::<F::Snapshot>(cb);
        let snapshot = ptr::replace(&raw mut (*dump).snapshot, ptr::null());

        if !snapshot.is_null() {
            drop(Arc::from_raw(snapshot));
        }
    }
    0
}

/// Defines the operations that the generated family calls, by the names that it gives them.
macro_rules! genetlink_operations {
    ($family:ty, $get:expr) => {
        const _: () = {
            use $crate::linux::{
                bindings,
                net::genetlink, //
            };

            /// # Safety
            ///
            /// To be called by generic netlink only.
            #[no_mangle]
            unsafe extern "C" fn ktcpvs_nl_change_doit(
                _skb: *mut bindings::sk_buff,
                info: *mut bindings::genl_info,
            ) -> i32 {
                // SAFETY: This is the `doit`.
                unsafe { genetlink::change::<$family>(info) }
            }

            /// # Safety
            ///
            /// To be called by generic netlink only.
            #[no_mangle]
            unsafe extern "C" fn ktcpvs_nl_get_start(cb: *mut bindings::netlink_callback) -> i32 {
                // SAFETY: This is the `start`.
                unsafe { genetlink::start::<$family>(cb) }
            }

            /// # Safety
            ///
            /// To be called by generic netlink only.
            #[no_mangle]
            unsafe extern "C" fn ktcpvs_nl_get_dumpit(
                skb: *mut bindings::sk_buff,
                cb: *mut bindings::netlink_callback,
            ) -> i32 {
                // SAFETY: This is the `dumpit`.
                unsafe { genetlink::dump::<$family>(skb, cb, $get) }
            }

            /// # Safety
            ///
            /// To be called by generic netlink only.
            #[no_mangle]
            unsafe extern "C" fn ktcpvs_nl_get_done(cb: *mut bindings::netlink_callback) -> i32 {
                // SAFETY: This is the `done`.
                unsafe { genetlink::done::<$family>(cb) }
            }
        };
    };
}
pub(crate) use genetlink_operations;
