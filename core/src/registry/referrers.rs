//! The lists of what refers to an image: the registry's own, those that clients keep in a tag, and cosign's tags.
//!
//! - The [referrers API](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers) answers with an index, in
//!   pages with a `Link`. An Azure registry has it as it is specified (Azure/azure-rest-api-specs#42612), and az reads it page by page
//!   (`az acr manifest list-referrers`, azure-cli 2.91).
//! - A registry without it answers 404. Clients then keep the list in an index with the tag `sha256-<hex>` (the referrers tag schema of the
//!   same specification). Some registries answer 400 or 406 instead, or with another type: go-containerregistry treats them as such a 404
//!   (`pkg/v1/remote/referrers.go`).
//! - cosign writes tags that are derived from the digest (sigstore/cosign `specs/SIGNATURE_SPEC.md`, `SBOM_SPEC.md`), which no list contains.

use super::{access::Access, address, probe::failed, sign_in::url};
use crate::{
    error::{Error, ErrorKind, Result},
    http::Answer,
    image::{Digest, ImageReference, Referrer},
};
use serde::{Deserialize, Deserializer};
use url::Url;

/// A list with more pages is not known; it may be one that never ends.
pub(super) const MOST_PAGES: usize = 100;
/// Azure copies no image with more manifests (50): one in any registry that has twice as many is not listed child by child.
const MOST_CHILDREN: usize = 100;
/// The number of hexadecimal digits in a tag of the referrers tag schema: those of a longer digest are cut off.
const TAG_DIGITS: usize = 64;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What cosign appends to the digest for a signature, an attestation, an SBOM.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

/// A page of the list of referrers.
#[derive(Debug)]
pub(super) struct Page {
    pub referrers: Vec<Referrer>,
    pub next: Option<Url>,
}

#[derive(Deserialize)]
struct WireIndex {
    /// Absent in a manifest of one platform; null is an empty list.
    #[serde(default, deserialize_with = "present")]
    manifests: Option<Vec<WireReferrer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReferrer {
    digest: String,
    artifact_type: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Vec<WireReferrer>>, D::Error> {
    Option::<Vec<WireReferrer>>::deserialize(from).map(|list| Some(list.into_iter().flatten().collect()))
}

pub(super) fn first_url(image: &ImageReference, subject: &Digest) -> Result<Url> {
    url(&format!("https://{}{}{subject}", Access::Image(image).api_host(), path(image)))
}

fn path(image: &ImageReference) -> String {
    format!("/v2/{}/referrers/", image.repository())
}

/// The tag under which clients keep the list in a registry without the API.
pub(super) fn tag_of(subject: &Digest) -> String {
    let mut tag = subject.as_str().replace(':', "-");
    let algorithm = tag.find('-').map_or(0, |at| at + 1);
    tag.truncate(algorithm + TAG_DIGITS);
    tag
}

/// The tags of cosign. It has none for a digest whose tag would be too long.
pub(super) fn cosign_tags(subject: &Digest) -> Vec<String> {
    const LONGEST_TAG: usize = 128;
    let tags = COSIGN.iter().map(|suffix| format!("{}.{suffix}", subject.as_str().replace(':', "-")));
    tags.filter(|tag| tag.len() <= LONGEST_TAG).collect()
}

/// Whether the registry has no such API.
pub(super) fn is_unsupported(answer: &Answer) -> bool {
    let is_index =
        || answer.header("content-type").is_some_and(|kind| kind.split(';').next().map(str::trim) == Some(INDEX));
    matches!(answer.status, 400 | 404 | 405 | 406 | 501) || (answer.is_success() && !is_index())
}

pub(super) fn read_page(image: &ImageReference, subject: &Digest, answer: &Answer, first: &Url) -> Result<Page> {
    if !answer.is_success() {
        return Err(failed(image, answer, "the registry did not list what refers to the image"));
    }
    Ok(Page { referrers: read_index(image, subject, answer)?, next: next(image, answer, first)? })
}

/// Parses an index whose entries are referrers.
pub(super) fn read_index(image: &ImageReference, subject: &Digest, answer: &Answer) -> Result<Vec<Referrer>> {
    let Some(listed) = manifests(image, answer)? else {
        return Err(unreadable(image, "the list of what refers to the image is not an index"));
    };
    let one = |(digest, artifact_type)| Referrer { artifact_type, ..Referrer::new(digest, subject.clone()) };
    Ok(listed.into_iter().map(one).collect())
}

/// The digests of the manifests in an index; none of a single manifest.
pub(super) fn read_children(image: &ImageReference, answer: &Answer) -> Result<Vec<Digest>> {
    let children = manifests(image, answer)?.into_iter().flatten().map(|(digest, _)| digest).collect::<Vec<_>>();
    if children.len() > MOST_CHILDREN {
        return Err(unreadable(image, "the index has too many manifests to list what refers to each"));
    }
    Ok(children)
}

type Listed = (Digest, Option<String>);

fn manifests(image: &ImageReference, answer: &Answer) -> Result<Option<Vec<Listed>>> {
    let text = "the registry returned an index that could not be parsed";
    // The reader's own words may quote the answer.
    let index: WireIndex = serde_json::from_slice(&answer.body).map_err(|_| unreadable(image, text))?;
    let Some(listed) = index.manifests else { return Ok(None) };
    let one = |WireReferrer { digest, artifact_type }| {
        let kind = artifact_type.filter(|kind| !kind.is_empty());
        digest.parse().map(|digest| (digest, kind)).map_err(|_| unreadable(image, text))
    };
    listed.into_iter().map(one).collect::<Result<_>>().map(Some)
}

/// The address of the next page, which must be one of the same list: the token is sent there.
fn next(image: &ImageReference, answer: &Answer, first: &Url) -> Result<Option<Url>> {
    let Some(link) = answer.header("link").and_then(next_link) else { return Ok(None) };
    let foreign = || unreadable(image, "the registry continues its list of referrers at another address");
    let next = first.join(link).map_err(|_| foreign())?;
    let is_own = next.scheme() == "https"
        && next.username().is_empty()
        && next.password().is_none()
        && address::authority(&next) == address::authority(first)
        && next.path() == first.path();
    if is_own { Ok(Some(next)) } else { Err(foreign()) }
}

/// The address in a `Link` header whose relation is `next`.
fn next_link(header: &str) -> Option<&str> {
    let of = |part: &'_ str| -> Option<(usize, usize)> {
        let (from, to) = (part.find('<')?, part.find('>')?);
        let is_next = |one: &str| matches!(one.trim().to_ascii_lowercase().as_str(), "rel=\"next\"" | "rel=next");
        part.get(to + 1..)?.split(';').any(is_next).then_some((from + 1, to))
    };
    header.split(',').find_map(|part| of(part).and_then(|(from, to)| part.get(from..to)))
}

pub(super) fn endless(image: &ImageReference) -> Error {
    unreadable(image, "the registry's list of referrers does not end")
}

fn unreadable(image: &ImageReference, text: &str) -> Error {
    Error::new(ErrorKind::Unexpected, text).with_context("image", image.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;
    use bytes::Bytes;

    fn image() -> ImageReference {
        format!("ghcr.io/a/b@{}", digest('a')).parse().unwrap()
    }

    fn digest(letter: char) -> Digest {
        format!("sha256:{}", letter.to_string().repeat(64)).parse().unwrap()
    }

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(*name, (*value).to_owned());
        }
        Answer { status, headers: all, body: Bytes::copy_from_slice(body.as_bytes()), is_repeated: false }
    }

