//! Facts in the text of a failed pull: hosts, addresses, times.

use crate::stored_time;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::SystemTime,
};

/// What stands between two marks.
pub(super) fn between<'a>(text: &'a str, start: &str, end: impl Fn(char) -> bool) -> Option<&'a str> {
    let rest = &text[text.find(start)? + start.len()..];
    Some(&rest[..rest.find(end).unwrap_or(rest.len())])
}

/// Whether a string can be a host name, with or without a port.
fn is_host(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':' | '[' | ']');
    text.contains(['.', ':']) && text.len() <= 260 && text.chars().all(is_part)
}

fn host(text: &str) -> Option<String> {
    is_host(text).then(|| text.to_ascii_lowercase())
}

/// The words before the URL of a request. Other URLs in the text lead to documentation.
const REQUESTS: [&str; 8] = ["\"", " to ", "code ", "Get ", "Head ", "Post ", "content at ", "GET "];

/// The host of the last request: it follows redirects, and the last one is where it failed.
pub(super) fn url_host(text: &str) -> Option<String> {
    let urls = text.match_indices("://").filter_map(|(at, _)| {
        let scheme = ["https", "http"].into_iter().find(|scheme| text[..at].ends_with(scheme))?;
        let before = &text[..at - scheme.len()];
        REQUESTS.iter().any(|request| before.ends_with(request)).then(|| &text[at + 3..])
    });
    let rest = urls.last()?;
    let end = rest.find(|letter: char| letter == '/' || letter == '"' || letter.is_whitespace()).unwrap_or(rest.len());
    host(rest[..end].trim_end_matches([':', ',']))
}

/// What stands before the name of an image in quotes.
const QUOTED: [&str; 2] = ["image \"", "reference \""];
/// What stands before the name of an image in the texts of Docker and CRI-O, and what ends it.
const NAMED: [(&str, &[char]); 3] =
    [("access denied for ", &[',', ' ']), ("manifest for ", &[' ']), ("repository ", &[' '])];

/// The host of the first image that the text names. A name in quotes without a host means Docker Hub; other words may be no name.
pub(super) fn image_host(text: &str) -> Option<String> {
    let quoted = QUOTED.iter().find_map(|start| registry_of(between(text, start, |letter| letter == '"')?));
    let named =
        || NAMED.iter().find_map(|(start, ends)| named_host(between(text, start, |letter| ends.contains(&letter))?));
    // CRI-O writes the tag first: `reading manifest v1 in docker.io/library/nginx`.
    let read = || {
        let after = text.split_once("reading manifest ").or_else(|| text.split_once("Error reading manifest "))?.1;
        named_host(between(after, " in ", |letter| letter == ',' || letter == ' ')?)
    };
    quoted.or_else(named).or_else(read)
}

/// The host with which the name of an image begins.
fn named_host(image: &str) -> Option<String> {
    host(image.split_once('/')?.0)
}

/// The host of an image's registry. `None` for an invalid name, such as one with placeholders.
pub(super) fn registry_of(image: &str) -> Option<String> {
    let without_host = || match image.split_once('/') {
        Some(("localhost", _)) => "localhost",
        _ => "docker.io",
    };
    named_host(image).or_else(|| is_image(image).then(|| without_host().to_owned()))
}

/// Whether a text can be the name of an image.
pub(super) fn is_image(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '/' | ':' | '@');
    text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && text.chars().all(is_part)
}

/// The name that a DNS server did not resolve.
pub(super) fn looked_up(text: &str) -> Option<String> {
    host(between(text, "lookup ", |letter| letter.is_whitespace() || letter == ',')?.trim_end_matches(':'))
}

/// The DNS server that was asked.
pub(super) fn dns_server(text: &str) -> Option<IpAddr> {
    let after = text.split_once("lookup ")?.1;
    address(between(after, " on ", char::is_whitespace)?)
}

/// The address after `dial tcp`.
pub(super) fn dialed(text: &str) -> Option<IpAddr> {
    address(between(text, "dial tcp ", char::is_whitespace)?)
}

