//! Requests for one image, and what their failures mean.

use crate::{
    call::Call,
    error::Result,
    error::{Error, ErrorKind},
    http::{Answer, BodyKind, Registries, RegistryRequest, from_the_way, service_error},
    image::ImageReference,
};
use azure_core::{credentials::Secret, http::Method};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use url::Url;

/// All manifest types: without the two for indexes a registry may return one platform's manifest, which has another digest.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// One read of an image: the image, and how long the registry may still take.
pub(super) struct Probe<'a> {
    pub image: &'a ImageReference,
    pub call: &'a Call,
    pub registries: &'a Registries,
    pub left: Option<Mutex<Duration>>,
}

impl Probe<'_> {
    /// Sends a request.
    /// The time limit applies to all requests of a probe together; the caller's own sign-in, which may be a program or a person, does
    /// not count.
    pub async fn send(&self, request: RegistryRequest) -> Result<Answer> {
        let Some(left) = &self.left else { return self.registries.send(request, self.call).await };
        let allowed = *left.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        let answer = self.registries.send(request, &self.call.at_most(allowed)).await;
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(begun.elapsed());
        answer
    }

    pub async fn manifest(&self, method: Method, url: &Url, token: Option<&Secret>) -> Result<Answer> {
        let mut headers = vec![("accept", MANIFESTS.to_owned())];
        headers.extend(token.map(|token| ("authorization", format!("Bearer {}", token.secret()))));
        let step = format!("reading {}", self.image);
        let body_kind = BodyKind::Manifest;
        self.send(RegistryRequest { method, url: url.clone(), headers, body: None, step, body_kind }).await
    }
}

/// Docker Hub's API has another host than its images' names.
pub(super) fn api_host(image: &ImageReference) -> &str {
    if image.registry() == "docker.io" { "registry-1.docker.io" } else { image.registry() }
}

pub(super) fn failed(image: &ImageReference, answer: &Answer, message: &str) -> Error {
    if let Some(err) = from_the_way(answer, false, "reading an image") {
        return err.with_context("image", image.to_string());
    }
    let kind = match ErrorKind::of_status(answer.status) {
        // An anonymous or unknown caller lacks the permission: another sign-in does not help.
        ErrorKind::Unauthenticated => ErrorKind::Forbidden,
        // That an image is missing is read before; of a sign-in it says nothing about the caller's input.
        ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Conflict => ErrorKind::Unexpected,
        kind => kind,
    };
    let service = service_error(answer.status, &answer.headers, &answer.body);
    Error::new(kind, message).with_context("image", image.to_string()).with_service(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;

    /// A registry's own error has precedence: a caller that is not admitted lacks a permission, and a 404 of a sign-in is not a missing
    /// image.
    #[test]
    fn a_status_has_the_same_meaning_as_elsewhere() {
        let image = "quay.example/team/app:v1".parse().unwrap();
        for (status, kind) in crate::error::STATUSES {
            let body = r#"{"errors":[{"code":"C","message":"m"}]}"#.into();
            let answer = Answer { status, headers: Headers::new(), body, is_repeated: false };
            let wanted = match kind {
                ErrorKind::Unauthenticated => ErrorKind::Forbidden,
                ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Conflict => ErrorKind::Unexpected,
                kind => kind,
            };
            assert_eq!(failed(&image, &answer, "testing").kind(), wanted, "{status}");
        }
    }
}
