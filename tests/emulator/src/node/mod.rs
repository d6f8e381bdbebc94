//! What a node does to get an image: the credential provider of its kubelet, and its container runtime.
//!
//! A node speaks real HTTP to whatever stands behind [`Network`]; its error texts are composed from what comes back.

mod access;
mod attempt;
mod challenge;
mod containerd;
mod credential_provider;
mod failure;
mod image;
mod kubelet;
mod pull_secret;
mod token;

#[cfg(test)]
pub(crate) mod fake;

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use access::Access;
pub(crate) use containerd::{Containerd, USUAL as USUAL_CONTAINERD};
use containerd::{Platform, Pulled};
pub(crate) use credential_provider::Credential;
use credential_provider::Provided;
use failure::joined;
pub(crate) use image::Image;
pub(crate) use kubelet::Kubelet;
pub(crate) use pull_secret::{PullSecret, credentials_for};

use crate::throttle::{Limit, Rate};

/// How many images a node lists.
const LISTED_IMAGES: usize = 50;

/// What lies between a node and the hosts it talks to.
pub(crate) trait Network {
    /// Sends a request from a node; `Err` is a failure below HTTP.
    fn send(&mut self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, NetworkFailure>;
    /// A token of the instance metadata service for this principal; `None` if it does not exist.
    fn identity_token(&mut self, principal: &str, audience: &str) -> Option<String>;
    /// What the node signs in as for a pod whose service account has this annotation.
    fn signs_in_for(&self, annotated: Option<&str>) -> OnBehalf;
    /// Tenant id that the node's cloud configuration names.
    fn tenant(&self) -> String;
    /// How long kubelet continues using a credential without asking the provider again.
    fn credential_life(&self) -> Duration;
}

/// Why no HTTP answer came.
#[derive(Clone, Debug)]
pub(crate) enum NetworkFailure {
    /// The name does not resolve.
    NoSuchHost,
    /// A DNS server of the network's own does not have the name, or does not respond.
    NameServer {
        /// Its address.
        server: String,
        /// Whether it does not respond.
        is_silent: bool,
    },
    /// The proxy does not respond at this host and port.
    ProxySilent {
        /// Where it is.
        address: String,
    },
    /// The proxy does not connect to the host.
    ProxyRefused,
    /// The proxy could not reach the host.
    ProxyFailed,
    /// The connection ended without an answer.
    Cut,
    /// Nothing answered at this address (`ip` or `ip:port`).
    Timeout {
        /// Where the node tried to connect to.
        address: String,
    },
    /// The certificate was refused; the text follows `x509: `.
    Tls(String),
}

/// One node: its platform, the images it holds and the registry credentials it remembers.
#[derive(Debug)]
pub(crate) struct Node {
    os: String,
    architecture: String,
    pub(crate) kubelet: Kubelet,
    runtime: Containerd,
    images: BTreeMap<String, Pulled>,
    access: Access,
    provided: BTreeMap<String, Provided>,
    /// The object id of what it signs in as.
    identity: Option<SignIn>,
    /// What it signs in as for the pod whose image it pulls.
    on_behalf: OnBehalf,
    /// Whether its kubelet asks the credential provider for regional hosts.
    asks_for_regional_hosts: bool,
    /// The build of Windows, such as `20348`.
    build: Option<String>,
    /// The room on its disk for images, in bytes. `None`: its disk is never full.
    room: Option<u64>,
    /// The digests of manifests that its store knows and has lost.
    lost: BTreeSet<String>,
    /// How many pulls its kubelet starts. `None`: all of them.
    pulls: Option<Limit>,
}

/// What a node signs in with.
#[derive(Clone, Debug)]
pub(crate) enum SignIn {
    /// The managed identity of this principal.
    Managed {
        principal: String,
        /// Whether its provider asks for a token for Azure Resource Manager, as providers before March 2025 do.
        for_arm: bool,
    },
    /// A service principal's client id and secret.
    Service(Credential),
}

/// On whose behalf a node signs in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnBehalf {
    /// Its own.
    Nodes,
    /// That of a service account, whose identity has this principal.
    Account(String),
    /// That of a service account without an identity that it can use: it has no token.
    Nobody,
}

