//! The page of supported versions: from the manifests, from the source of core, and from the requests that operations send.

use super::{measure::measure, root};
use aks_acr::Operation;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

const AFTER_A_FAILED_PULL: &str = "`wait_for_rollout` after a failed pull";

const PRIVATE: &str = "`check`, if the registry has private endpoints";

/// Each `api-version` of core: the file below `core/src`, the constant, the resource, and when it is used if no plain call shows it.
const SERVICES: &[(&str, &str, &str, &str)] = &[
    ("cluster/body.rs", "API", "Microsoft.ContainerService/managedClusters", ""),
    ("registry/lookup.rs", "API", "Microsoft.ContainerRegistry/registries", AFTER_A_FAILED_PULL),
    (
        "registry/create.rs",
        "LABEL_API",
        "Microsoft.ContainerRegistry/registries",
        "`create_registry` with `domain_name_label_scope`, which no stable version has",
    ),
    ("role/azure.rs", "API", "Microsoft.Authorization/roleAssignments", AFTER_A_FAILED_PULL),
    (
        "role/azure.rs",
        "API",
        "Microsoft.Authorization/roleDefinitions",
        "operations that read role assignments, if one has a role that is not built in",
    ),
    ("role/deny.rs", "API", "Microsoft.Authorization/denyAssignments", ""),
    (
        "role/eligible.rs",
        "API",
        "Microsoft.Authorization/roleEligibilityScheduleInstances",
        "error messages about a write that was refused for want of a role",
    ),
    (
        "inventory/address.rs",
        "API",
        "Microsoft.Network/publicIPAddresses",
        "`check`, if the registry's firewall admits some addresses only",
    ),
    ("inventory/network.rs", "API", "Microsoft.Network/virtualNetworks", PRIVATE),
    ("inventory/network.rs", "API", "Microsoft.Network/privateEndpoints", PRIVATE),
    (
        "inventory/network.rs",
        "API",
        "Microsoft.Network/natGateways",
        "`check`, if the nodes' subnet has its own NAT gateway",
    ),
    ("inventory/network.rs", "API", "Microsoft.Network/publicIPPrefixes", "`check`, if a NAT gateway has one"),
    ("inventory/network.rs", "DNS_API", "Microsoft.Network/privateDnsZones", PRIVATE),
    (
        "inventory/activity.rs",
        "API",
        "Microsoft.Insights/eventtypes/management/values",
        "`check` and `explain` with `changes`",
    ),
    (
        "inventory/registry_log.rs",
        "SETTINGS_API",
        "Microsoft.Insights/diagnosticSettings",
        "`check` and `explain` with `registry_logs`: there is no newer version",
    ),
    (
        "inventory/registry_log.rs",
        "API",
        "Microsoft.Insights/logs",
        "the same, if the registry sends its resource logs to a workspace: no stable version queries a resource's logs by Azure Resource Manager",
    ),
    (
        "inventory/resource_graph.rs",
        "API",
        "Microsoft.ResourceGraph/resources",
        "`check`, if the nodes' network is not linked to the DNS zone of the registry's private endpoint; `check` and `explain` with `changes`",
    ),
    (
        "inventory/scale_set.rs",
        "API",
        "Microsoft.Compute/virtualMachineScaleSets",
        "`check` with `kubernetes`, and `explain` of a node that pulls without credentials",
    ),
    (
        "inventory/account_pulls.rs",
        "PREVIEW",
        "Microsoft.ContainerService/managedClusters",
        "`check` with `kubernetes`, and `explain` of a pull that was refused: no stable version has the setting for pulls as service accounts",
    ),
    (
        "inventory/account_pulls.rs",
        "BINDINGS",
        "Microsoft.ContainerService/managedClusters",
        "the same, on clusters whose nodes pull as service accounts",
    ),
    ("identity/managed.rs", "API", "Microsoft.ManagedIdentity/userAssignedIdentities", ""),
    ("http/group.rs", "API", "resource groups", "error messages that name a missing resource group"),
    (
        "http/provider.rs",
        "API",
        "resource providers",
        "operations with `register_providers`, and error messages that name an unregistered provider",
    ),
    ("inventory/subscription.rs", "API", "subscriptions", AFTER_A_FAILED_PULL),
    (
        "inventory/usage.rs",
        "API",
        "Microsoft.Authorization/roleAssignmentsUsageMetrics",
        "`Inventory::usage`, which no operation calls yet",
    ),
];

