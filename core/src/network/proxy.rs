//! Which proxy a connection uses.

use super::no_proxy::NoProxy;
use crate::{
    environment::Environment,
    error::{Error, Result},
    telemetry::PROGRESS,
};
use std::fmt;
use url::Url;

/// The proxy variables for https requests, in their order of precedence. Go, and so kubectl, reads the first two; curl all four. The
/// rule that CGI programs must ignore `HTTP_PROXY` does not matter here: that variable is for requests without TLS.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The address of a proxy. It may contain a password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy(Url);

impl Proxy {
    /// Parses an address; `part` is its name in the error.
    pub fn parse(text: &str, part: &'static str) -> Result<Self> {
        const WANTED: &str = "expected http://[user:password@]host[:port], or the same with https";
        // As in curl, an address without a scheme means http. It may contain a password, so it is not quoted even if it is invalid.
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).map_err(|err| Error::invalid(WANTED, part, "not an address").with_source(err))?;
        let shown = Self(url);
        let url = &shown.0;
        let is_bare = url.path().trim_matches('/').is_empty() && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_bare {
            return Err(Error::invalid(WANTED, part, shown.to_string()));
        }
        Ok(shown)
    }

    /// The address, with credentials if it has them.
    #[cfg(any(feature = "kubernetes", feature = "reqwest", test))]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether both are the same proxy, whatever credentials the addresses have.
    #[cfg(feature = "kubernetes")]
    pub fn is_at(&self, other: &Self) -> bool {
        let place = |Self(url): &Self| (url.scheme() == "https", authority(url));
        place(self) == place(other)
    }
}

