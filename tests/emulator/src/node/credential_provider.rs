//! The credential provider that AKS installs beside kubelet: it turns the node's identity into a registry credential.

use std::fmt;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::Value;
use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::challenge::Challenge;
use super::{Network, SignIn};

const AUDIENCE: &str = "https://containerregistry.azure.net";
/// The audience before [cloud-provider-azure#8593](https://github.com/kubernetes-sigs/cloud-provider-azure/pull/8593): a registry may refuse it
/// ([#8592](https://github.com/kubernetes-sigs/cloud-provider-azure/issues/8592)).
const FORMER_AUDIENCE: &str = "https://management.azure.com";
/// The user name that stands for "the password is a refresh token".
const TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";

/// A user name and a password for a registry.
#[derive(Clone, PartialEq)]
pub(crate) struct Credential {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A credential and until when kubelet continues using it without asking again.
#[derive(Debug)]
pub(super) struct Provided {
    pub(super) credential: Credential,
    until: Instant,
}

impl Provided {
    pub(super) fn new(credential: Credential, until: Instant) -> Self {
        Self { credential, until }
    }

    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.until
    }
}

/// Whether kubelet asks this provider at all: `*.azurecr.*`, one label in each place, and `*.*.geo.azurecr.*` on newer nodes.
pub(super) fn matches(host: &str, is_regional_known: bool) -> bool {
    let labels: Vec<_> = host.split('.').collect();
    match labels[..] {
        [name, "azurecr", cloud] => !name.is_empty() && !cloud.is_empty(),
        [name, region, "geo", "azurecr", cloud] => is_regional_known && ![name, region, cloud].contains(&""),
        _ => false,
    }
}

/// Whether the configuration of a node image names regional hosts: since 202607.29
/// ([AgentBaker#8862](https://github.com/Azure/AgentBaker/issues/8862)). An image of Windows has another kind of version; whether it names
/// them is not established, and here none does.
pub(super) fn is_of_regional_hosts(image: &str) -> bool {
    let version = image.rsplit('-').next().unwrap_or_default();
    let mut parts = version.split('.');
    let month = parts.next().filter(|month| month.len() == 6).and_then(|month| month.parse::<u32>().ok());
    let day = parts.next().and_then(|day| day.parse::<u32>().ok());
    month.zip(day).is_some_and(|date| date >= (202_607, 29))
}

/// Challenge, identity token, exchange. `None` when any of them fails: kubelet then has no credential.
///
/// A service principal's client id and secret are given as they are, without a request: see `GetCredentials` in cloud-provider-azure,
/// `pkg/credentialprovider/azure_credentials.go`. Whether the secret is valid shows when the runtime asks the registry for a token.
pub(super) fn provide(host: &str, identity: &SignIn, network: &mut dyn Network) -> Option<Credential> {
    let (principal, audience) = match identity {
        SignIn::Managed { principal, for_arm } => (principal, if *for_arm { FORMER_AUDIENCE } else { AUDIENCE }),
        SignIn::Service(credential) => return Some(credential.clone()),
    };
    let probe = Request::builder().uri(format!("https://{host}/v2/")).body(Bytes::new()).ok()?;
    let answer = network.send(probe).ok()?;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return None;
    }
    let challenge = Challenge::of(answer.headers())?;
    let token = network.identity_token(principal, audience)?;
    let exchange = exchange_request(host, &challenge, &token, &network.tenant())?;
    let answer = network.send(exchange).ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    let password = body.get("refresh_token")?.as_str()?.to_owned();
    Some(Credential { username: TOKEN_USER.to_owned(), password })
}

fn exchange_request(host: &str, challenge: &Challenge, token: &str, tenant: &str) -> Option<Request<Bytes>> {
    let form = Serializer::new(String::new())
        .append_pair("service", challenge.service.as_deref().unwrap_or(host))
        .append_pair("grant_type", "access_token_refresh_token")
        .append_pair("access_token", token)
        .append_pair("refresh_token", token)
        .append_pair("tenant", tenant)
        .finish();
    Request::builder()
        .method(Method::POST)
        .uri(format!("https://{host}/oauth2/exchange"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_azure_registries_match() {
        for host in ["my.azurecr.io", "my-label.azurecr.cn", "a.azurecr.us"] {
            assert!(matches(host, false), "{host}");
        }
        let regional = "my.westeurope.geo.azurecr.io";
        assert!(matches(regional, true) && !matches(regional, false));
        for (image, knows) in
            [("AKSUbuntu-2204gen2containerd-202607.28.0", false), ("AKSUbuntu-2204gen2containerd-202607.29.0", true)]
        {
            assert_eq!(is_of_regional_hosts(image), knows, "{image}");
        }
        for host in ["docker.io", "azurecr.io", "a.b.azurecr.io", "my.azurecr.io.evil.example", "myazurecr.io"] {
            assert!(!matches(host, true), "{host}");
        }
    }

    #[test]
    fn a_credential_does_not_show_its_password() {
        let credential = Credential { username: "u".into(), password: "geheim".into() };
        assert!(!format!("{credential:?}").contains("geheim"));
    }
}
