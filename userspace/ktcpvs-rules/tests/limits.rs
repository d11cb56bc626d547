// SPDX-License-Identifier: GPL-2.0

//! Many rules, and too much of them.

use ktcpvs_core::rule::{
    Program,
    Subjects,
    CONDITIONS_MAX,
    NAME_MAX,
    SCRATCH_WORDS,
    STEPS_MAX,
    SUBJECTS_MAX, //
};
use ktcpvs_rules::{
    compile,
    CompileError,
    Condition,
    Fault,
    Operator,
    Rule,
    Subject,
    SIZE_MAX, //
};

/// A request for a path on a host, with fields `x`.
#[derive(Clone, Copy, Default)]
struct Request<'a> {
    path: &'a [u8],
    host: &'a [u8],
    fields: &'a [&'a [u8]],
}

impl Subjects for Request<'_> {
    fn path(&self) -> &[u8] {
        self.path
    }

    fn url(&self) -> &[u8] {
        self.path
    }

    fn host(&self) -> &[u8] {
        self.host
    }

    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn header(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        if name == b"x" {
            self.fields.iter().for_each(|value| each(value));
        }
    }

    fn cookie(&self, _: &[u8], _: &mut dyn FnMut(&[u8])) {}
}

fn rule(subject: Subject, operator: Operator, value: impl Into<Vec<u8>>) -> Rule {
    let condition = Condition {
        subject,
        operator,
        value: value.into(),
        not: false,
    };

    Rule {
        conditions: vec![condition],
        capture: None,
    }
}

fn on_path(regex: impl Into<Vec<u8>>) -> Rule {
    rule(Subject::Path, Operator::Regex, regex)
}

/// Finds the rule for `request`, and what it captures.
fn find(words: &[u32], rules: usize, request: &Request<'_>) -> (Option<u32>, Option<Vec<u8>>) {
    let layout = Program::verify(words, rules as u32).unwrap();
    let program = Program::new(words, &layout);
    let mut scratch = vec![0; SCRATCH_WORDS];
    let found = program.find(request, &mut scratch);
    let captured =
        found.and_then(|rule| program.capture(rule, request, &mut scratch, <[u8]>::to_vec));

    (found, captured)
}

/// How many matchers the first subject of a program has: a request runs all of them.
fn matchers(words: &[u32]) -> u32 {
    words[words[4] as usize + 4]
}

/// Ten thousand rules made by `make`: those of some numbers are found for the paths of `path`, and
/// what a request runs is no more than `most` tables and automata.
fn ten_thousand(make: impl Fn(usize) -> Rule, path: impl Fn(usize) -> String, most: u32) {
    let rules: Vec<Rule> = (0..10_000).map(make).collect();
    let words = compile(&rules).unwrap();

    assert!(matchers(&words) <= most, "{} matchers", matchers(&words));
    for n in [0, 1, 4711, 9999] {
        let path = path(n);
        let request = Request {
            path: path.as_bytes(),
            ..Request::default()
        };

        assert_eq!(find(&words, rules.len(), &request).0, Some(n as u32));
    }
    let request = Request {
        path: b"/app10000/",
        ..Request::default()
    };

    assert_eq!(find(&words, rules.len(), &request), (None, None));
}

#[test]
fn ten_thousand_paths() {
    ten_thousand(
        |n| rule(Subject::Path, Operator::Exact, format!("/app{n}")),
        |n| format!("/app{n}"),
        4,
    );
    ten_thousand(
        |n| rule(Subject::Path, Operator::Prefix, format!("/app{n}/")),
        |n| format!("/app{n}/index"),
        4,
    );
}

#[test]
fn ten_thousand_regular_expressions() {
    ten_thousand(
        |n| on_path(format!("^/app{n}/.*\\.php$")),
        |n| format!("/app{n}/a/b.php"),
        16,
    );
}

#[test]
fn each_rule_captures_its_own() {
    let rules: Vec<Rule> = (0..100)
        .map(|n| Rule {
            // Every third has none.
            capture: (n % 3 != 2).then_some(1),
            ..on_path(format!("^/app{n}/(.)"))
        })
        .collect();
    let words = compile(&rules).unwrap();

    for n in 0..100 {
        let path = format!("/app{n}/{}", n % 7);
        let request = Request {
            path: path.as_bytes(),
            ..Request::default()
        };
        let expected = (n % 3 != 2).then(|| (n % 7).to_string().into_bytes());

        assert_eq!(find(&words, 100, &request), (Some(n), expected));
    }
}

#[test]
fn the_first_value_that_matches_is_captured_from() {
    let rules = [Rule {
        capture: Some(2),
        ..rule(
            Subject::Header("X".into()),
            Operator::Regex,
            "^(id|key)=(\\w+)",
        )
    }];
    let words = compile(&rules).unwrap();
    let request = Request {
        fields: &[b"-", b"key=one", b"id=two"],
        ..Request::default()
    };

    assert_eq!(find(&words, 1, &request), (Some(0), Some(b"one".to_vec())));
}

