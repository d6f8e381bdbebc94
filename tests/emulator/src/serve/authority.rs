//! The certificate authority: made anew for each server, in memory, unless a state file keeps it; it signs a certificate
//! for each name that is asked for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};
use time::OffsetDateTime;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::{CertifiedKey, SigningKey};

use super::fault::ServeError;
use super::state::KeptAuthority;
use crate::emulator::Emulator;

/// The names of the server itself.
pub(super) const LOCAL_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// The domains that the emulator plays: Azure's, registries that images commonly come from, and names that have no owner. A
/// client that trusts the authority trusts it for these alone, so that its key would open none of its other connections.
const PLAYED: [&str; 17] = [
    "login.microsoftonline.com",
    "management.azure.com",
    "graph.microsoft.com",
    "azurecr.io",
    // The layers of registries.
    "blob.core.windows.net",
    "azmk8s.io",
    "mcr.microsoft.com",
    "docker.io",
    "registry.hub.docker.com",
    "quay.io",
    "ghcr.io",
    "gcr.io",
    "pkg.dev",
    "registry.k8s.io",
    "example",
    "test",
    "invalid",
];

/// How long certificates are good for: no server runs so long, and Apple's verifier takes none of over 825 days.
const LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Clocks of containers and hosts differ a little.
const SLACK: Duration = Duration::from_secs(24 * 60 * 60);

/// More names than this are not kept. No client has so many, but one that asks for random names must not fill the memory.
const MOST_KEPT: usize = 1024;

/// The authority, and the certificates that it has signed.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    certificate: CertificateDer<'static>,
    /// Its key, and when its certificate ends, for another run.
    key: String,
    until: i64,
    /// One key for all names: they are all this one server.
    leaf: KeyPair,
    signing: Arc<dyn SigningKey>,
    kept: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// An authority for the domains that the emulator plays and these hosts.
    pub(super) fn new(hosts: Vec<String>) -> Result<Self, ServeError> {
        let (mut params, key) = (own_params()?, KeyPair::generate()?);
        params.name_constraints = Some(constraints(hosts));
        let signed = params.self_signed(&key)?;
        Self::of(params, key, signed.pem(), signed.der().clone())
    }

    /// The same, for the registries that an emulator plays now.
    pub(super) fn playing(emulator: &Emulator) -> Result<Self, ServeError> {
        let world = emulator.shared.world();
        let hosts = world.upstreams.keys().map(|host| host.split(':').next().unwrap_or_default());
        // A constraint on names says nothing of addresses, and no wrong name is one.
        Self::new(hosts.filter(|host| host.parse::<std::net::IpAddr>().is_err()).map(str::to_owned).collect())
    }

    /// The authority of a run before.
    pub(super) fn restore(kept: &KeptAuthority) -> Result<Self, ServeError> {
        let key = KeyPair::from_pem(&kept.key)?;
        let der = CertificateDer::from_pem_slice(kept.certificate.as_bytes()).map_err(ServeError::certificate)?;
        let mut params = own_params()?;
        params.not_after = OffsetDateTime::from_unix_timestamp(kept.until).map_err(ServeError::certificate)?;
        Self::of(params, key, kept.certificate.clone(), der)
    }

    /// What another run needs.
    pub(super) fn kept(&self) -> KeptAuthority {
        KeptAuthority { certificate: self.pem.clone(), key: self.key.clone(), until: self.until }
    }

    fn of(
        params: CertificateParams,
        key: KeyPair,
        pem: String,
        certificate: CertificateDer<'static>,
    ) -> Result<Self, ServeError> {
        let leaf = KeyPair::generate()?;
        let private = PrivateKeyDer::try_from(leaf.serialize_der()).map_err(ServeError::certificate)?;
        let signing = aws_lc_rs::sign::any_supported_type(&private)?;
        Ok(Self {
            pem,
            certificate,
            key: key.serialize_pem(),
            until: params.not_after.unix_timestamp(),
            issuer: Issuer::new(params, key),
            leaf,
            signing,
            kept: Mutex::default(),
        })
    }

    /// What clients have to trust.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate for a name, the server's own or one that is emulated.
    fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(name) {
            return Some(Arc::clone(known));
        }
        let made = Arc::new(self.sign(name).ok()?);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(name.to_owned(), Arc::clone(&made));
        Some(made)
    }

    fn sign(&self, name: &str) -> Result<CertifiedKey, ServeError> {
        let names = if LOCAL_NAMES.contains(&name) { LOCAL_NAMES.to_vec() } else { vec![name] };
        let mut params = params(&names, name)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(&self.leaf, &self.issuer)?;
        let chain = vec![leaf.der().clone(), self.certificate.clone()];
        Ok(CertifiedKey::new(chain, Arc::clone(&self.signing)))
    }

    /// Certificate and key as they stand in the kubeconfig of a cluster's administrator.
    pub(super) fn client(&self) -> Result<(String, String), ServeError> {
        let mut params = params(&[], "masterclient")?;
        params.distinguished_name.push(DnType::OrganizationName, "system:masters");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.issuer)?;
        Ok((signed.pem(), key.serialize_pem()))
    }

    /// How to speak TLS as any of the names that `knows` has.
    pub(super) fn tls(self: &Arc<Self>, knows: Knows) -> Result<ServerConfig, ServeError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let names = Names { authority: Arc::clone(self), knows };
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(names));
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(tls)
    }
}

