//! One try to pull, prepared for reading: names and addresses do not count as words of the message.

use super::facts;

/// The text of one try.
pub(super) struct Attempt<'a> {
    pub raw: &'a str,
    /// In lower case, without names in quotes, URLs and the image's name: a repository may be called `not-found`.
    words: String,
    /// The host of the image, and that of the last request.
    pub image_host: Option<String>,
    pub url_host: Option<String>,
}

impl<'a> Attempt<'a> {
    /// `image_host`: that of the image, for a text that does not name it.
    pub fn new(raw: &'a str, image_host: Option<&str>) -> Self {
        let image_host = facts::image_host(raw).or_else(|| image_host.map(str::to_owned));
        Self { raw, words: words(raw), image_host, url_host: facts::url_host(raw) }
    }

    pub fn has(&self, sign: &str) -> bool {
        self.words.contains(sign)
    }

    /// Whether it has these words at the end or before a colon.
    pub fn says(&self, words: &str) -> bool {
        self.words.trim_end_matches([']', '.', ' ']).ends_with(words) || self.has(&format!("{words}: "))
    }

    pub fn has_any(&self, signs: &[&str]) -> bool {
        signs.iter().any(|sign| self.has(sign))
    }

    /// Whether the node pulled without credentials.
    pub fn is_anonymous(&self) -> bool {
        self.has("failed to fetch anonymous token")
    }

    /// The registry's host, if the text has one.
    pub fn host(&self) -> Option<&str> {
        self.image_host.as_deref().or(self.url_host.as_deref())
    }

    /// Whether the registry is one of Azure's.
    pub fn is_at_azure(&self) -> bool {
        match self.host() {
            Some(host) => host.split('.').skip(1).any(|label| label == "azurecr"),
            // Registries of Azure link to this page where they refuse.
            None => [".azurecr.", "aka.ms/acr/"].iter().any(|sign| self.raw.contains(sign)),
        }
    }

    /// Whether the text says whose registry it is about.
    pub fn is_of_known_registry(&self) -> bool {
        self.host().is_some() || self.is_at_azure()
    }

    /// Whether the request went to a mirror: containerd names the registry in the query then. See `host.go` and `resolver.go` of its
    /// `core/remotes/docker`.
    pub fn is_at_mirror(&self) -> bool {
        ["?ns=", "&ns="].iter().any(|query| self.raw.contains(query)) || (self.is_at_loopback() && !self.is_at_host())
    }

    /// Whether the request went to the node itself, or to a mirror on another one: to a socket, or to an address instead of a name.
    pub fn is_at_node(&self) -> bool {
        self.has("dial unix") || self.is_at_loopback() || (self.is_at_mirror() && self.is_at_address())
    }

    fn is_at_loopback(&self) -> bool {
        self.url_host.as_deref().is_some_and(|host| {
            facts::address(host).map_or_else(|| without_port(host) == "localhost", |address| address.is_loopback())
        })
    }

    fn is_at_address(&self) -> bool {
        self.url_host.as_deref().is_some_and(|host| facts::address(host).is_some())
    }

    /// Whether the request went to the host that the image names.
    pub fn is_at_host(&self) -> bool {
        self.url_host == self.image_host
    }

    /// Whether the registry answered, and the failure is at another host, from which it lets layers be fetched.
    pub fn is_at_layers(&self) -> bool {
        let (image, url) = (self.image_host.as_deref(), self.url_host.as_deref());
        match (image, url) {
            (Some(image), Some(url)) => {
                let is_copying = self.has_any(&["failed to copy", "httpreadseeker", "failed open"]);
                (is_copying || self.is_at_config()) && image != url && !is_hub(image, url)
            }
            _ => self.is_at_config(),
        }
    }

    /// Whether Docker or CRI-O had the manifest already, and fetched a blob.
    pub fn is_at_config(&self) -> bool {
        self.has_any(&[
            "error pulling image configuration",
            "reading blob",
            "writing blob",
            "parsing image configuration",
        ])
    }

    /// Whether a layer was refused. containerd names the registry there, whatever host refused it.
    pub fn is_at_blob(&self) -> bool {
        self.has("failed open") && self.raw.contains("/blobs/")
    }
}

/// Docker Hub's name and the host of its API.
fn is_hub(image: &str, url: &str) -> bool {
    image == "docker.io" && url == "registry-1.docker.io"
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn words(raw: &str) -> String {
    let mut names = Vec::new();
    let mut words = String::with_capacity(raw.len());
    for (number, part) in raw.split('"').enumerate() {
        // A sentence in quotes is one of the registry's.
        if number % 2 == 0 || part.contains(' ') {
            words.push_str(part);
        } else {
            words.push_str("\"\"");
            names.push(part);
        }
    }
    // The longest first: one name may be a part of another.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names.into_iter().filter(|name| name.contains(['/', ':'])) {
        words = words.replace(name, "");
    }
    without_urls(&words).to_lowercase()
}

fn without_urls(text: &str) -> String {
    let (mut rest, mut plain) = (text, String::with_capacity(text.len()));
    while let Some(at) = rest.find("://") {
        let scheme = rest[..at].rfind(|letter: char| !letter.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
        plain.push_str(&rest[..scheme]);
        let url = &rest[at + 3..];
        let end = url.find(char::is_whitespace).unwrap_or(url.len());
        let end = url[..end].trim_end_matches([':', ',']).len();
        rest = &url[end..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_words_of_the_message() {
        for (text, wanted) in [
            ("failed to resolve image: r.io/a:x509: not found", "failed to resolve image: r.io/a:x509: not found"),
            ("image \"r.io/a:x509\": r.io/a:x509: gone", "image \"\": : gone"),
            ("GET request to https://r.io/403: 401 Unauthorized", "get request to : 401 unauthorized"),
            ("no url", "no url"),
        ] {
            assert_eq!(words(text), wanted);
        }
    }

    #[test]
    fn an_azure_host_has_its_label() {
        for (image, is_azure) in [
            ("r.azurecr.io/a", true),
            ("r.westeurope.geo.azurecr.io/a", true),
            ("r.azurecr.cn/a", true),
            ("azurecr.example.com/a", false),
            ("ghcr.io/azurecr/a", false),
            ("docker.io/library/nginx", false),
        ] {
            let text = format!("failed to pull and unpack image \"{image}:1\": x");
            assert_eq!(Attempt::new(&text, None).is_at_azure(), is_azure, "{image}");
        }
        let bare = |image_host| Attempt::new("401 Unauthorized", image_host);
        assert!(bare(Some("r.azurecr.io")).is_at_azure() && bare(Some("ghcr.io")).is_of_known_registry());
        assert!(!bare(None).is_at_azure() && !bare(None).is_of_known_registry(), "no host is named");
    }
}
