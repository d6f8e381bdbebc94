//! Parses what an Azure registry keeps about manifests, tags and repositories, and what it has deleted.

use super::{access::Access, probe::failed, sign_in::url};
use crate::{
    error::{Error, ErrorKind, Result},
    http::Answer,
    image::{Digest, ImageReference, ManifestAttributes, ReadSwitches},
    stored_time,
};
use serde::Deserialize;
use url::Url;

/// How many manifests of a repository are read: the newest ones.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireManifest {
    digest: Digest,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "crate::lenient::word")]
    last_update_time: Option<String>,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    changeable_attributes: WireSwitches,
}

/// The switches of a repository, a tag or a manifest. A scanner's word is among those of a manifest: see the output of
/// `az acr manifest list-metadata` in [Delete container
/// images](https://learn.microsoft.com/azure/container-registry/container-registry-delete).
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireSwitches {
    read_enabled: Option<bool>,
    #[serde(deserialize_with = "crate::lenient::word")]
    quarantine_state: Option<String>,
}

impl WireManifest {
    fn into_attributes(self) -> ManifestAttributes {
        ManifestAttributes {
            digest: self.digest,
            tags: self.tags,
            read_enabled: self.changeable_attributes.read_enabled,
            quarantine_state: self.changeable_attributes.quarantine_state,
            updated: self.last_update_time.as_deref().and_then(stored_time::parse),
        }
    }
}

fn own_url(image: &ImageReference, rest: &str) -> Result<Url> {
    url(&format!("https://{}/acr/v1/{}{rest}", Access::Attributes(image).api_host(), image.repository()))
}

pub(super) fn manifests_url(image: &ImageReference) -> Result<Url> {
    own_url(image, &format!("/_manifests?n={MOST}&orderby=timedesc"))
}

pub(super) fn repository_url(image: &ImageReference) -> Result<Url> {
    own_url(image, "")
}

pub(super) fn tag_url(image: &ImageReference) -> Result<Option<Url>> {
    if image.digest().is_some() {
        return Ok(None);
    }
    own_url(image, &format!("/_tags/{}", image.manifest())).map(Some)
}

/// az reads the same lists: `az acr manifest list-deleted` and `list-deleted-tags` (azure-cli 2.91, `acr/manifest.py`).
pub(super) fn deleted_url(image: &ImageReference) -> Result<Url> {
    let list = if image.digest().is_some() { "_manifests" } else { "_tags" };
    url(&format!("https://{}/acr/v1/_deleted/{}/{list}", Access::Deleted(image).api_host(), image.repository()))
}

/// The newest manifests of a repository; `None` if it does not exist.
pub(super) fn read_manifests(image: &ImageReference, answer: &Answer) -> Result<Option<Vec<ManifestAttributes>>> {
    #[derive(Deserialize)]
    struct List {
        #[serde(deserialize_with = "crate::lenient::or_default")]
        manifests: Vec<WireManifest>,
    }
    if answer.status == 404 {
        return Ok(None);
    }
    check(Access::Attributes(image), answer, "the registry did not list the images of the repository")?;
    let manifests = answer.read::<List>("a list of manifests")?.manifests;
    Ok(Some(manifests.into_iter().map(WireManifest::into_attributes).collect()))
}

/// The switches of a repository and a tag. What does not exist has none.
pub(super) fn read_switches(
    image: &ImageReference,
    (repository, tag): (&Answer, Option<&Answer>),
) -> Result<ReadSwitches> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Repository {
        changeable_attributes: WireSwitches,
    }
    #[derive(Deserialize)]
    struct Tag {
        tag: Repository,
    }
    fn unless_missing<'a>(image: &ImageReference, answer: &'a Answer) -> Result<Option<&'a Answer>> {
        if answer.status == 404 {
            return Ok(None);
        }
        check(Access::Attributes(image), answer, "the registry did not return what can be read of the image")?;
        Ok(Some(answer))
    }
    let repository = match unless_missing(image, repository)? {
        Some(answer) => answer.read::<Repository>("the attributes of a repository")?.changeable_attributes.read_enabled,
        None => None,
    };
    let tag = match tag.map(|answer| unless_missing(image, answer)).transpose()?.flatten() {
        Some(answer) => answer.read::<Tag>("the attributes of a tag")?.tag.changeable_attributes.read_enabled,
        None => None,
    };
    Ok(ReadSwitches { repository, tag })
}

