//! The texts of a failed pull, in one place: container runtime inside, kubelet outside.

use std::fmt;

use http::{Method, StatusCode};
use serde_json::Value;

use super::containerd::Containerd;
use super::{Image, NetworkFailure};

/// Azure's name server, as nodes have it in their `resolv.conf`: see
/// [168.63.129.16](https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
const NAME_SERVER: &str = "168.63.129.16:53";

/// What precedes the cause when a manifest or a blob could not be got.
const COPYING: &str = "failed to copy: httpReadSeeker: failed open:";

/// The code of what does not exist.
const NOT_FOUND: &str = "NotFound";

/// The media type of Docker's first schema.
pub(super) const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// Why one try to pull failed, with the status code that the runtime reports to kubelet.
#[derive(Debug)]
pub(super) struct PullFailure {
    code: Option<&'static str>,
    text: String,
}

impl PullFailure {
    /// The name could not be turned into a manifest.
    pub(super) fn resolving(image: &Image, containerd: Containerd, cause: &Cause) -> Self {
        let what = if containerd.transfers() { String::from("image") } else { format!("reference \"{image}\"") };
        let text = format!("failed to pull and unpack image \"{image}\": failed to resolve {what}: {}", cause.text);
        Self { code: cause.code, text }
    }

    /// The manifest was found, but what it names could not be got.
    pub(super) fn unpacking(image: &Image, cause: &Cause) -> Self {
        Self { code: cause.code, text: format!("failed to pull and unpack image \"{image}\": {}", cause.text) }
    }

    /// A disk without room for what is fetched. The number of the ingest is not that of a real one.
    pub(super) fn no_space(image: &Image) -> Self {
        let path = "/var/lib/containerd/io.containerd.content.v1.content/ingest/1/data";
        Self::unpacking(image, &Cause::unknown(format!("failed to copy: write {path}: no space left on device")))
    }

    /// Content that containerd knows, and whose file is gone: `plugins/content/local/store.go`.
    pub(super) fn lost(image: &Image, digest: &str) -> Self {
        let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
        let path = format!("/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/{hex}");
        let text = format!("blob {digest} expected at {path}: blob not found: not found");
        Self::unpacking(image, &Cause { code: Some(NOT_FOUND), text })
    }

    /// A manifest of Docker's first schema. containerd 2.0 has a switch for them, which is off, and says so; later ones do not know them
    /// (`client/pull.go`, `core/remotes/docker/resolver.go`). Version 1.7 converts them.
    pub(super) fn schema1(image: &Image, containerd: Containerd) -> Self {
        if containerd.transfers() {
            let text = format!(
                "not implemented: media type \"{SCHEMA1}\" is no longer supported since containerd v2.0, please rebuild the image as \
                 \"application/vnd.docker.distribution.manifest.v2+json\" or \"application/vnd.oci.image.manifest.v1+json\""
            );
            return Self::resolving(image, containerd, &Cause { code: Some("Unimplemented"), text });
        }
        let text = format!(
            "failed to get converter for \"{image}\": Pulling Schema 1 images have been deprecated and disabled by default since \
             containerd v2.0. As a workaround you may set an environment variable `CONTAINERD_ENABLE_DEPRECATED_PULL_SCHEMA_1_IMAGE=1`, but \
             this will be completely removed in containerd v2.1."
        );
        Self::unpacking(image, &Cause::unknown(text))
    }

    /// An index without an entry for the node's platform. The transfer service takes it for pulled, and what comes after
    /// it finds nothing.
    pub(super) fn no_platform(image: &Image, containerd: Containerd, index: &str) -> Self {
        let text = if containerd.transfers() {
            format!("get image config descriptor: no match for platform in manifest {index}: not found")
        } else {
            format!("failed to pull and unpack image \"{image}\": no match for platform in manifest: not found")
        };
        Self { code: Some(NOT_FOUND), text }
    }
}

