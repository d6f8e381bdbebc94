//! Orders about sign-in without a secret: whose assertions a caller may show, and an assertion to show.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refusal, missing, order};
use crate::emulator::Emulator;

/// A federated credential for a caller, by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Federate {
    caller: String,
    issuer: String,
    subject: String,
}

impl Federate {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if emulator.object_id_of(&self.caller).is_empty() {
            return Err(missing(format!("caller {} does not exist", self.caller)));
        }
        // It is the same emulator: a clone shares everything.
        let _ = emulator.clone().with_federated_credential(&self.caller, &self.issuer, &self.subject);
        Ok(json!({}))
    }
}

/// An assertion of an issuer for a subject.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FederatedToken {
    issuer: String,
    subject: String,
    #[serde(default = "hour")]
    seconds: f64,
}

fn hour() -> f64 {
    Duration::from_secs(60 * 60).as_secs_f64()
}

impl FederatedToken {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        let life = order::seconds(self.seconds)?;
        Ok(json!({"token": emulator.federated_token(&self.issuer, &self.subject, life)}))
    }
}
