//! The only place where an Azure error becomes ours.

use super::{
    Answer, ArmRequest,
    credential_failure::Raised,
    foreign::{Head, foreign, is_foreign, redirected},
    missing_provider::{PROVIDER, missing_provider},
    read_body::TooLarge,
    refusal::{is_conditional_access, refusal},
    service_error::service_error,
    sign_in_trouble::{SignInTrouble, is_trouble},
};
use crate::{
    challenge,
    error::{Error, ErrorKind},
    missing,
    refusal::RefusalKind,
};
use azure_core::http::Method;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Creates an error from a response with an error status.
pub(crate) fn from_azure(request: &ArmRequest, answer: &Answer) -> Error {
    if let Some(err) = from_the_way(answer, request.method == Method::Head, &request.step) {
        return err;
    }
    let service = service_error(answer.status, &answer.headers, &answer.body);
    let refusal = refusal(request, answer, &service);
    // Azure responds to a lock with 409, which is a refusal for a caller.
    let is_refused = refusal.as_ref().is_some_and(|refusal| refusal.kind != RefusalKind::ConditionalAccess);
    let kind = if is_refused { ErrorKind::Forbidden } else { ErrorKind::of_status(answer.status) };
    let (group, subscription) = missing::parents(&request.scope);
    let code = service.code.as_deref().unwrap_or_default();
    let missing = missing::sentence_of_parent(code, group, subscription).filter(|_| kind == ErrorKind::NotFound);
    let refused = refusal.as_ref().filter(|_| is_refused).map(|refusal| refusal_sentence(refusal.kind).to_owned());
    let text = missing.or(refused).unwrap_or_else(|| sentence(kind).to_owned());
    let err = Error::new(kind, text).with_context("while", &request.step);
    let err = match refusal {
        Some(refusal) => err.refused(refusal),
        None => err,
    };
    let err = match answer.header("www-authenticate").and_then(wanted_claims) {
        Some(claims) if kind == ErrorKind::Unauthenticated => err
            .saying("conditional access requires a new sign-in: Azure responded with a claims challenge")
            .with_claims(claims),
        _ => err,
    };
    let err = match missing_provider(answer) {
        Some(provider) => err.with_context(PROVIDER, provider),
        None => err,
    };
    let err = match super::retry_after::retry_after(&answer.headers) {
        Some(wait) => err.with_retry_after(wait),
        None => err,
    };
    let err = err.with_service(service);
    if err.is_of_another_tenant() {
        return err.saying("the subscription is in another tenant than the caller's token; sign in to its tenant");
    }
    err
}

/// The same for a service without known actions.
pub(crate) fn from_service(step: &str, answer: &Answer) -> Error {
    if let Some(err) = from_the_way(answer, false, step) {
        return err;
    }
    let service = service_error(answer.status, &answer.headers, &answer.body);
    let kind = ErrorKind::of_status(answer.status);
    Error::new(kind, sentence(kind)).with_context("while", step).with_service(service)
}

/// The error of a response that is not the service's own, or redirects to another host.
pub(crate) fn from_the_way(answer: &Answer, is_head: bool, step: &str) -> Option<Error> {
    let header = |name: &'static str| answer.header(name);
    let head = Head { status: answer.status, header: &header, without_body: is_head };
    redirected(&head, step).or_else(|| is_foreign(&head, &answer.body).then(|| foreign(&head, &answer.body, step)))
}

/// The claims of a challenge, which conditional access sends when a token is valid but not sufficient. See [Claims
/// challenges](https://learn.microsoft.com/entra/identity-platform/claims-challenge).
fn wanted_claims(header: &str) -> Option<String> {
    let challenge = challenge::with_error(header, "insufficient_claims")?;
    let encoded = challenge.get("claims")?.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(encoded).or_else(|_| URL_SAFE_NO_PAD.decode(encoded)).ok();
    // Some services send the text as it is.
    Some(decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| encoded.to_owned()))
}

