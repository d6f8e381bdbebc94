//! The format of a public SSH key.

use base64::{Engine, engine::general_purpose::STANDARD};

/// One line: the algorithm, and a base64 text that starts with the algorithm's name again.
pub(super) fn is_public_key(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (Some(algorithm), Some(blob)) = (words.next(), words.next()) else { return false };
    let Ok(bytes) = STANDARD.decode(blob) else { return false };
    let named = bytes.get(4..4 + algorithm.len());
    text.trim().lines().count() == 1
        && ["ssh-rsa", "ssh-ed25519"].contains(&algorithm)
        && named == Some(algorithm.as_bytes())
}
