//! The table of `docs/rights.md`: each operation works with exactly those rights, each at the scope that is named, and without any of
//! them fails and names it.

use crate::client;
use aks_acr::{
    ApplyOptions, CallOptions, Client, ClusterRef, Error, ErrorKind, Manifest, Operation, RefusalKind, RegistryRef,
    RequiredRight, RightScope, RolePermissions, RolloutOptions, WorkloadRef, custom_role_json, required_rights,
};
use aks_acr_emulator::Emulator;
use aks_acr_tests::{folder::Folder, operate};
use serde_json::Value;
use std::fmt::Write as _;

const DEPLOYMENT: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 1, \
    selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, \
    spec: {containers: [{name: web, image: nginx}]}}}}";

/// Calls an operation; `owner` does what must exist before.
pub async fn call(
    client: &Client,
    owner: &Client,
    operation: Operation,
    registry: &RegistryRef,
) -> Result<Value, Error> {
    let (folder, registry, target) = (Folder::new(), registry.to_string(), format!("nginx:{operation}"));
    let scene = operate::Scene {
        cluster: "group/dev",
        registry: &registry,
        manifests: DEPLOYMENT,
        folder: folder.path(),
        target: Some(&target),
    };
    let arguments = scene.prepared(owner, operation).await.unwrap_or_else(|err| panic!("before {operation}: {err:#}"));
    operate::operate(client, operation, arguments, CallOptions::default()).await
}

fn id_of(azure: &Emulator, at: RightScope) -> String {
    let subscription = format!("/subscriptions/{}", azure.subscription());
    match at {
        RightScope::Cluster => azure.cluster_id("group", "dev"),
        RightScope::Registry => azure.registry_id("group", "myregistry"),
        RightScope::ResourceGroup => format!("{subscription}/resourceGroups/group"),
        RightScope::Subscription => subscription,
        other => panic!("{other}: say here where that is"),
    }
}

/// The operation as a caller who has these rights, each at its own scope, and no other.
async fn run(operation: Operation, rights: &[RequiredRight]) -> Result<(), Error> {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let azure = azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]).with_caller("caller", &[]);
    if matches!(operation, Operation::Detach | Operation::PlanDetach | Operation::ApplyDetach) {
        let registry = id_of(&azure, RightScope::Registry);
        azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &registry);
    }
    let azure = with_rights(azure, rights);
    let registry = azure.registry_id("group", "myregistry").parse().unwrap();
    let owner = client(&azure, azure.credential());
    call(&client(&azure, azure.credential_of("caller")), &owner, operation, &registry).await.map(drop)
}

/// Gives the caller these rights, each at its own scope.
fn with_rights(mut azure: Emulator, rights: &[RequiredRight]) -> Emulator {
    let caller = azure.object_id_of("caller");
    for (number, right) in rights.iter().enumerate() {
        let (name, action) = (format!("right {number}"), [right.action]);
        let (actions, data): (&[&str], &[&str]) = if right.is_data_action { (&[], &action) } else { (&action, &[]) };
        azure = azure.with_custom_role(&name, actions, data);
        azure.grant(&name, &caller, &id_of(&azure, right.at));
    }
    azure
}

/// A client of a caller that has these rights and no other, in a scene with a pushed image that no node may pull.
fn ungranted(rights: &[RequiredRight]) -> (Emulator, Client) {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    azure.push_image("myregistry.azurecr.io/web:1", &["linux/amd64"]);
    let azure = with_rights(azure.with_caller("caller", &[]), rights);
    let caller = client(&azure, azure.credential_of("caller"));
    (azure, caller)
}

