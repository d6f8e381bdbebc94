//! A new namespace gets its account and the cluster's certificate; one that is being deleted is emptied first.

use serde_json::json;

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::object::{is_deleting, name};
use super::super::store::Key;
use super::MANAGER;

/// What the config map with the cluster's certificate says of itself.
const TRUST: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal \
    service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";
/// Of the right shape, but of no authority: nothing runs in a pod here that could read it.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nYXV0aG9yaXR5\n-----END CERTIFICATE-----\n";

impl Kubernetes {
    pub(in super::super) fn empty_namespaces(&mut self) {
        for namespace in self.snapshot("namespaces").iter().filter(|namespace| is_deleting(namespace)) {
            self.empty(name(namespace));
            if !self.store.all().any(|(key, _)| key.namespace == name(namespace)) {
                self.store.remove(&Key::new("namespaces", "", name(namespace)), self.now);
            }
        }
    }

    /// Makes what every namespace has. It exists already only if the namespace did, and then this is not reached.
    pub(in super::super) fn furnish(&mut self, namespace: &str) {
        let metadata = json!({"name": "kube-root-ca.crt", "annotations": {"kubernetes.io/description": TRUST}});
        let certificate = json!({"metadata": metadata, "data": {"ca.crt": CERTIFICATE}});
        let _ = self.write_as(MANAGER, "configmaps", namespace, certificate);
        let _ = self.write_as(MANAGER, "serviceaccounts", namespace, json!({"metadata": {"name": "default"}}));
    }

    fn empty(&mut self, namespace: &str) {
        let inside: Vec<Key> = self
            .store
            .all()
            .filter(|(key, object)| key.namespace == namespace && !is_deleting(object))
            .map(|(key, _)| key.clone())
            .collect();
        for key in inside {
            let kind = self.kinds.all().iter().find(|kind| kind.resource() == key.resource).cloned();
            match kind {
                Some(kind) => {
                    // An object that is gone by now needs no deleting.
                    let _ = self.delete(&kind, &key, &Deletion::default());
                }
                None => drop(self.store.remove(&key, self.now)),
            }
        }
    }
}
