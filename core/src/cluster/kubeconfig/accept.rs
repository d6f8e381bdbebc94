//! Which fields of a kubeconfig are accepted: those that AKS sends.
//!
//! A kubeconfig can name programs to run, files to read and send, proxies and servers to contact, and a user to impersonate. A client
//! that uses it does all that. So a server's kubeconfig is compared with the fields that AKS fills, and any other field is rejected by
//! name, in every entry, whether the current context refers to it or not.

use super::{
    Kubeconfig,
    entries::{Entries, LISTS},
};
use crate::error::{Error, ErrorKind};
use serde_json::{Map, Value};

/// The AKS server application, the audience of kubelogin's tokens; the same in every cloud.
const SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
/// The fields next to the three lists.
const TOP: [&str; 5] = ["apiVersion", "kind", "current-context", "preferences", "extensions"];

/// A field that is not accepted: its path in the file, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unaccepted {
    place: String,
    why: &'static str,
}

impl Unaccepted {
    fn new(place: &str, why: &'static str) -> Self {
        // A name from the file is shown as quoted text.
        let place: String = place.chars().take(200).collect();
        Self { place: place.escape_debug().to_string(), why }
    }

    pub fn error(self, kind: ErrorKind) -> Error {
        Error::new(kind, "the kubeconfig contains a field that is not accepted")
            .with_context("field", self.place)
            .with_context("why", self.why)
    }
}

type Checked = Result<(), Unaccepted>;

const PROGRAM: &str = "it names a program other than kubelogin, or calls it differently than AKS does";
const FILE: &str = "it names a local file";
const OTHER: &str = "AKS never sends this field";
const FORM: &str = "its value differs from the format that AKS uses";

/// Checks a whole file that a server sent. `is_own` says whether a proxy is the caller's own.
pub(super) fn check_file(file: &Value, is_own: &dyn Fn(&str) -> bool) -> Checked {
    let file = file.as_object().ok_or_else(|| Unaccepted::new("the file", FORM))?;
    for (key, value) in file {
        match LISTS.iter().find(|(list, _)| list == key) {
            Some((list, _)) => check_list(list, value, is_own)?,
            None if TOP.contains(&key.as_str()) => {}
            None => return Err(Unaccepted::new(key, OTHER)),
        }
    }
    Ok(())
}

fn check_list(list: &'static str, value: &Value, is_own: &dyn Fn(&str) -> bool) -> Checked {
    let entries = match value {
        Value::Null => return Ok(()),
        Value::Array(entries) => entries,
        _ => return Err(Unaccepted::new(list, FORM)),
    };
    entries.iter().try_for_each(|entry| check_entry(list, entry, is_own))
}

/// Checks the entries that would go into a file.
pub(super) fn check_entries(entries: &Entries, is_own: &dyn Fn(&str) -> bool) -> Checked {
    entries.all.iter().try_for_each(|entry| check_entry(entry.list, &entry.value, is_own))
}

fn check_entry(list: &'static str, entry: &Value, is_own: &dyn Fn(&str) -> bool) -> Checked {
    let entry = entry.as_object().ok_or_else(|| Unaccepted::new(list, FORM))?;
    let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
    let place = format!("{list}[{name}]");
    let key = LISTS.iter().find(|(known, _)| *known == list).map_or("", |(_, key)| *key);
    if let Some(other) = entry.keys().find(|known| *known != "name" && *known != key) {
        return Err(Unaccepted::new(&format!("{place}.{other}"), OTHER));
    }
    let inner = match entry.get(key) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(inner)) => inner,
        Some(_) => return Err(Unaccepted::new(&format!("{place}.{key}"), FORM)),
    };
    let place = format!("{place}.{key}");
    inner.iter().filter(|(_, value)| !is_empty(value)).try_for_each(|(field, value)| {
        let at = format!("{place}.{field}");
        match list {
            "clusters" => check_cluster(&at, field, value, inner, is_own),
            "contexts" => check_context(&at, field, value),
            _ => check_user(&at, field, value),
        }
    })
}