impl fmt::Display for PullFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Kubelet strips the code from errors of unknown kind and keeps it on all others.
        if let Some(code) = self.code {
            write!(f, "rpc error: code = {code} desc = ")?;
        }
        f.write_str(&self.text)
    }
}

/// The innermost part of a failure.
#[derive(Debug)]
pub(super) struct Cause {
    code: Option<&'static str>,
    text: String,
}

impl Cause {
    fn unknown(text: String) -> Self {
        Self { code: None, text }
    }

    /// No such repository, tag or digest.
    pub(super) fn not_found(image: &Image) -> Self {
        Self { code: Some(NOT_FOUND), text: format!("{image}: not found") }
    }

    /// A configuration or a layer that the registry does not have.
    pub(super) fn no_content(digest: &str, media_type: &str) -> Self {
        let what = format!("could not fetch content descriptor {digest} ({media_type}) from remote: not found");
        Self { code: Some(NOT_FOUND), text: format!("{COPYING} {what}") }
    }

    /// The registry refused again, with a token, or nothing was there to sign in with.
    pub(super) fn access_denied(why: &str) -> Self {
        Self::unknown(format!("pull access denied, repository does not exist or may require authorization: {why}"))
    }

    /// No token came from the token service.
    pub(super) fn authorising(what: &str, cause: &str) -> Self {
        Self::unknown(format!("failed to authorize: failed to fetch {what} token: {cause}"))
    }

    /// No HTTP answer.
    pub(super) fn no_answer(method: &Method, url: &str, failure: &NetworkFailure) -> Self {
        Self::unknown(format!("failed to do request: {}", request_failure(method, url, failure)))
    }

    /// Redirects without an end.
    pub(super) fn redirected(method: &Method, url: &str, most: usize) -> Self {
        Self::unknown(format!("failed to do request: {} \"{url}\": stopped after {most} redirects", verb(method)))
    }

    /// An answer that does not help, to the request that resolves the name. The registry's own words have a line of their own.
    pub(super) fn status(method: &Method, url: &str, status: StatusCode, body: &[u8]) -> Self {
        let words = registry_words(body).map(|words| format!("\n{words}")).unwrap_or_default();
        Self::unknown(format!("{}{words}", unexpected_status(method, url, status)))
    }

    /// The same cause, met by the request for a manifest or blob.
    pub(super) fn while_copying(self) -> Self {
        Self { text: format!("{COPYING} {}", self.text), ..self }
    }

    /// An answer that does not help, to the request for a manifest or blob.
    pub(super) fn copying(containerd: Containerd, url: &str, status: StatusCode, body: &[u8]) -> Self {
        if status == StatusCode::NOT_FOUND {
            return Self { code: Some(NOT_FOUND), text: format!("{COPYING} content at {url} not found: not found") };
        }
        if containerd.joins_words() {
            return Self::unknown(format!("{COPYING} {}", Self::status(&Method::GET, url, status, body).text));
        }
        let words = registry_words(body).map(|words| format!(" - Server message: {words}")).unwrap_or_default();
        Self::unknown(format!("{COPYING} unexpected status code {url}: {}{words}", with_reason(status)))
    }

    /// A part without a size, or one that the manifest does not have. See `Fetch` in containerd's `core/remotes/handlers.go`.
    pub(super) fn no_size(digest: &str) -> Self {
        let text =
            format!("unable to fetch descriptor ({digest}) which reports content size of zero: invalid argument");
        Self { code: Some("InvalidArgument"), text }
    }

    /// A configuration that is not one. The reason after `config:` is not that of Go.
    pub(super) fn bad_config(why: &str) -> Self {
        Self::unknown(format!("unmarshal image config: {why}"))
    }

    /// A configuration of other layers than the manifest's.
    pub(super) fn layer_count(layers: usize, identifiers: usize) -> Self {
        Self::unknown(format!("number of layers and diffIDs don't match: {layers} != {identifiers}"))
    }

    /// Something else than an image, such as a Helm chart. See `RootFS` and `Unpack` in containerd's `client/image.go`.
    pub(super) fn no_image() -> Self {
        let why = "mismatched image rootfs and manifest layers";
        Self::unknown(format!("failed to unpack image on snapshotter overlayfs: {why}"))
    }

