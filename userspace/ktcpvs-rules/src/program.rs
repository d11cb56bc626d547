// SPDX-License-Identifier: GPL-2.0

//! Putting a program together.

use crate::{
    automaton::{
        self,
        Automaton,
        NoAutomaton, //
    },
    capture,
    pattern::{
        Kind,
        Pattern,
        Patterns, //
    },
    CompileError,
    Fault,
    Operator,
    Rule,
    Subject,
    SIZE_MAX, //
};
use ktcpvs_core::rule::{
    AUTOMATON,
    COOKIE,
    FIELD,
    HEADER,
    HOST,
    MAGIC,
    MATCHERS_MAX,
    METHOD,
    PATH,
    STEPS_MAX,
    SUBJECTS_MAX,
    URL, //
};
use std::collections::BTreeMap;

/// The literal patterns of a subject: by kind and length, in the order of their bytes.
type Literals<'a> = BTreeMap<(u32, usize), BTreeMap<&'a [u8], u32>>;

/// Puts words together.
pub(crate) struct Assembler<'a> {
    rules: &'a [Rule],
    patterns: &'a Patterns,
    words: Vec<u32>,
}

impl<'a> Assembler<'a> {
    /// Assembles the program of `rules`.
    pub(crate) fn new(rules: &'a [Rule], patterns: &'a Patterns) -> Result<Self, CompileError> {
        let mut this = Self {
            rules,
            patterns,
            words: vec![0; HEADER],
        };
        let subjects = this.subjects()?;
        let (always, anchored) = this.anchors();

        this.words[0] = MAGIC;
        this.words[1] = rules.len() as u32;
        this.words[2] = patterns.all.len() as u32;
        this.words[3] = subjects.len() as u32;
        this.words[4] = this.append(&subjects.concat());
        this.words[5] = this.rule_records();
        this.words[6] = this.anchor_records(&anchored);
        this.words[7] = this.append(&always);
        this.words[8] = always.len() as u32;
        let captures = this.captures()?;

        this.words[9] = this.append(&captures.concat());
        this.words[10] = captures.len() as u32;
        Ok(this)
    }

    /// The program.
    pub(crate) fn finish(self) -> Vec<u32> {
        self.words
    }

    /// Appends words and returns where they are.
    fn append(&mut self, words: &[u32]) -> u32 {
        let at = self.words.len() as u32;

        self.words.extend_from_slice(words);
        at
    }

    /// Appends bytes, packed, and returns where they are.
    fn append_bytes(&mut self, bytes: &[u8]) -> u32 {
        let words: Vec<u32> = bytes
            .chunks(4)
            .map(|chunk| {
                let mut word = [0; 4];

                word[..chunk.len()].copy_from_slice(chunk);
                u32::from_le_bytes(word)
            })
            .collect();

        self.append(&words)
    }

    /// Every subject that a pattern looks at, in order.
    fn subject_list(&self) -> Vec<&'a Subject> {
        let mut list: Vec<_> = self.patterns.all.iter().map(|p| &p.subject).collect();