/// An empty value: kubectl leaves it out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_set) => !is_set,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(_) => false,
    }
}

fn check_cluster(
    at: &str,
    field: &str,
    value: &Value,
    cluster: &Map<String, Value>,
    is_own: &dyn Fn(&str) -> bool,
) -> Checked {
    match (field, value) {
        ("server", Value::String(server)) if host_of(server).is_some() => Ok(()),
        ("server", _) => Err(Unaccepted::new(at, "expected https://host[:port]")),
        ("certificate-authority-data", Value::String(_))
        | ("disable-compression", Value::Bool(_))
        | ("extensions", _) => Ok(()),
        ("certificate-authority", _) => Err(Unaccepted::new(at, FILE)),
        // YAML 1.1, which kubectl reads, has more words for true.
        ("insecure-skip-tls-verify", _) => Err(Unaccepted::new(at, "it disables certificate verification")),
        ("proxy-url", Value::String(proxy)) if is_own(proxy) => Ok(()),
        ("proxy-url", _) => {
            Err(Unaccepted::new(at, "it sends all requests through a proxy that the caller did not configure"))
        }
        ("tls-server-name", Value::String(name)) if is_servers(name, cluster) => Ok(()),
        ("tls-server-name", _) => Err(Unaccepted::new(at, "it accepts the certificate of another host")),
        ("certificate-authority-data" | "disable-compression", _) => Err(Unaccepted::new(at, FORM)),
        _ => Err(Unaccepted::new(at, OTHER)),
    }
}

fn is_servers(name: &str, cluster: &Map<String, Value>) -> bool {
    let server = cluster.get("server").and_then(Value::as_str).and_then(host_of);
    server.is_some_and(|host| host.eq_ignore_ascii_case(name))
}

/// The host of a cluster's address, if the address is valid and contains nothing else.
pub(super) fn host_of(server: &str) -> Option<String> {
    let url = url::Url::parse(server).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_open = url.username().is_empty() && url.password().is_none();
    // Parsers treat white space and backslashes differently.
    let is_plain = server.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'@');
    if url.scheme() != "https" || !is_bare || !is_open || !is_plain || !server.starts_with("https://") {
        return None;
    }
    url.host_str().map(str::to_owned)
}

fn check_context(at: &str, field: &str, value: &Value) -> Checked {
    match (field, value) {
        ("cluster" | "user" | "namespace", Value::String(_) | Value::Number(_) | Value::Bool(_))
        | ("extensions", _) => Ok(()),
        ("cluster" | "user" | "namespace", _) => Err(Unaccepted::new(at, FORM)),
        _ => Err(Unaccepted::new(at, OTHER)),
    }
}

fn check_user(at: &str, field: &str, value: &Value) -> Checked {
    match (field, value) {
        ("client-certificate-data" | "client-key-data" | "token", Value::String(_)) | ("extensions", _) => Ok(()),
        ("tokenFile" | "client-certificate" | "client-key", _) => Err(Unaccepted::new(at, FILE)),
        ("as" | "as-uid" | "as-groups" | "as-user-extra", _) => Err(Unaccepted::new(at, "it acts as another user")),
        ("exec", Value::Object(exec)) => check_exec(at, exec),
        ("auth-provider", Value::Object(provider)) => check_provider(at, provider),
        ("client-certificate-data" | "client-key-data" | "token" | "exec" | "auth-provider", _) => {
            Err(Unaccepted::new(at, FORM))
        }
        _ => Err(Unaccepted::new(at, OTHER)),
    }
}

