// SPDX-License-Identifier: GPL-2.0

//! The program as an administrator sees it: what it says, and its exit status. Nothing here
//! needs the kernel's side.

use std::io::Write;
use std::process::{
    Command,
    Output,
    Stdio, //
};

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tcpvsadm"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that reads nothing may have ended before.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The exit status, and what is said on standard error.
fn said(arguments: &[&str], input: &str) -> (i32, String) {
    let output = run(arguments, input);
    let text = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

fn checked(input: &str) -> (i32, String) {
    said(&["check", "-f", "-"], input)
}

const GOOD: &str = "\
mem-limit 256m
pool web {
    server 192.0.2.1:80 weight 1
}
service www {
    listen 0.0.0.0:80
    pool web
    rule path-regex '^/users/([^/]+)/' use-pool web capture 1
    rule host *.example.org not-method POST use-server web/192.0.2.1:80
}
";

#[test]
fn a_good_file_is_no_news() {
    let output = run(&["check", "-f", "-"], GOOD);
    assert!(output.status.success());
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn a_mistake_is_told_with_line_and_word() {
    for (from, to, wanted) in [
        (
            "weight 1",
            "weight x",
            "<stdin>:3: 'x' is not a number, or too large a one",
        ),
        (
            "weight 1",
            "weight 65536",
            "<stdin>:3: pool web, server 192.0.2.1:80: '65536': a weight is from 0 to 65535",
        ),
        (
            "    pool web",
            "    pool wbe",
            "<stdin>:5: service www: 'wbe': there is no such pool",
        ),
        (
            "use-pool web",
            "use-pool wbe",
            "<stdin>:8: service www, rule 1: 'wbe': there is no such pool",
        ),
        (
            "capture 1",
            "capture 32",
            "<stdin>:8: service www, rule 1: '32': a group's number is at most 31",
        ),
        (
            "web/192.0.2.1:80",
            "web/192.0.2.1:81",
            "<stdin>:9: service www, rule 2: '192.0.2.1:81': pool web has no such server",
        ),
        (
            "256m",
            "256q",
            "<stdin>:1: '256q' is not a size such as 512, 16k or 1m, nor 'default'",
        ),
        ("host", "hots", "<stdin>:9: unknown word 'hots'"),
        (
            "0.0.0.0:80",
            "80",
            "<stdin>:6: '80' is not an address and port",
        ),
        (
            "    listen 0.0.0.0:80\n",
            "",
            "<stdin>:5: service www: it listens nowhere",
        ),
    ] {
        assert!(GOOD.contains(from));
        let (status, text) = checked(&GOOD.replacen(from, to, 1));
        assert_eq!(status, 1, "{to}");
        let wanted = format!("tcpvsadm: {wanted}");
        assert!(text.starts_with(&wanted), "{to}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn what_does_not_compile_is_told_with_its_rule() {
    let (status, text) = checked(&GOOD.replacen("^/users/([^/]+)/", "/users/([^/+/", 1));
    assert_eq!(status, 1);
    let wanted = "tcpvsadm: <stdin>:8: service www, rule 1: '/users/([^/+/': ";
    assert!(text.starts_with(wanted), "{text}");
    let (status, text) = checked(&GOOD.replacen("capture 1", "capture 2", 1));
    assert_eq!(status, 1);
    assert!(text.starts_with("tcpvsadm: <stdin>:8: "), "{text}");
}

#[test]
fn a_missing_file_is_told() {
    let (status, text) = said(&["check", "-f", "/no/such/file"], "");
    assert_eq!(status, 1);
    assert_eq!(text, "tcpvsadm: /no/such/file: No such file or directory\n");
}

#[test]
fn usage_errors_end_with_2_and_name_the_word() {
    for (line, word) in [
        ("frobnicate", "'frobnicate'"),
        ("service add", "<NAME>"),
        ("service set www --timeout-head 5", "'5'"),
        ("service set www --head-max 1g", "'1g'"),
        ("service set www --listen 192.0.2.1", "'192.0.2.1'"),
        ("service set www --forwarded-for yes", "'yes'"),
        ("service set www --pool a --no-pool", "--no-pool"),
        ("pool add web --scheduler fast", "'fast'"),
        ("pool add web --cookie S --key 12", "'12'"),
        ("server add web 192.0.2.1:80 --weight many", "'many'"),
        ("server set web 192.0.2.1:80", "--weight"),
        ("rule add www --path", "'--path'"),
        ("rule add www --path /x", "use-pool"),
        ("rule add www --paht /x --status 404", "'paht'"),
        ("rule add www path /x", "'path'"),
        ("rule add www --status=404 --before=x", "'x'"),
        ("rule set www --status 404", "'--id'"),
        ("rule del www", "--id"),
        ("show everything", "'everything'"),
        ("zero service", "<NAME>"),
        ("apply", "--file"),
        ("set", "--mem-limit"),
        ("set --mem-limit", "--mem-limit"),
        ("set --mem-limit lots", "'lots'"),
        ("set --mem-limit 1t", "'1t'"),
        ("set --mem-limit=-1", "'-1'"),
        ("set --mem-limit 17179869184g", "'17179869184g'"),
        ("set --mem-limit 1m 2m", "'2m'"),
        ("set --timeout-head 5s", "'--timeout-head'"),
        ("-A", "'-i'"),
        ("-A -i web -x", "'-x'"),
        ("--add-rule -i web -r a", "'-p'"),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let (status, text) = said(&arguments, "");
        assert_eq!(status, 2, "{line}: {text}");
        assert!(text.contains(word), "{line}: {text}");
    }
}

#[test]
fn help_is_no_error() {
    for line in [
        "--help",
        "-h",
        "rule add www --help",
        "service add --help",
        "--version",
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let output = run(&arguments, "");
        assert!(output.status.success(), "{line}");
        assert!(output.stdout.len() > 10, "{line}");
    }
    let output = run(&["rule", "add", "--help"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("--use-pool"), "{text}");
}

#[test]
fn the_manuals_example_is_good() {
    let page = include_str!("../../../Documentation/man/tcpvsadm.8");
    let begin = page.find("mem-limit 256m\n").unwrap();
    let end = begin + page[begin..].find("\n.Ed").unwrap();
    let text = page[begin..end].replace("\\(aq", "'");
    assert_eq!(checked(&format!("{text}\n")), (0, String::new()));
}