#[test]
fn regular_expressions_take_any_byte() {
    for (regex, value, matches) in [
        ("^\\xff$", &b"\xff"[..], true),
        ("^[^a]$", b"\xff", true),
        ("^.$", b"\xc3\xa4", false),
        ("^\\W$", b"\x80", true),
        ("[[:digit:]]{3}$", b"a123", true),
        ("^[[:alpha:]]+$", b"a1", false),
    ] {
        let words = compile(&[on_path(regex)]).unwrap();
        let request = Request {
            path: value,
            ..Request::default()
        };

        assert_eq!(find(&words, 1, &request).0.is_some(), matches, "{regex}");
    }
}

#[test]
fn a_host_has_no_case() {
    for (operator, value) in [
        (Operator::Exact, "WWW.Example.org"),
        (Operator::Prefix, "WWW."),
        (Operator::Suffix, ".ORG"),
        (Operator::Wildcard, "*.EXAMPLE.org"),
        (Operator::Regex, "^WWW\\.|^web\\."),
        (Operator::Regex, "^web\\.|^WWW\\."),
        (Operator::Regex, "(?x) ^WWW \\. # a comment"),
    ] {
        let words = compile(&[rule(Subject::Host, operator, value)]).unwrap();
        let request = Request {
            host: b"www.example.org",
            ..Request::default()
        };

        assert_eq!(find(&words, 1, &request).0, Some(0), "{value}");
    }
}

#[test]
fn a_method_has_case() {
    let found = |method: &str| {
        let words = compile(&[rule(Subject::Method, Operator::Exact, method)]).unwrap();

        find(&words, 1, &Request::default()).0
    };

    assert_eq!(found("GET"), Some(0));
    assert_eq!(found("get"), None);
}

/// The error must be that of the second rule.
fn second(rule: Rule) -> CompileError {
    let error = compile(&[on_path("^/"), rule]).unwrap_err();

    assert_eq!(error.rule, Some(1), "{error}");
    error
}

#[test]
fn what_is_too_large_alone_is_named() {
    let regex = "(a|b)*a(a|b){20}$";
    let error = second(on_path(regex));

    assert_eq!(error.fault, Fault::TooLarge);
    assert_eq!(error.value.as_deref(), Some(regex.as_bytes()));
    assert!(error.message.contains(regex), "{error}");
    assert!(error.message.contains(&SIZE_MAX.to_string()), "{error}");
}

#[test]
fn what_is_too_large_together_states_both_sizes() {
    // Long values of many rules.
    let rules: Vec<Rule> = (0..5000)
        .map(|n| {
            let value = format!("{}{n}", "a".repeat(4000));

            rule(Subject::Path, Operator::Exact, value)
        })
        .collect();
    let error = compile(&rules).unwrap_err();
    let numbers: Vec<usize> = error
        .message
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();

    assert_eq!(error.fault, Fault::TooLarge);
    assert_eq!(error.rule, None);
    assert!(matches!(numbers[..], [size, SIZE_MAX] if size > SIZE_MAX));
}

#[test]
fn what_would_take_a_request_too_long() {
    let rules: Vec<Rule> = (0..=STEPS_MAX)
        .map(|n| on_path(format!("^a|^{n}$")))
        .collect();
    let error = compile(&rules).unwrap_err();

    assert_eq!(error.fault, Fault::TooLarge);
    assert!(error.message.contains(&STEPS_MAX.to_string()), "{error}");
    compile(&rules[..100]).unwrap();
}

#[test]
fn subjects_and_conditions_have_limits() {
    let field = |name: String| rule(Subject::Header(name), Operator::Exact, "a");
    let rules: Vec<Rule> = (0..=SUBJECTS_MAX).map(|n| field(format!("x{n}"))).collect();
    let error = compile(&rules).unwrap_err();

    compile(&rules[1..]).unwrap();
    assert_eq!(error.fault, Fault::TooLarge);
    assert!(error.message.contains(&SUBJECTS_MAX.to_string()), "{error}");

    compile(&[field("x".repeat(NAME_MAX))]).unwrap();
    for name in [String::new(), "x".repeat(NAME_MAX + 1)] {
        assert!(matches!(second(field(name)).fault, Fault::Value(_)));
    }

    let mut many = on_path("^/");

    many.conditions = vec![many.conditions[0].clone(); CONDITIONS_MAX];
    compile(std::slice::from_ref(&many)).unwrap();
    many.conditions.push(many.conditions[0].clone());
    assert_eq!(second(many).fault, Fault::TooLarge);
}
