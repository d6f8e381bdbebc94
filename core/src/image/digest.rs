//! Content digests, as in `sha256:…`.

use super::ReferenceError;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The digest of a manifest, `algorithm:hex`. Two images with equal digests are the same, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Algorithms that the OCI image specification registers, with the number of their hex digits.
const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

impl Digest {
    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same as `parse`, with what is wrong.
    pub(super) fn read(text: &str) -> Result<Self, ReferenceError> {
        let (algorithm, hex) = text.split_once(':').ok_or(ReferenceError::InvalidFormat)?;
        if !is_algorithm(algorithm) || hex.len() < 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ReferenceError::InvalidFormat);
        }
        let known = ALGORITHMS.iter().find(|(name, _)| *name == algorithm);
        let (_, length) = known.ok_or(ReferenceError::DigestUnsupported)?;
        if hex.len() != *length {
            return Err(ReferenceError::DigestInvalidLength);
        }
        if hex.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ReferenceError::DigestInvalidFormat);
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for Digest {
    type Err = Error;

    /// Reads `sha256:` and 64 hexadecimal digits in lower case, or `sha384:` or `sha512:` and as many as those have.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with the [`ReferenceError`] as its source.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|err| Error::invalid(format!("not a digest: {err}"), "digest", text).with_source(err))
    }
}

/// Words of letters and digits, each beginning with a letter, joined by one of `-_+.`.
fn is_algorithm(text: &str) -> bool {
    text.split(['-', '_', '+', '.']).all(|word| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