/// A credential to try: `None` is an anonymous try.
struct Key {
    credential: Option<Credential>,
    secret: Option<PullSecret>,
}

impl From<PullSecret> for Key {
    fn from(secret: PullSecret) -> Self {
        Self { credential: Some(secret.credential.clone()), secret: Some(secret) }
    }
}

impl From<Option<Credential>> for Key {
    fn from(credential: Option<Credential>) -> Self {
        Self { credential, secret: None }
    }
}

impl Node {
    /// A node that has just joined: no image, no remembered credential.
    pub(crate) fn new(
        (os, architecture): (&str, &str),
        kubelet: Kubelet,
        containerd: Containerd,
        identity: Option<SignIn>,
    ) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            kubelet,
            runtime: containerd,
            images: BTreeMap::new(),
            access: Access::default(),
            provided: BTreeMap::new(),
            identity,
            on_behalf: OnBehalf::Nodes,
            asks_for_regional_hosts: false,
            build: None,
            room: None,
            lost: BTreeSet::new(),
            pulls: None,
        }
    }

    /// Sets what depends on the image that the node is made from, such as `AKSUbuntu-2204gen2containerd-202607.29.0`, and the room on its disk.
    pub(crate) fn made_from(mut self, image: &str, room: Option<u64>) -> Self {
        self.asks_for_regional_hosts = credential_provider::is_of_regional_hosts(image);
        let version = image.rsplit('-').next().unwrap_or_default();
        self.build = (self.os == "windows").then(|| version.split('.').next().unwrap_or_default().to_owned());
        self.room = room;
        self
    }

    /// Limits the pulls that its kubelet starts: `registryPullQPS` and `registryBurst` in
    /// [the kubelet's configuration](https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/).
    pub(crate) fn limited_to(mut self, rate: Option<Rate>) -> Self {
        self.pulls = rate.map(Limit::new);
        self
    }

    /// Loses the file of a manifest, and goes on knowing it.
    pub(crate) fn lose(&mut self, digest: &str) {
        self.lost.insert(digest.to_owned());
    }

    /// Signs in as this from now on. Credentials that it was given stay.
    pub(crate) fn sign_in_as(&mut self, identity: Option<SignIn>) {
        self.identity = identity;
    }

    /// Leaves so much room on its disk.
    pub(crate) fn leave_room(&mut self, bytes: Option<u64>) {
        self.room = bytes;
    }

    /// The digest of an image that is on the node already, if a pod with these secrets may use it.
    pub(crate) fn present(&self, image: &Image, secrets: &[PullSecret]) -> Option<&str> {
        let pulled = self.images.get(&image.to_string())?;
        let may_use = !self.kubelet.verifies_access() || self.access.is_given(image, &pulled.content.id, secrets);
        may_use.then_some(pulled.digest.as_str())
    }

    /// The size of an image that is on the node, in bytes.
    pub(crate) fn size(&self, image: &Image) -> u64 {
        self.images.get(&image.to_string()).map_or(0, |pulled| pulled.content.size)
    }

    /// The images in the node's status: the largest first, fifty at most. See `nodeStatusMaxImages` in
    /// [the kubelet's configuration](https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/).
    pub(crate) fn listed(&self) -> serde_json::Value {
        let mut images: Vec<_> = self.images.iter().collect();
        images.sort_by_key(|(_, pulled)| std::cmp::Reverse(pulled.content.size));
        let listed = images.iter().take(LISTED_IMAGES - 1).map(|(name, pulled)| {
            let repository = name.split('@').next().unwrap_or(name);
            let colon = repository.rfind(':').filter(|at| !repository[*at..].contains('/'));
            let by_digest = format!("{}@{}", colon.map_or(repository, |at| &repository[..at]), pulled.digest);
            let tag = (!name.contains('@')).then(|| (*name).clone());
            let names: Vec<String> = std::iter::once(by_digest).chain(tag).collect();
            serde_json::json!({"names": names, "sizeBytes": pulled.content.size})
        });
        listed.chain([crate::kubernetes::machine::sandbox_image()]).collect()
    }

    /// Whether the programs of an image that is on the node are for its platform. A manifest that is not one of an index is
    /// pulled whatever its platform.
    pub(crate) fn can_run(&self, image: &Image) -> bool {
        self.images.get(&image.to_string()).is_none_or(|pulled| pulled.content.runs)
    }

    /// Pulls an image, trying each credential in turn as kubelet does: pull secrets, then the provider's, then none.
    /// The error is the text that kubelet shows.
    pub(crate) fn pull(
        &mut self,
        image: &Image,
        secrets: Vec<PullSecret>,
        now: Instant,
        network: &mut dyn Network,
    ) -> Result<String, String> {
        let mut failures = Vec::new();
        for key in self.keyring(image.host(), secrets, now, network) {
            let platform = Platform { os: &self.os, architecture: &self.architecture, build: self.build.as_deref() };
            match self.runtime.pull(image, platform, key.credential.as_ref(), network) {
                Ok(pulled) if self.room.is_some_and(|room| pulled.content.size > room) => {
                    failures.push(failure::PullFailure::no_space(image).to_string());
                }
                Ok(pulled) if self.lost.contains(&pulled.digest) => {
                    failures.push(failure::PullFailure::lost(image, &pulled.digest).to_string());
                }
                Ok(pulled) => {
                    let digest = pulled.digest.clone();
                    self.access.note(image, &pulled.content.id, key.secret);
                    self.images.insert(image.to_string(), pulled);
                    return Ok(digest);
                }
                Err(failure) => failures.push(failure.to_string()),
            }
        }
        Err(joined(&failures))
    }

    /// The same for a pod whose service account has this annotation. Nodes of Windows sign in as themselves: their configuration has no
    /// identity binding.
    pub(crate) fn pull_for(
        &mut self,
        annotated: Option<&str>,
        image: &Image,
        secrets: Vec<PullSecret>,
        now: Instant,
        network: &mut dyn Network,
    ) -> Result<String, String> {
        if self.pulls.as_mut().is_some_and(|limit| !limit.admits(now)) {
            // `throttledImageService` in `pkg/kubelet/images/helpers.go`.
            return Err(String::from("pull QPS exceeded"));
        }
        if self.os != "windows" {
            self.on_behalf = network.signs_in_for(annotated);
        }
        let pulled = self.pull(image, secrets, now, network);
        self.on_behalf = OnBehalf::Nodes;
        pulled
    }

    /// The credentials to try, in order.
    fn keyring(&mut self, host: &str, secrets: Vec<PullSecret>, now: Instant, network: &mut dyn Network) -> Vec<Key> {
        let mut keyring: Vec<Key> = secrets.into_iter().map(Key::from).collect();
        if let Some(provided) = self.provided(host, now, network) {
            // The provider's answer always holds an empty entry for all registries of its cloud as well.
            keyring.extend([Some(provided), None].map(Key::from));
        }
        if keyring.is_empty() {
            keyring.push(Key::from(None));
        }
        keyring
    }

    /// What the credential provider says, or said a short time ago. A failure is not remembered.
    fn provided(&mut self, host: &str, now: Instant, network: &mut dyn Network) -> Option<Credential> {
        if !credential_provider::matches(host, self.asks_for_regional_hosts) {
            return None;
        }
        // Credentials of service accounts are kept apart.
        let (key, identity) = match &self.on_behalf {
            OnBehalf::Nodes => (host.to_owned(), self.identity.clone()?),
            OnBehalf::Account(principal) => {
                let identity = SignIn::Managed { principal: principal.clone(), for_arm: false };
                (format!("{host} {principal}"), identity)
            }
            OnBehalf::Nobody => return None,
        };
        if let Some(known) = self.provided.get(&key).filter(|known| known.is_fresh(now)) {
            return Some(known.credential.clone());
        }
        let credential = credential_provider::provide(host, &identity, network)?;
        self.provided.insert(key, Provided::new(credential.clone(), now + network.credential_life()));
        Some(credential)
    }
}

#[cfg(test)]
mod tests;
