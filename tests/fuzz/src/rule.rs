// SPDX-License-Identifier: GPL-2.0

//! Rules: programs from anywhere, and those that are compiled.

mod capture;
mod program;
mod rules;
mod wish;

pub use self::{
    capture::capture,
    program::{
        damage,
        program, //
    },
    rules::rules,
    wish::program as example, //
};

use ktcpvs_core::rule::Subjects;

/// A request, as far as rules look at it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The path, and the query if there is one.
    pub url: Vec<u8>,
    /// The host.
    pub host: Vec<u8>,
    /// The method.
    pub method: Vec<u8>,
    /// The fields, which are the cookies too.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Subjects for Request {
    fn path(&self) -> &[u8] {
        self.url
            .split(|&byte| byte == b'?')
            .next()
            .unwrap_or_default()
    }

    fn url(&self) -> &[u8] {
        &self.url
    }

    fn host(&self) -> &[u8] {
        &self.host
    }

    fn method(&self) -> &[u8] {
        &self.method
    }

    fn header(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        let named = |field: &&(Vec<u8>, Vec<u8>)| field.0.eq_ignore_ascii_case(name);

        self.fields
            .iter()
            .filter(named)
            .for_each(|field| each(&field.1));
    }

    fn cookie(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        let named = self.fields.iter().filter(|field| field.0 == name);

        named.for_each(|field| each(&field.1));
    }
}
