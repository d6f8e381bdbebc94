//! Which addresses that a registry names are followed. It may be a hostile registry: an address in its response would be requested from
//! behind the client's firewall, and the response shown to it.

use crate::error::{Error, ErrorKind, Result};
use url::{Host, Url};

/// Token services that serve anonymous callers, and that registries under other names refer to in their challenges: Docker's, GitHub's,
/// Red Hat's, Google's, GitLab's, NVIDIA's, Amazon's, Microsoft's. Such a service is called as in the [token
/// specification](https://distribution.github.io/distribution/spec/auth/token/).
const TOKEN_SERVICES: [&str; 8] = [
    "auth.docker.io",
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "gitlab.com",
    "authn.nvidia.com",
    "public.ecr.aws",
    "mcr.microsoft.com",
];

/// Suffixes below which anyone can have a name: the next label belongs to one owner. Those of the public suffix list where registries,
/// or similar services, are hosted.
const SHARED: [&str; 30] = [
    "azurecr.io",
    "azurecr.cn",
    "azurecr.us",
    "azurewebsites.net",
    "azurecontainerapps.io",
    "azurestaticapps.net",
    "cloudapp.azure.com",
    "core.windows.net",
    "trafficmanager.net",
    "amazonaws.com",
    "cloudfront.net",
    "elasticbeanstalk.com",
    "appspot.com",
    "run.app",
    "web.app",
    "pkg.dev",
    "github.io",
    "githubpreview.dev",
    "gitlab.io",
    "herokuapp.com",
    "pages.dev",
    "workers.dev",
    "r2.dev",
    "vercel.app",
    "netlify.app",
    "fly.dev",
    "onrender.com",
    "nip.io",
    "sslip.io",
    "duckdns.org",
];

/// Suffixes of names inside of networks, not in the public DNS: RFC 2606, 6761, 6762, 8375, and others in use.
const PRIVATE: [&str; 14] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "localdomain",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
    "test",
    "invalid",
];

/// Labels that countries put before their own: `co.uk`, `com.au`.
const BEFORE_COUNTRY: [&str; 18] = [
    "com", "co", "net", "org", "gov", "edu", "ac", "go", "ne", "or", "gob", "gouv", "nom", "info", "mil", "sch", "ltd",
    "plc",
];

