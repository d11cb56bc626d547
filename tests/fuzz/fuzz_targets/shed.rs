// SPDX-License-Identifier: GPL-2.0

#![no_main]

libfuzzer_sys::fuzz_target!(init: ktcpvs_fuzz::corpus::serve("shed"), |data: &[u8]| {
    ktcpvs_fuzz::shed::shed(data);
});
