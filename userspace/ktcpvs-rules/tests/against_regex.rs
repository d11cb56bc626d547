// SPDX-License-Identifier: GPL-2.0

//! The compiled program finds the rule that a plain reading of the rules would find.

use ktcpvs_core::rule::{
    Program,
    Subjects,
    SCRATCH_WORDS, //
};
use ktcpvs_rules::{
    compile,
    Condition,
    Fault,
    Operator,
    Rule,
    Subject, //
};
use proptest::prelude::*;
use regex::bytes::{
    Regex,
    RegexBuilder, //
};

/// A request, as far as rules look at it.
#[derive(Clone, Debug, Default)]
struct Request {
    path: Vec<u8>,
    host: Vec<u8>,
    method: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

impl Subjects for Request {
    fn path(&self) -> &[u8] {
        self.path.split(|&byte| byte == b'?').next().unwrap()
    }

    fn url(&self) -> &[u8] {
        &self.path
    }

    fn host(&self) -> &[u8] {
        &self.host
    }

    fn method(&self) -> &[u8] {
        &self.method
    }

    fn header(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        for (field, value) in &self.headers {
            if field.as_bytes().eq_ignore_ascii_case(name) {
                each(value);
            }
        }
    }

    fn cookie(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        self.header(name, each);
    }
}

fn regex(text: &[u8]) -> Regex {
    RegexBuilder::new(std::str::from_utf8(text).unwrap())
        .unicode(false)
        .build()
        .unwrap()
}

/// Whether `condition` holds for one value.
fn compares(condition: &Condition, value: &[u8]) -> bool {
    let wanted = &condition.value;

    match condition.operator {
        Operator::Exact => value == wanted,
        Operator::Prefix => value.starts_with(wanted),
        Operator::Suffix => value.ends_with(wanted),
        Operator::Regex => regex(wanted).is_match(value),
        Operator::Wildcard => value.len() >= wanted.len() && value.ends_with(&wanted[1..]),
    }
}

fn holds(condition: &Condition, request: &Request) -> bool {
    let mut any = false;
    let mut each = |value: &[u8]| any |= compares(condition, value);

    match &condition.subject {
        Subject::Path => each(request.path()),
        Subject::Url => each(request.url()),
        Subject::Host => each(request.host()),
        Subject::Method => each(request.method()),
        Subject::Header(name) => request.header(name.as_bytes(), &mut each),
        Subject::Cookie(name) => request.cookie(name.as_bytes(), &mut each),
    }
    any != condition.not
}

/// The first rule all of whose conditions hold.
fn naive(rules: &[Rule], request: &Request) -> Option<u32> {
    rules
        .iter()
        .position(|rule| rule.conditions.iter().all(|c| holds(c, request)))
        .map(|index| index as u32)
}

fn find(words: &[u32], rules: usize, request: &Request) -> Option<u32> {
    let layout = Program::verify(words, rules as u32).unwrap();
    let mut scratch = vec![0; SCRATCH_WORDS];
    let program = Program::new(words, &layout);
    let first = program.find(request, &mut scratch);

    // The memory must be fit to be used again.
    assert_eq!(program.find(request, &mut scratch), first);
    first
}

fn condition(subject: Subject, operator: Operator, value: &str) -> Condition {
    Condition {
        subject,
        operator,
        value: value.into(),
        not: false,
    }
}

fn rule(conditions: Vec<Condition>) -> Rule {
    Rule {
        conditions,
        capture: None,
    }
}

/// Short texts of few letters, so that they often match.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ab/.]{0,6}").unwrap()
}

fn any_regex() -> impl Strategy<Value = String> {
    prop_oneof![
        text().prop_map(|text| format!("^{}", regex_escape(&text))),
        text().prop_map(|text| format!("{}$", regex_escape(&text))),
        Just("a+b".to_owned()),
        Just("^/(a|b)*$".to_owned()),
        Just("[^a]b?/".to_owned()),
        Just(r"\.a{2,3}\b".to_owned()),
        Just("(?i)AB".to_owned()),
        Just(String::new()),
    ]
}

fn regex_escape(text: &str) -> String {
    text.replace('.', r"\.")
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let subject = prop_oneof![
        Just(Subject::Path),
        Just(Subject::Url),
        Just(Subject::Host),
        Just(Subject::Method),
        Just(Subject::Header("X".into())),
        Just(Subject::Cookie("y".into())),
    ];
    let literal = prop_oneof![
        Just(Operator::Exact),
        Just(Operator::Prefix),
        Just(Operator::Suffix),
    ];
    let value = prop_oneof![
        2 => (literal, text()).boxed(),
        2 => (Just(Operator::Regex), any_regex()).boxed(),
    ];

    prop_oneof![
        8 => (subject, value, any::<bool>()).prop_map(|(subject, (operator, value), not)| Condition {
            subject,
            operator,
            value: value.into(),
            not,
        }),
        1 => text().prop_map(|text| condition(
            Subject::Host,
            Operator::Wildcard,
            &format!("*.{text}a"),
        )),
    ]
}

