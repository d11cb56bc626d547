// SPDX-License-Identifier: GPL-2.0

//! A snapshot as JSON. Times are in milliseconds, sizes in bytes.

use crate::cli::What;
use crate::failure::Failure;
use crate::text::{
    rule,
    value, //
};
use ktcpvs_netlink::{
    Action,
    Condition,
    Config,
    Rule,
    Server,
    Service,
    Setting,
    Snapshot,
    Stats,
    Unit, //
};
use serde::ser::SerializeMap;
use serde::{
    Serialize,
    Serializer, //
};

#[derive(Serialize)]
struct Document<'a> {
    generation: u64,
    version: &'a str,
    /// 0 for the default.
    mem_limit: u64,
    memory: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pools: Option<Vec<PoolView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<Vec<ServiceView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    servers: Option<Vec<ServerView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<RuleView<'a>>>,
}

#[derive(Serialize)]
struct PoolView<'a> {
    name: &'a str,
    scheduler: &'a str,
    cookie: Option<&'a str>,
    key: Option<String>,
    servers: Vec<ServerView<'a>>,
}

#[derive(Serialize)]
struct ServerView<'a> {
    pool: &'a str,
    address: String,
    port: u16,
    weight: u32,
    stats: StatsView,
}

#[derive(Serialize)]
struct ServiceView<'a> {
    name: &'a str,
    listen: Vec<String>,
    enabled: bool,
    pool: Option<&'a str>,
    settings: SettingsView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<RuleView<'a>>>,
    stats: StatsView,
}

/// The settings by their words, `-` become `_`.
struct SettingsView<'a>(&'a Service);

#[derive(Serialize)]
struct RuleView<'a> {
    service: &'a str,
    id: u32,
    text: String,
    conditions: Vec<ConditionView<'a>>,
    action: ActionView<'a>,
    stats: StatsView,
}

#[derive(Serialize)]
struct ConditionView<'a> {
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    operator: &'a str,
    value: ValueView<'a>,
    not: bool,
}

/// A string, or an array of bytes when it is not UTF-8.
#[derive(Serialize)]
#[serde(untagged)]
enum ValueView<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ActionView<'a> {
    Pool {
        pool: &'a str,
        capture: Option<u32>,
    },
    Server {
        pool: &'a str,
        address: String,
        port: u16,
    },
    Redirect {
        status: u32,
        location: &'a str,
    },
    Status {
        status: u32,
    },
}

#[derive(Serialize)]
struct StatsView {
    connections_active: u64,
    connections_total: u64,
    connections_refused: u64,
    requests: u64,
    responses: u64,
    bytes_in: u64,
    bytes_out: u64,
    errors: u64,
}

impl From<Stats> for StatsView {
    fn from(stats: Stats) -> Self {
        Self {
            connections_active: stats.connections_active,
            connections_total: stats.connections_total,
            connections_refused: stats.connections_refused,
            requests: stats.requests,
            responses: stats.responses,
            bytes_in: stats.bytes_in,
            bytes_out: stats.bytes_out,
            errors: stats.errors,
        }
    }
}

impl Serialize for SettingsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Setting::ALL.len()))?;
        for setting in Setting::ALL {
            let word = setting.word().replace('-', "_");
            let value = self.0.settings.get(setting);
            match setting.unit() {
                Unit::Switch => map.serialize_entry(&word, &(value != 0))?,
                _ => map.serialize_entry(&word, &value)?,
            }
        }
        map.end()
    }
}

/// The JSON text of what is left in a snapshot.
///
/// # Errors
///
/// None is expected.
pub(crate) fn text(snapshot: &Snapshot, what: Option<What>) -> Result<String, Failure> {
    let view = View(snapshot);
    let Config {
        mem_limit,
        pools,
        services,
    } = &snapshot.config;
    let with_rules = !matches!(what, Some(What::Stats));
    let mut document = Document {
        generation: snapshot.generation,
        version: &snapshot.version,
        mem_limit: *mem_limit,
        memory: snapshot.memory,
        pools: None,
        services: None,
        servers: None,
        rules: None,
    };
    if matches!(what, None | Some(What::Pools)) {
        document.pools = Some(pools.iter().map(|p| view.pool(p)).collect());
    }
    if matches!(what, None | Some(What::Services | What::Stats)) {
        let services = services.iter().map(|s| view.service(s, with_rules));
        document.services = Some(services.collect());
    }
    if matches!(what, Some(What::Servers | What::Stats)) {
        let servers = pools.iter().flat_map(|p| view.servers(p));
        document.servers = Some(servers.collect());
    }
    if matches!(what, Some(What::Rules | What::Stats)) {
        let rules = services.iter().flat_map(|s| view.rules(s));
        document.rules = Some(rules.collect());
    }
    serde_json::to_string_pretty(&document).map_err(|error| Failure::Refused(error.to_string()))
}

/// Objects of a snapshot with their counters.
struct View<'a>(&'a Snapshot);

