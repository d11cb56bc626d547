// SPDX-License-Identifier: GPL-2.0

//! KTCPVS's commands and files, without the kernel.

use super::*;
use crate::text::read::Source;
use crate::text::write::Text;
use ktcpvs_netlink::Action;

fn arguments(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

fn read(line: &str) -> Result<Options, Failure> {
    Options::read(&arguments(line))
}

/// Performs commands on a configuration that begins empty.
fn performed(lines: &[&str]) -> Config {
    let mut config = Config::default();
    for line in lines {
        let options = read(line).unwrap();
        perform(&mut config, &options).unwrap();
        config.check().unwrap();
    }
    config
}

fn refusal(config: &Config, line: &str) -> String {
    let options = read(line).unwrap();
    perform(&mut config.clone(), &options)
        .unwrap_err()
        .to_string()
}

fn listed(config: &Config) -> String {
    let services = config.services.iter();
    let virtuals: Vec<_> = services
        .map(|s| Virtual::load(config, &s.name).unwrap())
        .collect();
    file::Text(&virtuals).to_string()
}

fn loaded(mut config: Config, text: &str) -> Config {
    for one in file::read(text.as_bytes(), "f").unwrap() {
        one.replace(&mut config).unwrap();
    }
    config.check().unwrap();
    config
}

/// Performs one more.
fn also(mut config: Config, line: &str) -> Config {
    let options = read(line).unwrap();
    perform(&mut config, &options).unwrap_or_else(|failure| panic!("{line}: {failure}"));
    config.check().unwrap();
    config
}

fn applied(text: &str) -> Config {
    let config = Source::read(text.as_bytes()).unwrap().config;
    config.check().unwrap();
    config
}

/// What the long forms make of it: changes its text, as `save`, an editor and `apply` do.
fn changed(config: &Config, from: &str, to: &str) -> Config {
    let text = Text(config).to_string();
    assert!(text.contains(from), "{text}");
    applied(&text.replacen(from, to, 1))
}

fn weights(config: &Config, pool: &str) -> Vec<u32> {
    let servers = &config.pool(pool).unwrap().servers;
    servers.iter().map(|s| s.weight).collect()
}

const IMAGES: [&str; 7] = [
    "-A -i http -s http",
    "-a -i http -r 192.0.2.1:80",
    "-a -i http -r 192.0.2.2 -w 2",
    "-a -i http -r 192.0.2.3:www",
    "--add-rule -i http --pattern=/images/.* -r 192.0.2.1:80",
    "--add-rule -i http -p /html/.* -r 192.0.2.2:80",
    "--add-rule -ihttp -p.* -r192.0.2.3:80",
];

const IMAGES_TEXT: &str = r#"virtual http {
    listen = 0.0.0.0:80
    scheduler = http
    server = 192.0.2.1:80 1
    server = 192.0.2.2:80 2
    server = 192.0.2.3:80 1
    rule = pattern "/images/.*" use server 192.0.2.1:80
    rule = pattern "/html/.*" use server 192.0.2.2:80
    rule = pattern ".*" use server 192.0.2.3:80
}
"#;

const USERS_TEXT: &str = r#"virtual web {
    listen = 0.0.0.0:8080
    scheduler = hhttp
    server = 192.0.2.10:80 1
    server = 192.0.2.11:80 3
    rule = pattern "/users/([^/]+)/.*" match 1 use server 192.0.2.10:80
    rule = pattern "/users/([^/]+)/.*" match 1 use server 192.0.2.11:80
    rule = pattern "say \"x\"\.html$" use server 192.0.2.11:80
}
"#;

