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

    /// Whether an answer asks for a name and a password.
    pub(super) fn wants_password(headers: &HeaderMap) -> bool {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        values.into_iter().any(|header| scheme(header, "basic").is_some())
    }

    fn parse(header: &str) -> Option<Self> {
        let parameters = parameters(scheme(header, "bearer")?);
        let find = |wanted: &str| {
            parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
        };
        Some(Self { realm: find("realm")?, service: find("service"), error: find("error") })
    }
}

/// What follows a scheme, which begins a header or stands behind a comma that is in no quotes.
fn scheme<'h>(header: &'h str, name: &str) -> Option<&'h str> {
    let (mut quoted, mut is_start) = (false, true);
    for (at, letter) in header.char_indices() {
        let rest = &header[at..];
        if is_start
            && !quoted
            && rest.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name))
            && let Some(parameters) = rest[name.len()..].strip_prefix(' ')
        {
            return Some(parameters);
        }
        match letter {
            '"' => quoted = !quoted,
            ',' => is_start = true,
            ' ' => {}
            _ => is_start = false,
        }
    }
    None
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
        let both = r#"Basic realm="a, Bearer realm=x", Bearer realm="https://r/t",service="s""#;
        assert_eq!(Challenge::parse(both).unwrap().realm, "https://r/t");
    }
}
