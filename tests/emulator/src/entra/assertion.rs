//! Clients that show an assertion instead of a secret: one that they signed with the key of a certificate, or one of an issuer that
//! they trust.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::HOST;
use crate::principal::Principal;
use crate::world::World;

/// The audience that another issuer's assertion must have.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// Assertions of other issuers with which a principal may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Federated {
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

/// Why an assertion is not taken: Entra's number, and its words.
pub(super) type Fault = (u32, String);

/// Checks an assertion of a principal.
pub(super) fn check(world: &World, principal: &Principal, assertion: &str, now: Instant) -> Result<(), Fault> {
    let malformed = || (50_027, "JWT token is invalid or malformed.".to_owned());
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err(malformed()) };
    let read = |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (header, claims) = (read(header).ok_or_else(malformed)?, read(claims).ok_or_else(malformed)?);
    let unix = world.clock.unix(now);
    if claims["exp"].as_u64().is_none_or(|end| end <= unix) {
        let text = "Client assertion is not within its valid time range. Review the documentation at \
                    https://learn.microsoft.com/entra/identity-platform/certificate-credentials.";
        return Err((700_024, text.to_owned()));
    }
    if claims["iss"].as_str() == Some(&principal.client_id) {
        let signed = &assertion[..assertion.len() - signature.len() - 1];
        return own(world, principal, &header, &claims, (signed, signature));
    }
    if world.signer.check(assertion, unix).is_err() {
        return Err((700_027, "Client assertion failed signature validation.".to_owned()));
    }
    foreign(principal, &claims)
}

/// One that the client signed with the key of a certificate.
fn own(
    world: &World,
    principal: &Principal,
    header: &Value,
    claims: &Value,
    (signed, signature): (&str, &str),
) -> Result<(), Fault> {
    let shown = header["x5t#S256"].as_str().unwrap_or_default();
    let known = principal.certificates.iter().find(|one| URL_SAFE_NO_PAD.encode(Sha256::digest(one)) == shown);
    let Some(certificate) = known else {
        let text =
            "The certificate with identifier used to sign the client assertion is not registered on application.";
        return Err((700_027, text.to_owned()));
    };
    let endpoint = format!("/{}/oauth2/v2.0/token", world.tenant);
    let audience = claims["aud"].as_str().unwrap_or_default();
    let is_ours = |host: &str| audience == format!("https://{host}{endpoint}");
    // Where an address of this machine is its own cloud, its clients know this Entra by that address.
    let is_local =
        || world.signer.serves_locally && audience.starts_with("https://localhost:") && audience.ends_with(&endpoint);
    if claims["sub"] != claims["iss"] || !(is_ours(HOST) || is_local()) {
        return Err((700_023, "Client assertion audience claim does not match Realm issuer.".to_owned()));
    }
    if !is_signed(certificate, header["alg"].as_str().unwrap_or_default(), signed, signature) {
        return Err((700_027, "Client assertion failed signature validation.".to_owned()));
    }
    Ok(())
}

/// With the feature `serve`, which brings what is needed for it, the signature itself is checked.
#[cfg(feature = "serve")]
fn is_signed(certificate: &[u8], algorithm: &str, signed: &str, signature: &str) -> bool {
    use webpki::aws_lc_rs::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY};
    let algorithm = match algorithm {
        "PS256" => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        "RS256" => RSA_PKCS1_2048_8192_SHA256,
        _ => return false,
    };
    let certificate = tokio_rustls::rustls::pki_types::CertificateDer::from(certificate);
    let (Ok(certificate), Ok(signature)) =
        (webpki::EndEntityCert::try_from(&certificate), URL_SAFE_NO_PAD.decode(signature))
    else {
        return false;
    };
    certificate.verify_signature(algorithm, signed.as_bytes(), &signature).is_ok()
}

/// Without the feature `serve`, the thumbprint and the claims are all that is checked.
#[cfg(not(feature = "serve"))]
fn is_signed(_: &[u8], algorithm: &str, _: &str, signature: &str) -> bool {
    matches!(algorithm, "PS256" | "RS256") && !signature.is_empty()
}

/// One from another issuer.
fn foreign(principal: &Principal, claims: &Value) -> Result<(), Fault> {
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    let shown = Federated { issuer: text("iss"), subject: text("sub") };
    let unmatched = |what: &str, value: &str| {
        let text = format!("No matching federated identity record found for presented assertion {what} '{value}'.");
        (700_213, text)
    };
    if text("aud") != EXCHANGE {
        return Err((
            700_212,
            format!("No matching federated identity record found for presented assertion audience '{}'.", text("aud")),
        ));
    }
    if !principal.federated.iter().any(|one| one.issuer == shown.issuer) {
        return Err((
            700_211,
            format!("No matching federated identity record found for presented assertion issuer '{}'.", shown.issuer),
        ));
    }
    if !principal.federated.contains(&shown) {
        return Err(unmatched("subject", &shown.subject));
    }
    Ok(())
}
