//! Names and numbers that look random and are the same in every run.

use sha2::{Digest, Sha256};

/// Letters and digits that spell no words and are not mistaken for one another.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Gives out names.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: u64,
}

impl Names {
    fn next(&mut self) -> [u8; 32] {
        self.given += 1;
        Sha256::digest(self.given.to_be_bytes()).into()
    }

    /// A unique id.
    pub(super) fn uid(&mut self) -> String {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.next()[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// Five characters behind a generated name.
    pub(super) fn suffix(&mut self) -> String {
        safe(&self.next()[..5])
    }

    /// Sixteen hex digits behind an event's name.
    pub(super) fn event_suffix(&mut self) -> String {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.next()[..8]);
        format!("{:016x}", u64::from_be_bytes(bytes))
    }

    /// An address for a pod; `node` picks the network.
    pub(super) fn pod_address(&mut self, node: usize) -> String {
        self.given += 1;
        format!("10.244.{}.{}", node % 256, 4 + self.given % 250)
    }

    /// An address for a service.
    pub(super) fn service_address(&mut self) -> String {
        self.given += 1;
        format!("10.0.{}.{}", (self.given / 250) % 256, 1 + self.given % 250)
    }
}

/// The hash of a pod template, as part of a replica set's name: ten characters.
pub(super) fn template_hash(template: &serde_json::Value, collisions: i64) -> String {
    let hash = Sha256::digest(format!("{collisions}{template}"));
    safe(&hash[..10])
}

fn safe(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(SAFE[usize::from(*byte) % SAFE.len()])).collect()
}
