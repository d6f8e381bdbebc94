//! Responses of an intermediary, such as a proxy, a firewall or a hotel's sign-in page: not the service's own, whatever their status.

use crate::error::{Error, ErrorKind};
use serde_json::Value;

/// Headers that Azure, a registry or an API server always sends, and no intermediary adds.
const OF_THE_SERVICES: [&str; 7] = [
    "x-ms-request-id",
    "x-ms-correlation-request-id",
    "x-ms-routing-request-id",
    "x-ms-failure-cause",
    "docker-distribution-api-version",
    "audit-id",
    "x-kubernetes-pf-flowschema-uid",
];

/// Status and headers of a response, from any library.
pub(crate) struct Head<'a> {
    pub status: u16,
    pub header: &'a dyn Fn(&'static str) -> Option<&'a str>,
    /// Whether the request was a HEAD, whose response has no body to check.
    pub without_body: bool,
}

impl Head<'_> {
    fn is_html(&self) -> bool {
        (self.header)("content-type")
            .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Whether an intermediary responded. Some proxies send 200 with an HTML page.
pub(crate) fn is_foreign(head: &Head<'_>, body: &[u8]) -> bool {
    if head.is_success() {
        return if head.without_body || body.is_empty() {
            head.is_html()
        } else {
            // The services answer in JSON or with nothing, whatever they call it.
            serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err()
        };
    }
    match head.status {
        // Only a proxy, and only a network that wants a sign-in, use these two.
        407 | 511 => true,
        // Elsewhere the caller decides what a redirect means.
        0..=399 => false,
        _ if OF_THE_SERVICES.into_iter().any(|name| (head.header)(name).is_some()) => false,
        // A proxy that wants a sign-in says so in another header.
        401 if (head.header)("www-authenticate").is_some() => false,
        // Some registries answer so to a HEAD for what they do not have.
        404 if head.without_body => false,
        _ if head.without_body || body.is_empty() => head.is_html(),
        _ => !has_shape(body),
    }
}

/// Whether a body has the shape of an error of Azure, Entra ID, a registry, Kubernetes, or a machine's endpoint. An HTML page or a line
/// of text does not.
fn has_shape(body: &[u8]) -> bool {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return false };
    let has = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
    // Without regard to case: some providers write `Message`.
    has("error") || has("errors") || has("code") || has("message") || has("Message") || has("kind") || has("status")
}

/// The error of such a response. The status decides whether a retry may help: a gateway can recover, while a block and a sign-in page
/// stay.
pub(crate) fn foreign(head: &Head<'_>, body: &[u8], step: &str) -> Error {
    let (kind, is_transient, hint) = match head.status {
        429 => (ErrorKind::RateLimited, true, None),
        407 => (ErrorKind::Unavailable, false, Some("set the proxy's user and password in its address")),
        511 => (ErrorKind::Unavailable, false, Some("sign in to the network first")),
        408 | 425 | 500..=599 => (ErrorKind::Unavailable, true, None),
        200..=299 => {
            (ErrorKind::Unavailable, true, Some("a proxy or a network's sign-in page may have intercepted the request"))
        }
        _ => (ErrorKind::Unavailable, false, Some("a proxy or a firewall may block this host")),
    };
    let content = (head.header)("content-type").unwrap_or("no content type");
    let mut err = Error::new(kind, "a proxy or firewall responded instead of the service")
        .with_transient(is_transient)
        .with_context("while", step)
        .with_context("HTTP status", head.status.to_string())
        .with_context("content type", content);
    if let Some(title) = title(body) {
        err = err.with_context("page", title);
    }
    if let Some(server) = (head.header)("server") {
        err = err.with_context("server", server);
    }
    match hint {
        Some(hint) => err.with_context("hint", hint),
        None => err,
    }
}

