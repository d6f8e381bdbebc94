//! Tokens: shaped like JSON web tokens, with a tag that only this emulator can make.
//!
//! The tag is a hash over a key made anew for each emulator, not a public-key signature: no one but the emulator has to
//! check it.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The audience of Azure Resource Manager.
pub(crate) const ARM: &str = "https://management.azure.com";
/// The audience of the registries' data plane.
pub(crate) const REGISTRY: &str = "https://containerregistry.azure.net";
/// The audience of Microsoft Graph.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// The application that stands for the API servers of all clusters.
pub(crate) const KUBERNETES: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// Makes and checks tokens.
pub(crate) struct Signer {
    key: [u8; 16],
    /// Whether an address of this machine is its own cloud: then tokens for it are for all that answers there.
    pub(crate) serves_locally: bool,
    /// The tags of tokens that have expired before their time.
    expired: HashSet<String>,
}

impl Signer {
    pub(crate) fn new(key: uuid::Uuid) -> Self {
        Self { key: key.into_bytes(), serves_locally: false, expired: HashSet::new() }
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": "emulator"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let tag = self.tag(&signed);
        format!("{signed}.{tag}")
    }

    /// The claims of a token that was made here and has not expired at `unix`.
    pub(crate) fn check(&self, token: &str, unix: u64) -> Result<Claims, TokenFault> {
        let (signed, tag) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (_, claims) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        if tag != self.tag(signed) {
            return Err(TokenFault::Forged);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| TokenFault::Malformed)?;
        let claims: BTreeMap<String, Value> = serde_json::from_slice(&claims).map_err(|_| TokenFault::Malformed)?;
        let claims = Claims { fields: claims, serves_locally: self.serves_locally };
        if claims.expires() <= unix || self.expired.contains(tag) {
            return Err(TokenFault::Expired);
        }
        Ok(claims)
    }

    /// Lets a token expire. Gives whether it was one that was made here.
    pub(crate) fn expire(&mut self, token: &str) -> bool {
        let tag =
            token.rsplit_once('.').filter(|(signed, tag)| *tag == self.tag(signed)).map(|(_, tag)| tag.to_owned());
        tag.is_some_and(|tag| self.expired.insert(tag))
    }

    /// The audience that a resource of this machine is, where one is served.
    pub(crate) fn local_audience(&self, resource: &str) -> Option<String> {
        let resource = resource.trim_end_matches('/').to_ascii_lowercase();
        (self.serves_locally && local_origin(&resource)).then_some(resource)
    }

    fn tag(&self, signed: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(signed);
        hash.update(self.key);
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

/// Whether this is an address of this machine, such as `https://localhost:8443`.
fn local_origin(resource: &str) -> bool {
    let Some(authority) = resource.strip_prefix("https://") else {
        return false;
    };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    matches!(host, "localhost" | "127.0.0.1") && port.parse::<u16>().is_ok()
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenFault {
    Malformed,
    Forged,
    Expired,
    Audience,
}

/// What a token says.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    fields: BTreeMap<String, Value>,
    serves_locally: bool,
}

impl Claims {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// Whether it was made for this audience, with or without a slash at its end.
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        let own = self.text("aud").trim_end_matches('/');
        let is_local = || self.serves_locally && [ARM, GRAPH].contains(&audience) && local_origin(own);
        own == audience || is_local()
    }

    fn expires(&self) -> u64 {
        self.fields.get("exp").and_then(Value::as_u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_until_it_expires() {
        let signer = Signer::new(uuid::Uuid::new_v4());
        let token = signer.sign(&json!({"aud": ARM, "exp": 100}));
        assert!(signer.check(&token, 99).unwrap().is_for(ARM));
        assert_eq!(signer.check(&token, 100).unwrap_err(), TokenFault::Expired);
    }

    #[test]
    fn a_token_can_expire_before_its_time() {
        let mut signer = Signer::new(uuid::Uuid::new_v4());
        let token = signer.sign(&json!({"exp": 100}));
        assert!(signer.expire(&token) && !signer.expire("a.word.only"));
        assert_eq!(signer.check(&token, 1).unwrap_err(), TokenFault::Expired);
    }

    #[test]
    fn a_token_of_another_emulator_is_forged() {
        let token = Signer::new(uuid::Uuid::new_v4()).sign(&json!({"exp": 100}));
        assert_eq!(Signer::new(uuid::Uuid::new_v4()).check(&token, 1).unwrap_err(), TokenFault::Forged);
    }

    #[test]
    fn a_token_for_an_address_of_this_machine_counts_only_where_it_is_served() {
        let mut signer = Signer::new(uuid::Uuid::new_v4());
        let token = signer.sign(&json!({"aud": "https://localhost:8443", "exp": 100}));
        assert!(!signer.check(&token, 1).unwrap().is_for(ARM));
        signer.serves_locally = true;
        let claims = signer.check(&token, 1).unwrap();
        assert!(claims.is_for(ARM) && claims.is_for(GRAPH) && !claims.is_for(REGISTRY));
        assert_eq!(signer.local_audience("https://localhost:8443//").as_deref(), Some("https://localhost:8443"));
        assert_eq!(signer.local_audience("https://localhost.example:8443"), None);
    }

    #[test]
    fn a_word_is_no_token() {
        assert_eq!(Signer::new(uuid::Uuid::new_v4()).check("word", 1).unwrap_err(), TokenFault::Malformed);
    }
}
