//! The rights that each operation needs, as data: for a table, a review, or a role that has exactly these.

use crate::{
    action::{
        ADMIN_CREDENTIAL, DELETE_GRANT, IMPORT, PULL, READ_CLUSTER, READ_CONTENT, READ_GRANTS, READ_GROUP,
        READ_PROVIDER, READ_REGISTRY, READ_ROLE, REGISTER_CLUSTERS, REGISTER_REGISTRIES, USER_CREDENTIAL,
        WRITE_CLUSTER, WRITE_GRANT, WRITE_REGISTRY, smallest_role,
    },
    error::{Error, Result, words},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::json;

/// An operation of [`Client`](crate::Client), by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Operation {
    Identities,
    Attach,
    PlanAttach,
    ApplyAttach,
    Detach,
    PlanDetach,
    ApplyDetach,
    AttachmentsOfCluster,
    AttachmentsOfRegistry,
    Registry,
    CreateRegistry,
    CreateCluster,
    ImportImage,
    ImportImages,
    StartImport,
    PollImport,
    Kubeconfig,
    MergeKubeconfig,
    Apply,
    RollOut,
    Pods,
}

words!(
    Operation, "operation":
    Identities => "identities",
    Attach => "attach",
    PlanAttach => "plan_attach",
    ApplyAttach => "apply_attach",
    Detach => "detach",
    PlanDetach => "plan_detach",
    ApplyDetach => "apply_detach",
    AttachmentsOfCluster => "attachments_of_cluster",
    AttachmentsOfRegistry => "attachments_of_registry",
    Registry => "registry",
    CreateRegistry => "create_registry",
    CreateCluster => "create_cluster",
    ImportImage => "import_image",
    ImportImages => "import_images",
    StartImport => "start_import",
    PollImport => "poll_import",
    Kubeconfig => "kubeconfig",
    MergeKubeconfig => "merge_kubeconfig",
    Apply => "apply",
    RollOut => "roll_out",
    Pods => "pods",
);

/// Where a right is needed. It is needed there only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RightScope {
    /// The cluster.
    Cluster,
    /// The registry. To read one that is given by its name or login server, its subscription.
    Registry,
    /// The resource group that something is made in.
    ResourceGroup,
    /// Each subscription that is looked in.
    Subscription,
}

words!(
    RightScope, "scope":
    Cluster => "cluster",
    Registry => "registry",
    ResourceGroup => "resource_group",
    Subscription => "subscription",
);

/// A right that an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct RequiredRight {
    /// The action, such as `Microsoft.Authorization/roleAssignments/write`.
    pub action: &'static str,
    /// Whether it is an action on data, which stands in a list of its own in a role.
    pub is_data_action: bool,
    /// Where it is needed.
    pub at: RightScope,
    /// `false`: the operation works without it, and `why` says what is lost, or when it is needed.
    pub is_required: bool,
    /// What it is needed for.
    pub why: &'static str,
    /// The smallest built-in role that has it, where one is known.
    pub smallest_role: Option<&'static str>,
}

impl RequiredRight {
    /// Finds a right that some operation needs by what a stored role has of it: for who wrote rights down and read them back.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if no operation needs it.
    pub fn find(action: &str, is_data_action: bool) -> Result<Self> {
        let is_same = |right: &Self| right.action == action && right.is_data_action == is_data_action;
        let found = required_rights(Operation::ALL).into_iter().find(is_same);
        found.ok_or_else(|| Error::invalid("wanted a right that some operation needs", "right", action))
    }
}

/// Read back, it is one of those that operations need.
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
        all.find(is_same).ok_or_else(|| D::Error::custom("wanted a right that some operation needs"))
    }
}

const fn needed(action: &'static str, at: RightScope, why: &'static str) -> RequiredRight {
    RequiredRight { action, is_data_action: false, at, is_required: true, why, smallest_role: None }
}

const fn useful(action: &'static str, at: RightScope, why: &'static str) -> RequiredRight {
    RequiredRight { is_required: false, ..needed(action, at, why) }
}

