//! Which hosts are reached without a proxy. `NO_PROXY` is parsed as in Go's standard library, and so as in kubectl, helm and every
//! other Go program: two programs on one machine should use the same route.
//!
//! See [httpproxy](https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config). Two common expectations do not hold: an entry with a
//! trailing dot matches only a host that is written with one, and `.example.com` does not match `example.com` itself.

use std::net::IpAddr;
use url::Host;

/// The list, parsed once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NoProxy {
    /// `*` is among the entries.
    all: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Address(IpAddr, Port),
    Network(Network),
    Domain {
        /// With a dot before it.
        ending: String,
        /// Whether the domain itself is meant too, and not only what is below it.
        itself: bool,
        port: Port,
    },
}

/// Empty for any port. A value that is not a number matches no port.
type Port = String;

impl NoProxy {
    pub fn parse(list: &str) -> Self {
        let mut entries = Vec::new();
        for text in list.split(',') {
            let text = text.trim().to_lowercase();
            if text == "*" {
                return Self { all: true, entries: Vec::new() };
            }
            entries.extend(entry(&text));
        }
        Self { all: false, entries }
    }

    /// The entries of a list that match no host, though they look as if they should. They are not an error, because another
    /// program that shares the variable may parse them differently.
    pub fn without_effect(list: &str) -> impl Iterator<Item = &str> {
        let entries = list.split(',').map(str::trim);
        entries.filter(|text| match entry(&text.to_lowercase()) {
            Some(Entry::Domain { ending, port, .. }) => {
                let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
                *text != "*"
                    && (ending.ends_with('.')
                        || !ending.chars().all(is_name)
                        || !(port.is_empty() || port.parse::<u16>().is_ok()))
            }
            _ => false,
        })
    }

    /// Whether a host is reached directly. An IPv6 address may have brackets or not.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) || self.all {
            return true;
        }
        let host = ascii(host).to_lowercase();
        let port = port.to_string();
        self.entries.iter().any(|entry| entry.matches(&host, address, &port))
    }
}

impl Entry {
    fn matches(&self, host: &str, address: Option<IpAddr>, port: &str) -> bool {
        let is_port = |wanted: &str| wanted.is_empty() || wanted == port;
        match (self, address) {
            (Self::Address(one, wanted), Some(address)) => *one == address && is_port(wanted),
            (Self::Network(network), Some(address)) => network.contains(address),
            (Self::Domain { ending, itself, port: wanted }, None) => {
                (host.ends_with(ending.as_str()) || (*itself && host == &ending[1..])) && is_port(wanted)
            }
            _ => false,
        }
    }
}

fn entry(text: &str) -> Option<Entry> {
    if let Some(network) = Network::parse(text) {
        return Some(Entry::Network(network));
    }
    let (host, port) = split_port(text).unwrap_or((text, ""));
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(Entry::Address(address.to_canonical(), port.to_owned()));
    }
    let host = if host.starts_with("*.") { &host[1..] } else { host };
    let itself = !host.is_empty() && !host.starts_with('.');
    let domain = ascii(host.strip_prefix('.').unwrap_or(host));
    (!host.is_empty()).then(|| Entry::Domain { ending: format!(".{domain}"), itself, port: port.to_owned() })
}

/// `host:port` or `[address]:port`, by the rules of Go's `net.SplitHostPort`.
fn split_port(text: &str) -> Option<(&str, &str)> {
    let (before, port) = text.rsplit_once(':')?;
    let host = match before.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None if before.contains(':') => return None,
        None => before,
    };
    (!host.contains(['[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

/// A name in the form of a DNS query; an invalid one stays as it is.
fn ascii(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    match Host::parse(name) {
        Ok(Host::Domain(ascii)) => ascii,
        _ => name.to_owned(),
    }
}

/// Addresses with the same leading bits. The address is masked; an IPv4-mapped IPv6 address is converted to IPv4.
#[derive(Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, is_number): (IpAddr, _) =
            (address.parse().ok()?, !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit()));
        let bits: u32 = bits.parse().ok().filter(|_| is_number)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        if bits > longest {
            return None;
        }
        let address = masked(address, bits);
        let mapped = address.is_ipv6() && address.to_canonical().is_ipv4();
        let bits = if mapped { bits.saturating_sub(96) } else { bits };
        Some(Self { address: address.to_canonical(), bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && masked(address, self.bits) == masked(self.address, self.bits)
    }
}

fn masked(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// Go's results, generated by the program next to it. See `no_proxy.go`.
    const CASES: &str = include_str!("no_proxy.json");

    #[derive(Deserialize)]
    struct Table {
        source: String,
        /// `host:port`, each checked with each value.
        asked: Vec<String>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        no_proxy: String,
        /// Those of `asked` that are reached without the proxy.
        direct: Vec<String>,
    }

    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        let Table { source, asked, cases } = serde_json::from_str(CASES).unwrap();
        assert!(source.contains("net/http") && cases.len() > 80 && asked.len() > 50, "{source}: {}", cases.len());
        let mut wrong = Vec::new();
        for Case { no_proxy, direct } in cases {
            let list = NoProxy::parse(&no_proxy);
            for one in &asked {
                let (host, port) = one.rsplit_once(':').unwrap();
                let expected = direct.contains(one);
                if list.matches(host, port.parse().unwrap()) != expected {
                    wrong.push(format!("NO_PROXY={no_proxy} {one}: Go says {expected}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} differ from Go\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn an_entry_that_matches_no_host_is_found() {
        let list = "azure.com, azure.com., *azure.com, *, *.azure.com, https://azure.com, azure.com:https, 10.0.0.0/33, 10.0.0.0/8, [::1], a b, my_host";
        let found: Vec<&str> = NoProxy::without_effect(list).collect();
        let expected =
            ["azure.com.", "*azure.com", "https://azure.com", "azure.com:https", "10.0.0.0/33", "[::1]", "a b"];
        assert_eq!(found, expected);
    }
}
