//! Errors of credentials in another language. The bindings pass on the error's content; its meaning is decided here, by the same rules
//! as for the default credential chain.

use super::{
    foreign::{Head, foreign, is_foreign, redirected},
    no_connection::is_transient_if_no_connection,
    refusal::is_conditional_access,
    retry_after::retry_after,
    service_error::service_error,
    sign_in_trouble::{SignInTrouble, is_trouble},
};
use crate::error::{Error, ErrorKind};
use azure_core::{
    error::ErrorKind as Azure,
    http::headers::{HeaderName, Headers},
};
use serde::Deserialize;
use std::{error::Error as StdError, fmt};

/// The error that a credential in another language raised.
/// For the bindings only, not part of the stable interface.
#[doc(hidden)]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CredentialFailure {
    /// The name of its class, followed by its base classes.
    pub classes: Vec<String>,
    /// Its message.
    pub message: String,
    /// Codes in addition to its message, such as `ECONNREFUSED`.
    pub codes: Vec<String>,
    /// The HTTP status of the response in it.
    pub status: Option<u16>,
    /// The headers of that response.
    pub headers: Vec<(String, String)>,
    /// Its causes. A chain of credentials has one for each credential.
    pub causes: Vec<CredentialFailure>,
}

/// Classes of connection failures, whose texts may not say so: of `azure-core`, Python, `aiohttp`, `requests`, `httpx` and the web.
const NO_CONNECTION: [&str; 16] = [
    "ServiceRequestError",
    "ServiceResponseError",
    "IncompleteReadError",
    "ConnectionError",
    "TimeoutError",
    "gaierror",
    "ClientConnectionError",
    "ClientPayloadError",
    "Timeout",
    "ChunkedEncodingError",
    "TransportError",
    "NewConnectionError",
    "MaxRetryError",
    "ProtocolError",
    "HTTPException",
    "IncompleteRead",
];

/// The code of a `RestError` of `@azure/core-rest-pipeline` without a response.
const NOT_SENT: &str = "REQUEST_SEND_ERROR";

/// A response that is not JSON is not from Entra ID. As the outermost error it may be about a file of the credential itself.
const NOT_JSON: &str = "JSONDecodeError";

/// OAuth's error codes for an unavailable service, Entra ID's for throttling, and those of `azure-identity` for a response with neither
/// a token nor an error, regardless of the status.
const DOWN: [(&str, ErrorKind); 4] = [
    ("Unexpected response from Microsoft Entra ID", ErrorKind::Unavailable),
    ("temporarily_unavailable", ErrorKind::Unavailable),
    ("server_error", ErrorKind::Unavailable),
    ("throttled", ErrorKind::RateLimited),
];

/// The text before a status in messages of MSAL for Python, which does not expose the response.
const STATUS: [&str; 2] = ["HTTP Error: ", "HTTP status: "];

/// It fails on every machine outside Azure, which does not prevent a chain from trying the next credential.
const MANAGED_IDENTITY: &str = "ManagedIdentityCredential";

/// The meaning of one error of the chain.
enum Verdict {
    /// Unrelated to the caller's identity.
    Trouble(SignInTrouble),
    /// Entra ID refused the caller.
    Refusal,
}

impl CredentialFailure {
    /// The error for core, with the raised one as its `source`.
    #[must_use]
    pub fn into_error(self, source: impl StdError + Send + Sync + 'static) -> azure_core::Error {
        let raised = Raised { failure: self, source: Box::new(source) };
        azure_core::Error::with_error(Azure::Credential, raised, "the credential raised an error")
    }

    /// Why there is no token, if that is unrelated to the caller's identity. The first informative error decides.
    pub(super) fn trouble(&self) -> Option<SignInTrouble> {
        let all = self.all();
        let is_not_json = || {
            let inner = all.iter().skip(1).find(|inner| inner.classes.iter().any(|class| class == NOT_JSON))?;
            Some(inner.unavailable(true))
        };
        match all.iter().find_map(|one| one.verdict()).or_else(is_not_json)? {
            Verdict::Trouble(trouble) => Some(trouble),
            Verdict::Refusal => None,
        }
    }

    /// Whether Entra ID requires another sign-in, or refuses this one by a conditional access policy.
    pub(super) fn is_refused_by_conditional_access(&self) -> bool {
        self.all().into_iter().flat_map(Self::lines).any(|line| is_conditional_access(&entra_codes(line).join(",")))
    }

    /// This error and its causes, the outermost first.
    fn all(&self) -> Vec<&Self> {
        let is_chain = self.causes.len() > 1;
        let counts = |cause: &&Self| !(is_chain && cause.message.contains(MANAGED_IDENTITY));
        let behind = self.causes.iter().filter(counts).flat_map(Self::all);
        std::iter::once(self).chain(behind).collect()
    }

