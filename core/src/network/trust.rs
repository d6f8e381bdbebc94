//! Root certificates, from PEM.

use crate::error::{Error, Result};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Parses one or more certificates, and checks that each can be a root certificate.
pub(super) fn read(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    // The text is not quoted: it may be the file with the private key.
    let wrong = |why: &str| Error::invalid("expected root certificates in PEM", "trust", why.to_owned());
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = read.map_err(|_| wrong("the text is not PEM"))?;
    if certificates.is_empty() {
        return Err(wrong("it contains no certificate"));
    }
    for (index, certificate) in certificates.iter().enumerate() {
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|err| wrong(&format!("certificate {} is invalid", index + 1)).with_source(err))?;
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_rejected_without_being_quoted() {
        let key = "-----BEGIN PRIVATE KEY-----\ndG9wLXNlY3JldA==\n-----END PRIVATE KEY-----\n";
        let no_der = "-----BEGIN CERTIFICATE-----\ndG9wLXNlY3JldA==\n-----END CERTIFICATE-----\n";
        let cut = "-----BEGIN CERTIFICATE-----\ndG9wLXNlY3JldA";
        for (text, why) in
            [("", "no certificate"), (key, "no certificate"), (no_der, "certificate 1"), (cut, "not PEM")]
        {
            let err = read(text).unwrap_err();
            assert_eq!(err.kind(), crate::ErrorKind::InvalidInput);
            assert!(err.to_string().contains("trust") && err.to_string().contains(why), "{err}");
            assert!(!format!("{err:#}").contains("dG9w"), "{err:#}");
        }
    }
}
