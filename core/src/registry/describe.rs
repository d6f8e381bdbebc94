//! Parses a manifest or an index into what a node needs to know: the kind of the image, and its platforms.

use crate::{
    error::{Error, ErrorKind, Result},
    http::Answer,
    image::{Image, ImageDetails, ImageReference, Platform},
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireManifest {
    media_type: Option<String>,
    manifests: Option<Vec<WireChild>>,
    config: Option<WireConfig>,
    layers: Option<Vec<WireLayer>>,
}

#[derive(Deserialize)]
struct WireLayer {
    digest: Option<String>,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct WireChild {
    platform: Option<WirePlatform>,
}

#[derive(Deserialize)]
struct WirePlatform {
    os: Option<String>,
    architecture: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireConfig {
    media_type: Option<String>,
}

/// The attributes of a manifest, which an Azure registry has read from its configuration.
#[derive(Deserialize)]
struct WireAttributes {
    manifest: WirePlatform,
}

impl WirePlatform {
    /// `None` for an attestation, whose platform is `unknown/unknown`.
    fn into_platform(self) -> Option<Platform> {
        let (os, architecture) = (self.os?, self.architecture?);
        let is_known = !os.is_empty() && !architecture.is_empty() && os != "unknown";
        is_known.then_some(Platform { os, architecture, os_version: self.os_version })
    }
}

/// Parses the body of a manifest whose digest was checked.
pub(super) fn read_details(image: &ImageReference, found: Image, answer: &Answer) -> Result<ImageDetails> {
    let manifest: WireManifest = serde_json::from_slice(&answer.body).map_err(|_| {
        // The reader's own words may quote the answer.
        Error::new(ErrorKind::Unexpected, "the registry returned a manifest that could not be parsed")
            .with_context("image", image.to_string())
    })?;
    let media_type = found.media_type.or(manifest.media_type).unwrap_or_default();
    let platforms = manifest
        .manifests
        .map(|children| children.into_iter().filter_map(|child| child.platform?.into_platform()).collect::<Vec<_>>());
    // A layer that occurs twice is kept once. One without a size makes the sum unknown.
    let sizes = manifest.layers.and_then(|layers| {
        layers.into_iter().map(|layer| Some((layer.digest?, layer.size?))).collect::<Option<BTreeMap<String, u64>>>()
    });
    Ok(ImageDetails {
        layers_size: sizes.map(|sizes| sizes.values().fold(0, |sum: u64, size| sum.saturating_add(*size))),
        config_media_type: manifest.config.and_then(|config| config.media_type),
        // An index whose children name no platform says nothing of them.
        platforms: platforms.filter(|platforms| !platforms.is_empty()),
        ..ImageDetails::new(found.digest, media_type)
    })
}

/// Parses the attributes of a single platform's manifest. `None`: the registry does not report the platform.
pub(super) fn read_platform(answer: &Answer) -> Result<Option<Platform>> {
    answer.read::<WireAttributes>("the attributes of a manifest").map(|attributes| attributes.manifest.into_platform())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;
    use azure_core::http::headers::Headers;
    use bytes::Bytes;

    fn answer(body: &'static str) -> Answer {
        Answer { status: 200, headers: Headers::new(), body: Bytes::from_static(body.as_bytes()), is_repeated: false }
    }

    fn details(body: &'static str) -> Result<ImageDetails> {
        let image = "myreg.azurecr.io/app:v1".parse().unwrap();
        read_details(&image, Image::new(Digest::of(body.as_bytes())), &answer(body))
    }

    #[test]
    fn an_index_names_its_platforms_but_not_its_attestations() {
        let index = details(
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
                {"digest":"a","platform":{"architecture":"amd64","os":"linux"}},
                {"digest":"b","platform":{"architecture":"amd64","os":"windows","os.version":"10.0.20348.1"}},
                {"digest":"c","platform":{"architecture":"unknown","os":"unknown"}},{"digest":"d"}]}"#,
        )
        .unwrap();
        let shown: Vec<String> = index.platforms.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(shown, ["linux/amd64", "windows/amd64 10.0.20348.1"]);
        assert!(index.is_image() && !index.is_schema1());
        assert_eq!(details(r#"{"manifests":[{"digest":"d"}]}"#).unwrap().platforms, None);
    }

    #[test]
    fn a_configuration_says_what_it_is() {
        for (kind, is_image) in [
            ("application/vnd.oci.image.config.v1+json", true),
            ("application/vnd.docker.container.image.v1+json", true),
            ("application/vnd.cncf.helm.config.v1+json", false),
            ("application/vnd.oci.empty.v1+json", false),
        ] {
            let text = format!(r#"{{"config":{{"mediaType":"{kind}"}}}}"#);
            assert_eq!(details(Box::leak(text.into_boxed_str())).unwrap().is_image(), is_image, "{kind}");
        }
        for broken in ["", "[]", "{\"manifests\":{}}", "<html>"] {
            assert!(details(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn attributes_have_the_platform_of_a_single_image() {
        let read = |body| read_platform(&answer(body)).unwrap().map(|one| one.to_string());
        assert_eq!(read(r#"{"manifest":{"os":"linux","architecture":"arm64"}}"#).as_deref(), Some("linux/arm64"));
        assert_eq!(read(r#"{"manifest":{"os":"","architecture":null}}"#), None);
        assert!(read_platform(&answer("{}")).is_err());
    }
}