/// What the authority's own certificate says.
fn own_params() -> Result<CertificateParams, ServeError> {
    let mut params = params(&[], "aks-acr-emulator")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

/// Names outside of these are refused by every client that checks certificates as RFC 5280 says: the extension is critical.
fn constraints(hosts: Vec<String>) -> NameConstraints {
    let domains = PLAYED.iter().copied().chain([LOCAL_NAMES[0]]).map(str::to_owned).chain(hosts);
    let mut permitted_subtrees: Vec<_> = domains.map(GeneralSubtree::DnsName).collect();
    permitted_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 1], [255; 4])));
    NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() }
}

fn params(names: &[&str], common_name: &str) -> Result<CertificateParams, ServeError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // A common name holds 64 characters; what counts for a server is the other list of names.
    params.distinguished_name.push(DnType::CommonName, common_name.chars().take(64).collect::<String>());
    let now = OffsetDateTime::now_utc();
    params.not_before = now - SLACK;
    params.not_after = now + LIFE;
    Ok(params)
}

/// Says whether a name is emulated.
pub(super) type Knows = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Picks the certificate for a handshake.
struct Names {
    authority: Arc<Authority>,
    knows: Knows,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl ResolvesServerCert for Names {
    /// A client that names no host means the address that it has dialled.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(LOCAL_NAMES[0]).to_ascii_lowercase();
        let known = LOCAL_NAMES.contains(&name.as_str()) || (self.knows)(&name);
        known.then(|| self.authority.certificate(&name)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::rustls::pki_types::UnixTime;

    #[test]
    fn the_names_of_one_host_share_a_certificate_and_other_hosts_do_not() {
        let authority = Authority::new(Vec::new()).unwrap();
        let first = authority.certificate("myregistry.azurecr.io").unwrap();
        let again = authority.certificate("myregistry.azurecr.io").unwrap();
        let other = authority.certificate("management.azure.com").unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_ne!(first.cert, other.cert);
    }

    #[test]
    fn names_asked_for_at_random_do_not_fill_the_memory() {
        let authority = Authority::new(Vec::new()).unwrap();
        for number in 0..=MOST_KEPT {
            assert!(authority.certificate(&format!("r{number}.azurecr.io")).is_some());
        }
        assert!(authority.kept.lock().unwrap().len() <= MOST_KEPT);
    }

    #[test]
    fn a_long_name_has_a_certificate_too() {
        let name = format!("{}.{}.azurecr.io", "a".repeat(60), "b".repeat(60));
        assert!(Authority::new(Vec::new()).unwrap().certificate(&name).is_some());
    }

    /// What a client says of the certificate for a name, which trusts the authority.
    fn verified(authority: &Authority, name: &str) -> Result<(), webpki::Error> {
        let anchors = [webpki::anchor_from_trusted_cert(&authority.certificate).unwrap()];
        let leaf = authority.sign(name).unwrap();
        let end = webpki::EndEntityCert::try_from(&leaf.cert[0]).unwrap();
        let (usage, now) = (webpki::KeyUsage::server_auth(), UnixTime::now());
        end.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &[], now, usage, None, None).map(drop)
    }

    #[test]
    fn the_authority_is_good_for_the_hosts_that_are_played_and_no_others() {
        let authority = Authority::new(vec!["images.of.ours.dev".to_owned()]).unwrap();
        let played = ["management.azure.com", "r.azurecr.io", "dev-1.hcp.westeurope.azmk8s.io", "registry-1.docker.io"];
        let layers = "2245e765bcfe5aae823a.blob.core.windows.net";
        for name in played.into_iter().chain([layers]).chain(["images.of.ours.dev", "localhost", "127.0.0.1"]) {
            assert_eq!(verified(&authority, name), Ok(()), "{name}");
        }
        for name in ["github.com", "azurecr.io.evil.com", "notazurecr.io", "ours.dev", "10.0.0.1", "::1"] {
            assert_eq!(verified(&authority, name), Err(webpki::Error::NameConstraintViolation), "{name}");
        }
    }
}
