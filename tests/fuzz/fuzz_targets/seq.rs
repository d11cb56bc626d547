// SPDX-License-Identifier: GPL-2.0

#![no_main]

libfuzzer_sys::fuzz_target!(init: ktcpvs_fuzz::corpus::serve("seq"), |data: &[u8]| {
    ktcpvs_fuzz::seq::seq(data);
});
