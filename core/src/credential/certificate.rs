//! A service principal's certificate, with which it signs its own assertions.

use super::context::broken;
use crate::error::{Error, ErrorKind, Result};
use async_trait::async_trait;
use azure_core::{error::ErrorKind as Azure, http::ClientMethodOptions};
use azure_identity::ClientAssertion;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::SigningKey,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{fmt, sync::Arc, time::Duration};
use time::OffsetDateTime;

/// Entra ID accepts any assertion that has not expired; ten minutes tolerate a wrong clock.
const LIFE: Duration = Duration::from_secs(600);

/// Signs assertions with the key of a certificate that Entra ID knows.
pub(super) struct CertificateAssertion {
    /// The token endpoint: the assertion is valid only there.
    audience: String,
    client: String,
    header: Value,
    key: Arc<dyn SigningKey>,
}

impl CertificateAssertion {
    /// Reads a PEM file with a certificate, optionally its issuers, and the certificate's RSA key.
    pub fn read(path: &str, audience: String, client: String, sends_chain: bool) -> Result<Self> {
        // A few thousand bytes, once for a client.
        let bytes = std::fs::read(path)
            .map_err(|err| broken("could not read the certificate").with_context("path", path).with_source(err))?;
        Self::parse(&bytes, audience, client, sends_chain).map_err(|err| err.with_context("path", path))
    }

    fn parse(pem: &[u8], audience: String, client: String, sends_chain: bool) -> Result<Self> {
        let text = std::str::from_utf8(pem).ok().filter(|text| text.contains("-----BEGIN "));
        let Some(text) = text else {
            let message = "the certificate file is not PEM: convert a PFX, for example with `openssl pkcs12 -nodes`";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        if text.contains("ENCRYPTED") {
            let message = "the certificate's key is encrypted, which is not supported: remove its password";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.map_err(|_| broken("the certificate file is not valid PEM"))?;
        let first = chain.first().ok_or_else(|| broken("the certificate file contains no certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| broken("the certificate file contains no key"))?;
        let key = any_supported_type(&key).map_err(|_| broken("the certificate's key is invalid"))?;
        if key.algorithm() != SignatureAlgorithm::RSA {
            return Err(broken("Entra ID accepts certificates with an RSA key only"));
        }
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(first));
        let mut header = json!({ "typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint });
        if sends_chain {
            header["x5c"] = chain.iter().map(|one| STANDARD.encode(one)).collect();
        }
        Ok(Self { audience, client, header, key })
    }

    fn signed(&self, now: OffsetDateTime) -> Option<String> {
        let claims = json!({
            "aud": self.audience,
            "iss": self.client,
            "sub": self.client,
            "jti": uuid::Uuid::new_v4(),
            "iat": now.unix_timestamp(),
            "nbf": now.unix_timestamp(),
            "exp": (now + LIFE).unix_timestamp(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&self.header), part(&claims));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256])?;
        let signature = signer.sign(text.as_bytes()).ok()?;
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait]
impl ClientAssertion for CertificateAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let cannot = || azure_core::Error::with_message(Azure::Credential, "could not sign with the certificate's key");
        self.signed(OffsetDateTime::now_utc()).ok_or_else(cannot)
    }
}

impl fmt::Debug for CertificateAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAssertion").field("client", &self.client).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn err(pem: &[u8]) -> Error {
        CertificateAssertion::parse(pem, String::new(), String::new(), false).unwrap_err()
    }

    #[test]
    fn what_cannot_be_used_is_said_without_being_quoted() {
        let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\ndG9w\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (text, kind, word) in [
            (&b"0\x82\x01PFX"[..], ErrorKind::Unsupported, "PFX"),
            (encrypted, ErrorKind::Unsupported, "encrypted"),
            (b"-----BEGIN CERTIFICATE-----\ndG9w\n-----END CERTIFICATE-----\n", ErrorKind::Unauthenticated, "no key"),
            (
                b"-----BEGIN PRIVATE KEY-----\ndG9w\n-----END PRIVATE KEY-----\n",
                ErrorKind::Unauthenticated,
                "no certificate",
            ),
        ] {
            let err = err(text);
            assert_eq!(err.kind(), kind, "{err}");
            assert!(err.to_string().contains(word) && !format!("{err:#} {err:?}").contains("dG9w"), "{err:#}");
        }
    }
}
