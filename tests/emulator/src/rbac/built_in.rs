//! The built-in roles that have to do with clusters and registries.
//!
//! The ids were checked against a real tenant. The actions are as published; those of the roles for Kubernetes objects
//! are reduced to what this Kubernetes has.

use super::Role;

/// Reading resource groups and assignments, which most narrow roles bring along.
const SURROUNDINGS: [&str; 4] = [
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
];

const REPOSITORY: &str = "Microsoft.ContainerRegistry/registries/repositories";
const CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";

pub(crate) fn roles() -> Vec<Role> {
    [general(), registry(), identity_and_network(), cluster(), kubernetes()].concat()
}

fn general() -> Vec<Role> {
    vec![
        role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", &["*"]),
        Role {
            not_actions: owned(&[
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action",
                "Microsoft.Blueprint/blueprintAssignments/write",
                "Microsoft.Blueprint/blueprintAssignments/delete",
                "Microsoft.Compute/galleries/share/action",
            ]),
            ..role("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", &["*"])
        },
        role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", &["*/read"]),
        role(
            "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
            "User Access Administrator",
            &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        ),
        role(
            "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
            "Role Based Access Control Administrator",
            &[
                "Microsoft.Authorization/roleAssignments/write",
                "Microsoft.Authorization/roleAssignments/delete",
                "*/read",
                "Microsoft.Support/*",
            ],
        ),
    ]
}

fn registry() -> Vec<Role> {
    let read = [format!("{REPOSITORY}/metadata/read"), format!("{REPOSITORY}/content/read")];
    let write = [format!("{REPOSITORY}/metadata/write"), format!("{REPOSITORY}/content/write")];
    let delete = [format!("{REPOSITORY}/metadata/delete"), format!("{REPOSITORY}/content/delete")];
    let data = |id, name, data_actions| Role { data_actions, ..role(id, name, &[]) };
    vec![
        role("7f951dda-4ed3-4680-a7ca-43fe172d538d", "AcrPull", &["Microsoft.ContainerRegistry/registries/pull/read"]),
        role(
            "8311e382-0749-4cb8-b61a-304f252e45ec",
            "AcrPush",
            &["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"],
        ),
        role(
            "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
            "AcrDelete",
            &["Microsoft.ContainerRegistry/registries/artifacts/delete"],
        ),
        data("b93aa761-3e63-49ed-ac28-beffa264f7ac", "Container Registry Repository Reader", read.to_vec()),
        data(
            "2a1e307c-b015-4ebd-883e-5b7698a07328",
            "Container Registry Repository Writer",
            [&read[..], &write[..]].concat(),
        ),
        data(
            "2efddaa5-3f1f-4df3-97df-af3f13818f4c",
            "Container Registry Repository Contributor",
            [&read[..], &write[..], &delete[..]].concat(),
        ),
        data(
            "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7",
            "Container Registry Repository Catalog Lister",
            owned(&["Microsoft.ContainerRegistry/registries/catalog/read"]),
        ),
        Role {
            data_actions: read.to_vec(),
            ..role(
                "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
                "Container Registry Data Importer and Data Reader",
                &[
                    "Microsoft.ContainerRegistry/registries/importImage/action",
                    "Microsoft.ContainerRegistry/registries/read",
                    "Microsoft.ContainerRegistry/registries/pull/read",
                ],
            )
        },
    ]
}

fn identity_and_network() -> Vec<Role> {
    let identity = "Microsoft.ManagedIdentity/userAssignedIdentities";
    vec![
        Role {
            // As it was recorded, in that order.
            actions: vec![
                format!("{identity}/*/read"),
                format!("{identity}/*/assign/action"),
                String::from("Microsoft.Authorization/*/read"),
                String::from("Microsoft.Insights/alertRules/*"),
                String::from("Microsoft.Resources/subscriptions/resourceGroups/read"),
                String::from("Microsoft.Resources/deployments/*"),
                String::from("Microsoft.Support/*"),
            ],
            ..role("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator", &[])
        },
        Role {
            actions: [
                owned(&SURROUNDINGS),
                ["read", "write", "delete"].map(|verb| format!("{identity}/{verb}")).to_vec(),
            ]
            .concat(),
            ..role("e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", "Managed Identity Contributor", &[])
        },
        Role {
            actions: [owned(&SURROUNDINGS), owned(&["Microsoft.Network/*"])].concat(),
            ..role("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor", &[])
        },
    ]
}

