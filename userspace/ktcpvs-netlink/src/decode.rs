// SPDX-License-Identifier: GPL-2.0

//! A dump, message by message, to a [`Snapshot`].

use crate::model::{
    Action,
    Affinity,
    Condition,
    Operator,
    Pool,
    Rule,
    Scheduler,
    Server,
    Service,
    Setting,
    Snapshot,
    Stats,
    Subject,
    Width, //
};
use crate::uapi::{
    self,
    a_condition,
    a_info,
    a_listener,
    a_main,
    a_pool,
    a_rule,
    a_server,
    a_service,
    a_settings,
    a_stats, //
};
use crate::wire::{
    Attribute,
    Attributes, //
};
use crate::Malformed;
use std::net::{
    IpAddr,
    SocketAddr, //
};

type Result<T> = std::result::Result<T, Malformed>;

/// Takes one message of a dump, after its generic netlink header, into the snapshot.
pub(crate) fn message(snapshot: &mut Snapshot, payload: &[u8]) -> Result<()> {
    for attribute in Attributes(payload) {
        let attribute = attribute?;
        let inside = attribute.nest();
        match attribute.kind {
            a_main::INFO => info(snapshot, inside)?,
            a_main::POOL => snapshot.config.pools.push(pool(inside)?),
            a_main::SERVER => server(snapshot, inside)?,
            a_main::SERVICE => service(snapshot, inside)?,
            a_main::RULE => rule(snapshot, inside)?,
            // From a newer module.
            _ => {}
        }
    }
    Ok(())
}

fn needed<T>(value: Option<T>, what: &'static str) -> Result<T> {
    value.ok_or(Malformed(what))
}

fn info(snapshot: &mut Snapshot, attributes: Attributes<'_>) -> Result<()> {
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            a_info::GENERATION => snapshot.generation = attribute.uint()?,
            a_info::VERSION => snapshot.version = attribute.string()?,
            a_info::SETTINGS => settings(snapshot, attribute.nest())?,
            a_info::MEMORY => snapshot.memory = attribute.uint()?,
            _ => {}
        }
    }
    Ok(())
}

fn settings(snapshot: &mut Snapshot, attributes: Attributes<'_>) -> Result<()> {
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == a_settings::MEM_LIMIT {
            snapshot.config.mem_limit = attribute.uint()?;
        }
    }
    Ok(())
}

fn pool(attributes: Attributes<'_>) -> Result<Pool> {
    let mut pool = Pool::new("");
    let mut cookie = String::new();
    let mut key = None;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            a_pool::NAME => pool.name = attribute.string()?,
            a_pool::SCHEDULER => {
                let scheduler = Scheduler::from_number(attribute.u32()?);
                pool.scheduler = needed(scheduler, "an unknown scheduler")?;
            }
            a_pool::COOKIE => cookie = attribute.string()?,
            a_pool::KEY => {
                let bytes = attribute.payload.try_into();
                key = Some(bytes.map_err(|_| Malformed("a key of another length"))?);
            }
            _ => {}
        }
    }
    if !cookie.is_empty() {
        pool.affinity = Some(Affinity { cookie, key });
    }
    Ok(pool)
}

fn server(snapshot: &mut Snapshot, attributes: Attributes<'_>) -> Result<()> {
    let mut pool = None;
    let mut address = Address::default();
    let mut weight = 1;
    let mut stats = Stats::default();
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            a_server::POOL => pool = Some(attribute.string()?),
            a_server::ADDRESS => address.ip = Some(attribute.ip()?),
            a_server::PORT => address.port = Some(attribute.port()?),
            a_server::WEIGHT => weight = attribute.u32()?,
            a_server::STATS => stats = self::stats(attribute)?,
            _ => {}
        }
    }
    let pool = needed(pool, "a server without its pool")?;
    let address = address.whole()?;
    let into = snapshot.config.pool_mut(&pool);
    needed(into, "a server of a pool that was not told")?
        .servers
        .push(Server { address, weight });
    snapshot.counters.servers.insert((pool, address), stats);
    Ok(())
}

fn service(snapshot: &mut Snapshot, attributes: Attributes<'_>) -> Result<()> {
    let mut service = Service::new("");
    let mut stats = Stats::default();
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            a_service::NAME => service.name = attribute.string()?,
            a_service::LISTENER => service.listeners.push(listener(attribute.nest())?),
            a_service::POOL => {
                service.pool = Some(attribute.string()?).filter(|pool| !pool.is_empty());
            }
            a_service::ENABLED => service.enabled = attribute.u8()? != 0,
            a_service::STATS => stats = self::stats(attribute)?,
            kind => {
                let setting = Setting::ALL.into_iter().find(|s| s.attribute() == kind);
                if let Some(setting) = setting {
                    let value = match setting.width() {
                        Width::U8 => attribute.u8()?.into(),
                        Width::U32 => attribute.u32()?.into(),
                        Width::Uint => attribute.uint()?,
                    };
                    service.settings.set(setting, value);
                }
            }
        }
    }
    let name = service.name.clone();
    snapshot.counters.services.insert(name, stats);
    snapshot.config.services.push(service);
    Ok(())
}

