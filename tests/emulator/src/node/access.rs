//! Which pods may use an image that is on a node: those that have a credential with which it was pulled. From
//! `pkg/kubelet/images/pullmanager` in the sources of Kubernetes 1.37.2, with the default policy, under which an image that the kubelet
//! has not pulled itself is for every pod.

use std::collections::BTreeMap;

use super::{Image, PullSecret};

/// What the kubelet has noted, by the image's ID and its name without a tag.
#[derive(Debug, Default)]
pub(super) struct Access(BTreeMap<String, BTreeMap<String, Allowed>>);

#[derive(Debug, Default)]
struct Allowed {
    /// Whether the node's own credential, or none, was enough.
    every_pod: bool,
    secrets: Vec<PullSecret>,
}

impl Access {
    /// Notes a pull with a secret, or without one.
    pub(super) fn note(&mut self, image: &Image, id: &str, secret: Option<PullSecret>) {
        let allowed = self.0.entry(id.to_owned()).or_default().entry(name(image)).or_default();
        match secret {
            Some(secret) if !allowed.secrets.contains(&secret) => allowed.secrets.push(secret),
            Some(_) => {}
            None => allowed.every_pod = true,
        }
    }

    /// Whether a pod with these secrets may use it without another pull.
    pub(super) fn is_given(&self, image: &Image, id: &str, secrets: &[PullSecret]) -> bool {
        let Some(names) = self.0.get(id) else { return true };
        let Some(allowed) = names.get(&name(image)) else { return false };
        allowed.every_pod || allowed.secrets.iter().any(|known| secrets.iter().any(|own| known.is_like(own)))
    }
}

fn name(image: &Image) -> String {
    format!("{}/{}", image.host(), image.repository())
}