fn authority(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

/// Without name and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), authority(&self.0))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The proxy, and the hosts that are reached without it.
#[derive(Debug)]
pub(super) struct Proxies {
    chosen: Chosen,
    exceptions: NoProxy,
}

#[derive(Debug)]
enum Chosen {
    None,
    One(Proxy),
    /// A variable with an invalid value. It is an error when a connection is made, so that programs without connections are not
    /// affected.
    Unreadable(&'static str),
}

impl Proxies {
    /// A configured proxy has precedence over the variables; `NO_PROXY` applies to both, as in curl.
    pub fn new(given: Option<&str>, environment: &Environment) -> Result<Self> {
        let chosen = match (given, environment.first(&VARIABLES)) {
            (Some(text), _) => Chosen::One(Proxy::parse(text, "proxy")?),
            (None, None) => Chosen::None,
            (None, Some((name, text))) => {
                let name = VARIABLES.into_iter().find(|one| *one == name).unwrap_or("HTTPS_PROXY");
                Proxy::parse(&text, name).map_or(Chosen::Unreadable(name), Chosen::One)
            }
        };
        let exceptions = environment.first(&EXCEPTIONS).map(|(_, list)| list).unwrap_or_default();
        if matches!(chosen, Chosen::One(_)) {
            for entry in NoProxy::without_effect(&exceptions) {
                tracing::warn!(target: PROGRESS, error = "it matches no host", entry, "ignored an entry of NO_PROXY");
            }
        }
        Ok(Self { chosen, exceptions: NoProxy::parse(&exceptions) })
    }

    /// An error if the variable that names the proxy is invalid.
    pub fn usable(&self) -> Result<()> {
        let Chosen::Unreadable(name) = &self.chosen else { return Ok(()) };
        Err(Error::invalid("expected the address of an http or https proxy", name, "something else"))
    }

    /// The proxy for a host. This machine itself is never reached through a proxy.
    pub fn find(&self, host: &str, port: u16) -> Option<&Proxy> {
        let Chosen::One(proxy) = &self.chosen else { return None };
        (!self.exceptions.matches(host, port)).then_some(proxy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn with(given: Option<&str>, variables: &'static [(&'static str, &'static str)]) -> Proxies {
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Proxies::new(given, &Environment::new(lookup)).unwrap()
    }

    fn found(proxies: &Proxies, host: &str) -> Option<String> {
        proxies.find(host, 443).map(ToString::to_string)
    }

    #[test]
    fn a_given_proxy_wins_over_the_variables_but_not_over_no_proxy() {
        let variables = &[("HTTPS_PROXY", "http://other:1"), ("NO_PROXY", "internal.example, 10.0.0.0/8")];
        let proxies = with(Some("http://given:3128"), variables);
        assert_eq!(found(&proxies, "management.azure.com").as_deref(), Some("http://given:3128"));
        for direct in ["internal.example", "api.internal.example", "10.1.2.3"] {
            assert_eq!(found(&proxies, direct), None, "{direct}");
        }
        assert_eq!(found(&with(Some("http://given"), &[("NO_PROXY", "*")]), "management.azure.com"), None);
    }

    const BOTH: &[(&str, &str)] =
        &[("HTTPS_PROXY", "upper"), ("https_proxy", "lower"), ("NO_PROXY", "a.example"), ("no_proxy", "b.example")];

    #[test]
    fn variables_are_read_in_either_case_and_an_empty_one_is_none() {
        for name in VARIABLES {
            let lookup = move |asked: &str| (asked == name).then(|| "proxy:3128".to_owned());
            let proxies = Proxies::new(None, &Environment::new(lookup)).unwrap();
            assert_eq!(found(&proxies, "management.azure.com").as_deref(), Some("http://proxy:3128"), "{name}");
        }
        // Of two spellings the upper case is read, as Go's standard library does.
        let both = with(None, BOTH);
        assert_eq!(found(&both, "b.example").as_deref(), Some("http://upper"));
        assert_eq!(found(&both, "a.example"), None);
        let empty =
            with(None, &[("HTTPS_PROXY", ""), ("https_proxy", "lower"), ("NO_PROXY", ""), ("no_proxy", "b.example")]);
        assert_eq!(found(&empty, "a.example").as_deref(), Some("http://lower"));
        assert_eq!(found(&empty, "b.example"), None);
        // A program that a web server started uses the variable too: only HTTP_PROXY could come from a request.
        let in_cgi = with(None, &[("HTTPS_PROXY", "proxy"), ("REQUEST_METHOD", "GET")]);
        assert_eq!(found(&in_cgi, "management.azure.com").as_deref(), Some("http://proxy"));
        assert_eq!(found(&with(None, &[("HTTPS_PROXY", "")]), "management.azure.com"), None);
        assert_eq!(found(&with(None, &[("HTTP_PROXY", "http://proxy")]), "management.azure.com"), None);
    }

    #[test]
    fn localhost_is_never_reached_through_a_proxy() {
        let proxies = with(Some("http://given"), &[]);
        for local in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"] {
            assert_eq!(found(&proxies, local), None, "{local}");
        }
        assert!(found(&proxies, "[2001:db8::1]").is_some());
    }

    #[test]
    fn an_invalid_proxy_is_rejected_without_showing_its_password() {
        for wrong in
            ["", "http://", "socks5://u:secret@h", "ftp://u:secret@h", "http://u:secret@h/path", "http://u:secret@h?x"]
        {
            let err = Proxies::new(Some(wrong), &Environment::new(|_| None)).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput, "{wrong}");
            assert!(err.to_string().contains("proxy") && !format!("{err:#}").contains("secret"), "{err:#}");
        }
        let unreadable = with(None, &[("ALL_PROXY", "socks5://u:secret@h")]);
        let err = unreadable.usable().unwrap_err();
        assert!(
            err.to_string().contains("ALL_PROXY") && !format!("{err:#} {unreadable:?}").contains("secret"),
            "{err:#}"
        );
    }

    #[test]
    fn a_password_is_in_the_address_and_nowhere_else() {
        let proxies = with(Some("http://us%40er:pa%3Ass@given:3128"), &[]);
        assert!(!format!("{proxies:?}").contains("ss@"), "{proxies:?}");
        let proxy = proxies.find("host.example", 443).unwrap();
        assert_eq!(proxy.url().password(), Some("pa%3Ass"));
    }

    #[cfg(feature = "kubernetes")]
    #[test]
    fn one_proxy_may_have_two_addresses() {
        let at = |text| Proxy::parse(text, "proxy").unwrap();
        let own = at("http://user:pass@proxy.example:3128");
        for same in ["http://proxy.example:3128", "proxy.example:3128", "http://other@PROXY.example:3128/"] {
            assert!(own.is_at(&at(same)), "{same}");
        }
        for other in ["https://proxy.example:3128", "http://proxy.example", "http://proxy2.example:3128"] {
            assert!(!own.is_at(&at(other)), "{other}");
        }
        assert!(at("http://proxy.example").is_at(&at("proxy.example:80")));
    }
}
