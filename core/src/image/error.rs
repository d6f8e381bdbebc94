//! Why an image reference is invalid.

/// Why an image reference is invalid.
/// Names and rules follow the distribution project's reference grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The text does not follow the grammar.
    #[error("not of the form [registry/]repository[:tag][@digest]")]
    InvalidFormat,
    /// The repository has upper-case letters.
    #[error("a repository name must be lower case")]
    Uppercase,
    /// The repository has more than 255 characters.
    #[error("a repository name must not be longer than 255 characters")]
    NameTooLong,
    /// The digest has the wrong number of digits for its algorithm.
    #[error("the digest has the wrong length for its algorithm")]
    DigestInvalidLength,
    /// The digest's algorithm is not supported.
    #[error("the digest's algorithm is not one of sha256, sha384, sha512")]
    DigestUnsupported,
    /// The digest has upper-case digits.
    #[error("a digest must be in lower case")]
    DigestInvalidFormat,
    /// 64 hexadecimal digits are an image ID, not a repository name.
    #[error("64 hexadecimal digits are an image ID, not a repository name")]
    IdentifierAsName,
}
