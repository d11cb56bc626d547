// SPDX-License-Identifier: GPL-2.0

//! What is written is read, and what cannot be read is told.

use super::read::Source;
use super::samples::configs;
use super::write::Text;
use ktcpvs_netlink::{
    Action,
    Object,
    Operator,
    Setting,
    Subject, //
};
use proptest::prelude::*;

const GOOD: &str = r#"mem-limit 256M  # All of it.
pool web {
    scheduler wrr
    cookie SRV key 000102030405060708090a0b0c0d0e0f
    server 192.0.2.11:80 weight 3   # the large one
    server [2001:db8::1]:8080
}
pool none { }
service www {
    listen 0.0.0.0:80 [::]:80
    pool web
    timeout-head 500ms
    head-max 32k
    forwarded-for on
    enabled off
    rule host *.Example.org not-path-prefix /api use-pool web
    rule id 9 header-regex 'User-Agent=^curl/\d' cookie a="b c" redirect https://x/ code 308
    rule use-server web/192.0.2.11:80
}
"#;

#[test]
fn a_file_is_read() {
    let source = Source::read(GOOD.as_bytes()).unwrap();
    let config = &source.config;
    assert_eq!(config.check(), Ok(()));
    assert_eq!(config.mem_limit, 256 << 20);
    assert_eq!(config.pools[0].servers[0].weight, 3);
    assert_eq!(config.pools[0].servers[1].weight, 1);
    assert!(config.pools[1].servers.is_empty());
    let service = &config.services[0];
    assert!(!service.enabled);
    assert_eq!(service.listeners.len(), 2);
    assert_eq!(service.settings.get(Setting::TimeoutHead), 500);
    assert_eq!(service.settings.get(Setting::HeadMax), 32_768);
    let conditions = &service.rules[0].conditions;
    assert_eq!(conditions[0].operator, Operator::Wildcard);
    assert_eq!(conditions[0].value, b"*.example.org");
    assert!(conditions[1].not && conditions[1].subject == Subject::Path);
    assert_eq!(service.rules[1].id, 9);
    let header = &service.rules[1].conditions[0];
    assert_eq!(header.subject, Subject::Header("User-Agent".to_owned()));
    assert_eq!(header.value, br"^curl/\d");
    assert!(matches!(
        service.rules[1].action,
        Action::Redirect { status: 308, .. }
    ));
    assert_eq!(source.line(&Object::Rule("www".to_owned(), 2)), Some(17));
    assert_eq!(source.line(&Object::Service("www".to_owned())), Some(9));
    assert_eq!(source.line(&Object::Rule("www".to_owned(), 8)), Some(9));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_word() {
    let cases = [
        ("pol web {", 1, "'pol'"),
        ("mem-limit", 1, "'mem-limit'"),
        ("\nmem-limit lots", 2, "'lots'"),
        ("mem-limit 1t", 1, "'1t'"),
        ("mem-limit -1", 1, "'-1'"),
        (
            "mem-limit 18446744073709551616",
            1,
            "'18446744073709551616'",
        ),
        ("mem-limit 1m 2m", 1, "'2m'"),
        ("mem-limit {", 1, "'{'"),
        ("mem-limit 0\npool web { }\nmem-limit 1m", 3, "twice"),
        ("pool web {\nmem-limit 1m", 2, "'mem-limit'"),
        ("service www {\nmem-limit 1m", 2, "'mem-limit'"),
        ("pool web", 1, "'{'"),
        ("pool", 1, "name"),
        ("pool a/b {", 1, "'a/b'"),
        ("pool web {\n\n", 1, "'}'"),
        ("pool web { }\npool web {", 2, "'web'"),
        ("pool web {\nscheduler fast", 2, "'fast'"),
        ("pool web {\nscheduler", 2, "'scheduler'"),
        ("pool web {\nscheduler rr wlc", 2, "'wlc'"),
        ("pool web {\nscheduler rr\nscheduler rr", 3, "twice"),
        ("pool web {\ncookie a=b", 2, "'a=b'"),
        ("pool web {\ncookie a key 12", 2, "'12'"),
        ("pool web {\nserver 192.0.2.1", 2, "'192.0.2.1'"),
        ("pool web {\nserver 192.0.2.1:80 heavy 1", 2, "'heavy'"),
        ("pool web {\nserver 192.0.2.1:80 weight -1", 2, "'-1'"),
        (
            "pool web {\nserver 192.0.2.1:80\nserver 192.0.2.1:80",
            3,
            "'192.0.2.1:80'",
        ),
        ("pool web {\nlisten 192.0.2.1:80", 2, "'listen'"),
        ("service www {\n\nlisten :80", 3, "':80'"),
        ("service www {\nlisten", 2, "'listen'"),
        ("service www {\nenabled yes", 2, "'yes'"),
        ("service www {\ntimeout-head 5", 2, "'5'"),
        ("service www {\nhead-max 1g", 2, "'1g'"),
        ("service www {\nrule", 2, "action"),
        ("service www {\nrule path", 2, "'path'"),
        ("service www {\nrule paht /x status 404", 2, "'paht'"),
        (
            "service www {\nrule path-glob /x status 404",
            2,
            "'path-glob'",
        ),
        ("service www {\nrule path-wildcard *.x", 2, "action"),
        ("service www {\nrule header X status 404", 2, "'X'"),
        ("service www {\nrule status 404 status 405", 2, "'status'"),
        ("service www {\nrule status x", 2, "'x'"),
        ("service www {\nrule status 404 code 301", 2, "'code'"),
        ("service www {\nrule status 404 capture 1", 2, "'capture'"),
        ("service www {\nrule id 0 status 404", 2, "'0'"),
        ("service www {\nrule id 1 id 2 status 404", 2, "'id'"),
        ("service www {\nrule use-server web", 2, "'web'"),
        ("service www {\nrule path '/x status 404", 2, "'"),
    ];
    for (text, line, word) in cases {
        let fault = Source::read(text.as_bytes()).unwrap_err();
        assert_eq!(fault.line, line, "{text}");
        assert!(fault.message.contains(word), "{text}: {}", fault.message);
    }
}

#[test]
fn a_limit_is_written_unless_it_is_the_default() {
    let written = |text: &str| {
        let source = Source::read(text.as_bytes()).unwrap();
        Text(&source.config).to_string()
    };
    assert_eq!(written("mem-limit 0"), "");
    assert_eq!(written("mem-limit default"), "");
    assert_eq!(written("mem-limit 262144k"), "mem-limit 256m\n");
    assert_eq!(written("mem-limit 1025"), "mem-limit 1025\n");
    let after = written("pool web { }\nmem-limit 2048m");
    assert!(after.starts_with("mem-limit 2g\n\npool web {\n"), "{after}");
}

proptest! {
    #[test]
    fn what_is_written_is_read(config in configs()) {
        let mut config = config;
        for service in &mut config.services {
            // An id of 0 is none, and another rule's is refused elsewhere.
            let rules = service.rules.iter_mut();
            rules.zip(1..).for_each(|(rule, n)| rule.id = rule.id.checked_add(n).unwrap_or(n));
        }
        let text = Text(&config).to_string();
        let read = Source::read(text.as_bytes());
        prop_assert!(read.is_ok(), "{:?}\n{}", read, text);
        prop_assert_eq!(&read.unwrap().config, &config);
    }

    #[test]
    fn no_text_is_a_panic(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Source::read(&text);
    }

    #[test]
    fn no_words_are_a_panic(words in "((pool|service|rule|listen|path|id|x|\\{|\\}|')[ \n]){0,20}") {
        let _ = Source::read(words.as_bytes());
    }
}
