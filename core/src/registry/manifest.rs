//! Parses a manifest response: its digest, compared with the requested one and with the bytes.

use super::probe::failed;
use crate::{
    error::{Error, ErrorKind, Result},
    http::Answer,
    image::{Digest, Image, ImageReference},
};

/// The result of a HEAD.
#[derive(Debug)]
pub(super) enum Seen {
    Image(Image),
    Absent,
    /// An image exists, and only its bytes can identify it: the registry returned no digest, or one that cannot be compared.
    Unnamed,
}

/// Parses the response to a HEAD.
pub(super) fn read_head(image: &ImageReference, answer: &Answer) -> Result<Seen> {
    match answer.status {
        404 => return Ok(Seen::Absent),
        // Some registries do not support HEAD.
        405 | 501 => return Ok(Seen::Unnamed),
        _ if !answer.is_success() => return Err(failed(image, answer, NOT_SHOWN)),
        _ => {}
    }
    // One that is written in some other way is as good as none: the bytes are certain.
    let Some(digest) = named_digest(answer) else { return Ok(Seen::Unnamed) };
    match image.digest().map(|wanted| digest.is_same(wanted)) {
        None | Some(Some(true)) => Ok(Seen::Image(with_type(digest, answer))),
        Some(Some(false)) => Err(differs(image, &digest)),
        Some(None) => Ok(Seen::Unnamed),
    }
}

/// Parses the response to a GET. The digest is that of the bytes; a different digest in the header is an error.
pub(super) fn read_body(image: &ImageReference, answer: &Answer) -> Result<Option<Image>> {
    if answer.status == 404 {
        return Ok(None);
    }
    if !answer.is_success() {
        return Err(failed(image, answer, NOT_SHOWN));
    }
    if answer.body.is_empty() {
        return Err(failed(image, answer, "the registry returned neither a digest nor a manifest"));
    }
    if let Some(wanted) = image.digest() {
        let found = wanted.same_kind_of(&answer.body);
        if found != *wanted {
            return Err(differs(image, &found));
        }
    }
    let named = named_digest(answer);
    if let Some(named) = named.as_ref().filter(|named| named.same_kind_of(&answer.body) != **named) {
        let text = "the registry returned a digest that does not match its manifest";
        return Err(Error::new(ErrorKind::Unexpected, text)
            .with_context("image", image.to_string())
            .with_context("named", named.to_string())
            .with_context("found", named.same_kind_of(&answer.body).to_string())
            .with_source(DigestMismatch));
    }
    let digest = image.digest().cloned().or(named).unwrap_or_else(|| Digest::of(&answer.body));
    Ok(Some(with_type(digest, answer)))
}

const NOT_SHOWN: &str = "the registry denies the caller access to the image";

fn named_digest(answer: &Answer) -> Option<Digest> {
    answer.header("docker-content-digest")?.trim().parse().ok()
}

fn with_type(digest: Digest, answer: &Answer) -> Image {
    Image { digest, media_type: answer.header("content-type").map(str::to_owned) }
}

/// An image named by its digest must have that digest.
fn differs(image: &ImageReference, found: &Digest) -> Error {
    Error::new(ErrorKind::Unexpected, "the registry returned an image that does not match the digest")
        .with_context("image", image.to_string())
        .with_context("found", found.to_string())
        .with_source(DigestMismatch)
}

/// Marks the error of a registry whose image does not match its digest.
#[derive(Debug, thiserror::Error)]
#[error("the image does not match its digest")]
pub(crate) struct DigestMismatch;

impl DigestMismatch {
    /// Whether an error says that.
    pub fn is_in(err: &Error) -> bool {
        std::error::Error::source(err).is_some_and(<dyn std::error::Error>::is::<Self>)
    }

