//! The permissions that operations need, as data: for a table, a review, or a custom role.

use super::{
    right::{RequiredRight, RightScope},
    table::Operation,
};
use crate::{
    action::smallest_role,
    error::{Error, Result},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::json;

impl RequiredRight {
    /// Looks up a permission by its action, for example to restore a stored list.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if no operation needs it.
    pub fn find(action: &str, is_data_action: bool) -> Result<Self> {
        let is_same = |right: &Self| right.action == action && right.is_data_action == is_data_action;
        let found = required_rights(Operation::ALL).into_iter().find(is_same);
        found.ok_or_else(|| Error::invalid("expected a permission that an operation needs", "right", action))
    }
}

/// A stored permission is read back as one of those that operations need.
impl<'de> Deserialize<'de> for RequiredRight {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            action: String,
            is_data_action: bool,
            at: RightScope,
            is_required: bool,
            why: String,
        }
        let stored = Stored::deserialize(from)?;
        let is_same = |right: &Self| {
            right.action == stored.action
                && right.is_data_action == stored.is_data_action
                && right.at == stored.at
                && right.is_required == stored.is_required
                && right.why == stored.why
        };
        let mut all = Operation::ALL.iter().flat_map(|operation| required_rights(&[*operation]));
        all.find(is_same).ok_or_else(|| D::Error::custom("expected a permission that an operation needs"))
    }
}

/// Lists the permissions that the given operations need, each once.
///
/// A permission is marked as required if any of the operations requires it.
///
/// ```
/// use aks_acr::{Operation, required_rights};
///
/// let rights = required_rights(&[Operation::PlanAttach]);
/// assert!(rights.iter().all(|right| right.action.ends_with("/read")));
/// ```
#[must_use]
pub fn required_rights(operations: &[Operation]) -> Vec<RequiredRight> {
    let mut rights: Vec<RequiredRight> = Vec::new();
    for right in operations.iter().flat_map(|operation| operation.rights().iter().copied()) {
        let right = RequiredRight { smallest_role: right.smallest_role.or(smallest_role(right.action)), ..right };
        match rights.iter_mut().find(|known| (known.action, known.at) == (right.action, right.at)) {
            Some(known) if right.is_required && !known.is_required => *known = right,
            Some(_) => {}
            None => rights.push(right),
        }
    }
    rights
}

/// Creates a custom role with exactly these permissions, for `az role definition create --role-definition @file`.
///
/// Optional permissions are included: remove those that you do not want from `rights` first.
///
/// ```
/// use aks_acr::{Operation, custom_role_json, required_rights};
///
/// let scope = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/group";
/// let role = custom_role_json("aks-acr attach", &required_rights(&[Operation::Attach]), &[scope]);
/// assert!(role.contains("Microsoft.Authorization/roleAssignments/write"));
/// ```
#[must_use]
pub fn custom_role_json(name: &str, rights: &[RequiredRight], assignable_scopes: &[&str]) -> String {
    let actions = |is_data: bool| {
        let mut actions: Vec<&str> =
            rights.iter().filter(|right| right.is_data_action == is_data).map(|right| right.action).collect();
        actions.sort_unstable();
        actions.dedup();
        actions
    };
    let role = json!({
        "Name": name,
        "IsCustom": true,
        "Description": description(rights),
        "Actions": actions(false),
        "NotActions": [],
        "DataActions": actions(true),
        "NotDataActions": [],
        "AssignableScopes": assignable_scopes,
    });
    format!("{role:#}")
}

/// The operations that a role with these permissions allows: those whose required permissions it has.
fn description(rights: &[RequiredRight]) -> String {
    let has = |wanted: &RequiredRight| rights.iter().any(|right| right.action == wanted.action);
    let runs = |operation: &Operation| {
        let mut wanted = required_rights(&[*operation]).into_iter().filter(|right| right.is_required).peekable();
        wanted.peek().is_some() && wanted.all(|right| has(&right))
    };
    let names: Vec<&str> = Operation::ALL.iter().filter(|one| runs(one)).map(|one| one.as_str()).collect();
    match &names[..] {
        [] => "Permissions of operations of aks-acr, not sufficient for any one of them.".to_owned(),
        names => format!("The permissions for these operations of aks-acr: {}.", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{IMPORT, READ_CONTENT, READ_GRANTS};

    #[test]
    fn a_role_names_the_operations_that_it_is_for() {
        let of = |operations: &[Operation]| {
            let role = custom_role_json("role", &required_rights(operations), &["/subscriptions/s"]);
            serde_json::from_str::<serde_json::Value>(&role).unwrap()["Description"].as_str().unwrap().to_owned()
        };
        let identities = of(&[Operation::Identities]);
        assert!(identities.starts_with("The permissions for these operations of aks-acr: identities"), "{identities}");
        assert!(!identities.contains("attach"), "{identities}");
        let attach = of(&[Operation::Attach]);
        assert!(attach.contains(" attach,") && attach.contains("plan_attach"), "{attach}");
        assert!(!attach.contains("import_image") && !attach.contains("create_cluster"), "{attach}");
        assert!(of(&[]).contains("not sufficient"));
    }

    #[test]
    fn a_right_is_read_back_as_one_that_an_operation_needs() {
        for right in required_rights(Operation::ALL) {
            let text = serde_json::to_string(&right).unwrap();
            let read: RequiredRight = serde_json::from_str(&text).unwrap();
            assert_eq!((read.action, read.why), (right.action, right.why));
            assert!(read.to_string().starts_with(right.action) && read.to_string().ends_with(right.why));
        }
        let other = r#"{"action":"*","is_data_action":false,"at":"registry","is_required":true,"why":"all"}"#;
        assert!(serde_json::from_str::<RequiredRight>(other).is_err());
    }

    #[test]
    fn a_right_that_one_operation_requires_is_required_and_named_once() {
        let both = required_rights(&[Operation::Attach, Operation::Detach]);
        let grants: Vec<_> = both.iter().filter(|right| right.action == READ_GRANTS).collect();
        assert_eq!(grants.len(), 1);
        assert!(grants[0].is_required);
    }

    #[test]
    fn a_right_is_found_by_what_a_role_has_of_it() {
        assert_eq!(RequiredRight::find(IMPORT, false).unwrap().at, RightScope::Registry);
        assert!(RequiredRight::find(IMPORT, true).is_err());
        assert!(RequiredRight::find("*", false).unwrap_err().to_string().contains("an operation needs"));
    }

    #[test]
    fn a_role_has_actions_on_data_in_a_list_of_their_own() {
        let role = custom_role_json("import", &required_rights(&[Operation::ImportImage]), &["/subscriptions/s"]);
        let role: serde_json::Value = serde_json::from_str(&role).unwrap();
        assert_eq!(role["DataActions"], json!([READ_CONTENT]));
        assert!(role["Actions"].as_array().unwrap().contains(&json!(IMPORT)));
        assert_eq!(role["AssignableScopes"], json!(["/subscriptions/s"]));
    }
}
