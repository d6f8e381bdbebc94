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

/// What a registry asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    Token(Challenge),
    Password,
}

impl Challenge {
    /// The first bearer challenge of an answer that names a realm.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(WWW_AUTHENTICATE).iter().find_map(|header| Self::parse(header.to_str().ok()?))
    }

    /// What containerd reads: of each header the first challenge, and a bearer challenge before one for a password.
    pub(super) fn asked(headers: &HeaderMap) -> Option<Asked> {
        let values = || headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        let starts = |header: &str, name: &str| {
            header.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name))
                && header[name.len()..].starts_with(' ')
        };
        let token = values().filter(|header| starts(header, "bearer")).find_map(Self::parse);
        let password = || values().any(|header| starts(header, "basic"));
        token.map(Asked::Token).or_else(|| password().then_some(Asked::Password))
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

    #[test]
    fn containerd_reads_the_first_challenge_of_each_header_and_prefers_tokens() {
        let asked = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
            }
            Challenge::asked(&headers).map(|asked| matches!(asked, Asked::Token(_)))
        };
        let (basic, bearer) = (r#"Basic realm="r""#, r#"Bearer realm="https://r/t",service="s""#);
        assert_eq!(asked(&[&format!("{basic}, {bearer}")]), Some(false));
        assert_eq!(asked(&[basic, bearer]), Some(true));
        assert_eq!(asked(&["Negotiate"]), None);
    }
}