    /// Checks an image that was read elsewhere.
    pub fn check(image: &ImageReference, found: &Digest) -> Result<()> {
        match image.digest().and_then(|wanted| wanted.is_same(found)) {
            Some(false) => Err(differs(image, found)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;
    use bytes::Bytes;

    const BODY: &[u8] = b"{\"schemaVersion\":2}";

    fn answer(status: u16, digest: Option<&str>, body: &'static [u8]) -> Answer {
        let mut headers = Headers::new();
        if let Some(digest) = digest {
            headers.insert("docker-content-digest", digest.to_owned());
        }
        Answer { status, headers, body: Bytes::from_static(body), is_repeated: false }
    }

    fn named(digest: &Digest) -> ImageReference {
        format!("ghcr.io/a/b:v1@{digest}").parse().unwrap()
    }

    fn of_512() -> Digest {
        let zeros: Digest = format!("sha512:{}", "0".repeat(128)).parse().unwrap();
        zeros.same_kind_of(BODY)
    }

    #[test]
    fn a_head_is_believed_only_where_it_names_the_digest_that_was_asked_for() {
        let (digest, other) = (Digest::of(BODY), Digest::of(b"other"));
        let tag: ImageReference = "ghcr.io/a/b:v1".parse().unwrap();
        let read = |image: &ImageReference, header: Option<&str>| read_head(image, &answer(200, header, b""));
        let is =
            |seen: Result<Seen>, wanted: &Digest| matches!(seen, Ok(Seen::Image(image)) if image.digest == *wanted);
        assert!(is(read(&tag, Some(other.as_str())), &other));
        assert!(is(read(&named(&digest), Some(digest.as_str())), &digest));
        let err = read(&named(&digest), Some(other.as_str())).unwrap_err();
        assert!(DigestMismatch::is_in(&err) && err.to_string().contains(other.as_str()), "{err}");
        for unclear in [None, Some(""), Some("latest"), Some("sha256:00"), Some("md5:d41d8cd98f00b204e9800998ecf8427e")]
        {
            assert!(matches!(read(&tag, unclear), Ok(Seen::Unnamed)), "{unclear:?}");
            assert!(matches!(read(&named(&digest), unclear), Ok(Seen::Unnamed)), "{unclear:?}");
        }
        let upper = digest.as_str().to_ascii_uppercase();
        assert!(matches!(read(&named(&digest), Some(&upper)), Ok(Seen::Unnamed)));
        // Two kinds of digest cannot be compared without the bytes.
        assert!(matches!(read(&named(&of_512()), Some(digest.as_str())), Ok(Seen::Unnamed)));
        assert!(matches!(read_head(&tag, &answer(404, None, b"")), Ok(Seen::Absent)));
    }

    #[test]
    fn a_manifests_own_bytes_decide() {
        let (digest, other) = (Digest::of(BODY), Digest::of(b"other"));
        let tag: ImageReference = "ghcr.io/a/b:v1".parse().unwrap();
        let read = |image: &ImageReference, header: Option<&str>| {
            read_body(image, &answer(200, header, BODY)).map(|image| image.unwrap().digest)
        };
        for header in [None, Some("SHA256:00"), Some(digest.as_str())] {
            assert_eq!(read(&tag, header).unwrap(), digest);
            assert_eq!(read(&named(&digest), header).unwrap(), digest);
        }
        assert_eq!(read(&named(&of_512()), Some(digest.as_str())).unwrap(), of_512());
        assert_eq!(read(&tag, Some(of_512().as_str())).unwrap(), of_512());
        // The header may contain the requested digest, but the bytes are another image.
        assert!(DigestMismatch::is_in(&read(&named(&other), Some(other.as_str())).unwrap_err()));
        for image in [&tag, &named(&digest)] {
            let err = read(image, Some(other.as_str())).unwrap_err();
            assert!(DigestMismatch::is_in(&err) && err.to_string().contains("does not match its manifest"), "{err}");
        }
        assert!(read_body(&tag, &answer(200, None, b"")).is_err());
    }
}
