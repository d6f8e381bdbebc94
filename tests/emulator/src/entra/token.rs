//! Tokens: shaped like JSON web tokens, with a tag that only this emulator can make.
//!
//! The tag is a hash over a key made anew for each emulator, not a public-key signature: nobody but the emulator has to
//! check it.

use std::collections::BTreeMap;

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
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self { key: *uuid::Uuid::new_v4().as_bytes() }
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
        let claims = Claims(claims);
        if claims.expires() <= unix {
            return Err(TokenFault::Expired);
        }
        Ok(claims)
    }

    fn tag(&self, signed: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(signed);
        hash.update(self.key);
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
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
pub(crate) struct Claims(BTreeMap<String, Value>);

impl Claims {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether it was made for this audience, with or without a slash at its end.
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        self.text("aud").trim_end_matches('/') == audience
    }

    fn expires(&self) -> u64 {
        self.0.get("exp").and_then(Value::as_u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_until_it_expires() {
        let signer = Signer::new();
        let token = signer.sign(&json!({"aud": ARM, "exp": 100}));
        assert!(signer.check(&token, 99).unwrap().is_for(ARM));
        assert_eq!(signer.check(&token, 100).unwrap_err(), TokenFault::Expired);
    }

    #[test]
    fn a_token_of_another_emulator_is_forged() {
        let token = Signer::new().sign(&json!({"exp": 100}));
        assert_eq!(Signer::new().check(&token, 1).unwrap_err(), TokenFault::Forged);
    }

    #[test]
    fn a_word_is_no_token() {
        assert_eq!(Signer::new().check("word", 1).unwrap_err(), TokenFault::Malformed);
    }
}
