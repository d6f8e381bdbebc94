//! Quarantine: a registry that serves images only once a scanner has passed them.
//!
//! See [Quarantine pattern](https://github.com/Azure/acr/tree/main/docs/preview/quarantine): by tag such an image is not found, by digest
//! the operation is disallowed. A manifest's attributes show the scanner's word to every reader of metadata
//! ([Delete container images](https://learn.microsoft.com/azure/container-registry/container-registry-delete), an output of
//! `az acr manifest list-metadata`). A role that pulls images in quarantine is not modelled.

use std::collections::BTreeSet;

use super::Registry;
use super::distribution;
use super::wish::Wish;
use crate::image::Repository;
use crate::reply::Reply;

pub(crate) const PASSED: &str = "Passed";

impl Registry {
    fn has_quarantine(&self) -> bool {
        self.properties["policies"]["quarantinePolicy"]["status"] == "enabled"
    }

    /// What a pull of an image in quarantine gets.
    pub(super) fn quarantined(&self, wish: &Wish) -> Option<Reply> {
        let Wish::Manifest { repository, reference } = wish else { return None };
        let found = self.images.repositories.get(repository).filter(|_| self.has_quarantine())?;
        let digest = found.resolve(reference)?;
        if is_passed(found, digest) {
            return None;
        }
        Some(if digest == reference {
            distribution::disallowed()
        } else {
            distribution::manifest_unknown(reference, true)
        })
    }

    /// Lets a scanner pass an image, and each image of its index. Says whether it is there.
    pub(crate) fn pass(&mut self, repository: &str, reference: &str) -> bool {
        let Some(found) = self.images.repositories.get_mut(repository) else { return false };
        let Some(digest) = found.resolve(reference).map(str::to_owned) else { return false };
        let mut all = BTreeSet::from([digest.clone()]);
        let children = found.manifests.get(&digest).map(crate::image::Manifest::children).unwrap_or_default();
        all.extend(children.iter().filter_map(|child| child["digest"].as_str().map(str::to_owned)));
        for (digest, manifest) in &mut found.manifests {
            if all.contains(digest) {
                manifest.quarantine = Some(PASSED.to_owned());
            }
        }
        true
    }
}

fn is_passed(found: &Repository, digest: &str) -> bool {
    found.manifests.get(digest).is_none_or(|manifest| manifest.quarantine.as_deref() == Some(PASSED))
}