impl<'a> View<'a> {
    fn pool(&self, pool: &'a ktcpvs_netlink::Pool) -> PoolView<'a> {
        let affinity = pool.affinity.as_ref();
        PoolView {
            name: &pool.name,
            scheduler: pool.scheduler.name(),
            cookie: affinity.map(|a| &*a.cookie),
            key: affinity.and_then(|a| a.key.as_ref()).map(value::show_key),
            servers: self.servers(pool),
        }
    }

    fn servers(&self, pool: &'a ktcpvs_netlink::Pool) -> Vec<ServerView<'a>> {
        let counters = &self.0.counters;
        let view = |server: &Server| ServerView {
            pool: &pool.name,
            address: server.address.ip().to_string(),
            port: server.address.port(),
            weight: server.weight,
            stats: counters.server(&pool.name, &server.address).into(),
        };
        pool.servers.iter().map(view).collect()
    }

    fn service(&self, service: &'a Service, with_rules: bool) -> ServiceView<'a> {
        ServiceView {
            name: &service.name,
            listen: service.listeners.iter().map(ToString::to_string).collect(),
            enabled: service.enabled,
            pool: service.pool.as_deref(),
            settings: SettingsView(service),
            rules: with_rules.then(|| self.rules(service)),
            stats: self.0.counters.service(&service.name).into(),
        }
    }

    fn rules(&self, service: &'a Service) -> Vec<RuleView<'a>> {
        let view = |rule: &'a Rule| RuleView {
            service: &service.name,
            id: rule.id,
            text: rule::show(rule),
            conditions: rule.conditions.iter().map(condition).collect(),
            action: action(&rule.action),
            stats: self.0.counters.rule(&service.name, rule.id).into(),
        };
        service.rules.iter().map(view).collect()
    }
}

fn condition(condition: &Condition) -> ConditionView<'_> {
    ConditionView {
        subject: condition.subject.word(),
        name: condition.subject.name(),
        operator: condition.operator.word(),
        value: match std::str::from_utf8(&condition.value) {
            Ok(text) => ValueView::Text(text),
            Err(_) => ValueView::Bytes(&condition.value),
        },
        not: condition.not,
    }
}

fn action(action: &Action) -> ActionView<'_> {
    match action {
        Action::Pool { pool, capture } => ActionView::Pool {
            pool,
            capture: *capture,
        },
        Action::Server { pool, address } => ActionView::Server {
            pool,
            address: address.ip().to_string(),
            port: address.port(),
        },
        Action::Redirect { status, location } => ActionView::Redirect {
            status: *status,
            location,
        },
        Action::Status(status) => ActionView::Status { status: *status },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read::Source;
    use serde_json::{
        json,
        Value, //
    };

    fn snapshot() -> Snapshot {
        let text = b"mem-limit 2m\npool web {\ncookie S key 000102030405060708090a0b0c0d0e0f\n\
            server 192.0.2.1:80 weight 3\n}\nservice www {\nlisten [::]:80\n\
            rule id 4 path \"\\xff\" header A=b use-server web/192.0.2.1:80\n}\n";
        let config = Source::read(text).unwrap().config;
        let mut snapshot = Snapshot {
            config,
            generation: 7,
            memory: 4096,
            ..Snapshot::default()
        };
        let stats = Stats {
            requests: 5,
            ..Stats::default()
        };
        let rule = ("www".to_owned(), 4);
        snapshot.counters.rules.insert(rule, stats);
        snapshot
    }

    fn parsed(what: Option<What>) -> Value {
        serde_json::from_str(&text(&snapshot(), what).unwrap()).unwrap()
    }

    #[test]
    fn all_is_in_the_document() {
        let document = parsed(None);
        assert_eq!(document["generation"], 7);
        assert_eq!(document["mem_limit"], 2 << 20);
        assert_eq!(document["memory"], 4096);
        let pool = &document["pools"][0];
        assert_eq!(pool["cookie"], "S");
        assert_eq!(pool["key"], "000102030405060708090a0b0c0d0e0f");
        assert_eq!(pool["servers"][0]["address"], "192.0.2.1");
        assert_eq!(pool["servers"][0]["weight"], 3);
        let service = &document["services"][0];
        assert_eq!(service["listen"], json!(["[::]:80"]));
        assert_eq!(service["settings"]["timeout_head"], 10_000);
        assert_eq!(service["settings"]["forwarded_for"], false);
        let rule = &service["rules"][0];
        assert_eq!(rule["conditions"][0]["value"], json!([255]));
        assert_eq!(rule["conditions"][1]["name"], "A");
        assert_eq!(
            rule["action"],
            json!({"type": "server", "pool": "web", "address": "192.0.2.1", "port": 80})
        );
        assert_eq!(rule["stats"]["requests"], 5);
    }

    #[test]
    fn a_part_has_that_part() {
        let always = ["generation", "version", "mem_limit", "memory"];
        let keys = |what| {
            let document = parsed(Some(what));
            let object = document.as_object().unwrap();
            assert!(always.iter().all(|key| object.contains_key(*key)));
            let keys = object.keys().filter(|k| !always.contains(&k.as_str()));
            let mut keys: Vec<String> = keys.cloned().collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(What::Services), ["services"]);
        assert_eq!(keys(What::Pools), ["pools"]);
        assert_eq!(keys(What::Servers), ["servers"]);
        assert_eq!(keys(What::Rules), ["rules"]);
        assert_eq!(keys(What::Stats), ["rules", "servers", "services"]);
    }
}
