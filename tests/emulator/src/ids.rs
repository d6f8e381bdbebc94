//! Ids, secrets and keys: no one can guess them, and they can be made again from one root.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Gives out ids. Those that are given for one change depend on the salt of that change alone, so that the same change
/// made again, with the same salt, gives the same ids, whatever was asked in between.
pub(crate) struct Ids {
    root: [u8; 16],
    salt: [u8; 16],
    given: AtomicU64,
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl Ids {
    /// Ids that grow from a root.
    pub(crate) fn of(root: Uuid) -> Self {
        Self { root: root.into_bytes(), salt: root.into_bytes(), given: AtomicU64::new(0) }
    }

    /// Begins a change.
    pub(crate) fn salt(&mut self, salt: Uuid) {
        self.salt = salt.into_bytes();
        self.given = AtomicU64::new(0);
    }

    /// An id that was not given before.
    pub(crate) fn id(&self) -> Uuid {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        made_of(&[&self.root, &self.salt, &number.to_be_bytes()])
    }

    /// A secret: an id without hyphens.
    pub(crate) fn secret(&self) -> String {
        self.id().simple().to_string()
    }

    /// What is always the same below one root.
    pub(crate) fn named(&self, name: &str) -> Uuid {
        made_of(&[&self.root, name.as_bytes()])
    }
}

/// An id made of parts, whose lengths tell them apart.
fn made_of(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_made_again_gives_the_same_ids_and_no_others() {
        let (root, salt) = (Uuid::new_v4(), Uuid::new_v4());
        let mut ids = Ids::of(root);
        ids.salt(salt);
        let first = [ids.id(), ids.id()];
        assert_ne!(first[0], first[1]);
        let mut again = Ids::of(root);
        again.id();
        again.salt(salt);
        assert_eq!([again.id(), again.id()], first);
        again.salt(Uuid::new_v4());
        assert_ne!(again.id(), first[0]);
    }

    #[test]
    fn another_root_gives_other_secrets() {
        let (one, other) = (Ids::of(Uuid::new_v4()), Ids::of(Uuid::new_v4()));
        assert_ne!(one.secret(), other.secret());
        assert_ne!(one.named("key"), other.named("key"));
        assert_eq!(one.named("key"), one.named("key"));
    }
}
