//! The hosts of a registry, as a table.

use super::table;
use crate::{
    operation::exports::{PrivateDnsRecord, RegistryEndpoints, RegistryHost},
    quoted::quoted,
};
use std::fmt;

impl fmt::Display for RegistryEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["HOST", "PORT", "PURPOSE", "NEEDED BY", "CERTAIN"].map(str::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(header).chain(self.hosts.iter().map(row)).collect();
        table::write(f, &rows)?;
        let join = |all: Vec<String>| quoted(all.join(", "));
        if !self.private_dns.is_empty() {
            write!(f, "\nprivate DNS: {}", join(self.private_dns.iter().map(ToString::to_string).collect()))?;
        }
        write!(f, "\nnoProxy: {}", join(self.no_proxy.clone()))?;
        write!(f, "\nservice tags: {}", join(self.service_tags.clone()))
    }
}

fn row(host: &RegistryHost) -> [String; 5] {
    let certain = if host.certain { "yes" } else { "no" };
    [host.host.clone(), host.port.to_string(), host.purpose.to_string(), host.needed_by.to_string(), certain.to_owned()]
        .map(quoted)
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({})", quoted(self.host.clone()), self.port, self.purpose)
    }
}

impl fmt::Display for PrivateDnsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", quoted(self.record.clone()), quoted(self.zone.clone()))
    }
}
