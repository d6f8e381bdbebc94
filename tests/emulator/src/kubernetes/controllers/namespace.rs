//! A namespace that is being deleted is emptied first.

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::object::{is_deleting, name};
use super::super::store::Key;

impl Kubernetes {
    pub(in super::super) fn empty_namespaces(&mut self) {
        for namespace in self.snapshot("namespaces").iter().filter(|namespace| is_deleting(namespace)) {
            self.empty(name(namespace));
            if !self.store.all().any(|(key, _)| key.namespace == name(namespace)) {
                self.store.remove(&Key::new("namespaces", "", name(namespace)), self.now);
            }
        }
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