fn any_request() -> impl Strategy<Value = Request> {
    let headers = prop::collection::vec((prop_oneof![Just("x"), Just("Y")], text()), 0..4);

    (text(), text(), text(), headers).prop_map(|(path, host, method, headers)| Request {
        path: path.into(),
        host: host.into(),
        method: method.into(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn finds_what_a_plain_reading_finds(
        rules in prop::collection::vec(
            prop::collection::vec(any_condition(), 0..4).prop_map(rule),
            1..12,
        ),
        requests in prop::collection::vec(any_request(), 1..20),
    ) {
        let words = compile(&rules).unwrap();

        for request in &requests {
            prop_assert_eq!(find(&words, rules.len(), request), naive(&rules, request));
        }
    }

    #[test]
    fn a_capture_is_what_the_regex_crate_captures(value in "[a-c/]{0,12}") {
        for text in ["^/([ab]+)/", "(a*)(b|c)", "([^/]*)$", "(a|ab)(c|bcd)?", "b(c?)"] {
            let rules = [Rule {
                conditions: vec![condition(Subject::Path, Operator::Regex, text)],
                capture: Some(1),
            }];
            let words = compile(&rules).unwrap();
            let layout = Program::verify(&words, 1).unwrap();
            let request = Request { path: value.clone().into(), ..Request::default() };
            let mut scratch = vec![0; SCRATCH_WORDS];
            let found = Program::new(&words, &layout)
                .capture(0, &request, &mut scratch, <[u8]>::to_vec);
            let expected = regex(text.as_bytes())
                .captures(value.as_bytes())
                .and_then(|captures| captures.get(1).map(|m| m.as_bytes().to_vec()));

            prop_assert_eq!(found, expected, "{} in {}", text, value);
        }
    }

    #[test]
    fn damaged_programs_are_refused_or_run(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 1..4),
        cut in any::<prop::sample::Index>(),
        request in any_request(),
    ) {
        let rules = [
            rule(vec![condition(Subject::Path, Operator::Regex, "^/a+b"),
                      condition(Subject::Host, Operator::Exact, "a")]),
            Rule {
                conditions: vec![condition(Subject::Header("x".into()), Operator::Regex, "(a)b")],
                capture: Some(1),
            },
        ];
        let mut words = compile(&rules).unwrap();
        let good = Program::verify(&words, 2).unwrap();
        let mut scratch = vec![0; SCRATCH_WORDS];

        for (place, value) in &damage {
            let place = place.index(words.len());

            words[place] = *value % 4096;
        }
        words.truncate(cut.index(words.len()) + 1);
        // Run also what verification would refuse: it must do no harm.
        for layout in [Some(good), Program::verify(&words, 2).ok()].into_iter().flatten() {
            let program = Program::new(&words, &layout);

            program.find(&request, &mut scratch);
            program.capture(1, &request, &mut scratch, |_| ());
            scratch.fill(0);
        }
    }
}

#[test]
fn ten_thousand_hosts() {
    let rules: Vec<Rule> = (0..10_000)
        .map(|n| {
            rule(vec![condition(
                Subject::Host,
                Operator::Exact,
                &format!("www{n}.Example.org"),
            )])
        })
        .collect();
    let words = compile(&rules).unwrap();

    for n in [0, 1, 4711, 9999] {
        let request = Request {
            host: format!("www{n}.example.org").into(),
            ..Request::default()
        };

        assert_eq!(find(&words, rules.len(), &request), Some(n));
    }
    assert!(words.len() * 4 < 1 << 20, "{} words", words.len());
}

#[test]
fn a_thousand_regular_expressions() {
    let rules: Vec<Rule> = (0..1000)
        .map(|n| {
            rule(vec![condition(
                Subject::Path,
                Operator::Regex,
                &format!("^/app{n}/.*\\.php$"),
            )])
        })
        .collect();
    let words = compile(&rules).unwrap();
    let request = Request {
        path: b"/app999/a/b.php".to_vec(),
        ..Request::default()
    };

    assert_eq!(find(&words, rules.len(), &request), Some(999));
}

#[test]
fn errors_name_the_rule_and_the_word() {
    let bad = |value: &str, operator| {
        let rules = [
            rule(vec![]),
            rule(vec![condition(Subject::Host, operator, value)]),
        ];

        compile(&rules).unwrap_err()
    };
    let error = bad("a(b", Operator::Regex);

    assert_eq!(error.rule, Some(1));
    assert!(matches!(error.fault, Fault::Pattern(_)));
    assert!(error.message.contains("a(b"), "{error}");
    assert!(error.message.contains("unclosed group"), "{error}");
    let error = bad("www.*.org", Operator::Wildcard);

    assert!(matches!(error.fault, Fault::Value(_)));
    let error = bad("(a{1000}){1000}{1000}", Operator::Regex);

    assert_eq!(error.fault, Fault::TooLarge);
    assert!(error.message.contains("16777216"), "{error}");
}

#[test]
fn no_rules_no_program() {
    assert_eq!(compile(&[]).unwrap(), Vec::<u32>::new());
}

#[test]
fn a_group_that_is_not_there() {
    let rules = [Rule {
        conditions: vec![condition(Subject::Path, Operator::Regex, "^/(a)")],
        capture: Some(2),
    }];

    assert!(matches!(
        compile(&rules).unwrap_err().fault,
        Fault::Capture(_)
    ));
}
