// SPDX-License-Identifier: GPL-2.0

//! Messages: heads read and written, contents followed to their ends.

mod body;
mod cookies;
mod fields;
mod forward_request;
mod forward_response;
mod reply;
mod request;
mod response;
mod scan;
mod target;

pub use self::{
    body::body,
    cookies::cookies,
    fields::fields,
    forward_request::forward_request,
    forward_response::forward_response,
    reply::reply,
    request::request,
    response::response,
    scan::scan,
    target::target, //
};