    /// The lines of its text. A chain of credentials has one for each credential.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let is_chain = self.message.trim().contains('\n');
        self.message.lines().filter(move |line| !(is_chain && line.contains(MANAGED_IDENTITY)))
    }

    fn verdict(&self) -> Option<Verdict> {
        // The text may say what class and code do not: that the certificate is the obstacle.
        let of_response = self.status.and_then(|status| self.trouble_of_response(status)).map(Verdict::Trouble);
        let verdict = of_response.or_else(|| self.verdict_of_text());
        if verdict.is_some() || self.status.is_some_and(|status| status >= 300) {
            return verdict;
        }
        let of_codes = self.codes.iter().find_map(|code| is_transient_if_no_connection(code));
        let is_connection = self.classes.iter().any(|class| NO_CONNECTION.contains(&class.as_str()))
            || self.codes.iter().any(|code| code == NOT_SENT);
        of_codes.or(is_connection.then_some(true)).map(|is_transient| self.unavailable(is_transient))
    }

    fn verdict_of_text(&self) -> Option<Verdict> {
        self.lines().find_map(|line| {
            let down = DOWN.into_iter().find(|(word, _)| line.contains(word)).map(|(_, kind)| kind);
            let status = || status_in(line).filter(|status| is_trouble((*status).into())).map(ErrorKind::of_status);
            if let Some(kind) = down.or_else(status) {
                Some(self.in_trouble(kind, true))
            } else if !entra_codes(line).is_empty() {
                Some(Verdict::Refusal)
            } else {
                is_transient_if_no_connection(line).map(|transient| self.unavailable(transient))
            }
        })
    }

    fn trouble_of_response(&self, status: u16) -> Option<SignInTrouble> {
        let mut headers = Headers::new();
        for (name, value) in &self.headers {
            headers.insert(name.to_ascii_lowercase(), value.clone());
        }
        let header = |name: &'static str| headers.get_optional_str(&HeaderName::from_static(name));
        // The body stayed with the credential.
        let head = Head { status, header: &header, without_body: false };
        let of = |err: &Error| {
            let mut trouble = SignInTrouble::new(err.kind(), "", err.to_string());
            trouble.is_transient = err.is_transient();
            trouble
        };
        let trouble = if let Some(err) = redirected(&head, "signing in") {
            Some(of(&err))
        } else if is_trouble(status.into()) && status != 511 {
            Some(SignInTrouble::new(ErrorKind::of_status(status), "", format!("HTTP {status}")))
        } else {
            is_foreign(&head, &[]).then(|| of(&foreign(&head, &[], "signing in")))
        };
        trouble.map(|mut trouble| {
            trouble.retry_after = retry_after(&headers);
            trouble.service = Some(service_error(status, &headers, &[]));
            trouble
        })
    }

    fn unavailable(&self, is_transient: bool) -> Verdict {
        self.in_trouble(ErrorKind::Unavailable, is_transient)
    }

    fn in_trouble(&self, kind: ErrorKind, is_transient: bool) -> Verdict {
        let mut trouble = SignInTrouble::new(kind, "", self.class());
        trouble.is_transient = is_transient;
        Verdict::Trouble(trouble)
    }

    /// Its class, as the reason: its text follows as the source of the error.
    fn class(&self) -> &str {
        self.classes.first().map_or("error", String::as_str)
    }
}

/// The numbers of Entra ID's codes in a message, such as 700016 of `AADSTS700016`.
fn entra_codes(text: &str) -> Vec<&str> {
    let number = |rest: &'_ str| rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    text.split("AADSTS").skip(1).map(|rest| &rest[..number(rest)]).filter(|code| !code.is_empty()).collect()
}

fn status_in(text: &str) -> Option<u16> {
    let after = STATUS.into_iter().find_map(|words| text.split_once(words))?.1;
    after.get(..3)?.parse().ok()
}

/// The raised error, as the source of core's error.
pub(super) struct Raised {
    pub failure: CredentialFailure,
    source: Box<dyn StdError + Send + Sync>,
}

