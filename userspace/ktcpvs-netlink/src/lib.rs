// SPDX-License-Identifier: GPL-2.0

//! The configuration of ktcpvs, and how to get and change it over generic netlink.
