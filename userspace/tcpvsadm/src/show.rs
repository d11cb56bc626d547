// SPDX-License-Identifier: GPL-2.0

//! What is configured, and what has been counted.

mod json;
mod table;

use crate::cli::What;
use crate::failure::{
    refused,
    Failure, //
};
use crate::output;
use crate::text::write::{
    Blocks,
    Text, //
};
use ktcpvs_netlink::{
    Client,
    Snapshot, //
};

/// Shows the configuration or counters, of everything or of the service or pool of a name.
///
/// # Errors
///
/// Why it could not be shown.
pub(crate) fn run(what: Option<What>, name: Option<&str>, json: bool) -> Result<(), Failure> {
    let mut snapshot = Client::open()?.get()?;
    select(&mut snapshot, what, name)?;
    if json {
        return output::print(&format_args!("{}\n", json::text(&snapshot, what)?));
    }
    match what {
        None if name.is_none() => output::print(&Text(&snapshot.config)),
        None | Some(What::Services | What::Pools) => output::print(&Blocks(&snapshot.config)),
        Some(What::Servers) => output::print(&table::servers(&snapshot)),
        Some(What::Rules) => output::print(&table::rules(&snapshot)),
        Some(What::Stats) if name.is_none() => output::print(&table::all(&snapshot)),
        Some(What::Stats) => output::print(&table::counters(&snapshot)),
    }
}

/// Leaves in the snapshot what is asked for.
fn select(snapshot: &mut Snapshot, what: Option<What>, name: Option<&str>) -> Result<(), Failure> {
    let config = &mut snapshot.config;
    let pools = !matches!(what, Some(What::Services | What::Rules));
    let services = !matches!(what, Some(What::Pools | What::Servers));
    let wanted = |found: &str| name.is_none_or(|name| name == found);
    config.pools.retain(|p| pools && wanted(&p.name));
    config.services.retain(|s| services && wanted(&s.name));
    match name {
        Some(name) if config.pools.is_empty() && config.services.is_empty() => {
            let kind = match (services, pools) {
                (true, true) => "service or pool",
                (true, false) => "service",
                _ => "pool",
            };
            refused(format!("there is no {kind} '{name}'"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ktcpvs_netlink::{
        Pool,
        Service, //
    };

    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.config.pools = vec![Pool::new("a"), Pool::new("b")];
        snapshot.config.services = vec![Service::new("a"), Service::new("c")];
        snapshot
    }

    fn selected(what: Option<What>, name: Option<&str>) -> Option<(usize, usize)> {
        let mut snapshot = snapshot();
        select(&mut snapshot, what, name).ok()?;
        let config = &snapshot.config;
        Some((config.pools.len(), config.services.len()))
    }

    #[test]
    fn what_is_asked_for_is_left() {
        assert_eq!(selected(None, None), Some((2, 2)));
        assert_eq!(selected(None, Some("a")), Some((1, 1)));
        assert_eq!(selected(Some(What::Services), None), Some((0, 2)));
        assert_eq!(selected(Some(What::Servers), Some("b")), Some((1, 0)));
        assert_eq!(selected(Some(What::Rules), Some("b")), None);
        assert_eq!(selected(Some(What::Stats), Some("d")), None);
    }
}
