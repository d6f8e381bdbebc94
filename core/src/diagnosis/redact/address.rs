//! IP addresses in texts.

use std::net::{IpAddr, Ipv4Addr};

/// Azure's own DNS server and health probes, the same in every network.
const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// What an address is replaced by if it belongs to one network or organization. `None` for one that is the same everywhere, such as that
/// of the metadata service.
pub(super) fn kind(address: IpAddr) -> Option<&'static str> {
    let (is_general, is_private) = match address {
        IpAddr::V4(one) => (one.is_link_local() || one == AZURE, one.is_private()),
        IpAddr::V6(one) => (one.is_unicast_link_local(), one.is_unique_local()),
    };
    if is_general || address.is_loopback() || address.is_unspecified() {
        return None;
    }
    Some(if is_private { "private-address" } else { "public-address" })
}

/// How long an IPv6 address is that begins here.
pub(super) fn length(text: &str) -> Option<(usize, IpAddr)> {
    let run = text.find(|letter: char| !letter.is_ascii_hexdigit() && !":.".contains(letter)).unwrap_or(text.len());
    let run = text[..run].trim_end_matches('.');
    // A port or a sentence may follow behind a colon.
    let found = [run, run.trim_end_matches(':')].into_iter().find_map(|one| Some((one.len(), one.parse().ok()?)));
    found.filter(|(_, address): &(usize, IpAddr)| address.is_ipv6())
}