    /// A manifest that is not what it should be.
    pub(super) fn unreadable(what: &str) -> Self {
        Self::unknown(format!("failed to read manifest: {what}"))
    }
}

/// `unexpected status from GET request to …: 401 Unauthorized`.
pub(super) fn unexpected_status(method: &Method, url: &str, status: StatusCode) -> String {
    format!("unexpected status from {method} request to {url}: {}", with_reason(status))
}

/// `Get "…": dial tcp …`.
pub(super) fn request_failure(method: &Method, url: &str, failure: &NetworkFailure) -> String {
    format!("{} \"{url}\": {}", verb(method), network_cause(url, failure))
}

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::HEAD => "Head",
        Method::POST => "Post",
        _ => "Get",
    }
}

fn network_cause(url: &str, failure: &NetworkFailure) -> String {
    match failure {
        NetworkFailure::NoSuchHost => {
            let host = url.split('/').nth(2).unwrap_or(url);
            format!("dial tcp: lookup {host} on {NAME_SERVER}: no such host")
        }
        NetworkFailure::NameServer { server, is_silent } => {
            let host = url.split('/').nth(2).unwrap_or(url);
            // Go's resolver, `net/dnsclient_unix.go`: the addresses of the socket stand before a time-out.
            let why = if *is_silent {
                format!("read udp 10.224.0.4:49152->{server}:53: i/o timeout")
            } else {
                "no such host".into()
            };
            format!("dial tcp: lookup {host} on {server}:53: {why}")
        }
        NetworkFailure::ProxySilent { address } => format!("proxyconnect tcp: dial tcp {address}: i/o timeout"),
        // Go's `net/http/transport.go` gives the words of the status of a refused CONNECT.
        NetworkFailure::ProxyRefused => String::from("Forbidden"),
        NetworkFailure::ProxyFailed => String::from("Bad Gateway"),
        NetworkFailure::Cut => String::from("EOF"),
        NetworkFailure::Timeout { address } => {
            let port = if address.contains(':') { "" } else { ":443" };
            format!("dial tcp {address}{port}: i/o timeout")
        }
        NetworkFailure::Tls(text) => {
            let text = text.strip_prefix("x509: ").unwrap_or(text);
            format!("tls: failed to verify certificate: x509: {text}")
        }
    }
}

fn with_reason(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

/// `denied: client with IP …`, from the body of an error answer.
fn registry_words(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let errors = body.get("errors")?.as_array()?;
    let texts: Vec<String> = errors.iter().map(registry_error).collect();
    match texts.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("errors:\n{}\n", several.join("\n"))),
    }
}

/// The codes that containerd knows, with the message of each that it does not repeat. Any other is `unknown`.
const CODES: [(&str, &str); 6] = [
    ("UNKNOWN", "unknown error"),
    ("UNSUPPORTED", "The operation is unsupported."),
    ("UNAUTHORIZED", "authentication required"),
    ("DENIED", "requested access to the resource is denied"),
    ("UNAVAILABLE", "service unavailable"),
    ("TOOMANYREQUESTS", "too many requests"),
];

fn registry_error(error: &Value) -> String {
    let field = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let known = CODES.iter().find(|(code, _)| *code == field("code"));
    let (code, usual) = known.copied().unwrap_or(CODES[0]);
    let (code, message) = (code.to_lowercase(), field("message"));
    let has_detail = error.get("detail").is_some_and(|detail| !detail.is_null());
    if !has_detail && (message.is_empty() || message == usual) { code } else { format!("{code}: {message}") }
}

/// Several failures as kubelet shows them: in brackets, each text once.
pub(super) fn joined(failures: &[String]) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for failure in failures {
        if !texts.contains(&failure.as_str()) {
            texts.push(failure);
        }
    }
    match texts[..] {
        [single] => single.to_owned(),
        _ => format!("[{}]", texts.join(", ")),
    }
}