#[test]
fn the_example_of_images_is_listed_and_loaded() {
    let config = performed(&IMAGES);
    assert_eq!(listed(&config), IMAGES_TEXT);
    assert_eq!(loaded(Config::default(), IMAGES_TEXT), config);
    assert_eq!(loaded(config.clone(), IMAGES_TEXT), config);
    let rules = &config.services[0].rules;
    let ids: Vec<u32> = rules.iter().map(|r| r.id).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn servers_with_one_pattern_are_a_pool() {
    let config = loaded(Config::default(), USERS_TEXT);
    assert_eq!(listed(&config), USERS_TEXT);
    assert_eq!(loaded(config.clone(), USERS_TEXT), config);
    let rules = &config.services[0].rules;
    assert_eq!(rules.len(), 2);
    assert!(matches!(
        &rules[0].action,
        Action::Pool { pool, capture: Some(1) } if pool == "web.1"
    ));
    let group = config.pool("web.1").unwrap();
    let weights: Vec<u32> = group.servers.iter().map(|s| s.weight).collect();
    assert_eq!(weights, [1, 3]);
    let mut config = config;
    for line in [
        "-e -i web -r 192.0.2.11:80 -w 7",
        "--del-rule -i web -p /users/([^/]+)/.* -m 1 -r 192.0.2.10:80",
    ] {
        perform(&mut config, &read(line).unwrap()).unwrap();
        config.check().unwrap();
    }
    let group = &config.pool("web.1").unwrap().servers;
    assert_eq!((group.len(), group[0].weight), (1, 7));
    let line = "--del-rule -i web -p /users/([^/]+)/.* -r 192.0.2.11:80";
    perform(&mut config, &read(line).unwrap()).unwrap();
    config.check().unwrap();
    assert!(config.pool("web.1").is_none());
    assert_eq!(config.services[0].rules.len(), 1);
    perform(&mut config, &read("-D -i web").unwrap()).unwrap();
    assert_eq!(config, Config::default());
}

#[test]
fn what_it_makes_is_ordinary_configuration() {
    for config in [performed(&IMAGES), loaded(Config::default(), USERS_TEXT)] {
        let text = Text(&config).to_string();
        assert_eq!(Source::read(text.as_bytes()).unwrap().config, config);
    }
}

#[test]
fn what_a_file_cannot_say_stays() {
    let text = "pool http {\nserver 192.0.2.1:80\n}\nservice http {\nlisten 0.0.0.0:80\n\
        pool http\ntimeout-head 3s\nenabled off\n\
        rule id 7 path /x status 404\nrule id 9 url-regex y use-server http/192.0.2.1:80\n}\n";
    let mut config = Source::read(text.as_bytes()).unwrap().config;
    let list = listed(&config);
    assert!(list.contains("# stopped"), "{list}");
    assert!(list.contains("# rule path /x status 404"), "{list}");
    let options = read("-a -i http -r 192.0.2.2").unwrap();
    perform(&mut config, &options).unwrap();
    let ids: Vec<u32> = config.services[0].rules.iter().map(|r| r.id).collect();
    assert_eq!(ids, [7, 9]);
    let config = loaded(config, &list);
    assert!(!config.services[0].enabled);
    assert_eq!(
        config.services[0]
            .settings
            .differing(&Default::default())
            .count(),
        1
    );
    let ids: Vec<u32> = config.services[0].rules.iter().map(|r| r.id).collect();
    assert_eq!(ids, [9]);
}

#[test]
fn a_service_with_another_pool_is_left_at_that() {
    let text = "pool images {\n}\nservice www {\nlisten 0.0.0.0:80\npool images\n}\n";
    let mut config = Source::read(text.as_bytes()).unwrap().config;
    assert!(listed(&config).contains("# pool images\n"));
    perform(&mut config, &read("-E -i www -P 81").unwrap()).unwrap();
    assert_eq!(config.pools.len(), 1);
    assert_eq!(config.services[0].pool.as_deref(), Some("images"));
    assert_eq!(config.services[0].listeners[0].port(), 81);
}

#[test]
fn servers_of_a_pool_of_another_name_are_not_its_own() {
    let backends = applied(
        "pool backends {\nscheduler rr\nserver 192.0.2.1:80\n}\n\
         service www {\nlisten 0.0.0.0:80\npool backends\n}\n",
    );
    // One that is there, but that nothing uses, is no better.
    let mut unused = backends.clone();
    unused.pools.push(ktcpvs_netlink::Pool {
        name: "www".to_owned(),
        ..unused.pools[0].clone()
    });
    for config in [backends, unused] {
        for line in [
            "-a -i www -r 192.0.2.14",
            "-e -i www -r 192.0.2.1 -w 0",
            "-d -i www -r 192.0.2.1",
            "-E -i www -s wrr",
            "--add-rule -i www -p x -r 192.0.2.9",
        ] {
            let message = refusal(&config, line);
            assert!(
                message.contains("uses pool 'backends'"),
                "{line}: {message}"
            );
        }
        assert_eq!(also(config.clone(), "-E -i www -P 80"), config);
        let list = listed(&config);
        assert_eq!(
            list,
            "virtual www {\n    listen = 0.0.0.0:80\n    # pool backends\n}\n"
        );
        assert_eq!(loaded(config.clone(), &list), config);
    }
    let none = applied("service www {\nlisten 0.0.0.0:80\n}\n");
    let message = refusal(&none, "-a -i www -r 192.0.2.14");
    assert!(message.contains("uses no pool"), "{message}");
    assert_eq!(loaded(none.clone(), &listed(&none)), none);
}

#[test]
fn a_pool_that_only_rules_use_is_its_own() {
    let config = changed(&performed(&IMAGES), "    pool http\n", "");
    let config = also(config, "-a -i http -r 192.0.2.4");
    let config = also(config, "--add-rule -i http -p x -r 192.0.2.4");
    assert_eq!(config.services[0].rules.len(), 4);
    assert_eq!(config.services[0].pool, None);
}

/// A service with a rule that has a pool of its own, of two servers.
fn with_group() -> Config {
    performed(&[
        "-A -i web",
        "-a -i web -r 10.0.2.11",
        "-a -i web -r 10.0.2.12",
        "--add-rule -i web -p ^/a -r 10.0.2.11",
        "--add-rule -i web -p ^/a -r 10.0.2.12",
    ])
}

#[test]
fn a_refined_rule_keeps_its_pool() {
    let refined = changed(&with_group(), "url-regex", "host x.org url-regex");
    let group = refined.pool("web.1").unwrap();
    let mut config = refined.clone();
    for line in [
        "-a -i web -r 10.0.2.13",
        "-e -i web -r 10.0.2.13 -w 2",
        "--add-rule -i web -p ^/b -r 10.0.2.13",
        "--del-rule -i web -p ^/b -r 10.0.2.13",
        "-d -i web -r 10.0.2.13",
        "-E -i web -s rr",
    ] {
        config = also(config, line);
        assert_eq!(config.pool("web.1"), Some(group), "{line}");
    }
    assert_eq!(config.services, refined.services);
    // It goes with its rule: a file cannot say that one, and -D deletes all that there is.
    let list = listed(&config);
    assert!(list.contains("    # rule host x.org url-regex ^/a use-pool web.1\n"));
    assert!(loaded(config.clone(), &list).pool("web.1").is_none());
    assert_eq!(also(config, "-D -i web"), Config::default());
}

#[test]
fn who_is_drained_for_a_rule_stays_so() {
    let before = with_group();
    let drained = "pool web.1 {\n    scheduler wlc\n    server 10.0.2.11:80 weight ";
    let config = changed(&before, &format!("{drained}1"), &format!("{drained}0"));
    let other = also(config.clone(), "-e -i web -r 10.0.2.12 -w 5");
    let other = also(other, "-a -i web -r 10.0.2.13 -w 3");
    let other = also(other, "--add-rule -i web -p ^/a -r 10.0.2.13");
    assert_eq!(weights(&other, "web"), [1, 5, 3]);
    assert_eq!(weights(&other, "web.1"), [0, 5, 3]);
    // A list tells, and changes nothing; but a weight that is given is the one there is.
    let list = listed(&other);
    assert!(list.contains("    # pool web.1, server 10.0.2.11:80 weight 0\n"));
    assert_eq!(list.matches("weight").count(), 1, "{list}");
    assert_eq!(loaded(other.clone(), &list), other);
    let raised = loaded(other, &list.replace("10.0.2.11:80 1\n", "10.0.2.11:80 7\n"));
    assert_eq!(weights(&raised, "web.1"), [7, 5, 3]);
    // The weight that it has in the service's pool already, too.
    assert_eq!(also(config, "-e -i web -r 10.0.2.11 -w 1"), before);
}

#[test]
fn what_chttp_does_not_say_is_a_comment_and_stays() {
    let key = "000102030405060708090a0b0c0d0e0f";
    let text = format!(
        "pool web {{\nscheduler wrr\ncookie SRV key {key}\nserver 192.0.2.1:80\n}}\n\
         service web {{\nlisten 0.0.0.0:80\npool web\n}}\n"
    );
    let config = applied(&text);
    let list = listed(&config);
    for line in [
        "scheduler = chttp",
        "# scheduler wrr",
        "# cookie SRV",
        "# cookie-key is set",
    ] {
        assert!(list.contains(&format!("    {line}\n")), "{line}: {list}");
    }
    assert!(!list.contains(key));
    assert_eq!(loaded(config.clone(), &list), config);
    // Another scheduler is what a file can say.
    let plain = loaded(config.clone(), &list.replace("= chttp", "= rr"));
    let pool = plain.pool("web").unwrap();
    assert_eq!((pool.scheduler.name(), &pool.affinity), ("rr", &None));
    let default = listed(&performed(&["-A -i web -s chttp"]));
    assert!(!default.contains("# scheduler") && !default.contains("# cookie "));
}

#[test]
fn settings_are_listed_as_comments() {
    let config = applied(
        "service web {\nlisten 0.0.0.0:80\ntimeout-head 3s\nhead-max 8k\nbody-max 1m\n\
         headers-max 50\nforwarded-for on\ntimeout-idle 1m\n}\n",
    );
    let list = listed(&config);
    let comments = list.lines().filter_map(|l| l.strip_prefix("    # "));
    assert_eq!(
        comments.collect::<Vec<_>>(),
        [
            "timeout-head 3s",
            "head-max 8k",
            "headers-max 50",
            "body-max 1m",
            "forwarded-for on",
            "no pool",
        ]
    );
    assert_eq!(loaded(config.clone(), &list), config);
}

#[test]
fn schedulers_have_their_old_names() {
    for (name, shown) in [
        ("wlc", "wlc"),
        ("http", "wlc"),
        ("chttp", "chttp"),
        ("sh", "sh"),
    ] {
        let config = performed(&[&format!("-A -i a -s {name} -P 81"), "-E -i a -l 192.0.2.1"]);
        assert!(
            listed(&config).contains(&format!("scheduler = {shown}\n")),
            "{name}"
        );
        assert_eq!(config.services[0].listeners[0].to_string(), "192.0.2.1:80");
        assert_eq!(config.pools[0].affinity.is_some(), name == "chttp");
    }
    let config = performed(&["-A -i a -s chttp", "-E -i a -s http"]);
    assert_eq!(config.pools[0].affinity, None);
    let stopped = performed(&["-A -i a", "--stop"]);
    assert!(!stopped.services[0].enabled);
    let started = performed(&["-A -i a", "--stop -i a", "--start"]);
    assert!(started.services[0].enabled);
}

#[test]
fn usage_errors_name_the_word() {
    for (line, word) in [
        ("-n", "command"),
        ("-A", "'-i'"),
        ("-A -D -i a", "'-D'"),
        ("-A -i a -w 1", "'-w'"),
        ("-A -i a -i b", "'-i'"),
        ("-A -i", "'-i'"),
        ("-X", "'-X'"),
        ("--add-rul -i a", "'--add-rul'"),
        ("--start=now", "'now'"),
        ("-F all", "'all'"),
        ("-a -i a -r b -w x", "'x'"),
        ("--add-rule -i a -r b", "'-p'"),
    ] {
        let failure = read(line).unwrap_err();
        assert_eq!(failure.status(), 2, "{line}");
        assert!(failure.to_string().contains(word), "{line}: {failure}");
    }
}

#[test]
fn refusals_name_the_word() {
    let config = performed(&IMAGES);
    for (line, word) in [
        ("-A -i http", "'http'"),
        ("-A -i x -s fast", "'fast'"),
        ("-A -i x -P nosuchport", "'nosuchport'"),
        ("-E -i x", "'x'"),
        ("-a -i http -r 192.0.2.1", "'192.0.2.1:80'"),
        ("-e -i http -r 192.0.2.9 -w 1", "'192.0.2.9:80'"),
        ("-d -i http -r 192.0.2.1", "'/images/.*'"),
        ("--add-rule -i http -p x -r 192.0.2.9", "'192.0.2.9:80'"),
        ("--add-rule -i http -p .* -r 192.0.2.3", "'.*'"),
        ("--del-rule -i http -p x -r 192.0.2.3", "'x'"),
        ("--start -i x", "'x'"),
    ] {
        let message = refusal(&config, line);
        assert!(message.contains(word), "{line}: {message}");
    }
}

#[test]
fn file_errors_name_the_line_and_the_word() {
    for (text, wanted) in [
        ("vitual a {", "f:1: 'virtual' expected, not 'vitual'"),
        ("virtual a", "f:1: '{' expected after 'a'"),
        ("virtual a {\n\n", "f:1: no line '}' ends what begins here"),
        ("virtual a {\nlisten 80", "f:2: '=' expected in 'listen 80'"),
        ("virtual a {\n\ncolour = red", "f:3: unknown word 'colour'"),
        (
            "virtual a {\nserver = 192.0.2.1 x",
            "f:2: 'x' is not a number, or too large a one",
        ),
        ("virtual a {\nserver = 192.0.2.1 1 x", "f:2: unexpected 'x'"),
        (
            "virtual a {\nserver = 192.0.2.1\nrule = pattern x",
            "f:3: a pattern in \"\" expected in 'pattern x'",
        ),
        (
            "virtual a {\nserver = 192.0.2.1\nrule = pattern \"x\" use sever b",
            "f:3: 'server' expected, not 'sever'",
        ),
        (
            "virtual a {\n}\nvirtual a {",
            "f:3: there is a virtual 'a' already",
        ),
    ] {
        let failure = file::read(text.as_bytes(), "f").unwrap_err();
        assert_eq!(failure.to_string(), wanted, "{text}");
    }
    let ignored = "Virtual a{\nstartservers = 8\nmaxclients = 9\nredirect = localhost:80\n}\n";
    assert_eq!(file::read(ignored.as_bytes(), "f").unwrap().len(), 1);
}