/// Creates an error for a request without a response.
pub(crate) fn from_transport(err: azure_core::Error, step: &str) -> Error {
    use azure_core::error::ErrorKind as Azure;
    if let Some(long) = find(&err, |long: &TooLarge| Some(*long)) {
        return long.error(step);
    }
    let is_sign_in = matches!(err.kind(), Azure::Credential) || is_credential(&err);
    if let Some(trouble) = is_sign_in.then(|| trouble_behind(&err)).flatten().filter(|_| !is_final(&err)) {
        let ours = trouble.error(step);
        let is_raised = find(&err, |raised: &Raised| raised.failure.trouble()).is_some();
        // The caller's own error stays the cause.
        return if is_raised { ours.with_source(err) } else { ours };
    }
    let (kind, message) = match err.kind() {
        // It may have happened while acquiring a token, but it does not depend on the caller's identity.
        _ if is_final(&err) => (ErrorKind::Unavailable, "could not reach the service"),
        _ if is_unsupported(&err) => (ErrorKind::Unsupported, "this credential is unusable"),
        Azure::Credential => (ErrorKind::Unauthenticated, "could not acquire an access token"),
        Azure::Connection | Azure::Io => (ErrorKind::Unavailable, "could not reach the service"),
        _ if is_credential(&err) => (ErrorKind::Unauthenticated, "could not acquire an access token"),
        _ => (ErrorKind::Unexpected, "could not create the request"),
    };
    let ours = Error::new(kind, obstacle(&err).unwrap_or(message)).with_context("while", step);
    let ours = if is_final(&err) { ours.with_transient(false) } else { ours };
    if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Unsupported) {
        let refused = is_refused_by_conditional_access(&err);
        let ours = if refused { ours.with_refusal(RefusalKind::ConditionalAccess) } else { ours };
        return ours.with_source(err);
    }
    // The outer errors contain the whole URL, whose query may be signed: only the innermost is kept, which does not.
    ours.with_context("reason", innermost(&err))
}

/// Whether every other try would end the same way.
pub(crate) fn is_final(err: &azure_core::Error) -> bool {
    obstacle(err).is_some()
}

/// The message of a permanent connection error, if it is one.
#[cfg(any(feature = "kubernetes", feature = "reqwest"))]
fn obstacle(err: &azure_core::Error) -> Option<&'static str> {
    crate::network::PermanentConnectError::find(err).map(crate::network::PermanentConnectError::sentence)
}

/// The errors of a given transport are unknown here.
#[cfg(not(any(feature = "kubernetes", feature = "reqwest")))]
fn obstacle(_: &azure_core::Error) -> Option<&'static str> {
    None
}

pub(crate) fn innermost(err: &azure_core::Error) -> String {
    let mut reason: &dyn std::error::Error = err;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string().split(" for url (").next().unwrap_or_default().to_owned()
}

/// The retry policy wraps a credential's error in one of another kind.
fn is_credential(err: &azure_core::Error) -> bool {
    behind(err, |inner: &azure_core::Error| matches!(inner.kind(), azure_core::error::ErrorKind::Credential))
}

/// Azure's credentials keep Entra's codes apart from its text.
fn is_refused_by_conditional_access(err: &azure_core::Error) -> bool {
    let refuses = |err: &azure_core::Error| match err.kind() {
        azure_core::error::ErrorKind::HttpResponse { error_code: Some(codes), .. } => is_conditional_access(codes),
        _ => false,
    };
    let raised = |raised: &Raised| raised.failure.is_refused_by_conditional_access();
    refuses(err) || behind(err, refuses) || behind(err, raised)
}

/// A credential of our own reported that it does not support something.
fn is_unsupported(err: &azure_core::Error) -> bool {
    behind(err, |inner: &Error| inner.kind() == ErrorKind::Unsupported)
}

/// The first error of one type that `pick` accepts, among an error and its sources.
fn find<E: std::error::Error + 'static, T>(err: &azure_core::Error, pick: impl Fn(&E) -> Option<T>) -> Option<T> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(err);
    while let Some(inner) = next {
        if let Some(found) = inner.downcast_ref().and_then(&pick) {
            return Some(found);
        }
        next = inner.source();
    }
    None
}