/// The caller's address as the registry saw it.
pub(crate) fn denied(text: &str) -> Option<IpAddr> {
    between(text, "client with IP '", |letter| letter == '\'')?.parse().ok()
}

/// An address with or without a port, such as `10.0.0.4:443` or `[fd00::4]:443`.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_end_matches([':', ',', '.']);
    if let Some((inside, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside.split('%').next()?.parse().ok();
    }
    text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

/// The time that containerd adds to a throttled response.
pub(super) fn retry_at(text: &str) -> Option<SystemTime> {
    stored_time::parse(between(text, "(Retry-After: ", |letter| letter == ')')?)
}

/// Whether an address is inside of a private network.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_private_v4(address),
            None => is_private_v6(address),
        },
    }
}

/// RFC 1918, link-local, and the shared address space of RFC 6598, which Azure allows in virtual networks.
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private() || address.is_link_local() || (first == 100 && second & 0b1100_0000 == 64)
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_or_without_its_port() {
        for (text, wanted) in [
            ("dial tcp 10.0.0.4:443: i/o timeout", "10.0.0.4"),
            ("dial tcp [fd00::4]:443: i/o timeout", "fd00::4"),
            ("dial tcp 20.1.2.3: connection refused", "20.1.2.3"),
            ("dial tcp [fe80::1%eth0]:443: connect: no route to host", "fe80::1"),
        ] {
            assert_eq!(dialed(text), wanted.parse().ok(), "{text}");
        }
        assert_eq!(dialed("dial tcp: lookup r.azurecr.io: no such host"), None);
    }

    #[test]
    fn the_host_of_an_image_is_read_where_a_name_is_meant() {
        for (text, wanted) in [
            ("failed to pull image \"r.azurecr.io/a:1\": x", Some("r.azurecr.io")),
            ("Failed to pull image \"nginx\": x", Some("docker.io")),
            ("failed to resolve reference \"localhost:5000/a\"", Some("localhost:5000")),
            ("image \"***\": pull access denied for r.azurecr.io/a, repository does not exist", Some("r.azurecr.io")),
            ("reading manifest v1 in docker.io/library/a: denied", Some("docker.io")),
            ("reading manifest sha256:3e in r.azurecr.io/a: x", Some("r.azurecr.io")),
            ("reading manifest v1 in localhost:5000/a: x", Some("localhost:5000")),
            ("manifest for ghcr.io/a:1 not found", Some("ghcr.io")),
            ("pull access denied for team/a, repository does not exist or may require 'docker login'", None),
            ("no matching manifest for linux/arm64/v8 in the manifest list entries", None),
            ("image \"<name>.azurecr.io/a:1\": x", None),
        ] {
            assert_eq!(image_host(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn private_addresses_are_those_of_virtual_networks() {
        for text in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "169.254.1.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in ["20.1.2.3", "172.32.0.1", "100.128.0.1", "2603:1030::1", "::ffff:20.0.0.1"] {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_last_url_is_where_a_redirected_request_failed() {
        let text = "Get \"https://r.azurecr.io/v2/a\": Get \"https://x.blob.core.windows.net/y?z=1\": EOF";
        assert_eq!(url_host(text).as_deref(), Some("x.blob.core.windows.net"));
        assert_eq!(url_host("Get https://[fd00::1]:5000/v2/: EOF").as_deref(), Some("[fd00::1]:5000"));
        assert_eq!(url_host("no address"), None);
        assert_eq!(url_host("steps at https://aka.ms/acr/faq"), None);
    }

    #[test]
    fn the_server_of_a_look_up_is_not_the_name() {
        let text = "dial tcp: lookup r.azurecr.io on 10.1.0.4:53: read udp 10.2.0.5:1->10.1.0.4:53: i/o timeout";
        assert_eq!((looked_up(text).as_deref(), dns_server(text)), (Some("r.azurecr.io"), "10.1.0.4".parse().ok()));
        assert_eq!(looked_up("dial tcp: lookup r.azurecr.io: no such host").as_deref(), Some("r.azurecr.io"));
    }
}
