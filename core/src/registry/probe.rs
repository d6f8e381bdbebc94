//! Requests for one image or for the list of repositories, and what their failures mean.

use super::access::Access;
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Answer, BodyKind, Registries, RegistryRequest, from_the_way, service_error},
    write::Intent,
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

/// The same with Docker's first schema. Current nodes reject it; without these types, such an image would look missing.
const MANIFESTS_OF_ANY_AGE: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws, application/vnd.docker.distribution.manifest.v1+json";

/// One read: what is read, and how long the registry may still take.
pub(super) struct Probe<'a> {
    pub access: Access<'a>,
    pub call: &'a Call,
    pub registries: &'a Registries,
    pub left: Option<Mutex<Duration>>,
}

impl<'a> Probe<'a> {
    /// A further read, for which the rest of the time is left.
    pub fn reading(&self, access: Access<'a>) -> Self {
        let left = self.left.as_ref().map(|left| Mutex::new(*left.lock().unwrap_or_else(PoisonError::into_inner)));
        Self { access, call: self.call, registries: self.registries, left }
    }

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

    /// Requests what is accessed, with a token if there is one.
    pub async fn request(&self, method: Method, url: &Url, token: Option<&Secret>) -> Result<Answer> {
        let (accept, body_kind) = match self.access {
            Access::Image(_) => (MANIFESTS, BodyKind::Manifest),
            Access::Details(_) => (MANIFESTS_OF_ANY_AGE, BodyKind::Manifest),
            Access::Attributes(_) | Access::Deleted(_) | Access::Catalog(_) => ("application/json", BodyKind::ListPage),
            Access::SignIn(_) => ("application/json", BodyKind::Token),
        };
        let mut headers = vec![("accept", accept.to_owned())];
        headers.extend(token.map(|token| ("authorization", format!("Bearer {}", token.secret()))));
        let step = match self.access {
            Access::SignIn(host) => format!("signing in at {host}"),
            access => format!("reading {access}"),
        };
        let (url, intent) = (url.clone(), Intent::Read);
        self.send(RegistryRequest { method, url, headers, body: None, step, body_kind, intent }).await
    }
}

pub(super) fn failed<'a>(access: impl Into<Access<'a>>, answer: &Answer, message: &str) -> Error {
    let access = access.into();
    let step = match access {
        Access::Image(_) | Access::Details(_) | Access::Attributes(_) | Access::Deleted(_) => "reading an image",
        Access::Catalog(_) => "reading the repositories",
        Access::SignIn(_) => "signing in",
    };
    if let Some(err) = from_the_way(answer, false, step) {
        return access.name_in(err);
    }
    let kind = match ErrorKind::of_status(answer.status) {
        // An anonymous or unknown caller lacks the permission: another sign-in does not help.
        ErrorKind::Unauthenticated => ErrorKind::Forbidden,
        // That an image is missing is read before; of a sign-in it says nothing about the caller's input.
        ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Conflict => ErrorKind::Unexpected,
        kind => kind,
    };
    let service = service_error(answer.status, &answer.headers, &answer.body);
    access.name_in(Error::new(kind, message)).with_service(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageReference;
    use azure_core::http::headers::Headers;

    /// A registry's own error has precedence: a caller that is not admitted lacks a permission, and a 404 of a sign-in is not a missing
    /// image.
    #[test]
    fn a_status_has_the_same_meaning_as_elsewhere() {
        let image: ImageReference = "quay.example/team/app:v1".parse().unwrap();
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