/// It may contain anything, so only its class is shown.
impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raised").field("classes", &self.failure.classes).finish_non_exhaustive()
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl StdError for Raised {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::RefusalKind;
    use serde_json::{Value, json};
    use std::time::Duration;

    #[derive(Debug)]
    struct Theirs(String);

    impl fmt::Display for Theirs {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl StdError for Theirs {}

    fn judged(failure: &Value) -> Error {
        let failure: CredentialFailure = serde_json::from_value(failure.clone()).unwrap();
        let theirs = Theirs(failure.message.clone());
        super::super::from_transport(failure.into_error(theirs), "acquiring a token")
    }

    /// As `azure-identity` 1.25 and `@azure/identity` 4.13 raise them, from the outermost to the innermost.
    fn chain(of: &[(&str, &str)]) -> Value {
        let link = |inner: Value, (classes, message): &(&str, &str)| {
            let classes: Vec<&str> = classes.split(' ').collect();
            let causes = if inner.is_null() { json!([]) } else { json!([inner]) };
            json!({ "classes": classes, "message": message, "causes": causes })
        };
        of.iter().rev().fold(Value::Null, link)
    }

    const AUTHENTICATION: &str = "ClientAuthenticationError HttpResponseError AzureError Exception";
    const UNAVAILABLE: &str = "CredentialUnavailableError ClientAuthenticationError HttpResponseError AzureError";
    const REQUIRED: &str = "AuthenticationRequiredError Error";
    const IMDS: &str = "ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint.";

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn trouble_on_the_way_is_no_question_of_who_the_caller_is() {
        let discovery = "OIDC Discovery failed on https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration. HTTP status: 429, \
            Error: {}";
        for (raised, kind, is_transient) in [
            (
                chain(&[
                    (
                        AUTHENTICATION,
                        "Authentication failed: <urllib3.connection.HTTPSConnection object at 0x1>: nothing",
                    ),
                    ("ServiceRequestError AzureError", "nothing"),
                ]),
                ErrorKind::Unavailable,
                true,
            ),
            (
                chain(&[
                    (
                        AUTHENTICATION,
                        "Authentication failed: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
                    ),
                    ("ServiceRequestError AzureError", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
                ]),
                ErrorKind::Unavailable,
                false,
            ),
            (
                chain(&[
                    (AUTHENTICATION, "Authentication failed: HTTP Error: 503"),
                    ("MsalServiceError MsalError", "HTTP Error: 503"),
                ]),
                ErrorKind::Unavailable,
                true,
            ),
            (
                chain(&[
                    (AUTHENTICATION, "Authentication failed: Unable to get authority configuration for https://h/t."),
                    ("ValueError Exception", "Unable to get authority configuration for https://h/t."),
                    ("ValueError Exception", discovery),
                ]),
                ErrorKind::RateLimited,
                true,
            ),
            (chain(&[(AUTHENTICATION, "Authentication failed: throttled")]), ErrorKind::RateLimited, true),
            (
                chain(&[(AUTHENTICATION, "Unexpected response from Microsoft Entra ID: <!DOCTYPE html>\n<html>")]),
                ErrorKind::Unavailable,
                true,
            ),
            (
                chain(&[
                    (AUTHENTICATION, "Authentication failed: Expecting value: line 1 column 1 (char 0)"),
                    ("JSONDecodeError ValueError", "Expecting value: line 1 column 1 (char 0)"),
                ]),
                ErrorKind::Unavailable,
                true,
            ),
            (chain(&[(UNAVAILABLE, IMDS), ("ServiceRequestError AzureError", "x")]), ErrorKind::Unavailable, true),
            (
                chain(&[(
                    AUTHENTICATION,
                    "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n\t\
                     EnvironmentCredential: Authentication failed: <x>: Failed to resolve 'login.microsoftonline.com'\nTo mitigate",
                )]),
                ErrorKind::Unavailable,
                true,
            ),
            (chain(&[("TimeoutError OSError Exception", "")]), ErrorKind::Unavailable, true),
            (chain(&[("ConnectionResetError ConnectionError OSError", "")]), ErrorKind::Unavailable, true),
            (chain(&[("VaultError Exception", "closed"), ("gaierror OSError", "")]), ErrorKind::Unavailable, true),
            (
                chain(&[(REQUIRED, "network_error: See https://aka.ms/msal.js.errors#network_error")]),
                ErrorKind::Unavailable,
                true,
            ),
            (
                chain(&[(
                    REQUIRED,
                    "temporarily_unavailable: Error(s): Not Available - Description: AADSTS90033: transient",
                )]),
                ErrorKind::Unavailable,
                true,
            ),
            (
                json!({ "classes": ["AuthenticationError", "Error"], "status": 400,
                    "message": "EnvironmentCredential authentication failed. Status code: 400\nMore details:\nnetwork_error: See" }),
                ErrorKind::Unavailable,
                true,
            ),
            (
                json!({ "classes": ["TypeError"], "message": "fetch failed", "causes": [{ "codes": ["UND_ERR_CONNECT_TIMEOUT"] }] }),
                ErrorKind::Unavailable,
                true,
            ),
            (json!({ "classes": ["RestError"], "codes": ["REQUEST_SEND_ERROR"] }), ErrorKind::Unavailable, true),
            (json!({ "classes": ["Error"], "codes": ["DEPTH_ZERO_SELF_SIGNED_CERT"] }), ErrorKind::Unavailable, false),
            (json!({ "status": 503 }), ErrorKind::Unavailable, true),
            (json!({ "status": 407 }), ErrorKind::Unavailable, false),
            (json!({ "status": 302, "headers": [["location", "https://h"]] }), ErrorKind::Unavailable, false),
            (json!({ "status": 403, "headers": [["Content-Type", "text/html"]] }), ErrorKind::Unavailable, false),
        ] {
            let err = judged(&raised);
            assert_eq!((err.kind(), err.is_transient()), (kind, is_transient), "{raised}: {err:#}");
            assert!(err.refusal().is_none() && err.source().is_some(), "{raised}: {err:#}");
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept() {
        let err = judged(&json!({ "status": 429, "headers": [["Retry-After", "300"], ["X-Ms-Request-Id", "r"]] }));
        assert_eq!((err.kind(), err.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(300))));
        assert_eq!((err.status(), err.request_id()), (Some(429), Some("r")));
    }

    #[test]
    fn what_is_the_callers_own_stays_so() {
        let no_network = json!({ "classes": ["CredentialUnavailableError"], "message": "ManagedIdentityCredential: Network unreachable",
            "causes": [{ "codes": ["ENETUNREACH"] }] });
        for raised in [
            chain(&[(AUTHENTICATION, "Authentication failed: AADSTS7000215: Invalid client secret provided.")]),
            chain(&[(AUTHENTICATION, "Authentication failed: AADSTS700016: not found"), ("ServiceRequestError", "x")]),
            chain(&[(
                REQUIRED,
                "invalid_client: Error(s): 7000215 - Description: AADSTS7000215: Invalid client secret",
            )]),
            chain(&[(UNAVAILABLE, "EnvironmentCredential authentication unavailable.")]),
            chain(&[("LookupError Exception", "the vault is closed")]),
            chain(&[("FileNotFoundError OSError Exception", "[Errno 2] No such file or directory: '/token'")]),
            chain(&[("JSONDecodeError ValueError", "Expecting value")]),
            chain(&[("Error", "")]),
            json!({}),
            json!({ "status": 401 }),
            json!({ "status": 403, "headers": [["content-type", "application/json"]], "classes": ["ClientResponseError", "ClientConnectionError"] }),
            // Nothing is configured: a machine without an identity is not a network problem.
            chain(&[(
                AUTHENTICATION,
                "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n\t\
                 EnvironmentCredential: EnvironmentCredential authentication unavailable.\n\tManagedIdentityCredential: \
                 ManagedIdentityCredential authentication unavailable. Error: Failed to establish a new connection\n\tAzureCliCredential: \
                 Azure CLI not found on path",
            )]),
            json!({ "classes": ["AggregateAuthenticationError", "Error"], "message": "ChainedTokenCredential authentication failed.",
                "causes": [{ "message": "EnvironmentCredential is unavailable." }, no_network, { "message": "Please run 'az login'" }] }),
        ] {
            let err = judged(&raised);
            assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unauthenticated, false), "{raised}: {err:#}");
            assert!(err.refusal().is_none() && err.source().is_some(), "{raised}: {err:#}");
        }
    }

    #[test]
    fn conditional_access_is_named() {
        for raised in [
            chain(&[(AUTHENTICATION, "Authentication failed: AADSTS53003: blocked by conditional access.")]),
            chain(&[(REQUIRED, "interaction_required: AADSTS50076: use multi-factor authentication")]),
            chain(&[
                (AUTHENTICATION, "x"),
                ("ValueError", "HTTP status: 400, Error: {\"error_description\":\"AADSTS53001: device"),
            ]),
        ] {
            let err = judged(&raised);
            assert_eq!(err.kind(), ErrorKind::Unauthenticated, "{raised}: {err:#}");
            assert_eq!(err.refusal(), Some(RefusalKind::ConditionalAccess), "{raised}: {err:#}");
        }
    }

    #[test]
    fn the_text_is_shown_once() {
        for raised in [
            chain(&[("ServiceRequestError AzureError", "no route")]),
            json!({ "classes": ["HttpResponseError"], "message": "no route", "status": 503 }),
            chain(&[("LookupError", "no route")]),
        ] {
            let shown = format!("{:#}", judged(&raised));
            assert_eq!(shown.matches("no route").count(), 1, "{shown}");
        }
    }
}