/// The address of a challenge's realm, if it may be followed: on the registry's own domain, or a known token service.
pub(super) fn realm(text: &str, registry: &str) -> Result<Url> {
    let (mut url, host) = plain(text, registry)?;
    if !is_same_owner(&host, host_of(registry)) && !TOKEN_SERVICES.contains(&host.as_str()) {
        return Err(refused("the registry names a foreign host for the sign-in", registry, &host));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The address that a manifest was moved to: any public one, since no token is sent there and a digest verifies the image.
pub(super) fn moved(text: &str, from: &Url) -> Result<Url> {
    let own = authority(from);
    let url = from.join(text).map_err(|err| unreadable(&own).with_source(err))?;
    let (url, host) = plain(url.as_str(), &own)?;
    if is_private(&host) && !is_same_owner(&host, host_of(&own)) {
        return Err(refused("the registry redirects to a host that is not public", &own, &host));
    }
    Ok(url)
}

/// An address in the form of an image's registry.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Rejects unusual addresses: another scheme, a user, an IP address, another port. A registry that itself has such an address may name
/// it.
fn plain(text: &str, registry: &str) -> Result<(Url, String)> {
    let url = Url::parse(text).map_err(|err| unreadable(registry).with_source(err))?;
    let wrong = |why: &str| Err(refused(why, registry, url.host_str().unwrap_or_default()));
    if url.scheme() != "https" {
        return wrong("the registry names an address that is not https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("the registry names an address with a user in it");
    }
    let own = Url::parse(&format!("https://{registry}/")).ok();
    let is_own_host = own.as_ref().is_some_and(|own| own.host() == url.host());
    let own_port = own.as_ref().and_then(Url::port);
    if url.port().is_some_and(|_| !(is_own_host && url.port() == own_port)) {
        return wrong("the registry names an address with another port");
    }
    match url.host() {
        Some(Host::Domain(host)) => {
            let host = host.to_owned();
            Ok((url, host))
        }
        Some(host) if is_own_host => {
            let host = host.to_string();
            Ok((url, host))
        }
        _ => wrong("the registry names an address without a name"),
    }
}

fn unreadable(registry: &str) -> Error {
    Error::new(ErrorKind::Unexpected, "the registry names an invalid address").with_context("registry", registry)
}

fn refused(why: &str, registry: &str, host: &str) -> Error {
    Error::new(ErrorKind::Unexpected, format!("{why}; it is not followed"))
        .with_context("host", host)
        .with_context("registry", registry)
}

/// A registry's host without its port.
fn host_of(registry: &str) -> &str {
    match registry.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => registry,
    }
}

/// Whether two hosts belong to one owner, judging by their names.
fn is_same_owner(one: &str, other: &str) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let owners = (owner(one), owner(other));
    matches!(owners, (Some(one), Some(other)) if one == other)
}

/// The registered part of a name: `docker.io` of `registry-1.docker.io`. `None` for an address, and for a name that is only a suffix.
/// If the length of a suffix is uncertain, the longer one is used: then fewer hosts count as one owner's.
fn owner(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let is_name = labels.iter().all(|label| !label.is_empty() && !label.contains([':', '[', ']']));
    if !is_name || labels.last()?.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length = ending(&labels) + 1;
    Some(labels.get(labels.len().checked_sub(length)?..)?.join("."))
}

/// The number of labels of the suffix below which names are registered.
fn ending(labels: &[&str]) -> usize {
    let has = |ending: &&&str| {
        let wanted: Vec<&str> = ending.split('.').collect();
        labels.ends_with(&wanted)
    };
    if let Some(shared) = SHARED.iter().find(has) {
        return shared.split('.').count();
    }
    match labels {
        [.., second, last] if last.len() == 2 && (second.len() <= 2 || BEFORE_COUNTRY.contains(second)) => 2,
        _ => 1,
    }
}

fn is_private(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    !host.contains('.') || PRIVATE.iter().any(|ending| host.ends_with(&format!(".{ending}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_on_the_registrys_own_domain_or_a_known_token_service_is_gone_to() {
        for (registry, text) in [
            ("registry-1.docker.io", "https://auth.docker.io/token"),
            ("ghcr.io", "https://ghcr.io/token"),
            ("images.example.org", "https://ghcr.io/token"),
            ("quay.io", "https://quay.io/v2/auth"),
            ("nvcr.io", "https://nvcr.io/proxy_auth"),
            ("nvcr.io", "https://authn.nvidia.com/token"),
            ("eu.gcr.io", "https://eu.gcr.io/v2/token"),
            ("us-west1-docker.pkg.dev", "https://us-west1-docker.pkg.dev/v2/token"),
            ("registry.gitlab.com", "https://gitlab.com/jwt/auth?x=1"),
            ("registry.example.co.uk", "https://auth.example.co.uk/t"),
            ("harbor.corp.internal", "https://auth.corp.internal/t"),
            ("REGISTRY.example.com", "https://registry.EXAMPLE.com/t"),
            ("nexus.example.com:5000", "https://nexus.example.com:5000/v2/token"),
            ("registry.example.com:5050", "https://gitlab.example.com/jwt/auth"),
            ("10.0.0.5:5000", "https://10.0.0.5:5000/token"),
            ("localhost:5000", "https://localhost:5000/token"),
            ("[::1]:5000", "https://[::1]:5000/token"),
        ] {
            assert!(realm(text, registry).is_ok(), "{registry} {text}: {:?}", realm(text, registry));
        }
    }

    #[test]
    fn a_foreign_or_private_realm_is_rejected() {
        for (registry, text) in [
            ("evil.example", "https://victim.example/token"),
            ("evil.example.com", "https://example.org/token"),
            ("evil.co.uk", "https://victim.co.uk/token"),
            ("evil.com.au", "https://victim.com.au/token"),
            ("evil.azurecr.io", "https://victim.azurecr.io/oauth2/token"),
            ("evil.github.io", "https://victim.github.io/token"),
            ("evil-docker.pkg.dev", "https://victim-docker.pkg.dev/token"),
            ("evil.com", "https://evil.com.victim.org/token"),
            ("evil.com", "https://notevil.com/token"),
            ("evil.com", "http://evil.com/token"),
            ("evil.com", "ftp://evil.com/token"),
            ("evil.com", "file:///etc/passwd"),
            ("evil.com", "https://user@evil.com/token"),
            ("evil.com", "https://user:secret@evil.com/token"),
            ("evil.com", "https://evil.com:22/token"),
            ("evil.com:5000", "https://auth.evil.com:5000/token"),
            ("evil.com", "https://127.0.0.1/token"),
            ("evil.com", "https://2130706433/token"),
            ("evil.com", "https://0x7f.1/token"),
            ("evil.com", "https://169.254.169.254/metadata/identity/oauth2/token"),
            ("evil.com", "https://[::1]/token"),
            ("evil.com", "https://[fe80::1]/token"),
            ("evil.com", "https://localhost/token"),
            ("evil.com", "https://metadata.google.internal/token"),
            ("evil.com", "https://vault/token"),
            ("evil.com", "https://auth.docker.io.evil.org/token"),
            ("evil.com", "https://auth.docker.io./token"),
            ("evil.com", "https://auth.docker.io:8443/token"),
            ("1.2.3.4", "https://5.2.3.4/token"),
            ("10.0.0.5:5000", "https://10.0.0.5:22/token"),
            ("evil.com", "https://"),
            ("evil.com", "token"),
            ("evil.com", ""),
        ] {
            let err = realm(text, registry).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Unexpected, "{registry} {text}");
            assert!(!format!("{err:#} {err:?}").contains("secret"), "{err:?}");
        }
    }

    #[test]
    fn a_manifest_is_followed_to_any_public_host_and_to_no_other() {
        let from = Url::parse("https://registry.k8s.io/v2/pause/manifests/3.9").unwrap();
        for (text, wanted) in [
            (
                "https://us-west1-docker.pkg.dev/v2/x/manifests/3.9",
                "https://us-west1-docker.pkg.dev/v2/x/manifests/3.9",
            ),
            ("/v2/other/manifests/3.9", "https://registry.k8s.io/v2/other/manifests/3.9"),
            ("3.10", "https://registry.k8s.io/v2/pause/manifests/3.10"),
            ("//cdn.example.com/m", "https://cdn.example.com/m"),
        ] {
            assert_eq!(moved(text, &from).unwrap().as_str(), wanted);
        }
        for text in [
            "http://us-west1-docker.pkg.dev/m",
            "https://10.1.2.3/m",
            "https://169.254.169.254/m",
            "https://[::1]/m",
            "https://localhost/m",
            "https://intranet/m",
            "https://wiki.corp.internal/m",
            "https://printer.local/m",
            "https://u:p@example.com/m",
            "https://example.com:22/m",
            "data:text/plain,x",
            "https://",
        ] {
            assert_eq!(moved(text, &from).unwrap_err().kind(), ErrorKind::Unexpected, "{text}");
        }
        let inside = Url::parse("https://harbor.corp.internal:5000/v2/a/manifests/1").unwrap();
        assert!(moved("https://other.corp.internal/m", &inside).is_ok());
        assert!(moved("https://harbor.corp.internal:5000/m", &inside).is_ok());
    }

    #[test]
    fn the_registered_part_of_a_name_follows_from_its_suffix() {
        for (host, wanted) in [
            ("registry-1.docker.io", Some("docker.io")),
            ("docker.io", Some("docker.io")),
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("co.uk", None),
            ("my.azurecr.io", Some("my.azurecr.io")),
            ("azurecr.io", None),
            ("10.0.0.1", None),
            ("[::1]", None),
            ("localhost", None),
            ("a..b", None),
        ] {
            assert_eq!(owner(host).as_deref(), wanted, "{host}");
        }
    }
}