/// The digest of a deleted image that can be restored: of several with one tag the last, as az takes it.
pub(super) fn read_deleted(image: &ImageReference, answer: &Answer) -> Result<Option<Digest>> {
    /// A null is an empty list; a body without the field is not a list.
    #[derive(Deserialize)]
    struct Manifests {
        #[serde(deserialize_with = "crate::lenient::or_default")]
        manifests: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Tags {
        #[serde(deserialize_with = "crate::lenient::or_default")]
        tags: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        digest: Digest,
        tag: Option<String>,
    }
    if answer.status == 404 {
        return Ok(None);
    }
    check(Access::Deleted(image), answer, "the registry did not list its deleted images")?;
    let what = "a list of deleted images";
    let found = if let Some(digest) = image.digest() {
        answer.read::<Manifests>(what)?.manifests.into_iter().find(|one| one.digest == *digest)
    } else {
        let tags = answer.read::<Tags>(what)?.tags;
        tags.into_iter().rfind(|one| one.tag.as_deref() == Some(image.manifest()))
    };
    if found.is_none() && answer.header("link").is_some() {
        let text = "the registry has more deleted images than one page of its list";
        return Err(Error::new(ErrorKind::Unexpected, text).with_context("image", image.to_string()));
    }
    Ok(found.map(|one| one.digest))
}

fn check(access: Access<'_>, answer: &Answer, message: &str) -> Result<()> {
    if answer.is_success() { Ok(()) } else { Err(failed(access, answer, message)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;
    use bytes::Bytes;

    const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: Headers::new(), body: Bytes::from(body.to_owned()), is_repeated: false }
    }

    fn image(end: &str) -> ImageReference {
        format!("myregistry.azurecr.io/team/app{end}").parse().unwrap()
    }

    #[test]
    fn a_manifest_has_the_word_of_a_scanner_among_its_switches() {
        let body = format!(
            r#"{{"manifests":[{{"digest":"{DIGEST}","tags":["v1"],"lastUpdateTime":"2026-11-28T10:00:00Z",
                "changeableAttributes":{{"readEnabled":false,"quarantineState":"Failed"}}}},{{"digest":"{DIGEST}","tags":null}}]}}"#
        );
        let read = read_manifests(&image(":v1"), &answer(200, &body)).unwrap().unwrap();
        assert_eq!(read[0].quarantine_state.as_deref(), Some("Failed"));
        assert_eq!((read[0].read_enabled, read[0].updated.is_some(), read[1].tags.len()), (Some(false), true, 0));
        assert_eq!(read_manifests(&image(":v1"), &answer(404, "{}")).unwrap(), None);
        assert!(read_manifests(&image(":v1"), &answer(401, "{}")).is_err());
        assert!(read_manifests(&image(":v1"), &answer(200, "{}")).is_err(), "no list is not an empty one");
    }

    #[test]
    fn switches_are_those_of_the_repository_and_of_the_tag() {
        let off = r#"{"changeableAttributes":{"readEnabled":false}}"#;
        let tag = r#"{"tag":{"changeableAttributes":{"readEnabled":true}}}"#;
        let read = read_switches(&image(":v1"), (&answer(200, off), Some(&answer(200, tag)))).unwrap();
        assert_eq!((read.repository, read.tag), (Some(false), Some(true)));
        let read = read_switches(&image(":v1"), (&answer(404, ""), Some(&answer(404, "")))).unwrap();
        assert_eq!((read.repository, read.tag), (None, None));
        assert!(read_switches(&image(":v1"), (&answer(403, off), None)).is_err());
    }

    #[test]
    fn a_deleted_image_is_found_by_its_tag_or_its_digest() {
        let tags = format!(r#"{{"tags":[{{"tag":"v1","digest":"{DIGEST}"}}]}}"#);
        let by = |end: &str, body: &str| read_deleted(&image(end), &answer(200, body)).unwrap().is_some();
        assert!(by(":v1", &tags) && !by(":v2", &tags));
        let manifests = format!(r#"{{"manifests":[{{"digest":"{DIGEST}"}}]}}"#);
        assert!(by(&format!("@{DIGEST}"), &manifests) && !by(&format!("@{DIGEST}"), r#"{"manifests":null}"#));
        assert!(read_deleted(&image(":v1"), &answer(200, &manifests)).is_err(), "no list of tags");
        assert_eq!(read_deleted(&image(":v1"), &answer(404, "")).unwrap(), None);
    }
}