#[tokio::test(start_paused = true)]
async fn to_apply_with_a_registry_it_has_to_be_read() {
    let rights = required_rights(&[Operation::Apply]);
    let required: Vec<RequiredRight> = rights.iter().copied().filter(|right| right.is_required).collect();
    for (rights, works) in [(&rights, true), (&required, false)] {
        let (azure, caller) = ungranted(rights);
        let registry = azure.registry_id("group", "myregistry").parse().unwrap();
        let manifests = Manifest::parse_all(&DEPLOYMENT.replace("nginx", "<acr-name>.azurecr.io/web:1")).unwrap();
        let options = ApplyOptions::default().with_registry(registry);
        let applied = caller.apply(&ClusterRef::new("group", "dev").unwrap(), manifests, options).await;
        assert_eq!(applied.is_ok(), works);
        let missing = applied.err().and_then(|err| err.missing_action().map(str::to_owned));
        assert_eq!(missing.is_some_and(|action| action == "Microsoft.ContainerRegistry/registries/read"), !works);
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_of_what_is_useful_to_it_a_wait_for_rollout_waits_for_a_grant_that_is_missing() {
    let rights = required_rights(&[Operation::WaitForRollout]);
    // What nodes pull with matters only where a grant exists.
    let is_useful = |right: &RequiredRight| !right.is_required && !right.is_data_action;
    let useful: Vec<RequiredRight> = rights.iter().copied().filter(is_useful).collect();
    assert_eq!(useful.len(), 3);
    for missing in std::iter::once(None).chain(useful.iter().map(Some)) {
        let rights: Vec<RequiredRight> = rights.iter().copied().filter(|right| Some(right) != missing).collect();
        let (azure, caller) = ungranted(&rights);
        let cluster = ClusterRef::new("group", "dev").unwrap();
        let manifests = Manifest::parse_all(&DEPLOYMENT.replace("nginx", "myregistry.azurecr.io/web:1")).unwrap();
        client(&azure, azure.credential()).apply(&cluster, manifests, ApplyOptions::default()).await.unwrap();
        let begun = tokio::time::Instant::now();
        let err =
            caller.wait_for_rollout(&cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::PullFailed, "{err:#}");
        let is_told = err.context().any(|(name, _)| name == "missing grant");
        let is_waited_for = begun.elapsed() >= RolloutOptions::default().propagation_timeout;
        assert_eq!((is_told, is_waited_for), (missing.is_none(), missing.is_some()), "{missing:?}: {err:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_operation_works_with_what_it_requires_and_with_what_is_useful_besides() {
    for operation in Operation::ALL {
        let rights = required_rights(&[*operation]);
        let required: Vec<RequiredRight> = rights.iter().copied().filter(|right| right.is_required).collect();
        // A handle's link is signed, and asks for no right; a check reports what its caller may not read.
        let needs_none = matches!(operation, Operation::PollImport | Operation::Check);
        assert_eq!(required.is_empty(), needs_none, "{operation}");
        for rights in [&required, &rights] {
            run(*operation, rights).await.unwrap_or_else(|err| panic!("{operation}: {err:#}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_single_one_of_them_it_fails_and_names_it_with_its_scope() {
    let mut taken = 0;
    for operation in Operation::ALL {
        let rights = required_rights(&[*operation]);
        for missing in rights.iter().filter(|right| right.is_required) {
            let rest: Vec<RequiredRight> = rights.iter().copied().filter(|right| right != missing).collect();
            let err = run(*operation, &rest).await.expect_err(&format!("{operation} without {}", missing.action));
            assert_eq!((err.kind(), err.refusal()), (ErrorKind::Forbidden, Some(RefusalKind::MissingRight)), "{err:#}");
            assert_eq!(err.missing_action(), Some(missing.action), "{operation}: {err:#}");
            assert_eq!(err.smallest_role(), missing.smallest_role, "{operation}");
            taken += 1;
        }
    }
    assert!(taken >= 30, "{taken}");
}

#[tokio::test(start_paused = true)]
async fn the_smallest_role_of_each_right_has_it() {
    for right in required_rights(Operation::ALL) {
        let role = right.smallest_role.unwrap_or_else(|| panic!("{}: no role", right.action));
        let azure = Emulator::new().with_registry("group", "myregistry");
        let owner = client(&azure, azure.credential());
        let scope = azure.registry_id("group", "myregistry");
        let name = azure.grant(role, &azure.object_id_of("owner"), &id_of(&azure, RightScope::Registry));
        let granted = azure.role_assignments().into_iter().find(|one| one.name == name).unwrap();
        let role = granted.role_definition_guid.parse().unwrap();
        let call = CallOptions::default().start(std::time::Duration::from_secs(60));
        let definition = owner.role_assigner().definition(&scope, role, &call).await.unwrap();
        let blocks = definition.permissions.into_iter();
        let of_block = |one: RolePermissions| if right.is_data_action { one.data_actions } else { one.actions };
        let actions: Vec<String> = blocks.flat_map(of_block).collect();
        let has = |pattern: &String| {
            let (pattern, action) = (pattern.to_lowercase(), right.action.to_lowercase());
            match pattern.split_once('*') {
                Some((begin, end)) => action.starts_with(begin) && action.ends_with(end),
                None => pattern == action,
            }
        };
        assert!(actions.iter().any(has), "{} has not {}", definition.name, right.action);
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_role_for_all_that_is_required_does_all_of_it() {
    for operation in Operation::ALL {
        let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
        let azure = azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
        let everything = id_of(&azure, RightScope::Subscription);
        let role = custom_role_json("all", &required_rights(Operation::ALL), &[&everything]);
        let role: serde_json::Value = serde_json::from_str(&role).unwrap();
        let words = |list: &str| -> Vec<String> { serde_json::from_value(role[list].clone()).unwrap() };
        let (actions, data) = (words("Actions"), words("DataActions"));
        let borrowed = |words: &[String]| words.iter().map(|word| word.clone().leak() as &str).collect::<Vec<&str>>();
        let azure = azure.with_custom_role("all", &borrowed(&actions), &borrowed(&data));
        let azure = azure.with_caller("caller", &[("all", &everything)]);
        let registry = azure.registry_id("group", "myregistry").parse().unwrap();
        let (caller, owner) = (client(&azure, azure.credential_of("caller")), client(&azure, azure.credential()));
        call(&caller, &owner, *operation, &registry).await.unwrap_or_else(|err| panic!("{operation}: {err:#}"));
    }
}

/// A row for each right. Operations that need the same share their rows; they are named in the first one.
fn table() -> String {
    let mut groups: Vec<(Vec<String>, Vec<RequiredRight>)> = Vec::new();
    for operation in Operation::ALL {
        let (name, rights) = (format!("`{operation}`"), required_rights(&[*operation]));
        match groups.iter_mut().find(|(_, known)| *known == rights) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], rights)),
        }
    }
    let mut table =
        String::from("| operation | action | where | what for | smallest built-in role |\n|---|---|---|---|---|\n");
    for (names, rights) in groups {
        let mut names = names.join(", ");
        for right in rights {
            let kind = if right.is_data_action { " (data)" } else { "" };
            let need = if right.is_required || right.why.contains("optional") { "" } else { "optional: " };
            let (place, role) = (right.at.to_string().replace('_', " "), right.smallest_role.unwrap_or_default());
            writeln!(table, "| {names} | `{}`{kind} | {place} | {need}{} | {role} |", right.action, right.why).unwrap();
            names.clear();
        }
    }
    table
}

/// With `AKS_ACR_BLESS=1` the table is written into the page.
#[test]
fn the_page_of_rights_has_this_table() {
    let begin = "<!-- made, see CONTRIBUTING: what is below is not written by hand -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rights.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, shown) = page.split_once(begin).unwrap();
    if std::env::var_os("AKS_ACR_BLESS").is_some() {
        std::fs::write(path, format!("{before}{begin}\n{}", table())).unwrap();
    } else {
        assert_eq!(
            shown.trim(),
            table().trim(),
            "AKS_ACR_BLESS=1 cargo test -p aks-acr-tests --test promises the_page_of_rights"
        );
    }
}