        list.sort();
        list.dedup();
        list
    }

    /// The records of the subjects.
    fn subjects(&mut self) -> Result<Vec<[u32; 5]>, CompileError> {
        let mut records = Vec::new();
        let list = self.subject_list();

        if list.len() > SUBJECTS_MAX {
            let what = "different header fields and cookies";

            return Err(CompileError::limit(list.len(), what, SUBJECTS_MAX));
        }
        for subject in list {
            let (kind, name) = match subject {
                Subject::Path => (PATH, ""),
                Subject::Url => (URL, ""),
                Subject::Host => (HOST, ""),
                Subject::Method => (METHOD, ""),
                Subject::Header(name) => (FIELD, name.as_str()),
                Subject::Cookie(name) => (COOKIE, name.as_str()),
            };
            let mut matchers = self.literals(subject);

            matchers.extend(self.automata(subject)?);
            if matchers.len() > MATCHERS_MAX {
                let what = "different lengths of values";

                return Err(CompileError::limit(matchers.len(), what, MATCHERS_MAX));
            }
            let name_at = self.append_bytes(name.as_bytes());
            let at = self.append(&matchers.concat());

            records.push([kind, name_at, name.len() as u32, at, matchers.len() as u32]);
        }
        Ok(records)
    }

    /// The patterns of `subject`, with their numbers.
    fn of(&self, subject: &'a Subject) -> impl Iterator<Item = (u32, &'a Pattern)> {
        self.patterns
            .all
            .iter()
            .enumerate()
            .filter(move |(_, pattern)| pattern.subject == *subject)
            .map(|(number, pattern)| (number as u32, pattern))
    }

    /// The matchers for the literal patterns of `subject`.
    fn literals(&mut self, subject: &'a Subject) -> Vec<[u32; 4]> {
        let mut literals: Literals<'a> = BTreeMap::new();

        for (number, pattern) in self.of(subject) {
            if let Kind::Literal(kind) = pattern.kind {
                literals
                    .entry((kind, pattern.bytes.len()))
                    .or_default()
                    .insert(&pattern.bytes, number);
            }
        }
        literals
            .into_iter()
            .map(|((kind, len), entries)| {
                let records: Vec<u32> = entries
                    .iter()
                    .flat_map(|(bytes, number)| [self.append_bytes(bytes), *number])
                    .collect();

                [
                    kind,
                    len as u32,
                    self.append(&records),
                    entries.len() as u32,
                ]
            })
            .collect()
    }

    /// The matchers for the regular expressions of `subject`.
    fn automata(&mut self, subject: &'a Subject) -> Result<Vec<[u32; 4]>, CompileError> {
        let regexes: Vec<(u32, &str)> = self
            .of(subject)
            .filter_map(|(number, pattern)| match &pattern.kind {
                Kind::Regex(text) => Some((number, text.as_str())),
                Kind::Literal(_) => None,
            })
            .collect();

        if regexes.is_empty() {
            return Ok(Vec::new());
        }
        let room = SIZE_MAX.saturating_sub(self.words.len() * 4);
        let automata =
            automaton::build(&regexes, room).map_err(|error| self.no_automaton(error))?;
        let steps: usize = automata.iter().map(Automaton::steps).sum();

        if steps > STEPS_MAX {
            return Err(CompileError::limit(
                steps,
                "regular expressions that match at once",
                STEPS_MAX,
            ));
        }
        Ok(automata
            .iter()
            .map(|automaton| self.automaton(automaton))
            .collect())
    }

    /// The error for automata that cannot be had.
    fn no_automaton(&self, error: NoAutomaton) -> CompileError {
        let blame = |number: u32, fault| {
            let number = number as usize;

            CompileError::new(
                self.patterns.owner[number],
                &self.patterns.all[number].bytes,
                fault,
            )
        };

        match error {
            NoAutomaton::Pattern(number, why) => blame(number, Fault::Pattern(why)),
            NoAutomaton::TooLarge(number) => blame(number, Fault::TooLarge),
            NoAutomaton::AllTooLarge(size) => CompileError::too_large(size + self.words.len() * 4),
        }
    }

    fn automaton(&mut self, automaton: &Automaton) -> [u32; 4] {
        let mut index = Vec::new();

        for lists in &automaton.lists {
            for list in lists {
                let at = if list.is_empty() {
                    0
                } else {
                    self.append(list)
                };

                index.extend([at, list.len() as u32]);
            }
        }
        let at = self.append(&[automaton.start, automaton.first_match]);

        self.append_bytes(&automaton.map);
        self.append(&automaton.table);
        self.append(&index);
        [
            AUTOMATON,
            automaton.lists.len() as u32,
            at,
            automaton.classes as u32,
        ]
    }

    fn rule_records(&mut self) -> u32 {
        let mut records = Vec::new();

        for terms in &self.patterns.terms {
            let conditions: Vec<u32> = terms
                .iter()
                .map(|term| ((term.pattern as u32) << 1) | u32::from(term.not))
                .collect();

            records.extend([self.append(&conditions), conditions.len() as u32]);
        }
        self.append(&records)
    }

    /// The rules without an anchor, and for each pattern the rules whose anchor it is: of those that
    /// must match, the one that the fewest rules have.
    fn anchors(&self) -> (Vec<u32>, Vec<Vec<u32>>) {
        let mut uses = vec![0u32; self.patterns.all.len()];
        let mut anchored = vec![Vec::new(); self.patterns.all.len()];
        let mut always = Vec::new();

        for term in self.patterns.terms.iter().flatten() {
            uses[term.pattern] += 1;
        }
        for (rule, terms) in self.patterns.terms.iter().enumerate() {
            let anchor = terms
                .iter()
                .filter(|term| !term.not)
                .min_by_key(|term| uses[term.pattern]);

            match anchor {
                Some(term) => anchored[term.pattern].push(rule as u32),
                None => always.push(rule as u32),
            }
        }
        (always, anchored)
    }

    fn anchor_records(&mut self, anchored: &[Vec<u32>]) -> u32 {
        let mut records = Vec::new();

        for rules in anchored {
            records.extend([self.append(rules), rules.len() as u32]);
        }
        self.append(&records)
    }

    fn captures(&mut self) -> Result<Vec<[u32; 4]>, CompileError> {
        let mut records = Vec::new();

        for (index, rule) in self.rules.iter().enumerate() {
            let Some(group) = rule.capture else {
                continue;
            };
            let place = rule
                .conditions
                .iter()
                .position(|c| c.operator == Operator::Regex && !c.not);
            let fail = |value: &[u8], why| CompileError::new(index, value, Fault::Capture(why));
            let Some(place) = place else {
                return Err(fail(b"capture", "needs a regular expression".into()));
            };
            let pattern = &self.patterns.all[self.patterns.terms[index][place].pattern];
            let Kind::Regex(text) = &pattern.kind else {
                continue;
            };
            let code = capture::code(text, group).map_err(|why| fail(&pattern.bytes, why))?;
            let subject = self
                .subject_list()
                .iter()
                .position(|subject| **subject == pattern.subject)
                .unwrap_or(0);

            records.push([
                index as u32,
                subject as u32,
                self.append(&code.concat()),
                code.len() as u32,
            ]);
        }
        Ok(records)
    }
}
