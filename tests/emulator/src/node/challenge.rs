//! The `WWW-Authenticate` header of a registry.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// A bearer challenge: where tokens come from, and for which service.
#[derive(Debug, PartialEq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    pub(super) error: Option<String>,
}

impl Challenge {
    /// The first bearer challenge of an answer that names a realm.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(WWW_AUTHENTICATE).iter().find_map(|header| Self::parse(header.to_str().ok()?))
    }

    fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let find = |wanted: &str| {
            parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
        };
        Some(Self { realm: find("realm")?, service: find("service"), error: find("error") })
    }
}

/// `key="value"` pairs; a comma inside quotes belongs to the value.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches([' ', ',']).to_owned();
        let (value, remainder) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        pairs.push((key, value.trim().to_owned()));
        rest = remainder;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realm_service_and_error_are_read_from_a_bearer_challenge() {
        let header = r#"Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",scope="repository:a:pull,push",error=invalid_token"#;
        let challenge = Challenge::parse(header).unwrap();
        assert_eq!(challenge.realm, "https://r.azurecr.io/oauth2/token");
        assert_eq!(challenge.service.as_deref(), Some("r.azurecr.io"));
        assert_eq!(challenge.error.as_deref(), Some("invalid_token"));
    }

    #[test]
    fn a_basic_challenge_is_no_bearer_challenge() {
        assert_eq!(Challenge::parse(r#"Basic realm="r""#), None);
    }
}
