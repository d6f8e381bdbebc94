//! Values and their pseudonyms.

use super::{
    address,
    resource::{self, Part},
};
use sha2::{Digest as _, Sha256};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};
use uuid::Uuid;

/// The words of this library's own texts. Generated; see CONTRIBUTING.
const WORDS: &str = include_str!("words.txt");

/// The words of the kubelet, containerd, registries and Kubernetes, and of URLs to registries.
const TEXTS: &str = include_str!("texts.txt");

/// Names that every cluster or registry has.
const COMMON: [&str; 8] = [
    "default",
    "kube-system",
    "latest",
    "library",
    "agentpool",
    "privatelink.azurecr.io",
    "privatelink.azurecr.cn",
    "privatelink.azurecr.us",
];

/// Azure's own domains: the labels before them are replaced one by one.
const DOMAINS: [&str; 10] = [
    ".azurecr.io",
    ".azurecr.cn",
    ".azurecr.us",
    ".azmk8s.io",
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".vault.azure.net",
    ".privatelink.azurecr.io",
    // A record of a replica's region in a private DNS zone.
    ".data",
];

/// The pseudonyms of one result.
pub(super) struct Pseudonyms {
    /// The result in lower case: a pseudonym must not occur in it.
    whole: String,
    own: BTreeSet<&'static str>,
    /// What keys the hashes.
    key: String,
    /// By value, in lower case.
    given: BTreeMap<String, String>,
}

impl Pseudonyms {
    pub fn new(json: &str, key: &str) -> Self {
        let own = WORDS.split_whitespace().chain(TEXTS.split_whitespace()).collect();
        Self { whole: json.to_lowercase(), own, key: key.to_lowercase(), given: BTreeMap::new() }
    }

    /// Registers a name. It is replaced even if it is a word of ours, but not where that word may be meant: it says nothing there.
    pub fn learn(&mut self, name: &str, kind: &'static str) {
        if !name.is_empty() && !COMMON.contains(&name) && Uuid::try_parse(name).is_err() {
            self.of(name, kind);
        }
    }

    /// Registers the names of repositories.
    pub fn learn_image(&mut self, image: &str) {
        let name = image.split('@').next().unwrap_or(image);
        let mut parts: Vec<&str> = name.split('/').collect();
        if parts.len() > 1 && parts[0].contains(['.', ':']) {
            parts.remove(0);
        }
        for part in parts {
            self.learn(part.split(':').next().unwrap_or(part), "repository");
        }
    }

    /// Registers the names in resource IDs.
    pub fn learn_resources(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('/') {
            rest = &rest[at..];
            let length = resource::length(rest).unwrap_or(1);
            self.learn_resource(&rest[..length]);
            rest = &rest[length..];
        }
    }

    /// The same of a text that is one resource ID.
    pub fn learn_resource(&mut self, id: &str) {
        for (part, what) in resource::parts(id) {
            if let Part::Name(kind) = what {
                self.learn(part, kind);
            }
        }
    }

    /// A resource ID with pseudonyms.
    pub fn resource(&mut self, id: &str) -> String {
        let parts = resource::parts(id);
        parts.into_iter().map(|(part, what)| self.part(part, what)).collect::<Vec<_>>().join("/")
    }

    /// A text with pseudonyms.
    pub fn text(&mut self, text: &str) -> String {
        let text = decoded(text);
        let (mut rest, mut out) = (&*text, String::new());
        while let Some(letter) = rest.chars().next() {
            let before = text[..text.len() - rest.len()].chars().next_back();
            let (length, shown) = self.next(before, rest).unwrap_or((letter.len_utf8(), letter.to_string()));
            out.push_str(&shown);
            rest = &rest[length..];
        }
        out
    }

    /// What begins here and may be a name: how long it is, and what stands for it.
    fn next(&mut self, before: Option<char>, text: &str) -> Option<(usize, String)> {
        if let Some(length) = resource::length(text) {
            return Some((length, self.resource(&text[..length])));
        }
        if let Some((length, address)) = address::length(text) {
            return Some((length, self.address(&text[..length], address)));
        }
        // A name with other letters than those of a word, such as a resource group's.
        let known = self.given.iter().filter(|(name, _)| name.contains(|letter| !is_of_word(letter)));
        let known = known.filter(|(name, _)| begins_with(text, name)).max_by_key(|(name, _)| name.len());
        if let Some((name, shown)) = known {
            return Some((name.len(), shown.clone()));
        }
        let length = text.find(|letter| !is_of_word(letter)).unwrap_or(text.len());
        let word = text[..length].trim_end_matches(['.', '-', '_', '…']);
        let bare = word.trim_start_matches(['.', '-', '_', '…']);
        let marks = &word[..word.len() - bare.len()];
        let after = text[word.len()..].chars().next();
        if is_of_prose(before, after) && self.own.contains(&*bare.to_lowercase()) {
            return Some((word.len(), word.to_owned()));
        }
        (!bare.is_empty()).then(|| (word.len(), format!("{marks}{}", self.word(bare))))
    }

