//! Messages of the libraries below a credential for a failed connection. A tool such as az, and a credential chain in Python or
//! JavaScript, pass them on as text only.

/// See [urllib3's exceptions](https://github.com/urllib3/urllib3/blob/main/src/urllib3/exceptions.py), [those of
/// requests](https://github.com/psf/requests/blob/main/src/requests/exceptions.py), [Go's net](https://pkg.go.dev/net#OpError),
/// [Node's error codes](https://nodejs.org/api/errors.html#nodejs-error-codes) and those of
/// [MSAL](https://learn.microsoft.com/entra/msal/javascript/node/).
const NO_CONNECTION: [&str; 32] = [
    "Max retries exceeded with url",
    "Failed to establish a new connection",
    "Failed to resolve",
    "Connection aborted",
    "Read timed out",
    "Unable to connect to proxy",
    "Cannot connect to host",
    "Connection timeout to host",
    "dial tcp",
    "i/o timeout",
    "TLS handshake timeout",
    "proxyconnect tcp",
    "context deadline exceeded",
    "getaddrinfo",
    "socket hang up",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ECONNABORTED",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "EPIPE",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_BODY_TIMEOUT",
    "UND_ERR_SOCKET",
    "no_network_connectivity",
    "network_error",
    "endpoints_resolution_error",
    "openid_config_error",
];

/// An untrusted certificate is permanent.
const UNTRUSTED: [&str; 9] = [
    "CERTIFICATE_VERIFY_FAILED",
    "x509: ",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "CERT_HAS_EXPIRED",
    "CERT_NOT_YET_VALID",
    "ERR_TLS_CERT_ALTNAME_INVALID",
];

/// Whether a message says that a connection failed, and if so, whether another try may succeed.
pub(crate) fn is_transient_if_no_connection(text: &str) -> Option<bool> {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if holds(&UNTRUSTED) { Some(false) } else { holds(&NO_CONNECTION).then_some(true) }
}
