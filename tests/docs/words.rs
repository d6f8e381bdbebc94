//! Doc comments as text for readers of three languages.

use aks_acr::{ErrorKind, Operation};
use aks_acr_surface::{
    operations,
    prose::{FOR_RUST, see},
    source::{Form, Source, snake_case},
    text::{paragraphs, replace_links, sentences},
};
use std::sync::LazyLock;

pub use aks_acr_surface::text::summary;

/// The kinds that a clause names.
pub fn kinds(clause: &str) -> Vec<ErrorKind> {
    let named = |kind: &&ErrorKind| clause.contains(&format!("ErrorKind::{kind:?})"));
    ErrorKind::ALL.iter().filter(named).copied().collect()
}

static SOURCE: LazyLock<Source> = LazyLock::new(Source::read);

/// The paragraphs of a doc comment. What it refers to, and other languages do not have, stands in its place.
pub fn described(source: &Source, docs: &str) -> Vec<String> {
    let mut all = summary(docs);
    if let Some(other) = see(docs).and_then(|see| operations::other_method(source, see)) {
        all.extend(summary(&other.docs).split_off(1));
    }
    let all = all.iter().map(|text| plain(text));
    all.filter(|text| !text.is_empty()).collect()
}

/// The word of an enum's variant, which every language has.
fn word_of(of: &str, variant: &str) -> Option<String> {
    let variants = SOURCE.enums.get(of)?;
    let found = variants.iter().find(|one| one.name == variant && of != "ErrorKind")?;
    Some(if of == "SshKey" { "ssh_key_file".to_owned() } else { found.word.clone() })
}

/// A text for every language: without what is for Rust alone.
pub fn plain(text: &str) -> String {
    let is_for_rust = |one: &&str| {
        see(one).is_some() || FOR_RUST.iter().any(|words| !words.starts_with("feature") && one.contains(words))
    };
    let kept: Vec<&str> = sentences(text).into_iter().filter(|one| !is_for_rust(one)).collect();
    let text = links(&kept.join(" "));
    text.replacen("`Display`", "The text form (`Display` in Rust, `str()` in Python, `String()` in Node)", 1)
}

/// Rust's links as words: kinds by their names in every language, operations as links to their pages.
fn links(text: &str) -> String {
    replace_links(text, |link| {
        let (target, (_, last)) = (link.target, link.parts());
        let is_of_client = target.starts_with("Self::") || target.starts_with("Client::");
        let kind = ErrorKind::ALL.iter().find(|kind| target.contains("ErrorKind") && format!("{kind:?}") == last);
        let owner = target.rsplit("::").nth(1).unwrap_or_default();
        match (kind, last.parse::<Operation>()) {
            (Some(kind), _) => format!("`{kind}`"),
            _ if owner == "Self" && last.starts_with(char::is_uppercase) => format!("`{}`", snake_case(last)),
            _ if word_of(owner, last).is_some() => format!("`{}`", word_of(owner, last).unwrap()),
            (None, Ok(_)) if is_of_client => format!("[`{last}`]({last}.md)"),
            _ if is_of_client || target.starts_with("Error::") => format!("`{last}`"),
            _ => format!("`{}`", link.shown),
        }
    })
}

/// A text for a cell of a table.
pub fn cell(docs: &str) -> String {
    plain(&paragraphs(docs).join(" ")).replace('|', "\\|")
}

/// Whether a type is a text, a number or the like in every language.
pub fn is_plain(name: &str) -> bool {
    plain_word(name).is_some()
}

fn plain_word(name: &str) -> Option<&'static str> {
    Some(match name {
        "Secret" => "secret text",
        "String" | "str" | "ResourceId" | "PrincipalId" | "SubscriptionId" | "RegistryRef" | "Digest" | "PathBuf"
        | "ImageReference" | "Uuid" | "FindingId" => "text",
        "bool" => "yes or no",
        "u16" | "u32" | "usize" | "u64" | "i32" => "number",
        "Duration" => "time",
        "SystemTime" | "OffsetDateTime" => "point in time",
        "BTreeMap" => "map from text to text",
        "Value" => "JSON",
        "?" => "names and values",
        _ => return None,
    })
}

/// What a value is, in words that hold in every language.
pub fn value(source: &Source, ty: &Form) -> String {
    let core = ty.core();
    let is_many = ty.name == "Vec" || (ty.name == "Option" && ty.inner.first().is_some_and(|one| one.name == "Vec"));
    let one = match (plain_word(&core.name), source.enums.get(&core.name)) {
        (Some(word), _) => word.to_owned(),
        (None, Some(variants)) if variants.iter().all(|one| one.fields.is_empty()) => {
            let words = variants.iter().map(|one| {
                let word = format!("`{}`", one.word);
                if one.is_default && ty.name != "Option" { format!("**{word}**") } else { word }
            });
            words.collect::<Vec<_>>().join(", ")
        }
        (None, known) if known.is_some() || source.structs.contains_key(&core.name) => {
            format!("[`{}`](types.md#{})", core.name, core.name.to_lowercase())
        }
        _ => format!("`{}`", core.name),
    };
    if is_many { format!("list of {one}") } else { one }
}

/// What to do about an error of this kind.
pub fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidInput => "Correct the part that the message names. Retrying does not help.",
        ErrorKind::NotFound => "Check the name and the subscription, or create the resource first.",
        ErrorKind::Conflict => "Check the existing resource, then choose another name, or allow replacing it.",
        ErrorKind::Forbidden => {
            "Check who refused the call. If a permission is missing, ask for the smallest role at the scope; the error names both. A policy, a lock or a condition has to be changed by its owner."
        }
        ErrorKind::NotRegistered => {
            "Set `register_providers`, or ask the subscription's owner to register the provider."
        }
        ErrorKind::Unauthenticated => {
            "Sign in, or correct the credential. An error from the default chain names the credential that it used."
        }
        ErrorKind::RateLimited => "Wait as long as the error says, or give a longer deadline.",
        ErrorKind::DeadlineExceeded => {
            "Call again: operations that Azure has already started keep running, and the new call picks them up."
        }
        ErrorKind::Cancelled => "Nothing: you cancelled the call. Call again to continue.",
        ErrorKind::Unavailable => "Check network, proxy and certificates, or wait; then retry.",
        ErrorKind::OperationFailed => {
            "Read the service's code and message; find details in Azure's activity log by the correlation ID."
        }
        ErrorKind::PullFailed => {
            "Do the next step of the pull failure's [finding](findings.md), for example attach, import, or correct the image's name."
        }
        ErrorKind::Unsupported => {
            "The message says what to change: enable a feature of the build, or change the cluster."
        }
        ErrorKind::Unexpected => "Report it, with the message and the correlation ID.",
        other => panic!("{other}: say here what to do"),
    }
}
