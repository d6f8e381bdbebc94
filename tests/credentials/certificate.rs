//! A service principal's certificate.

use crate::{attach, azure, builder, ids, with};
use aks_acr::{Client, ErrorKind};
use aks_acr_emulator::Emulator;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A certificate (DER), and a file with it and its key.
fn made(name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> (Vec<u8>, PathBuf) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    let path = std::env::temp_dir().join(format!("aks-acr-{}-{name}.pem", std::process::id()));
    fs::write(&path, format!("{}{}", key.serialize_pem(), certificate.pem())).unwrap();
    (certificate.der().to_vec(), path)
}

fn client(azure: &Emulator, path: &Path) -> Client {
    let more =
        [("AZURE_CLIENT_CERTIFICATE_PATH", path.to_str().unwrap()), ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "true")];
    builder(azure, with(ids(azure), &more)).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_entra_knows_signs_in_and_no_other() {
    let (known, path) = made("known", &PKCS_RSA_SHA256);
    let (_, stranger) = made("stranger", &PKCS_RSA_SHA256);
    let azure = azure().with_certificate("owner", &known);
    attach(&client(&azure, &path)).await.unwrap();
    let err = attach(&client(&azure, &stranger)).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unauthenticated && format!("{err:#}").contains("AADSTS700027"), "{err:#}");

    // The right certificate and another's key: only the signature shows it.
    let (text, other) = (fs::read_to_string(&path).unwrap(), fs::read_to_string(&stranger).unwrap());
    let begin = "-----BEGIN CERTIFICATE-----";
    let mixed = format!("{}{begin}{}", other.split_once(begin).unwrap().0, text.split_once(begin).unwrap().1);
    fs::write(&stranger, mixed).unwrap();
    let err = attach(&client(&azure, &stranger)).await.unwrap_err();
    assert!(format!("{err:#}").contains("failed signature validation"), "{err:#}");
    for path in [path, stranger] {
        fs::remove_file(path).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_cannot_be_used_is_said_before_a_request() {
    let (known, path) = made("curve", &PKCS_ECDSA_P256_SHA256);
    let azure = azure().with_certificate("owner", &known);
    let err = attach(&client(&azure, &path)).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unauthenticated && format!("{err:#}").contains("RSA"), "{err:#}");
    fs::write(&path, b"0\x82\x01PFX").unwrap();
    let err = attach(&client(&azure, &path)).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unsupported && format!("{err:#}").contains("PFX"), "{err:#}");
    fs::remove_file(&path).unwrap();
    let err = attach(&client(&azure, &path)).await.unwrap_err();
    assert!(err.kind() == ErrorKind::Unauthenticated && format!("{err:#}").contains("could not read"), "{err:#}");
    assert!(azure.requests().is_empty());
}
