// SPDX-License-Identifier: GPL-2.0

//! What bindgen makes of the kernel's headers and of our C shims.
//!
//! Only the abstractions in this folder use it.

#![allow(
    clippy::all,
    clippy::cast_lossless,
    clippy::ignored_unit_patterns,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    improper_ctypes,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unknown_lints,
    unnecessary_transmutes
)]

use kernel::ffi;

// Blocklisted, as in the kernel's own bindings.
type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

include!(env!("KTCPVS_BINDINGS"));
