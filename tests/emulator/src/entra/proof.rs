//! What callers can sign in with beside a secret.

use serde_json::json;
use std::time::Duration;

use super::assertion::Federated;
use crate::emulator::Emulator;
use crate::principal::Principal;

impl Emulator {
    /// Lets a caller sign in with assertions that the key of this certificate (DER) signed. The signature is checked with the feature
    /// `serve`; without it, only thumbprint and claims are.
    ///
    /// # Panics
    /// If the caller does not exist.
    #[must_use]
    pub fn with_certificate(self, caller: &str, certificate: &[u8]) -> Self {
        self.with_principal(caller, |one| one.certificates.push(certificate.to_vec()))
    }

    /// Lets a caller sign in with assertions of this issuer for this subject: a federated credential. The emulator is every issuer
    /// itself, and [`federated_token`](Self::federated_token) makes the assertions.
    ///
    /// # Panics
    /// If the caller does not exist.
    #[must_use]
    pub fn with_federated_credential(self, caller: &str, issuer: &str, subject: &str) -> Self {
        let federated = Federated { issuer: issuer.to_owned(), subject: subject.to_owned() };
        self.with_principal(caller, |one| one.federated.push(federated))
    }

    /// An assertion as an issuer makes it for a subject, such as a cluster for a service account, or GitHub for a workflow.
    #[must_use]
    pub fn federated_token(&self, issuer: &str, subject: &str, life: Duration) -> String {
        self.act(|world| {
            let unix = world.clock.unix(world.clock.now());
            let end = unix + life.as_secs();
            let audience = "api://AzureADTokenExchange";
            world.signer.sign(&json!({"aud": audience, "iss": issuer, "sub": subject, "iat": unix, "exp": end}))
        })
    }

    /// Lets the program under test run on a machine that has these callers as its identities, the first of them as its own. Without it,
    /// nothing answers at the address where a machine asks.
    #[must_use]
    pub fn with_machine_identities(self, callers: &[&str]) -> Self {
        self.act(|world| world.machine = callers.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    fn with_principal(self, caller: &str, change: impl FnOnce(&mut Principal)) -> Self {
        self.act(|world| change(world.seeded_caller(caller)));
        self
    }
}