const READ_THE_CLUSTER: RequiredRight = needed(READ_CLUSTER, RightScope::Cluster, "to learn which identity pulls");
const READ_THE_REGISTRY: RequiredRight =
    needed(READ_REGISTRY, RightScope::Registry, "to learn its id, login server and mode");
const LIST_GRANTS: RequiredRight = useful(
    READ_GRANTS,
    RightScope::Registry,
    "to see what is there; required where permissions are on repositories, since a condition could be lost",
);
const SEE_GRANTS: RequiredRight = needed(READ_GRANTS, RightScope::Registry, "to see which grants there are");
const TELL_REMAINING: RequiredRight =
    useful(READ_REGISTRY, RightScope::Registry, "to tell for certain what still gives access; required by name");
const READ_ROLES: RequiredRight =
    useful(READ_ROLE, RightScope::Registry, "to tell whether a role that is not built in gives pull");
const LEARN_LOCATION: RequiredRight =
    needed(READ_GROUP, RightScope::ResourceGroup, "to learn the location, where none is given");
const TALK: RequiredRight = needed(
    USER_CREDENTIAL,
    RightScope::Cluster,
    "to reach its API; on clusters with Entra, rights inside Kubernetes come on top",
);

fn of(operation: Operation) -> Vec<RequiredRight> {
    use Operation as Of;
    use RightScope::{Cluster, Registry, ResourceGroup, Subscription};
    match operation {
        Of::Identities => vec![needed(READ_CLUSTER, Cluster, "to read the cluster")],
        Of::PlanAttach => vec![READ_THE_CLUSTER, READ_THE_REGISTRY, LIST_GRANTS],
        Of::Attach | Of::ApplyAttach => {
            let write = needed(WRITE_GRANT, Registry, "to make the grant, where it is not there");
            vec![READ_THE_CLUSTER, READ_THE_REGISTRY, write, LIST_GRANTS]
        }
        Of::PlanDetach => vec![READ_THE_CLUSTER, SEE_GRANTS, TELL_REMAINING, READ_ROLES],
        Of::Detach | Of::ApplyDetach => {
            let delete = needed(DELETE_GRANT, Registry, "to remove the grant, where there is one");
            vec![READ_THE_CLUSTER, SEE_GRANTS, delete, TELL_REMAINING, READ_ROLES]
        }
        Of::AttachmentsOfCluster => vec![
            READ_THE_CLUSTER,
            needed(READ_GRANTS, Subscription, "to see what the identity was granted"),
            useful(READ_REGISTRY, Subscription, "to find the registries that an inherited grant reaches"),
            READ_ROLES,
        ],
        Of::AttachmentsOfRegistry => vec![
            READ_THE_REGISTRY,
            SEE_GRANTS,
            useful(READ_CLUSTER, Subscription, "to tell which cluster's a grant is"),
            READ_ROLES,
        ],
        Of::Registry => vec![READ_THE_REGISTRY],
        Of::CreateRegistry => vec![
            needed(READ_REGISTRY, ResourceGroup, "to see whether it is there, and when it is done"),
            needed(WRITE_REGISTRY, ResourceGroup, "to make it"),
            LEARN_LOCATION,
            useful(REGISTER_REGISTRIES, Subscription, "to register the resource provider, on request"),
            useful(READ_PROVIDER, Subscription, "to see when it is registered"),
        ],
        Of::CreateCluster => vec![
            needed(READ_CLUSTER, ResourceGroup, "to see whether it is there, and when it is done"),
            needed(WRITE_CLUSTER, ResourceGroup, "to make it"),
            LEARN_LOCATION,
            RequiredRight { why: "to attach a registry", ..READ_THE_REGISTRY },
            needed(WRITE_GRANT, Registry, "to make the grant, where it is not there"),
            LIST_GRANTS,
            useful(REGISTER_CLUSTERS, Subscription, "to register the resource provider, on request"),
            useful(READ_PROVIDER, Subscription, "to see when it is registered"),
        ],
        Of::ImportImage | Of::ImportImages | Of::StartImport => vec![
            READ_THE_REGISTRY,
            needed(IMPORT, Registry, "to import"),
            RequiredRight {
                smallest_role: Some("AcrPull"),
                ..useful(PULL, Registry, "to compare digests; without it the import is unproven")
            },
            RequiredRight {
                is_data_action: true,
                smallest_role: Some("Container Registry Repository Reader"),
                ..useful(READ_CONTENT, Registry, "the same where permissions are on repositories")
            },
        ],
        // The link is signed: whoever has the handle may follow it.
        Of::PollImport => vec![
            RequiredRight {
                smallest_role: Some("AcrPull"),
                ..useful(PULL, Registry, "to tell a tag that another import has brought from one that is taken")
            },
            RequiredRight {
                is_data_action: true,
                smallest_role: Some("Container Registry Repository Reader"),
                ..useful(READ_CONTENT, Registry, "the same where permissions are on repositories")
            },
        ],
        Of::Kubeconfig | Of::MergeKubeconfig => vec![
            needed(USER_CREDENTIAL, Cluster, "to get the users' kubeconfig"),
            useful(ADMIN_CREDENTIAL, Cluster, "to get the administrator's in its place"),
        ],
        Of::Apply => {
            let read = "to learn the login server, where a registry is given whose images the manifests name";
            vec![TALK, useful(READ_REGISTRY, Registry, read)]
        }
        // Without any one of these a refusal by the registry is taken for a grant that is not effective yet.
        Of::RollOut => vec![
            TALK,
            useful(READ_CLUSTER, Cluster, "to end at once where a grant is missing, which is waited for otherwise"),
            useful(READ_REGISTRY, Subscription, "the same: images name their registry by its login server"),
            useful(READ_GRANTS, Registry, "the same: to see which grants there are"),
        ],
        Of::Pods => vec![TALK],
    }
}

