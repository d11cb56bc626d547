// SPDX-License-Identifier: GPL-2.0

//! Counters in columns.

use crate::text::rule;
use ktcpvs_netlink::{
    Snapshot,
    Stats, //
};
use std::fmt::{
    self,
    Display, //
};

/// Lines of cells. A cell that holds a number is set to the right.
pub(crate) struct Table(Vec<Vec<String>>);

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.0.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let numbers: Vec<bool> = (0..columns).map(|column| self.is_number(column)).collect();
        for line in &self.0 {
            let mut text = String::new();
            for (column, cell) in line.iter().enumerate() {
                let width = widths[column];
                let between = if column == 0 { "" } else { "  " };
                text.push_str(&match numbers[column] {
                    true => format!("{between}{cell:>width$}"),
                    false => format!("{between}{cell:width$}"),
                });
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

impl Table {
    fn new(heads: &[&str], counted: bool) -> Self {
        let mut heads: Vec<String> = heads.iter().map(|h| (*h).to_owned()).collect();
        if counted {
            heads.extend(COUNTERS.map(str::to_owned));
        }
        Self(vec![heads])
    }

    /// Whether a column has nothing but numbers below its head.
    fn is_number(&self, column: usize) -> bool {
        let cells = self.0.iter().skip(1).filter_map(|line| line.get(column));
        let mut cells = cells.peekable();
        cells.peek().is_some() && cells.all(|c| c.bytes().all(|b| b.is_ascii_digit()))
    }
}

const COUNTERS: [&str; 7] = [
    "ACTIVE",
    "CONNECTIONS",
    "REQUESTS",
    "RESPONSES",
    "BYTES-IN",
    "BYTES-OUT",
    "ERRORS",
];

fn cells(stats: &Stats) -> impl Iterator<Item = String> {
    let values = [
        stats.connections_active,
        stats.connections_total,
        stats.requests,
        stats.responses,
        stats.bytes_in,
        stats.bytes_out,
        stats.errors,
    ];
    values.into_iter().map(|value| value.to_string())
}

/// The real servers.
pub(crate) fn servers(snapshot: &Snapshot) -> Table {
    let mut table = Table::new(&["POOL", "SERVER", "WEIGHT"], true);
    for pool in &snapshot.config.pools {
        for server in &pool.servers {
            let address = server.address.to_string();
            let mut line = vec![pool.name.clone(), address, server.weight.to_string()];
            line.extend(cells(
                &snapshot.counters.server(&pool.name, &server.address),
            ));
            table.0.push(line);
        }
    }
    table
}

/// The rules.
pub(crate) fn rules(snapshot: &Snapshot) -> Table {
    let mut table = Table::new(&["SERVICE", "ID", "REQUESTS", "ERRORS", "RULE"], false);
    for service in &snapshot.config.services {
        for rule in &service.rules {
            let stats = snapshot.counters.rule(&service.name, rule.id);
            table.0.push(vec![
                service.name.clone(),
                rule.id.to_string(),
                stats.requests.to_string(),
                stats.errors.to_string(),
                rule::show(rule),
            ]);
        }
    }
    table
}

fn services(snapshot: &Snapshot) -> Table {
    let mut table = Table::new(&["SERVICE"], true);
    table.0[0].push("REFUSED".to_owned());
    for service in &snapshot.config.services {
        let mut line = vec![service.name.clone()];
        let stats = snapshot.counters.service(&service.name);
        line.extend(cells(&stats));
        line.push(stats.connections_refused.to_string());
        table.0.push(line);
    }
    table
}

/// What the connections of the network namespace take and may take, in bytes.
fn memory(snapshot: &Snapshot) -> Table {
    let mut table = Table::new(&["MEMORY", "MEM-LIMIT"], false);
    let limit = match snapshot.config.mem_limit {
        0 => "default".to_owned(),
        limit => limit.to_string(),
    };
    table.0.push(vec![snapshot.memory.to_string(), limit]);
    table
}

/// Several tables, those left out that have no lines.
pub(crate) struct Tables(Vec<Table>);

impl Display for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for table in self.0.iter().filter(|table| table.0.len() > 1) {
            write!(f, "{between}{table}")?;
            between = "\n";
        }
        Ok(())
    }
}

/// All counters of what is left in a snapshot.
pub(crate) fn counters(snapshot: &Snapshot) -> Tables {
    Tables(vec![services(snapshot), servers(snapshot), rules(snapshot)])
}

/// All counters, and what is not of one service or pool.
pub(crate) fn all(snapshot: &Snapshot) -> Tables {
    let mut tables = counters(snapshot);
    tables.0.insert(0, memory(snapshot));
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use ktcpvs_netlink::{
        Pool,
        Server, //
    };

    #[test]
    fn columns_line_up() {
        let mut snapshot = Snapshot::default();
        let mut pool = Pool::new("images");
        let address = "192.0.2.1:80".parse().unwrap();
        pool.servers.push(Server { address, weight: 5 });
        let address = "[2001:db8::1]:8080".parse().unwrap();
        let weight = 100;
        pool.servers.push(Server { address, weight });
        let stats = Stats {
            requests: 12_345,
            responses: 12_340,
            ..Stats::default()
        };
        let key = (pool.name.clone(), address);
        snapshot.counters.servers.insert(key, stats);
        snapshot.config.pools.push(pool);
        let wanted = "\
POOL    SERVER              WEIGHT  ACTIVE  CONNECTIONS  REQUESTS  RESPONSES  BYTES-IN  BYTES-OUT  ERRORS
images  192.0.2.1:80             5       0            0         0          0         0          0       0
images  [2001:db8::1]:8080     100       0            0     12345      12340         0          0       0
";
        assert_eq!(servers(&snapshot).to_string(), wanted);
        assert_eq!(counters(&snapshot).to_string(), wanted);
        assert_eq!(counters(&Snapshot::default()).to_string(), "");
        snapshot.config.mem_limit = 1 << 20;
        snapshot.memory = 4096;
        let memory = "MEMORY  MEM-LIMIT\n  4096    1048576\n";
        assert_eq!(all(&snapshot).to_string(), format!("{memory}\n{wanted}"));
        let memory = "MEMORY  MEM-LIMIT\n     0  default\n";
        assert_eq!(all(&Snapshot::default()).to_string(), memory);
    }
}
