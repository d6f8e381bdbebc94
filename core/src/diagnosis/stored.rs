//! What a report was made from, in a form that can be stored.

use super::facts::{Facts, FailedPull};
use serde::{Deserialize as _, Deserializer, de::Error as _};
use serde_json::{Value, json};

/// The version of the stored form of a report, an explanation and a proof. New fields are optional and do not change it.
pub(crate) const VERSION: u32 = 1;

/// Reads the version of a stored form. Another one may mean something else by the same fields.
pub(crate) fn version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(from)?;
    if version == VERSION {
        return Ok(version);
    }
    Err(D::Error::custom(format!("version {version} is unknown; expected {VERSION}")))
}

/// The stored form. `None` for a time that has none. Neither tokens nor passwords are facts; role assignments of others are left out.
pub(super) fn stored(check: Option<&Facts>, pull: Option<&FailedPull<'_>>) -> Option<Value> {
    let mut stored = serde_json::to_value(check).ok()?;
    if let Some(check) = check
        // Not by index, which adds what is not there.
        && let Some(assignments) = stored.pointer_mut("/grants/Ok/assignments").and_then(Value::as_array_mut)
    {
        let own = own_principals(check);
        let is_own = |one: &Value| {
            one["principal_id"].as_str().is_some_and(|id| own.iter().any(|own| own.eq_ignore_ascii_case(id)))
        };
        assignments.retain(is_own);
    }
    Some(json!({ "check": stored, "pull": serde_json::to_value(pull).ok()? }))
}

/// The IDs of the identities that a finding may name. None if the one that pulls is not known: then no assignment decides.
fn own_principals(facts: &Facts) -> Vec<String> {
    let Some(principal) = facts.principal else { return Vec::new() };
    let mut own = vec![principal.to_string()];
    if let Ok(cluster) = &facts.cluster {
        let identities = &cluster.identities;
        own.extend(identities.control_plane.iter().map(ToString::to_string));
        own.extend(identities.add_ons.iter().map(|one| one.object_id.to_string()));
        own.extend(
            identities
                .kubelet
                .iter()
                .flat_map(|one| [Some(one.object_id.to_string()), one.client_id.clone()])
                .flatten(),
        );
        own.extend(identities.service_principal.clone());
    }
    own
}
