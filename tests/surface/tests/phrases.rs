//! Public text is plain English: none of the phrases that readers had to translate is in it.

use aks_acr_surface::public_text::{error_literals, public_docs};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Phrases that readers stumbled over, and what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("told", "reported"),
    ("tells", "reports"),
    ("somebody", "the principal, the caller, another program"),
    ("whoever", "the principal, anyone who"),
    ("knows no", "not found"),
    ("what is no", "invalid"),
    ("could be had", "acquire"),
    ("not to be had", "not available"),
    ("in vain", "without success"),
    ("out of order", "unavailable"),
    ("roll-out", "rollout"),
    ("is let", "has the permission"),
    ("will not have", "rejects"),
    ("passes by itself", "transient"),
    ("by itself passes", "transient"),
    ("may not look", "lacks the permission to read"),
    ("there already", "already exists"),
    ("where there is", "if there is"),
    ("what is there", "the existing resource"),
    ("new user met", "problem"),
    ("whom", "the caller, the principal"),
    ("but for", "except"),
    ("by which", "with which, that"),
    ("as far as", "if, the part that"),
    ("of its own", "its own, separate"),
    ("of theirs", "their own"),
    ("nobody", "no caller, no request"),
    ("anybody", "any caller"),
    ("everybody", "everyone"),
    ("is told", "gets, is reported"),
    ("goes on", "continues"),
    ("gone on with", "continued"),
    ("that is none", "invalid"),
    ("under way", "running"),
    ("wanted a", "must be a"),
    ("within the last minutes", "in the last few minutes"),
    ("belong into", "belong in"),
    ("never another one", "what it is instead"),
    ("allows to", "allows doing"),
];

/// Files that are not rewritten yet, with the hits that they may have. A number may only shrink.
const PENDING: &[(&str, usize)] = &[];

/// Sources that are public text: examples, what users of the Python packages can read, and scripts that contributors run.
const SOURCES: &[&str] = &[
    "examples",
    "bindings-python/src",
    "bindings-python/python",
    "tests/emulator/python/python",
    "tests/emulator/node/index.d.cts",
    "tests/emulator/README.md",
    ".ci",
    ".github",
    "justfile",
    "tests/run",
];

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Each public text with the file that it is in.
fn texts() -> Vec<(String, String)> {
    let root = root();
    let mut files: Vec<String> = ["README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "core/README.md"]
        .into_iter()
        .chain(["bindings-python/README.md", "bindings-python/python/aks_acr/_native.pyi"])
        .chain(["bindings-node/README.md", "bindings-node/index.d.ts"])
        .map(str::to_owned)
        .collect();
    for folder in ["docs", "docs/findings", "core/src/operation/docs"] {
        let entries = fs::read_dir(root.join(folder)).unwrap_or_else(|err| panic!("{folder}: {err}"));
        files.extend(entries.map(|entry| {
            format!("{folder}/{}", entry.unwrap_or_else(|err| panic!("{folder}: {err}")).file_name().display())
        }));
    }
    files.sort();
    let mut texts: Vec<(String, String)> = files
        .into_iter()
        .filter(|file| root.join(file).is_file())
        .map(|file| (fs::read_to_string(root.join(&file)).unwrap_or_else(|err| panic!("{file}: {err}")), file))
        .map(|(text, file)| (file, text))
        .collect();
    for folder in SOURCES {
        add_sources(&root, &root.join(folder), &mut texts);
    }
    for (file, text) in public_docs().into_iter().chain(error_literals()) {
        texts.push((format!("core/src/{file}"), text));
    }
    texts
}

/// Adds a file, or the files below a folder that are written by hand.
fn add_sources(root: &Path, path: &Path, texts: &mut Vec<(String, String)>) {
    let name = path.strip_prefix(root).unwrap_or_else(|err| panic!("{err}")).display().to_string();
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap_or_else(|err| panic!("{name}: {err}"));
        for entry in entries.flatten().filter(|entry| entry.file_name() != "node_modules") {
            add_sources(root, &entry.path(), texts);
        }
    } else if let Ok(text) = fs::read_to_string(path)
        && path.extension().is_none_or(|ending| ending != "json")
    {
        texts.push((name, text));
    }
}

/// The phrases in a text. They may run over lines, and have to stand between words.
fn hits(text: &str) -> Vec<String> {
    let marks = ["//!", "///", "//", "*", "#"];
    let words = text.split_whitespace().filter(|word| !marks.contains(word)).collect::<Vec<_>>().join(" ");
    let lower = words.to_lowercase();
    let is_letter = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let mut found = Vec::new();
    for (phrase, instead) in PHRASES {
        for (at, _) in lower.match_indices(phrase) {
            let (before, after) = (&lower[..at], &lower[at + phrase.len()..]);
            if !is_letter(before.chars().next_back()) && !is_letter(after.chars().next()) {
                let around: String = before.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
                let behind: String = after.chars().take(40).collect();
                found.push(format!("{phrase:?} (write: {instead}): …{around}{phrase}{behind}…"));
            }
        }
    }
    found.extend(words.split(['.', ':', ';']).filter(|sentence| is_framed(sentence)).map(|sentence| {
        let sentence: String = sentence.trim().chars().take(80).collect();
        format!("a sentence framed by \"it is … that\": {sentence}")
    }));
    found
}

/// "It is the role that decides" instead of "the role decides".
fn is_framed(sentence: &str) -> bool {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    matches!(words[..], ["It" | "it", "is", "the" | "only", _, "that", ..])
}

#[test]
fn public_text_has_none_of_the_listed_phrases() {
    let mut of_file: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (file, text) in texts() {
        of_file.entry(file).or_default().extend(hits(&text));
    }
    let allowed = |file: &str| PENDING.iter().find(|(known, _)| *known == file).map_or(0, |(_, hits)| *hits);
    let too_many: Vec<String> = of_file
        .iter()
        .filter(|(file, hits)| hits.len() > allowed(file))
        .map(|(file, hits)| {
            format!("{file}: {} hits, {} allowed\n    {}", hits.len(), allowed(file), hits.join("\n    "))
        })
        .collect();
    assert!(too_many.is_empty(), "{}", too_many.join("\n"));
    let fewer = PENDING.iter().filter(|(file, hits)| of_file.get(*file).map_or(0, Vec::len) < *hits);
    fewer.for_each(|(file, hits)| println!("{file}: lower the {hits} hits that are allowed"));
}

#[test]
fn phrases_are_found_across_lines_and_between_words_only() {
    assert_eq!(hits("/// what could\n/// be had").len(), 1);
    assert_eq!(hits("He TOLD us: it is the role that counts").len(), 2);
    assert!(hits("untold retold; it is an error").is_empty());
}
