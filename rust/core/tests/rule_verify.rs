// SPDX-License-Identifier: GPL-2.0

//! Programs that come from anywhere: what is wrong is refused, and what is run, even unverified,
//! comes to an end without harm.

use ktcpvs_core::rule::{
    Layout,
    Program,
    Subjects,
    VerifyError,
    AUTOMATON,
    CONDITIONS_MAX,
    EXACT,
    FIELD,
    HEADER,
    MAGIC,
    MATCHERS_MAX,
    OP_ANY_OF,
    OP_MATCH,
    OP_SAVE,
    OP_SPLIT,
    PATH,
    PREFIX,
    SCRATCH_WORDS,
    STEPS_MAX,
    SUBJECTS_MAX, //
};
use proptest::prelude::*;

/// A request for a path, with fields `x`.
struct Request(&'static [u8], &'static [&'static [u8]]);

impl Subjects for Request {
    fn path(&self) -> &[u8] {
        self.0
    }

    fn url(&self) -> &[u8] {
        self.0
    }

    fn host(&self) -> &[u8] {
        b"host"
    }

    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn header(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        if name == b"x" {
            self.1.iter().for_each(|value| each(value));
        }
    }

    fn cookie(&self, _: &[u8], each: &mut dyn FnMut(&[u8])) {
        each(b"cookie");
    }
}

/// A program that is put together by hand, and where its parts are.
struct Made {
    words: Vec<u32>,
    subjects: usize,
    matchers: usize,
    entries: usize,
    table: usize,
    lists: usize,
    rules: usize,
    conditions: usize,
    anchors: usize,
    always: usize,
    captures: usize,
    code: usize,
}

fn append(words: &mut Vec<u32>, more: &[u32]) -> usize {
    words.extend(more);
    words.len() - more.len()
}

fn packed(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes)
}

/// Three rules: 0, path is "/b" and not field x holds "a"; 1, field x holds "a", whose byte is
/// captured; 2, always. Patterns: 0, "/a"; 1, "/b"; 2, the regular expression.
fn made() -> Made {
    let mut w = vec![0; HEADER];
    let texts = append(&mut w, &[packed(b"/a\0\0"), packed(b"/b\0\0")]) as u32;
    let entries = append(&mut w, &[texts, 0, texts + 1, 1]);
    let hit = append(&mut w, &[2]) as u32;
    // States: nowhere, at 0; not yet, at 2; found, at 4. Classes: any byte; "a".
    let automaton = append(&mut w, &[2, 4]);
    let mut map = [0; 64];

    map[usize::from(b'a' / 4)] = packed(&[0, 1, 0, 0]);
    append(&mut w, &map);
    let table = append(&mut w, &[0, 0, 2, 4, 0, 0]);
    let lists = append(&mut w, &[0, 0, 0, 0, 0, 0, 0, 0, hit, 1, 0, 0]);
    let name = append(&mut w, &[packed(b"x\0\0\0")]) as u32;
    let matchers = append(&mut w, &[EXACT, 2, entries as u32, 2]);
    let field = append(&mut w, &[AUTOMATON, 3, automaton as u32, 2]) as u32;
    let subjects = append(&mut w, &[PATH, 0, 0, matchers as u32, 1]);

    append(&mut w, &[FIELD, name, 1, field, 1]);
    let conditions = append(&mut w, &[2, 5, 4]);
    let c = conditions as u32;
    let rules = append(&mut w, &[c, 2, c + 2, 1, 0, 0]);
    let of = append(&mut w, &[0, 1]) as u32;
    let anchors = append(&mut w, &[0, 0, of, 1, of + 1, 1]);
    let always = append(&mut w, &[2]);
    let any = OP_ANY_OF | (u32::from(b'a') << 8) | (u32::from(b'b') << 16);
    let code = [[OP_SAVE, 1, 0], [any, 2, 0], [OP_SAVE | (1 << 8), 3, 0]];
    let code = append(&mut w, &[&code.concat()[..], &[OP_MATCH, 0, 0]].concat());
    let captures = append(&mut w, &[1, 1, code as u32, 4]);
    let at = [subjects, rules, anchors, always, 1, captures, 1];

    w[..4].copy_from_slice(&[MAGIC, 3, 3, 2]);
    for (word, at) in w[4..].iter_mut().zip(at) {
        *word = at as u32;
    }
    Made {
        words: w,
        subjects,
        matchers,
        entries,
        table,
        lists,
        rules,
        conditions,
        anchors,
        always,
        captures,
        code,
    }
}

const REQUESTS: [Request; 6] = [
    Request(b"/b", &[]),
    Request(b"/b", &[b"-", b"-a"]),
    Request(b"/a", &[b"a"]),
    Request(b"", &[b""]),
    Request(b"/c", &[b"b"]),
    Request(&[0xff; 300], &[&[b'a'; 300]]),
];

fn find(words: &[u32], layout: &Layout, request: &Request) -> Option<u32> {
    let mut scratch = vec![0; SCRATCH_WORDS];
    let program = Program::new(words, layout);
    let found = program.find(request, &mut scratch);

    // Captures need other memory: this is what finding leaves behind.
    assert_eq!(program.find(request, &mut scratch), found);
    program.capture(1, request, &mut scratch, |_| ());
    found
}

fn error(words: &[u32]) -> Option<VerifyError> {
    Program::verify(words, 3).err()
}

/// What verifying says when the word at `at` is `value` instead.
fn changed(at: usize, value: u32) -> Option<VerifyError> {
    let mut words = made().words;

    words[at] = value;
    error(&words)
}

#[test]
fn the_program_made_here_is_one() {
    let words = made().words;
    let layout = Program::verify(&words, 3).unwrap();
    let found = REQUESTS.map(|request| find(&words, &layout, &request));

    assert_eq!(
        found,
        [Some(0), Some(1), Some(1), Some(2), Some(2), Some(1)]
    );
    let mut scratch = vec![0; SCRATCH_WORDS];
    let program = Program::new(&words, &layout);
    let mut captured = |rule, request| program.capture(rule, request, &mut scratch, <[u8]>::to_vec);

    assert_eq!(captured(1, &Request(b"", &[b"-", b"b"])), Some(b"b".into()));
    assert_eq!(captured(1, &Request(b"", &[b"-"])), None);
    assert_eq!(captured(0, &Request(b"", &[b"b"])), None);
}

#[test]
fn another_program_or_none() {
    let words = made().words;

    assert_eq!(error(&[]), Some(VerifyError::Header));
    assert_eq!(error(&words[..HEADER - 1]), Some(VerifyError::Header));
    assert_eq!(changed(0, MAGIC + 1), Some(VerifyError::Header));
    assert_eq!(Program::verify(&words, 2).err(), Some(VerifyError::Rules));
    for len in 0..words.len() {
        assert!(error(&words[..len]).is_some(), "{len} words");
    }
}

#[test]
fn things_that_are_not_there() {
    let m = made();
    let end = m.words.len() as u32;

    for at in [4, 5, 6, 7, 9, m.rules, m.anchors + 2, m.entries] {
        assert_eq!(changed(at, end), Some(VerifyError::Bounds), "{at}");
        assert_eq!(changed(at, u32::MAX), Some(VerifyError::Bounds), "{at}");
    }
    let places = [
        m.entries + 1,
        m.conditions,
        m.always,
        m.captures,
        m.captures + 1,
    ];

    for at in places {
        assert_eq!(changed(at, 6), Some(VerifyError::Reference), "{at}");
    }
    assert_eq!(changed(m.subjects, 6), Some(VerifyError::Reference));
    assert_eq!(changed(m.matchers, 5), Some(VerifyError::Reference));
}

#[test]
fn rules_that_would_never_be_found() {
    let m = made();

    // An anchor that is no condition of its rule, or one that must not match.
    assert_eq!(changed(m.conditions, 0), Some(VerifyError::Reference));
    assert_eq!(changed(m.conditions + 2, 5), Some(VerifyError::Reference));
    // A rule that nothing leads to.
    assert_eq!(changed(8, 0), Some(VerifyError::Rules));
    assert_eq!(changed(m.anchors + 3, 0), Some(VerifyError::Rules));
    // The same, but another is looked at twice, so that the number is right.
    assert_eq!(changed(m.always, 0), Some(VerifyError::Rules));
    assert_eq!(changed(m.always, 1), Some(VerifyError::Rules));
}

#[test]
fn order() {
    let m = made();
    let entry = m.words[m.entries];

    // Entries: the second as the first, and before it.
    assert_eq!(changed(m.entries + 2, entry), Some(VerifyError::Order));
    assert_eq!(changed(entry as usize, !0), Some(VerifyError::Order));
    // A pattern twice in a list: the word after it is the same.
    assert_eq!(changed(m.lists + 9, 2), Some(VerifyError::Order));
    // Subjects: another that comes before the field, and is well; then both the other way round.
    assert_eq!(changed(m.subjects, FIELD - 1), None);
    let mut words = m.words.clone();
    let (one, two) = words[m.subjects..].split_at_mut(5);

    one.swap_with_slice(&mut two[..5]);
    assert_eq!(error(&words), Some(VerifyError::Order));
    // A name that has another in small letters.
    let name = m.words[m.subjects + 6] as usize;

    assert_eq!(
        changed(name, packed(b"X\0\0\0")),
        Some(VerifyError::Reference)
    );
}

#[test]
fn automata() {
    let m = made();

    for (at, value) in [
        // No state, between two states, out of the one that leads nowhere.
        (m.table + 2, 6),
        (m.table + 2, 3),
        (m.table, 2),
        // The start; the first that matches; a class.
        (m.table - 66, 6),
        (m.table - 65, 5),
        (m.table - 65, 8),
        (m.table - 64, 2 << 24),
        // A state that matches without patterns, and one with some that does not.
        (m.table - 65, 2),
        (m.table - 65, 6),
        (m.lists + 9, 0),
    ] {
        assert_eq!(
            changed(at, value),
            Some(VerifyError::Automaton),
            "{at}: {value}"
        );
    }
}

#[test]
fn captures() {
    let m = made();

    for (at, value) in [
        (m.code, 7),
        (m.code + 1, 4),
        (m.code + 3, m.words[m.code + 3] | (1 << 24)),
    ] {
        assert_eq!(changed(at, value), Some(VerifyError::Capture), "{at}");
    }
    let split = |other| {
        let mut words = m.words.clone();

        words[m.code] = OP_SPLIT;
        words[m.code + 2] = other;
        error(&words)
    };

    assert_eq!(split(3), None);
    assert_eq!(split(4), Some(VerifyError::Capture));
    assert_eq!(changed(m.captures + 3, 513), Some(VerifyError::Limit));
    let another = |rule| {
        let mut words = m.words.clone();

        append(&mut words, &[rule, 1, 0, 0]);
        words[10] = 2;
        error(&words)
    };

    assert_eq!(another(2), None);
    assert_eq!(another(1), Some(VerifyError::Order));
    assert_eq!(another(0), Some(VerifyError::Order));
}

#[test]
fn limits() {
    let m = made();

    assert_eq!(changed(2, 65537), Some(VerifyError::Limit));
    assert_eq!(
        changed(3, SUBJECTS_MAX as u32 + 1),
        Some(VerifyError::Limit)
    );
    assert_eq!(
        changed(m.subjects + 4, MATCHERS_MAX as u32 + 1),
        Some(VerifyError::Limit)
    );
    assert_eq!(
        changed(m.rules + 1, CONDITIONS_MAX as u32 + 1),
        Some(VerifyError::Limit)
    );
    assert_eq!(
        changed(m.subjects + 7, 128),
        Some(VerifyError::Reference),
        "a long name"
    );
}

/// A program without rules whose path is matched by automata of one state: these many are there,
/// and each is matched this many times.
fn automata_of(number: usize, times: usize) -> Vec<u32> {
    let mut w = vec![0; HEADER];
    let mut matchers = Vec::new();

    for _ in 0..number {
        let at = append(&mut w, &[0; 66 + 1 + 4]);

        w[at + 1] = 1;
        matchers.extend([AUTOMATON, 1, at as u32, 1].repeat(times));
    }
    let matchers_at = append(&mut w, &matchers) as u32;
    let matchers = (number * times) as u32;
    let subject = append(&mut w, &[PATH, 0, 0, matchers_at, matchers]) as u32;

    w[0] = MAGIC;
    w[3] = 1;
    w[4] = subject;
    w
}

/// A program without rules, with an automaton in which the first byte makes `number` patterns
/// match.
fn matches_at_once(number: usize) -> Vec<u32> {
    let mut w = vec![0; HEADER];
    let patterns: Vec<u32> = (0..number as u32).collect();
    let list = append(&mut w, &patterns) as u32;
    // States: nowhere, at 0; found, at 1, the start too. One class.
    let automaton = append(&mut w, &[1, 1]) as u32;

    append(&mut w, &[0; 64]);
    append(&mut w, &[0, 1]);
    append(&mut w, &[0, 0, 0, 0, list, number as u32, 0, 0]);
    let matcher = append(&mut w, &[AUTOMATON, 2, automaton, 1]) as u32;
    let subject = append(&mut w, &[PATH, 0, 0, matcher, 1]) as u32;
    let anchors = append(&mut w, &vec![0; 2 * number]) as u32;

    w[0] = MAGIC;
    w[2] = number as u32;
    w[3] = 1;
    w[4] = subject;
    w[6] = anchors;
    w
}

#[test]
fn steps_are_limited() {
    let verify = |number| Program::verify(&matches_at_once(number), 0).err();

    assert_eq!(verify(3), None);
    assert_eq!(verify(STEPS_MAX - 1), None);
    assert_eq!(verify(STEPS_MAX), Some(VerifyError::Limit));
    let verify = |number| Program::verify(&automata_of(number, 1), 0).err();

    assert_eq!(verify(STEPS_MAX), None);
    assert_eq!(verify(STEPS_MAX + 1), Some(VerifyError::Limit));
}

/// Otherwise a few words could keep verifying, and each request, busy for hours: many subjects
/// that all have the same many matchers, and those the same large automaton.
#[test]
fn nothing_is_part_of_two_things() {
    let verify = |times| Program::verify(&automata_of(2, times), 0).err();

    assert_eq!(verify(1), None);
    assert_eq!(verify(2), Some(VerifyError::Overlap));
    assert_eq!(verify(1000), Some(VerifyError::Overlap));
}

#[test]
fn every_word_changed() {
    let made = made();
    let layout = Program::verify(&made.words, 3).unwrap();
    let len = made.words.len() as u32;
    let mut refused = 0;

    for at in 0..made.words.len() {
        for value in [0, 1, 2, 5, 63, len - 1, len, 1 << 16, 1 << 31, u32::MAX] {
            let mut words = made.words.clone();

            words[at] = value;
            match Program::verify(&words, 3) {
                Ok(layout) => REQUESTS.iter().for_each(|request| {
                    assert!(find(&words, &layout, request).is_none_or(|rule| rule < 3));
                }),
                Err(_) => refused += 1,
            }
            // And as if it had not been verified.
            REQUESTS.iter().for_each(|request| {
                find(&words, &layout, request);
            });
        }
    }
    // Some are well: there are words that nothing depends on, such as places of empty lists.
    assert!(refused > made.words.len(), "{refused}");
}

/// Words as they occur in programs.
fn any_word() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0..8u32,
        4 => 0..300u32,
        1 => any::<u32>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_words_do_no_harm(mut words in prop::collection::vec(any_word(), 0..300)) {
        if let Some(first) = words.first_mut() {
            *first = MAGIC;
        }
        let rules = words.get(1).copied().unwrap_or(0);
        let good = Program::verify(&made().words, 3).unwrap();

        for layout in [Program::verify(&words, rules), Ok(good)].into_iter().flatten() {
            for request in &REQUESTS {
                find(&words, &layout, request);
            }
        }
    }

    #[test]
    fn damaged_programs_are_refused_or_run(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any_word()), 1..6),
    ) {
        let mut words = made().words;

        for (place, value) in &damage {
            let place = place.index(words.len());

            words[place] = *value;
        }
        if let Ok(layout) = Program::verify(&words, 3) {
            for request in &REQUESTS {
                prop_assert!(find(&words, &layout, request).is_none_or(|rule| rule < 3));
            }
        }
    }
}

#[test]
fn literals_of_a_subject_are_in_order() {
    let m = made();

    // A prefix comes after what is exact, and is well then.
    assert_eq!(changed(m.matchers, PREFIX), None);
    let mut words = m.words.clone();

    // The path's matchers are now two: its own, and the field's, which is an automaton.
    words[m.subjects + 4] = 2;
    words[m.subjects + 9] = 0;
    assert_eq!(error(&words), None);
    words[m.matchers..m.matchers + 8].rotate_left(4);
    assert_eq!(error(&words), Some(VerifyError::Order));
}
