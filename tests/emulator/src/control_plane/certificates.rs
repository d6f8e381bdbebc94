//! Keys and certificates of one control plane. The keys of its parts are files in its folder that only their owner can
//! read. The administrator's key and the authority's are only in memory.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::serve::ServeError;

const LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const SLACK: Duration = Duration::from_secs(24 * 60 * 60);

/// The parts that are clients of the API server, with the name by which it knows each.
const CLIENTS: [(&str, &str); 2] =
    [("kube-controller-manager", "system:kube-controller-manager"), ("kube-scheduler", "system:kube-scheduler")];

/// What a client of the API server needs.
#[derive(Clone)]
pub(super) struct Identity {
    /// Signs the certificates of nodes that join later.
    pub(super) signer: Arc<Authority>,
    /// The authority's certificate, as PEM.
    pub(super) authority: String,
    /// Certificate and key of an administrator, as PEM.
    pub(super) certificate: String,
    pub(super) key: String,
}

/// Writes all files that the parts read into their folder. `names` are those of the API server.
pub(super) fn issue(folder: &Path, names: &[&str], port: u16) -> Result<Identity, ServeError> {
    let authority = Authority::new()?;
    let put = |name: &str, text: &str| {
        write(&folder.join(name), text)
            .map_err(|fault| ServeError::io(&folder.join(name).display().to_string(), &fault))
    };
    put("ca.crt", &authority.pem)?;
    let server = authority.sign("kube-apiserver", None, names, ExtendedKeyUsagePurpose::ServerAuth)?;
    put("server.crt", &server.0)?;
    put("server.key", &server.1)?;
    let accounts = KeyPair::generate()?;
    put("sa.key", &accounts.serialize_pem())?;
    put("sa.pub", &accounts.public_key_pem())?;
    for (part, name) in CLIENTS {
        let client = authority.sign(name, None, &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        put(&format!("{part}.kubeconfig"), &kubeconfig(port, &authority.pem, &client).to_string())?;
    }
    // By which the API server is a client of kubelets.
    let client = authority.sign("masterclient", Some("system:masters"), &[], ExtendedKeyUsagePurpose::ClientAuth)?;
    put("kubelet-client.crt", &client.0)?;
    put("kubelet-client.key", &client.1)?;
    // As AKS names its administrator.
    let client = authority.sign("masterclient", Some("system:masters"), &[], ExtendedKeyUsagePurpose::ClientAuth)?;
    Ok(Identity { authority: authority.pem.clone(), certificate: client.0, key: client.1, signer: Arc::new(authority) })
}

/// The authority of one control plane.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Result<Self, ServeError> {
        let (mut params, key) = (params("aks-acr-emulator", None, &[])?, KeyPair::generate()?);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Its certificate, and certificate and key of a kubelet.
    pub(super) fn node(&self, name: &str) -> Result<(String, (String, String)), ServeError> {
        let name = format!("system:node:{name}");
        let client = self.sign(&name, Some("system:nodes"), &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok((self.pem.clone(), client))
    }

    /// A certificate and its key.
    fn sign(
        &self,
        name: &str,
        group: Option<&str>,
        hosts: &[&str],
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<(String, String), ServeError> {
        let mut params = params(name, group, hosts)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        Ok((params.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }
}

fn params(name: &str, group: Option<&str>, hosts: &[&str]) -> Result<CertificateParams, ServeError> {
    let mut params = CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now - SLACK, now + LIFE);
    Ok(params)
}

fn kubeconfig(port: u16, authority: &str, (certificate, key): &(String, String)) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "this",
        "clusters": [{"name": "this", "cluster": {"server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": STANDARD.encode(authority)}}],
        "users": [{"name": "this", "user": {"client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key)}}],
        "contexts": [{"name": "this", "context": {"cluster": "this", "user": "this"}}]})
}

/// Writes a file for its owner only.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