fn cluster() -> Vec<Role> {
    let of_cluster = |verbs: &[&str]| verbs.iter().map(|verb| format!("{CLUSTERS}/{verb}")).collect::<Vec<_>>();
    let with = |id, name, actions| Role { actions, ..role(id, name, &[]) };
    vec![
        with(
            "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
            "Azure Kubernetes Service Cluster Admin Role",
            of_cluster(&[
                "listClusterAdminCredential/action",
                "accessProfiles/listCredential/action",
                "read",
                "runcommand/action",
            ]),
        ),
        with(
            "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
            "Azure Kubernetes Service Cluster User Role",
            of_cluster(&["listClusterUserCredential/action", "read"]),
        ),
        with(
            "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
            "Azure Kubernetes Service Contributor Role",
            [
                of_cluster(&["*"]),
                owned(&[
                    "Microsoft.Authorization/*/read",
                    "Microsoft.ContainerService/locations/*",
                    "Microsoft.Resources/deployments/*",
                    "Microsoft.Resources/subscriptions/resourceGroups/read",
                ]),
            ]
            .concat(),
        ),
    ]
}

fn kubernetes() -> Vec<Role> {
    let actions = owned(&[
        "Microsoft.Authorization/*/read",
        "Microsoft.Resources/subscriptions/operationresults/read",
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
    ]);
    let with = |id, name: &str, data: &[&str], not: &[&str]| Role {
        // The two roles of administrators fetch the credential with which the others must be served.
        actions: if name.ends_with("Admin") {
            [&actions[..], &[format!("{CLUSTERS}/listClusterUserCredential/action")]].concat()
        } else {
            actions.clone()
        },
        data_actions: data.iter().map(|part| format!("{CLUSTERS}/{part}")).collect(),
        not_data_actions: not.iter().map(|part| format!("{CLUSTERS}/{part}")).collect(),
        ..role(id, name, &[])
    };
    let mut writer = vec!["namespaces/read", "resourcequotas/read", "limitranges/read"];
    let written = [
        "apps/deployments/*",
        "apps/replicasets/*",
        "apps/statefulsets/*",
        "apps/daemonsets/*",
        "batch/jobs/*",
        "batch/cronjobs/*",
        "configmaps/*",
        "endpoints/*",
        "events/*",
        "persistentvolumeclaims/*",
        "pods/*",
        "secrets/*",
        "serviceaccounts/*",
        "services/*",
    ];
    writer.extend(written);
    let reader = [
        "apps/deployments/read",
        "apps/replicasets/read",
        "apps/statefulsets/read",
        "apps/daemonsets/read",
        "batch/jobs/read",
        "batch/cronjobs/read",
        "configmaps/read",
        "endpoints/read",
        "events/read",
        "limitranges/read",
        "namespaces/read",
        "persistentvolumeclaims/read",
        "pods/read",
        "resourcequotas/read",
        "serviceaccounts/read",
        "services/read",
    ];
    vec![
        with("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", "Azure Kubernetes Service RBAC Cluster Admin", &["*"], &[]),
        with(
            "3498e952-d568-435e-9b2c-8d77e338d7f7",
            "Azure Kubernetes Service RBAC Admin",
            &["*"],
            &["resourcequotas/write", "resourcequotas/delete", "namespaces/write", "namespaces/delete"],
        ),
        with("a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb", "Azure Kubernetes Service RBAC Writer", &writer, &[]),
        with("7f6c6a51-bcf8-42ba-9220-52d62157d7db", "Azure Kubernetes Service RBAC Reader", &reader, &[]),
    ]
}

fn role(id: &str, name: &str, actions: &[&str]) -> Role {
    Role {
        id: id.to_owned(),
        name: name.to_owned(),
        description: format!("The built-in role {name}."),
        built_in: true,
        actions: owned(actions),
        ..Role::default()
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
