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

    /// A name made from a prefix, which is cut: the whole is no longer than a label.
    pub(super) fn generated(&mut self, prefix: &str) -> String {
        format!("{}{}", base(prefix), safe(&self.next()[..SUFFIX]))
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

/// How much of a prefix a generated name has.
fn base(prefix: &str) -> &str {
    let ends = prefix.char_indices().map(|(start, letter)| start + letter.len_utf8());
    &prefix[..ends.take_while(|end| *end <= MOST - SUFFIX).last().unwrap_or(0)]
}

/// A message about an object with a generated name, without what differs in each try.
pub(super) fn without_suffixes(message: &str, prefix: &str) -> String {
    let (prefix, mut parts) = (base(prefix), message.split(base(prefix)));
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_suffix = part.len() >= SUFFIX && part.bytes().take(SUFFIX).all(|byte| SAFE.contains(&byte));
        text.push_str(prefix);
        text.push_str(if is_suffix { &part[SUFFIX..] } else { part });
    }
    text
}

/// The longest generated name, and what of it is random.
const MOST: usize = 63;
const SUFFIX: usize = 5;

/// Five characters that belong to an object: its names do not depend on how many were given before.
pub(super) fn suffix_of(uid: &str) -> String {
    safe(&Sha256::digest(uid)[..5])
}

/// The hash of a pod template, as part of a replica set's name: ten characters.
pub(super) fn template_hash(template: &serde_json::Value, collisions: i64) -> String {
    let mut template = template.clone();
    if let Some(metadata) = template.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
        metadata.remove("creationTimestamp");
    }
    let hash = Sha256::digest(format!("{collisions}{template}"));
    safe(&hash[..10])
}

fn safe(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(SAFE[usize::from(*byte) % SAFE.len()])).collect()
}