/// kubelogin by its name alone, with the arguments that AKS sends: other arguments could make it read files and send their content.
fn check_exec(at: &str, exec: &Map<String, Value>) -> Checked {
    let refused = |field: &str| Err(Unaccepted::new(&format!("{at}.{field}"), PROGRAM));
    // What is run counts most: it is named first.
    if exec.get("command").is_none_or(|command| command != "kubelogin") {
        return refused("command");
    }
    let other = exec.iter().find(|(field, value)| !is_empty(value) && !is_of_kubelogin(field, value));
    other.map_or(Ok(()), |(field, _)| refused(field))
}

fn is_of_kubelogin(field: &str, value: &Value) -> bool {
    match (field, value) {
        ("command", _) | ("provideClusterInfo", Value::Bool(_)) => true,
        ("apiVersion", Value::String(version)) => version
            .strip_prefix("client.authentication.k8s.io/")
            .is_some_and(|version| ["v1", "v1beta1"].contains(&version)),
        ("args", Value::Array(arguments)) => are_arguments(arguments),
        ("installHint", Value::String(hint)) => !hint.chars().any(|letter| letter.is_control() && letter != '\n'),
        ("interactiveMode", Value::String(mode)) => ["Never", "IfAvailable", "Always"].contains(&mode.as_str()),
        _ => false,
    }
}

fn are_arguments(arguments: &[Value]) -> bool {
    let words: Option<Vec<&str>> = arguments.iter().map(Value::as_str).collect();
    let Some(["get-token", options @ ..]) = words.as_deref() else { return false };
    options.chunks(2).all(|option| matches!(option, [name, value] if is_setting(name.trim_start_matches("--"), value) && name.starts_with("--")))
}

/// A setting of kubelogin or of the older provider, which use the same setting names, except for the server ID.
fn is_setting(name: &str, value: &str) -> bool {
    let is_word = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // A tenant may be named by a domain.
    let is_tenant =
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    match name {
        "server-id" | "apiserver-id" => value == SERVER,
        "client-id" => uuid::Uuid::try_parse(value).is_ok(),
        "tenant-id" => is_tenant,
        "environment" | "login" | "config-mode" => is_word,
        _ => false,
    }
}

fn check_provider(at: &str, provider: &Map<String, Value>) -> Checked {
    const WHY: &str = "it names a sign-in method other than azure, or a setting of it that AKS does not send";
    for (key, value) in provider.iter().filter(|(_, value)| !is_empty(value)) {
        let is_right = match (key.as_str(), value) {
            ("name", name) => name == "azure",
            ("config", Value::Object(settings)) => {
                settings.iter().all(|(name, value)| value.as_str().is_some_and(|value| is_setting(name, value)))
            }
            _ => false,
        };
        if !is_right {
            return Err(Unaccepted::new(&format!("{at}.{key}"), WHY));
        }
    }
    Ok(())
}

impl Kubeconfig {
    /// Rejects what AKS does not send. `is_own` says whether a proxy is the caller's own, which may be named.
    pub(crate) fn accepted(mut self, is_own: &dyn Fn(&str) -> bool) -> Result<Self, Error> {
        let file = self.file()?;
        check_file(&file, is_own).map_err(|unaccepted| unaccepted.error(ErrorKind::Unexpected))?;
        let clusters = file.get("clusters").and_then(Value::as_array);
        let proxies =
            clusters.into_iter().flatten().filter_map(|entry| entry.get("cluster")?.get("proxy-url")?.as_str());
        self.proxies = proxies.filter(|proxy| !proxy.is_empty()).map(str::to_owned).collect();
        Ok(self)
    }

    /// The host of the current context's cluster.
    pub(crate) fn host(&self) -> Option<String> {
        host_of(&self.server)
    }

    /// The hosts of all clusters in it.
    pub(crate) fn hosts(&self) -> Result<Vec<String>, Error> {
        let file = self.file()?;
        let clusters = file.get("clusters").and_then(Value::as_array);
        let servers = clusters.into_iter().flatten().filter_map(|entry| entry.get("cluster")?.get("server")?.as_str());
        Ok(servers.filter_map(host_of).collect())
    }
}