/// The rights that these operations need, each once. What is required by one of them is required.
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
    for right in operations.iter().flat_map(|operation| of(*operation)) {
        let right = RequiredRight { smallest_role: right.smallest_role.or(smallest_role(right.action)), ..right };
        match rights.iter_mut().find(|known| (known.action, known.at) == (right.action, right.at)) {
            Some(known) if right.is_required && !known.is_required => *known = right,
            Some(_) => {}
            None => rights.push(right),
        }
    }
    rights
}

/// A custom role that has exactly these rights, as `az role definition create --role-definition @file` reads it. Those that are not
/// required are in it too: leave out of `rights` what you do not want.
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

/// The operations that a role with these rights lets run: those whose required rights it has.
fn description(rights: &[RequiredRight]) -> String {
    let has = |wanted: &RequiredRight| rights.iter().any(|right| right.action == wanted.action);
    let runs = |operation: &Operation| {
        let mut wanted = required_rights(&[*operation]).into_iter().filter(|right| right.is_required).peekable();
        wanted.peek().is_some() && wanted.all(|right| has(&right))
    };
    let names: Vec<&str> = Operation::ALL.iter().filter(|one| runs(one)).map(|one| one.as_str()).collect();
    match &names[..] {
        [] => "Some of the rights that operations of aks-acr need, not enough for one of them.".to_owned(),
        names => format!("The rights for these operations of aks-acr: {}.", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_names_the_operations_that_it_is_for() {
        let of = |operations: &[Operation]| {
            let role = custom_role_json("role", &required_rights(operations), &["/subscriptions/s"]);
            serde_json::from_str::<serde_json::Value>(&role).unwrap()["Description"].as_str().unwrap().to_owned()
        };
        assert_eq!(of(&[Operation::Identities]), "The rights for these operations of aks-acr: identities.");
        let attach = of(&[Operation::Attach]);
        assert!(attach.contains(" attach,") && attach.contains("plan_attach"), "{attach}");
        assert!(!attach.contains("import_image") && !attach.contains("create_cluster"), "{attach}");
        assert!(of(&[]).contains("not enough"));
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
        assert!(RequiredRight::find("*", false).unwrap_err().to_string().contains("some operation needs"));
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
