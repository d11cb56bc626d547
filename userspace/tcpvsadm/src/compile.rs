// SPDX-License-Identifier: GPL-2.0

//! From rules to the program that the module runs.

use ktcpvs_netlink::{
    Action,
    Object,
    Operator,
    Problem,
    Rule,
    Service,
    Subject, //
};
use ktcpvs_rules::Fault;

/// Compiles the rules of a service.
///
/// # Errors
///
/// Names the rule and the value that cannot be compiled.
pub(crate) fn program(service: &Service) -> Result<Vec<u32>, Problem> {
    let rules: Vec<_> = service.rules.iter().map(rule).collect();
    ktcpvs_rules::compile(&rules).map_err(|error| {
        let object = match error.rule {
            Some(index) => Object::Rule(service.name.clone(), index + 1),
            None => Object::Service(service.name.clone()),
        };
        let message = match error.fault {
            Fault::Pattern(why) | Fault::Value(why) | Fault::Capture(why) => why,
            Fault::TooLarge => error.message,
        };
        let problem = Problem::new(object, message);
        match error.value {
            Some(value) => problem.word(String::from_utf8_lossy(&value)),
            None => problem,
        }
    })
}

fn rule(rule: &Rule) -> ktcpvs_rules::Rule {
    let conditions = rule.conditions.iter();
    let conditions = conditions.map(|condition| ktcpvs_rules::Condition {
        subject: subject(&condition.subject),
        operator: operator(condition.operator),
        value: condition.value.clone(),
        not: condition.not,
    });
    ktcpvs_rules::Rule {
        conditions: conditions.collect(),
        capture: match rule.action {
            Action::Pool { capture, .. } => capture,
            _ => None,
        },
    }
}

fn subject(subject: &Subject) -> ktcpvs_rules::Subject {
    match subject {
        Subject::Path => ktcpvs_rules::Subject::Path,
        Subject::Url => ktcpvs_rules::Subject::Url,
        Subject::Host => ktcpvs_rules::Subject::Host,
        Subject::Method => ktcpvs_rules::Subject::Method,
        Subject::Header(name) => ktcpvs_rules::Subject::Header(name.clone()),
        Subject::Cookie(name) => ktcpvs_rules::Subject::Cookie(name.clone()),
    }
}

fn operator(operator: Operator) -> ktcpvs_rules::Operator {
    match operator {
        Operator::Exact => ktcpvs_rules::Operator::Exact,
        Operator::Prefix => ktcpvs_rules::Operator::Prefix,
        Operator::Suffix => ktcpvs_rules::Operator::Suffix,
        Operator::Regex => ktcpvs_rules::Operator::Regex,
        Operator::Wildcard => ktcpvs_rules::Operator::Wildcard,
    }
}