fn listener(attributes: Attributes<'_>) -> Result<SocketAddr> {
    let mut address = Address::default();
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            a_listener::ADDRESS => address.ip = Some(attribute.ip()?),
            a_listener::PORT => address.port = Some(attribute.port()?),
            _ => {}
        }
    }
    address.whole()
}

#[derive(Default)]
struct Address {
    ip: Option<IpAddr>,
    port: Option<u16>,
}

impl Address {
    fn whole(&self) -> Result<SocketAddr> {
        let ip = needed(self.ip, "an address is missing")?;
        let port = needed(self.port, "a port is missing")?;
        Ok(SocketAddr::new(ip, port))
    }
}

fn rule(snapshot: &mut Snapshot, attributes: Attributes<'_>) -> Result<()> {
    let mut name = None;
    let mut id = None;
    let mut conditions = Vec::new();
    let mut parts = ActionParts::default();
    let mut stats = Stats::default();
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            a_rule::SERVICE => name = Some(attribute.string()?),
            a_rule::ID => id = Some(attribute.u32()?),
            a_rule::CONDITION => conditions.push(condition(attribute.nest())?),
            a_rule::ACTION => parts.action = Some(attribute.u32()?),
            a_rule::POOL => parts.pool = Some(attribute.string()?),
            a_rule::ADDRESS => parts.address.ip = Some(attribute.ip()?),
            a_rule::PORT => parts.address.port = Some(attribute.port()?),
            a_rule::STATUS => parts.status = Some(attribute.u32()?),
            a_rule::LOCATION => parts.location = Some(attribute.string()?),
            a_rule::CAPTURE => parts.capture = Some(attribute.u32()?),
            a_rule::STATS => stats = self::stats(attribute)?,
            _ => {}
        }
    }
    let name = needed(name, "a rule without its service")?;
    let id = needed(id, "a rule without its id")?;
    let rule = Rule {
        id,
        conditions,
        action: parts.action()?,
    };
    let into = snapshot.config.service_mut(&name);
    needed(into, "a rule of a service that was not told")?
        .rules
        .push(rule);
    snapshot.counters.rules.insert((name, id), stats);
    Ok(())
}

#[derive(Default)]
struct ActionParts {
    action: Option<u32>,
    pool: Option<String>,
    address: Address,
    status: Option<u32>,
    location: Option<String>,
    capture: Option<u32>,
}

impl ActionParts {
    fn action(self) -> Result<Action> {
        let pool = needed(self.pool, "an action without its pool");
        let status = needed(self.status, "an action without its status");
        match self.action {
            Some(uapi::action::POOL) => Ok(Action::Pool {
                pool: pool?,
                capture: self.capture,
            }),
            Some(uapi::action::SERVER) => Ok(Action::Server {
                pool: pool?,
                address: self.address.whole()?,
            }),
            Some(uapi::action::REDIRECT) => Ok(Action::Redirect {
                status: status?,
                location: needed(self.location, "a redirection without its location")?,
            }),
            Some(uapi::action::STATUS) => Ok(Action::Status(status?)),
            _ => Err(Malformed("an unknown action")),
        }
    }
}

fn condition(attributes: Attributes<'_>) -> Result<Condition> {
    let mut subject = None;
    let mut operator = None;
    let mut name = None;
    let mut value = Vec::new();
    let mut not = false;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            a_condition::SUBJECT => subject = Some(attribute.u32()?),
            a_condition::OPERATOR => operator = Operator::from_number(attribute.u32()?),
            a_condition::NAME => name = Some(attribute.string()?),
            a_condition::VALUE => value = attribute.payload.to_vec(),
            a_condition::NOT => not = true,
            _ => {}
        }
    }
    let subject = subject.and_then(|number| Subject::from_number(number, name));
    Ok(Condition {
        subject: needed(subject, "an unknown subject")?,
        operator: needed(operator, "an unknown operator")?,
        value,
        not,
    })
}

fn stats(nest: Attribute<'_>) -> Result<Stats> {
    let mut stats = Stats::default();
    for attribute in nest.nest() {
        let attribute = attribute?;
        let field = match attribute.kind {
            a_stats::CONNECTIONS_ACTIVE => &mut stats.connections_active,
            a_stats::CONNECTIONS_TOTAL => &mut stats.connections_total,
            a_stats::REQUESTS => &mut stats.requests,
            a_stats::BYTES_IN => &mut stats.bytes_in,
            a_stats::BYTES_OUT => &mut stats.bytes_out,
            a_stats::ERRORS => &mut stats.errors,
            a_stats::RESPONSES => &mut stats.responses,
            a_stats::CONNECTIONS_REFUSED => &mut stats.connections_refused,
            _ => continue,
        };
        *field = attribute.uint()?;
    }
    Ok(stats)
}