/// The error of a redirect: a token goes to no other host, and the services do not redirect these requests.
pub(crate) fn redirected(head: &Head<'_>, step: &str) -> Option<Error> {
    if !matches!(head.status, 300..=303 | 305..=308) {
        return None;
    }
    // Without its query, which may be signed.
    let to = (head.header)("location").map(|to| to.split(['?', '#']).next().unwrap_or_default());
    let err = Error::new(ErrorKind::Unavailable, "the request was redirected; redirects are not followed")
        .with_transient(false)
        .with_context("while", step)
        .with_context("HTTP status", head.status.to_string())
        .with_context("redirected to", to.unwrap_or("nowhere"))
        .with_context("hint", "a proxy or a network's sign-in page may have intercepted the request");
    Some(err)
}

/// The title of an HTML page.
fn title(body: &[u8]) -> Option<String> {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]).into_owned();
    // ASCII letters only, so that positions stay the same.
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    let title: String =
        text[start..end].split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Option<Error> {
        let header = |name: &'static str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let head = Head { status, header: &header, without_body: false };
        is_foreign(&head, body.as_bytes()).then(|| foreign(&head, body.as_bytes(), "testing"))
    }

    const PAGE: &str = "<html><head><title>Blocked</title></head><body>This site is blocked</body></html>";

    #[test]
    fn an_intermediarys_page_is_no_refusal_and_its_status_decides_if_it_is_transient() {
        for (status, kind, is_transient) in [
            (200, ErrorKind::Unavailable, true),
            (400, ErrorKind::Unavailable, false),
            (401, ErrorKind::Unavailable, false),
            (403, ErrorKind::Unavailable, false),
            (404, ErrorKind::Unavailable, false),
            (407, ErrorKind::Unavailable, false),
            (409, ErrorKind::Unavailable, false),
            (429, ErrorKind::RateLimited, true),
            (451, ErrorKind::Unavailable, false),
            (470, ErrorKind::Unavailable, false),
            (502, ErrorKind::Unavailable, true),
            (503, ErrorKind::Unavailable, true),
            (511, ErrorKind::Unavailable, false),
        ] {
            for body in [
                PAGE,
                "Access denied by policy",
                "[]",
                "\"text\"",
                "{}",
                "{\"blocked\":true}",
                "HTTP request. Action: Deny.",
            ] {
                if status == 200 && body.starts_with(['[', '{', '"']) {
                    continue;
                }
                let err =
                    judged(status, &[("content-type", "text/html")], body).unwrap_or_else(|| panic!("{status} {body}"));
                assert_eq!((err.kind(), err.is_transient()), (kind, is_transient), "{status} {body}");
                assert!(err.service().is_none() && err.to_string().contains("a proxy or firewall"), "{err}");
            }
        }
        assert!(judged(403, &[], PAGE).is_some_and(|err| err.to_string().contains("page: Blocked")));
    }

    #[test]
    fn the_services_own_errors_are_theirs() {
        for body in [
            r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#,
            r#"{"code":"Conflict","message":"no"}"#,
            r#"{"Message":"no"}"#,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215"}"#,
            r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#,
            r#"{"kind":"Status","status":"Failure","code":403}"#,
        ] {
            assert!(judged(403, &[("content-type", "text/html")], body).is_none(), "{body}");
        }
        for header in OF_THE_SERVICES {
            assert!(judged(404, &[(header, "x")], "404 page not found").is_none(), "{header}");
        }
        assert!(judged(401, &[("www-authenticate", "Bearer realm=\"x\"")], "unauthorized").is_none());
        assert!(judged(403, &[], "").is_none(), "there is nothing to judge by");
    }

    #[test]
    fn a_redirect_names_where_to_without_its_query() {
        let header = |name: &'static str| (name == "location").then_some("https://portal.example/login?token=secret");
        for status in [301, 302, 303, 307, 308] {
            let err = redirected(&Head { status, header: &header, without_body: false }, "testing").unwrap();
            assert!(err.to_string().contains("https://portal.example/login") && !format!("{err:#}").contains("secret"));
            assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unavailable, false));
        }
        assert!(redirected(&Head { status: 304, header: &header, without_body: false }, "testing").is_none());
    }
}
