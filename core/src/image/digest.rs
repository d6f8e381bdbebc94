//! Content digests, as in `sha256:…`.

use super::ReferenceError;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

/// The digest of a manifest, `algorithm:hex`. Images with equal digests are identical.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Algorithms registered by the OCI image specification, with their number of hex digits.
const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

impl Digest {
    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digest of a manifest with these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(bytes))))
    }

    /// The digest of these bytes, with this one's algorithm.
    pub(crate) fn same_kind_of(&self, bytes: &[u8]) -> Self {
        match self.algorithm() {
            "sha512" => Self(format!("sha512:{}", hex(&Sha512::digest(bytes)))),
            "sha384" => Self(format!("sha384:{}", hex(&Sha384::digest(bytes)))),
            _ => Self::of(bytes),
        }
    }

    /// Whether two digests are of the same bytes. `None`: they have different algorithms, so only the bytes could say.
    pub(crate) fn is_same(&self, other: &Self) -> Option<bool> {
        (self.algorithm() == other.algorithm()).then(|| self == other)
    }

    fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// The same as `parse`, with the reason.
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl FromStr for Digest {
    type Err = Error;

    /// Parses `sha256:` and 64 lower-case hexadecimal digits, or `sha384:` or `sha512:` with their number of digits.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with the [`ReferenceError`] as its source.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text)
            .map_err(|err| Error::invalid(format!("invalid digest: {err}"), "digest", text).with_source(err))
    }
}

/// Words of letters and digits, each starting with a letter, joined by one of `-_+.`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_counted_by_each_algorithm() {
        // From FIPS 180-2: the digests of "abc".
        let known = [
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ];
        let known = known.map(|text| text.parse::<Digest>().unwrap());
        for digest in &known {
            assert_eq!(digest.same_kind_of(b"abc"), *digest);
            assert_eq!(digest.is_same(&digest.same_kind_of(b"xyz")), Some(false));
        }
        assert_eq!(Digest::of(b"abc"), known[0]);
        assert_eq!((known[0].is_same(&known[0]), known[0].is_same(&known[2])), (Some(true), None));
    }
}
