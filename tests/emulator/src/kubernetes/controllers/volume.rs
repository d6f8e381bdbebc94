//! Volumes and claims: a volume is available; what nothing uses may go. Claims are not bound here.

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::object::{self, is_deleting, list, map, namespace, text};
use super::MANAGER;

impl Kubernetes {
    pub(in super::super) fn sync_volumes(&mut self) {
        for volume in self.snapshot("persistentvolumes") {
            if is_deleting(&volume) {
                self.let_go("persistentvolumes", &volume, "kubernetes.io/pv-protection");
            } else if text(&volume, "/status/phase") == "Pending" {
                let mut after = volume.clone();
                map(&mut after, &["status"]).insert("phase".to_owned(), json!("Available"));
                self.change_as(MANAGER, "persistentvolumes", "status", &volume, after);
            }
        }
        for claim in self.snapshot("persistentvolumeclaims") {
            if is_deleting(&claim) && !self.is_mounted(&claim) {
                self.let_go("persistentvolumeclaims", &claim, "kubernetes.io/pvc-protection");
            }
        }
    }

    fn is_mounted(&self, claim: &Value) -> bool {
        let uses = |pod: &Value| {
            list(pod, "/spec/volumes")
                .iter()
                .any(|volume| text(volume, "/persistentVolumeClaim/claimName") == object::name(claim))
        };
        self.store.list("pods", namespace(claim)).any(uses)
    }

    fn let_go(&mut self, plural: &str, held: &Value, finalizer: &str) {
        if let Some(after) = object::without_finalizer(held, finalizer) {
            self.change_as(MANAGER, plural, "", held, after);
        }
    }
}
