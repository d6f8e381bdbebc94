//! A registry outside Azure: who may pull, and how it answers.

/// A registry outside Azure, such as `ghcr.io` or a private one. By default everyone may pull from it; Docker Hub, `docker.io`,
/// requires a token even for anonymous pulls.
///
/// Registries differ in what they require and what they omit. The methods here set behaviour seen in real registries.
///
/// ```
/// use aks_acr_emulator::{Emulator, UpstreamSeed};
///
/// let azure = Emulator::new()
///     .with_upstream(UpstreamSeed::new("ghcr.io").user("robot", "word"))
///     .with_image("ghcr.io/team/app:v1", &["linux/amd64"]);
/// assert!(azure.digest("ghcr.io/team/app:v1").is_some());
/// ```
#[derive(Clone, Debug)]
pub struct UpstreamSeed {
    pub(crate) host: String,
    pub(crate) manner: Manner,
}

/// How a registry outside of Azure answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// Who may pull, by name and password; empty: everyone.
    pub(crate) users: Vec<(String, String)>,
    pub(crate) challenge: Asks,
    /// Where tokens come from, if not from the registry itself.
    pub(crate) realm: Option<String>,
    pub(crate) digest: DigestHeader,
    /// The host that manifests are looked for at.
    pub(crate) moved_to: Option<String>,
    pub(crate) knows_no_head: bool,
    pub(crate) knows_no_referrers: bool,
    /// Whether it throttles everyone without credentials.
    pub(crate) throttles_anonymous: bool,
}

/// How a registry asks to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Not at all, unless it has users: then for a token.
    #[default]
    Nobody,
    Token,
    Password,
    /// One header with two challenges, the password's first.
    Both,
    /// The same in two headers.
    BothApart,
}

/// What stands in the header that names a manifest's digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum DigestHeader {
    #[default]
    Right,
    Missing,
    Text(String),
}

#[cfg(feature = "serve")]
impl Asks {
    /// The word for it in a scene.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::Nobody,
            "token" => Self::Token,
            "password" => Self::Password,
            "both" => Self::Both,
            "bothApart" => Self::BothApart,
            _ => return None,
        })
    }
}

impl UpstreamSeed {
    /// A registry at this host that everyone may pull from.
    #[must_use]
    pub fn new(host: &str) -> Self {
        Self { host: host.to_ascii_lowercase(), manner: Manner::default() }
    }

    /// Allows pulls only to this user, and to others added the same way.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.manner.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Throttles the registries that fetch images from it without credentials, by a cache rule.
    #[must_use]
    pub fn throttles_anonymous(mut self) -> Self {
        self.manner.throttles_anonymous = true;
        self
    }

    /// Requires a token for every pull: `Bearer`.
    #[must_use]
    pub fn token(self) -> Self {
        self.asks(Asks::Token)
    }

    /// Accepts only a username and password: `Basic`.
    #[must_use]
    pub fn password(self) -> Self {
        self.asks(Asks::Password)
    }

    /// Accepts either, with both challenges in one header, as Nexus does.
    #[must_use]
    pub fn both(self) -> Self {
        self.asks(Asks::Both)
    }

    /// Accepts either, with the challenges in two headers.
    #[must_use]
    pub fn both_apart(self) -> Self {
        self.asks(Asks::BothApart)
    }

    pub(crate) fn asks(mut self, how: Asks) -> Self {
        self.manner.challenge = how;
        self
    }

    /// Sets the URL of its token endpoint.
    #[must_use]
    pub fn realm(mut self, address: &str) -> Self {
        self.manner.realm = Some(address.to_owned());
        self
    }

    /// Omits the digests of manifests.
    #[must_use]
    pub fn without_digest(mut self) -> Self {
        self.manner.digest = DigestHeader::Missing;
        self
    }

    /// Reports this digest for every manifest, true or not.
    #[must_use]
    pub fn digest(mut self, text: &str) -> Self {
        self.manner.digest = DigestHeader::Text(text.to_owned());
        self
    }

    /// Redirects manifest requests to another host, as `registry.k8s.io` does.
    #[must_use]
    pub fn moved_to(mut self, host: &str) -> Self {
        self.manner.moved_to = Some(host.to_owned());
        self
    }

    /// Has no referrers API: clients then keep the list of what refers to an image in the tag `sha256-…`, as
    /// [`Emulator::push_referrer`](crate::Emulator::push_referrer) does.
    #[must_use]
    pub fn without_referrers(mut self) -> Self {
        self.manner.knows_no_referrers = true;
        self
    }

    /// Rejects HEAD requests.
    #[must_use]
    pub fn without_head(mut self) -> Self {
        self.manner.knows_no_head = true;
        self
    }
}