/// The constants in a folder's source that are versions of Azure's interfaces.
fn constants(folder: &Path, found: &mut BTreeMap<(String, String), String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            constants(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let file = path.strip_prefix(root().join("core/src")).unwrap().to_str().unwrap().replace('\\', "/");
            for line in fs::read_to_string(&path).unwrap().lines() {
                let Some((name, rest)) = line.split_once("const ").and_then(|(_, rest)| rest.split_once(": &str = \""))
                else {
                    continue;
                };
                let value = rest.split('"').next().unwrap();
                let (date, _) = value.split_at_checked(10).unwrap_or((value, ""));
                let is_date = date.len() == 10 && date.bytes().filter(|byte| *byte == b'-').count() == 2;
                if is_date && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
                    found.insert((file.clone(), name.to_owned()), value.to_owned());
                }
            }
        }
    }
}

/// The type of the resource that a path of Resource Manager leads to.
fn resource(path: &str) -> String {
    match path.to_lowercase().rfind("/providers/").map(|at| &path[at + "/providers/".len()..]) {
        Some(rest) => match rest.split('/').collect::<Vec<_>>()[..] {
            [namespace, kind, ..] => format!("{namespace}/{kind}"),
            _ => "resource providers".to_owned(),
        },
        None if path.to_lowercase().contains("/resourcegroups/") => "resource groups".to_owned(),
        None => "subscriptions".to_owned(),
    }
}

/// The text after a key in a manifest, up to the next quote.
fn manifest(file: &str, key: &str) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let (_, rest) = text.split_once(key).unwrap_or_else(|| panic!("{file} has no {key}"));
    rest.split('"').next().unwrap().trim_start_matches(">=").to_owned()
}

pub async fn page() -> String {
    let mut found = BTreeMap::new();
    constants(&root().join("core/src"), &mut found);
    let listed: BTreeSet<_> =
        SERVICES.iter().map(|(file, name, ..)| ((*file).to_owned(), (*name).to_owned())).collect();
    assert_eq!(
        found.keys().cloned().collect::<BTreeSet<_>>(),
        listed,
        "the versions in core, and those that are listed here"
    );

    let mut used: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for operation in Operation::ALL {
        for (path, version) in measure(*operation).await.versions {
            // The address of an operation in progress comes from Azure, with its version.
            let kind = resource(&path);
            if kind.to_lowercase().ends_with("/locations") || path.to_lowercase().contains("operation") {
                continue;
            }
            let known = SERVICES.iter().any(|(file, name, resource, _)| {
                *resource == kind && found[&((*file).to_owned(), (*name).to_owned())] == version
            });
            assert!(known, "{operation}: {kind} by {version} is not listed");
            let operations = used.entry((kind, version)).or_default();
            let name = format!("`{operation}`");
            if !operations.contains(&name) {
                operations.push(name);
            }
        }
    }

    let mut page =
        String::from("## Languages\n\n| language | minimum version | support for a version ends |\n|---|---|---|\n");
    let rust = manifest("Cargo.toml", "rust-version = \"");
    let python = manifest("bindings-python/pyproject.toml", "requires-python = \"");
    let node = manifest("bindings-node/package.json", "\"node\": \"");
    writeln!(page, "| Rust | {rust} | when a minor version of this library raises the minimum |").unwrap();
    writeln!(page, "| Python | {python} | when python.org ends it |").unwrap();
    writeln!(page, "| Node | {node} | when nodejs.org ends it |").unwrap();

    page.push_str("\n## Platforms of the Python and Node packages\n\n| platform | state |\n|---|---|\n");
    let package: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(root().join("bindings-node/package.json")).unwrap()).unwrap();
    for target in package["napi"]["targets"].as_array().unwrap() {
        let target = target.as_str().unwrap();
        let state =
            if target == "x86_64-unknown-linux-gnu" { "verified: tested for each change" } else { "not verified yet" };
        writeln!(page, "| `{target}` | {state} |").unwrap();
    }

    page.push_str("\n## Azure\n\n| resource | `api-version` | used by |\n|---|---|---|\n");
    for (file, name, kind, besides) in SERVICES {
        let version = &found[&((*file).to_owned(), (*name).to_owned())];
        let mut by = used.get(&((*kind).to_owned(), version.clone())).cloned().unwrap_or_default();
        by.extend((!besides.is_empty()).then(|| (*besides).to_owned()));
        assert!(!by.is_empty(), "{file}: nothing uses {kind} by {version}");
        writeln!(page, "| {kind} | {version} | {} |", by.join(", ")).unwrap();
    }
    page.push_str("\nWhile an Azure operation is in progress, the library polls the address that Azure sent, with the `api-version` in that address.\n");
    page
}
