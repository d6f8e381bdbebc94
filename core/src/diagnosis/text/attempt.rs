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
    pub fn new(raw: &'a str) -> Self {
        Self { raw, words: words(raw), image_host: facts::image_host(raw), url_host: facts::url_host(raw) }
    }

    pub fn has(&self, sign: &str) -> bool {
        self.words.contains(sign)
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

    /// Whether the registry is an Azure one, or may be.
    pub fn is_at_azure(&self) -> bool {
        self.host().is_none_or(|host| host.split('.').skip(1).any(|label| label == "azurecr"))
    }

    /// Whether the registry answered, and the failure is at another host, from which it lets layers be fetched.
    pub fn is_at_layers(&self) -> bool {
        let is_copying = self.has_any(&["failed to copy", "httpreadseeker", "failed open"]);
        let (image, url) = (self.image_host.as_deref(), self.url_host.as_deref());
        is_copying && matches!((image, url), (Some(image), Some(url)) if image != url && !is_hub(image, url))
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
            assert_eq!(Attempt::new(&text).is_at_azure(), is_azure, "{image}");
        }
        assert!(Attempt::new("401 Unauthorized").is_at_azure(), "no host is named");
    }
}
