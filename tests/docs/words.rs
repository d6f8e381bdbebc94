//! Doc comments as text for readers of three languages.

use crate::source::{Form, Source};
use aks_acr::{ErrorKind, Operation};

/// A doc comment's text before its first heading, one line a paragraph.
pub fn summary(docs: &str) -> Vec<String> {
    paragraphs(docs.split("\n# ").next().unwrap_or_default())
}

/// What stands under `# Errors`.
pub fn errors(docs: &str) -> Vec<String> {
    let text = docs.split("# Errors\n").nth(1).unwrap_or_default();
    let text = text.split("\n# ").next().unwrap_or_default();
    paragraphs(text).iter().flat_map(|text| clauses(text)).collect()
}

fn paragraphs(text: &str) -> Vec<String> {
    // What is code is shown elsewhere.
    let prose = text.split("```").step_by(2).collect::<Vec<_>>().join("\n\n");
    let all = prose.split("\n\n").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    all.filter(|text| !text.is_empty()).collect()
}

/// The parts of a list of errors.
fn clauses(text: &str) -> Vec<String> {
    let all = text.trim_end_matches('.').split("; ").map(|one| one.trim().trim_start_matches("and ").to_owned());
    all.filter(|one| !one.is_empty()).collect()
}

/// The kinds that a clause names.
pub fn kinds(clause: &str) -> Vec<ErrorKind> {
    let named = |kind: &&ErrorKind| clause.contains(&format!("ErrorKind::{kind:?})"));
    ErrorKind::ALL.iter().filter(named).copied().collect()
}

/// Rust's links as words: kinds by their names in every language, operations as links to their pages.
pub fn plain(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = rest.find("[`") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let Some(end) = inner.find("`]") else { break };
        let (name, after) = (&inner[..end], &inner[end + 2..]);
        let (target, after) = match after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            Some((target, after)) => (target, after),
            None => (name, after),
        };
        let last = target.rsplit("::").next().unwrap_or_default();
        let is_of_client = target.starts_with("Self::") || target.starts_with("Client::");
        let kind = ErrorKind::ALL.iter().find(|kind| target.contains("ErrorKind") && format!("{kind:?}") == last);
        let shown = match (kind, last.parse::<Operation>()) {
            (Some(kind), _) => format!("`{kind}`"),
            (None, Ok(_)) if is_of_client => format!("[`{last}`]({last}.md)"),
            _ if is_of_client || target.starts_with("Error::") => format!("`{last}`"),
            _ => format!("`{name}`"),
        };
        out.push_str(&shown);
        rest = after;
    }
    out + rest
}

/// A text for a cell of a table.
pub fn cell(docs: &str) -> String {
    plain(&paragraphs(docs).join(" ")).replace('|', "\\|")
}

/// What a value is, in words that hold in every language.
pub fn value(source: &Source, ty: &Form) -> String {
    let core = ty.core();
    let is_many = ty.name == "Vec" || (ty.name == "Option" && ty.inner.first().is_some_and(|one| one.name == "Vec"));
    let one = match core.name.as_str() {
        "Secret" => "secret text".to_owned(),
        "String" | "str" | "ResourceId" | "PrincipalId" | "SubscriptionId" | "RegistryRef" | "Digest" | "PathBuf"
        | "ImageReference" => "text".to_owned(),
        "bool" => "yes or no".to_owned(),
        "u32" | "usize" | "u64" | "i32" => "number".to_owned(),
        "Duration" => "time".to_owned(),
        "SystemTime" | "OffsetDateTime" => "point in time".to_owned(),
        name => match source.enums.get(name) {
            Some(variants) if variants.iter().all(|one| one.fields.is_empty()) => {
                let words = variants.iter().map(|one| {
                    let word = format!("`{}`", one.word);
                    if one.is_default { format!("**{word}**") } else { word }
                });
                words.collect::<Vec<_>>().join(", ")
            }
            _ => format!("`{name}`"),
        },
    };
    if is_many { format!("list of {one}") } else { one }
}

/// What somebody can do who meets a kind.
pub fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidInput => "Correct the part that the message names. Trying again does not help.",
        ErrorKind::NotFound => "Check name and subscription, or make it first.",
        ErrorKind::Conflict => "Look at what is there, then choose another name, or say that it may be replaced.",
        ErrorKind::Forbidden => {
            "Ask for the smallest role at the scope, which the error names. A policy, a lock or a condition is lifted by its owner."
        }
        ErrorKind::NotRegistered => "Set `register`, or let the subscription's owner register the provider.",
        ErrorKind::Unauthenticated => "Sign in, or correct the credential; the error names which one was used.",
        ErrorKind::RateLimited => "Wait as long as the error says, or give a longer deadline.",
        ErrorKind::DeadlineExceeded => "Run it again: what Azure has begun goes on, and is taken up.",
        ErrorKind::Cancelled => "Nothing, it was asked for. Run again, it goes on where Azure is.",
        ErrorKind::Unavailable => "Look at network, proxy and certificates, or wait; then run it again.",
        ErrorKind::OperationFailed => {
            "Read the service's code and message; Azure's activity log has more by the correlation id."
        }
        ErrorKind::PullFailed => "Do what the pull failure's cause says: attach, import, or correct the image's name.",
        ErrorKind::Unsupported => "Change what the message names: a build's feature, or the cluster.",
        ErrorKind::Unexpected => "Report it, with the message and the correlation id.",
        other => panic!("{other}: say here what to do"),
    }
}
