//! Pods whose images are not pulled, grouped by what decides about the pull.

use crate::{
    cluster::{ObservedNode, ObservedPod, ObservedPods, ObservedSecret},
    diagnosis::text::PullFailure,
    image::{ImageReference, Platform},
};
use std::{collections::BTreeMap, time::SystemTime};

/// Pods with the same cause.
#[derive(Debug)]
pub(super) struct Group {
    /// `None`: the reference is invalid.
    pub image: Option<ImageReference>,
    pub platform: Option<Platform>,
    /// The identity that the nodes pull with, and their pool, by their labels.
    pub node: Option<(String, String)>,
    pub namespace: String,
    pub service_account: String,
    pub pull_secrets: Vec<String>,
    /// Those that only the service account has.
    pub later_secrets: Vec<String>,
    /// The first pod's failure.
    pub failure: PullFailure,
    /// A node that has the image and pulls it again, and the version of its kubelet.
    pub pulled_again: Option<(String, String)>,
    pub last_failed: Option<SystemTime>,
    /// As `namespace/name`.
    pub pods: Vec<String>,
}

/// What pods of a group have in common. A kubelet's message has IDs and times of its own, so its finding and the facts in it count.
type Key = (
    String,
    (Option<(String, String)>, Option<(String, String)>),
    Option<(String, Vec<String>, Vec<String>)>,
    String,
    (String, Option<String>, Option<String>),
);

/// `by_account`: pods of different namespaces have different service accounts.
pub(super) fn groups(observed: &ObservedPods, by_account: bool) -> Vec<Group> {
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for pod in &observed.pods {
        let (platform, node) = (platform_of(pod, observed), identity_of(pod, observed));
        for failure in &pod.failures {
            let group =
                groups.entry(key(pod, failure, (platform.as_ref(), node.as_ref()), by_account)).or_insert_with(|| {
                    Group {
                        image: ImageReference::parse(&failure.image).ok(),
                        platform: platform.clone(),
                        node: node.clone(),
                        namespace: pod.pod.namespace.clone(),
                        service_account: pod.service_account.clone(),
                        pull_secrets: pod.pull_secrets.clone(),
                        later_secrets: pod.later_secrets.clone(),
                        failure: failure.clone(),
                        pulled_again: None,
                        last_failed: None,
                        pods: Vec::new(),
                    }
                });
            if group.pulled_again.is_none() {
                group.pulled_again = pulled_again(pod, failure, observed);
            }
            group.last_failed = group.last_failed.max(pod.last_failed);
            let name = format!("{}/{}", pod.pod.namespace, pod.pod.name);
            // Two containers of a pod may have the same image.
            if group.pods.last() != Some(&name) {
                group.pods.push(name);
            }
        }
    }
    groups.into_values().collect()
}

fn key(
    pod: &ObservedPod,
    failure: &PullFailure,
    (platform, node): (Option<&Platform>, Option<&(String, String)>),
    by_account: bool,
) -> Key {
    let account =
        if by_account { format!("{}/{}", pod.pod.namespace, pod.service_account) } else { pod.service_account.clone() };
    let has_secrets = !pod.pull_secrets.is_empty() || !pod.later_secrets.is_empty();
    let secrets = has_secrets.then(|| (pod.pod.namespace.clone(), pod.pull_secrets.clone(), pod.later_secrets.clone()));
    let finding = &failure.finding;
    (
        failure.image.clone(),
        (platform.map(|one| (one.os.clone(), one.architecture.clone())), node.cloned()),
        secrets,
        account,
        (finding.id.to_string(), finding.host.clone(), finding.address.clone()),
    )
}

fn node_of<'a>(pod: &ObservedPod, observed: &'a ObservedPods) -> Option<&'a ObservedNode> {
    let name = pod.pod.node.as_ref()?;
    observed.nodes.iter().find(|node| node.name == *name)
}

fn identity_of(pod: &ObservedPod, observed: &ObservedPods) -> Option<(String, String)> {
    let node = node_of(pod, observed)?;
    Some((node.identity_client_id.clone()?, node.pool.clone()?))
}

fn pulled_again(pod: &ObservedPod, failure: &PullFailure, observed: &ObservedPods) -> Option<(String, String)> {
    let node = node_of(pod, observed).filter(|_| pod.pulled_again.contains(&failure.container))?;
    Some((node.name.clone(), node.kubelet_version.clone()?))
}

fn platform_of(pod: &ObservedPod, observed: &ObservedPods) -> Option<Platform> {
    let node = node_of(pod, observed)?;
    Some(Platform::new(node.os.as_deref()?, node.architecture.as_deref()?))
}

impl Group {
    /// Those of its pull secrets about which something is known.
    pub fn secrets<'a>(&self, observed: &'a ObservedPods) -> Vec<&'a ObservedSecret> {
        self.known(&self.pull_secrets, observed)
    }

    /// Those of the secrets that only its service account has about which something is known.
    pub fn later_secrets<'a>(&self, observed: &'a ObservedPods) -> Vec<&'a ObservedSecret> {
        self.known(&self.later_secrets, observed)
    }

    fn known<'a>(&self, names: &[String], observed: &'a ObservedPods) -> Vec<&'a ObservedSecret> {
        let is_its = |one: &&ObservedSecret| one.namespace == self.namespace && names.contains(&one.name);
        observed.secrets.iter().filter(is_its).collect()
    }
}