/// Searches for such a cause in a credential's error: our own chain reports it, a credential of another language by its text and
/// classes, and any other credential by the kinds of its errors.
fn trouble_behind(err: &azure_core::Error) -> Option<SignInTrouble> {
    use azure_core::error::ErrorKind as Azure;
    let said = find(err, |trouble: &SignInTrouble| Some(trouble.clone()))
        .or_else(|| find(err, |raised: &Raised| raised.failure.trouble()));
    said.or_else(|| {
        find(err, |inner: &azure_core::Error| match inner.kind() {
            Azure::Connection | Azure::Io => Some(SignInTrouble::new(ErrorKind::Unavailable, "", innermost(inner))),
            Azure::HttpResponse { status, raw_response, .. } if is_trouble(*status) => {
                let (kind, code) = (ErrorKind::of_status((*status).into()), u16::from(*status));
                let headers = raw_response.as_deref().map(azure_core::http::RawResponse::headers);
                let mut trouble = SignInTrouble::new(kind, "", format!("HTTP {code}"));
                trouble.retry_after = headers.and_then(super::retry_after::retry_after);
                trouble.service = raw_response.as_deref().map(|raw| service_error(code, raw.headers(), raw.body()));
                Some(trouble)
            }
            _ => None,
        })
    })
}

/// Whether an error or one of its sources has this type and satisfies the condition.
fn behind<E: std::error::Error + 'static>(err: &azure_core::Error, holds: impl Fn(&E) -> bool) -> bool {
    let mut source = std::error::Error::source(err);
    while let Some(inner) = source {
        if inner.downcast_ref().is_some_and(&holds) {
            return true;
        }
        source = inner.source();
    }
    false
}

fn sentence(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidInput => "Azure rejected the request as invalid",
        ErrorKind::Unauthenticated => "Azure rejected the access token",
        ErrorKind::Forbidden => "the caller is not allowed to do this",
        ErrorKind::NotFound => "resource not found",
        ErrorKind::Conflict => "Azure rejected the request because of a conflict with an existing resource",
        ErrorKind::RateLimited => "Azure throttles this caller",
        ErrorKind::Unavailable => "service unavailable",
        _ => "Azure responded with an error",
    }
}

fn refusal_sentence(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::MissingRight => "the caller lacks a permission",
        RefusalKind::Policy => "a policy denies this; more permissions do not help",
        RefusalKind::Lock => "a lock prevents this; it has to be removed first",
        RefusalKind::DenyAssignment => "a deny assignment prevents this, whatever roles the caller has",
        RefusalKind::ConstrainedDelegation => "the caller may assign roles, but not this role to this principal",
        _ => sentence(ErrorKind::Forbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;

    #[test]
    fn the_claims_of_a_challenge_are_read() {
        let wanted = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
        let encoded = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ==";
        let challenge = format!(r#"Bearer realm="", error="insufficient_claims", claims="{encoded}""#);
        assert_eq!(wanted_claims(&challenge).as_deref(), Some(wanted));
        assert_eq!(wanted_claims(r#"Bearer error="invalid_token", claims="e30=""#), None);
        assert_eq!(wanted_claims(r#"Bearer error="insufficient_claims""#), None);
    }

    /// With a body of the service's own: other bodies come from an intermediary.
    #[test]
    fn a_status_has_one_meaning() {
        for (status, kind) in crate::error::STATUSES {
            let body = r#"{"error":{"code":"C","message":"m"}}"#.into();
            let answer = Answer { status, headers: Headers::new(), body, is_repeated: false };
            assert_eq!(from_service("testing", &answer).kind(), kind, "{status}");
            let request = ArmRequest::get("/subscriptions", "1");
            assert_eq!(from_azure(&request, &answer).kind(), kind, "{status}");
        }
    }
}
