//! The HTTP proxy of a cluster's nodes: see [HTTP proxy support](https://learn.microsoft.com/azure/aks/http-proxy).

use serde_json::Value;

use super::{Way, direct, public_address};
use crate::cluster::Cluster;
use crate::node::NetworkFailure;
use crate::world::World;

/// An HTTP proxy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxy {
    /// Hosts that it does not connect to.
    pub(crate) refuses: Vec<String>,
    /// The subnet that it is in, whose names and private endpoints it reaches. `None`: it is outside of Azure.
    pub(crate) subnet: Option<String>,
    /// Whether it does not respond at all.
    pub(crate) is_silent: bool,
}

/// The host and the port of the proxy that a cluster's nodes use for a host.
pub(super) fn of(cluster: &Cluster, host: &str) -> Option<String> {
    let config = &cluster.seed.properties["httpProxyConfig"];
    let address = config["httpsProxy"].as_str().filter(|_| config["enabled"] != false)?;
    let exempt = config["noProxy"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if exempt.into_iter().any(|entry| exempts(entry, host)) {
        return None;
    }
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let place = rest.rsplit('@').next().unwrap_or(rest).trim_end_matches('/');
    Some(place.to_owned())
}

/// Whether an entry of `NO_PROXY` means a host: see [`httpproxy`](https://pkg.go.dev/golang.org/x/net/http/httpproxy).
fn exempts(entry: &str, host: &str) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    match entry.strip_prefix('.') {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => host == entry || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.') && !entry.is_empty()),
    }
}

/// The way from a proxy on.
pub(super) fn way(world: &World, cluster: &Cluster, address: &str, host: &str) -> Result<Way, NetworkFailure> {
    let Some(proxy) = world.hosts.proxies.get(address) else {
        // Nobody said how it is: it lets everything through.
        return Ok(Way::Public(public_address(address)));
    };
    if proxy.is_silent {
        return Err(NetworkFailure::ProxySilent { address: address.to_owned() });
    }
    if proxy.refuses.iter().any(|one| one.eq_ignore_ascii_case(host)) {
        return Err(NetworkFailure::ProxyRefused);
    }
    let Some(from) = &proxy.subnet else { return Ok(Way::Public(public_address(address))) };
    match direct(world, cluster, from, host) {
        // What the proxy does not reach, it says with a status of its own.
        Err(_) => Err(NetworkFailure::ProxyFailed),
        way => way,
    }
    .map(|way| if matches!(way, Way::Public(_)) { Way::Public(public_address(address)) } else { way })
}