    #[test]
    fn a_page_names_the_next_one_of_the_same_list_only() {
        let first = first_url(&image(), &digest('a')).unwrap();
        assert_eq!(first.path(), format!("/v2/a/b/referrers/{}", digest('a')));
        let read = |link: &str| {
            let page = answer(200, &[("link", link)], r#"{"manifests":null}"#);
            read_page(&image(), &digest('a'), &page, &first).map(|page| page.next.map(|next| next.to_string()))
        };
        let own = format!("{}?last=b&n=1", first.path());
        for link in [format!("<{own}>; rel=\"next\""), format!("</x>; rel=\"prev\", <https://ghcr.io{own}>;rel=next")] {
            assert_eq!(read(&link).unwrap().unwrap(), format!("https://ghcr.io{own}"), "{link}");
        }
        for other in ["https://evil.example/v2/a/b", "http://ghcr.io", "https://u:p@ghcr.io", "https://ghcr.io:444"] {
            let link = format!("<{other}{}>; rel=\"next\"", first.path());
            assert!(read(&link).is_err(), "{other}");
        }
        assert!(read("</v2/other/referrers/x>; rel=\"next\"").is_err());
        assert_eq!(read("<broken; rel=\"next\"").unwrap(), None);
        assert_eq!(read("</x>; rel=\"last\"").unwrap(), None);
    }

    #[test]
    fn a_list_is_an_index_of_digests() {
        let read = |body: &str| read_index(&image(), &digest('a'), &answer(200, &[], body));
        let listed = format!(
            r#"{{"manifests":[{{"digest":"{}","artifactType":"x/y"}},{{"digest":"{}"}}]}}"#,
            digest('b'),
            digest('c')
        );
        let found = read(&listed).unwrap();
        assert_eq!(found[0], Referrer { artifact_type: Some("x/y".into()), ..Referrer::new(digest('b'), digest('a')) });
        assert_eq!(found[1], Referrer::new(digest('c'), digest('a')));
        assert_eq!(read(r#"{"manifests":[]}"#).unwrap(), []);
        for broken in ["", "{}", "[]", "<html>", r#"{"manifests":[{"digest":"latest"}]}"#, r#"{"manifests":[{}]}"#] {
            assert!(read(broken).is_err(), "{broken}");
        }
        let many =
            format!(r#"{{"manifests":[{}]}}"#, vec![format!(r#"{{"digest":"{}"}}"#, digest('b')); 101].join(","));
        assert!(read_children(&image(), &answer(200, &[], &many)).is_err());
        assert_eq!(read_children(&image(), &answer(200, &[], "{}")).unwrap(), []);
    }

    #[test]
    fn a_registry_without_the_api_is_recognized() {
        let index = [("content-type", "application/vnd.oci.image.index.v1+json; charset=utf-8")];
        assert!(!is_unsupported(&answer(200, &index, "{}")));
        assert!(is_unsupported(&answer(200, &[("content-type", "text/html")], "<html>")));
        assert!(is_unsupported(&answer(404, &[], "")));
        for refusal in [401, 403, 429, 500, 503] {
            assert!(!is_unsupported(&answer(refusal, &[], "")), "{refusal}");
        }
    }

    #[test]
    fn tags_are_derived_from_the_digest() {
        let hex = "a".repeat(64);
        assert_eq!(tag_of(&digest('a')), format!("sha256-{hex}"));
        assert_eq!(cosign_tags(&digest('a')), ["sig", "att", "sbom"].map(|one| format!("sha256-{hex}.{one}")));
        let long: Digest = format!("sha512:{}", "b".repeat(128)).parse().unwrap();
        assert_eq!(tag_of(&long), format!("sha512-{}", "b".repeat(64)));
        assert!(cosign_tags(&long).is_empty());
    }
}