    fn part(&mut self, part: &str, what: Part) -> String {
        match what {
            Part::Azure => part.to_owned(),
            Part::Provider | Part::Type if self.own.contains(&*part.to_ascii_lowercase()) => part.to_owned(),
            Part::Name(kind) if Uuid::try_parse(part).is_err() && !part.is_empty() => self.of(part, kind),
            _ => self.text(part),
        }
    }

    fn word(&mut self, word: &str) -> String {
        let lower = word.to_lowercase();
        if let Some(given) = self.given.get(&lower) {
            return given.clone();
        }
        if let Ok(address) = word.parse::<IpAddr>() {
            return self.address(word, address);
        }
        if self.own.contains(&*lower) || is_number(&lower) {
            return word.to_owned();
        }
        if Uuid::try_parse(word).is_ok_and(|_| word.len() == 36) {
            return self.of(word, "");
        }
        if let Some(domain) = DOMAINS.into_iter().find(|domain| lower.ends_with(domain)) {
            let labels = word[..word.len() - domain.len()].split('.').map(|label| self.word(label));
            return labels.collect::<Vec<_>>().join(".") + domain;
        }
        self.of(word, if is_host(&lower) { "host" } else { "name" })
    }

    fn address(&mut self, text: &str, address: IpAddr) -> String {
        match address::kind(address) {
            Some(kind) => self.of(text, kind),
            None => text.to_owned(),
        }
    }

    /// The pseudonym of a value. A kind that is empty is that of IDs, which keep their form.
    fn of(&mut self, value: &str, kind: &'static str) -> String {
        let value = value.to_lowercase();
        if let Some(given) = self.given.get(&value) {
            return given.clone();
        }
        // Two values of one hash, or a name that looks like a pseudonym, take the next.
        for again in 0_u32.. {
            let hash = hash(&self.key, &value, again);
            let made = match kind {
                "" => format!("00000000-0000-0000-0000-{}", &hash[..12]),
                "host" => format!("host{}.example", &hash[..6]),
                _ => format!("{kind}{}", &hash[..6]),
            };
            if !self.whole.contains(&made) && !self.given.values().any(|one| *one == made) {
                self.given.insert(value, made.clone());
                return made;
            }
        }
        value
    }
}

/// A keyed hash in hexadecimal digits: the same for a value, and without the key it reveals nothing of it.
fn hash(key: &str, value: &str, again: u32) -> String {
    let digest = Sha256::digest(format!("{key}\n{again}\n{value}").as_bytes());
    let digits = digest.iter().take(6).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Whether a word between these letters may be one of a sentence: it is neither a whole value nor quoted, nor part of a path or reference.
fn is_of_prose(before: Option<char>, after: Option<char>) -> bool {
    let is_whole = before.is_none() && after.is_none();
    let is_joined =
        before.is_some_and(|one| "\"'`/:=@".contains(one)) || after.is_some_and(|one| "\"'`/=@".contains(one));
    !is_whole && !is_joined
}

/// Letters beyond ASCII belong to names: none of our words has one.
fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.".contains(letter) || !letter.is_ascii()
}

fn begins_with(text: &str, name: &str) -> bool {
    let is_at = |length: usize| text.get(..length).is_some_and(|start| start.to_lowercase() == name);
    is_at(name.len()) && !text[name.len()..].starts_with(|letter: char| letter.is_ascii_alphanumeric())
}

/// A short number, a version, or a length of time.
fn is_number(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word).trim_end_matches(['s', 'm', 'h', 'z']);
    let is_short = |part: &str| (1..=5).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
    number.split('.').all(is_short) || is_time(word)
}

/// A date, or a point in time.
fn is_time(word: &str) -> bool {
    let is_date = |date: &str| date.split('-').map(str::len).eq([4, 2, 2]);
    word.get(..10).is_some_and(is_date) && word.bytes().all(|one| one.is_ascii_digit() || b"-tz.".contains(&one))
}

fn is_host(word: &str) -> bool {
    let last = word.rsplit_once('.').map_or("", |(_, last)| last);
    last.len() > 1 && last.bytes().all(|letter| letter.is_ascii_lowercase())
}

/// A text whose percent-encoded letters are decoded, so that names in a URL's query are seen.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(code) = code.filter(u8::is_ascii_graphic) {
            out.push(char::from(code));
            out.push_str(&part[2..]);
        } else {
            out.push('%');
            out.push_str(part);
        }
    }
    Cow::Owned(out)
}
