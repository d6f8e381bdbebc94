//! The api-versions that each type of resource is known in, and Azure's complaint about any other.

use http::StatusCode;

use crate::reply::{Reply, gateway_error};

const REGISTRIES: &[&str] = &[
    "2017-06-01-preview",
    "2017-10-01",
    "2019-05-01",
    "2019-12-01-preview",
    "2020-11-01-preview",
    "2021-06-01-preview",
    "2021-08-01-preview",
    "2021-09-01",
    "2021-12-01-preview",
    "2022-02-01-preview",
    "2022-12-01",
    "2023-01-01-preview",
    "2023-06-01-preview",
    "2023-07-01",
    "2023-08-01-preview",
    "2023-11-01-preview",
    "2024-11-01-preview",
    "2025-03-01-preview",
    "2025-04-01",
    "2025-05-01-preview",
    "2025-06-01-preview",
    "2025-11-01",
    "2026-01-01-preview",
    "2026-03-01-preview",
    "2026-09-01-preview",
];

const IDENTITIES: &[&str] = &[
    "2015-08-31-preview",
    "2018-11-30",
    "2021-09-30-preview",
    "2022-01-31-preview",
    "2023-01-31",
    "2023-07-31-preview",
    "2024-11-30",
    "2025-01-31-preview",
    "2025-05-31-preview",
];

const ASSIGNMENTS: &[&str] = &[
    "2014-10-01-preview",
    "2015-07-01",
    "2017-10-01-preview",
    "2018-01-01-preview",
    "2018-09-01-preview",
    "2020-03-01-preview",
    "2020-04-01-preview",
    "2020-08-01-preview",
    "2020-10-01-preview",
    "2021-04-01-preview",
    "2022-04-01",
];

const DEFINITIONS: &[&str] = &["2015-07-01", "2018-01-01-preview", "2018-07-01", "2022-04-01", "2022-05-01-preview"];

const ELIGIBILITY: &[&str] = &["2020-10-01-preview", "2020-10-01"];

const DENIALS: &[&str] = &["2018-07-01-preview", "2022-04-01", "2024-07-01-preview"];

const QUERIES: &[&str] = &[
    "2018-09-01-preview",
    "2019-04-01",
    "2020-04-01-preview",
    "2021-03-01",
    "2021-06-01-preview",
    "2022-10-01",
    "2024-04-01",
];

/// Of the network's types: those of the last years.
const NETWORK: &[&str] = &[
    "2022-01-01",
    "2022-05-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
    "2023-02-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
];

const SETTINGS: &[&str] = &["2016-09-01", "2017-05-01-preview", "2021-05-01-preview"];

const LOGS: &[&str] = &["2018-03-01-preview", "2018-08-01-preview"];

const WORKSPACES: &[&str] = &["2020-08-01", "2022-10-01", "2023-09-01"];

const LOCKS: &[&str] = &["2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"];

/// Subscriptions, groups, resources, providers: what Resource Manager itself answers.
const MANAGER: &[&str] = &[
    "2014-04-01",
    "2015-01-01",
    "2015-11-01",
    "2016-02-01",
    "2016-06-01",
    "2016-07-01",
    "2016-09-01",
    "2017-05-10",
    "2018-02-01",
    "2018-05-01",
    "2019-05-01",
    "2019-05-10",
    "2019-06-01",
    "2019-07-01",
    "2019-08-01",
    "2019-10-01",
    "2019-11-01",
    "2020-01-01",
    "2020-05-01",
    "2020-06-01",
    "2020-08-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2022-01-01",
    "2022-09-01",
    "2022-12-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
];

/// The versions of clusters before there was about one a month.
const CLUSTERS: &[&str] = &[
    "2019-02-01",
    "2019-08-01",
    "2019-11-01",
    "2020-03-01",
    "2020-09-01",
    "2021-02-01",
    "2021-05-01",
    "2021-08-01",
    "2021-10-01",
    "2022-01-01",
    "2022-04-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
];

/// The same with those of every month, stable and preview. A month that Azure really left out cannot be recognized.
fn clusters() -> Vec<String> {
    let first = CLUSTERS.iter().map(|version| (*version).to_owned());
    let months = (2023..=2026).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let months = months.filter(|month| *month <= (2026, 8));
    let later =
        months.flat_map(|(year, month)| [format!("{year}-{month:02}-01"), format!("{year}-{month:02}-02-preview")]);
    first.chain(later).collect()
}

/// What a path is about: its namespace, its type, and the versions of that.
fn known(lower: &[&str]) -> Option<(&'static str, &'static str, Vec<String>)> {
    let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
    let at = lower.iter().rposition(|part| *part == "providers");
    let pair = at.and_then(|at| Some((*lower.get(at + 1)?, lower.get(at + 2).copied().unwrap_or_default())));
    Some(match pair {
        Some(("microsoft.containerregistry", "registries" | "checknameavailability")) => {
            ("Microsoft.ContainerRegistry", "registries", owned(REGISTRIES))
        }
        Some(("microsoft.containerservice", "managedclusters")) => {
            ("Microsoft.ContainerService", "managedClusters", clusters())
        }
        Some(("microsoft.managedidentity", "userassignedidentities")) => {
            ("Microsoft.ManagedIdentity", "userAssignedIdentities", owned(IDENTITIES))
        }
        Some(("microsoft.authorization", "roleassignments")) => {
            ("Microsoft.Authorization", "roleAssignments", owned(ASSIGNMENTS))
        }
        Some(("microsoft.authorization", "denyassignments")) => {
            ("Microsoft.Authorization", "denyAssignments", owned(DENIALS))
        }
        Some(("microsoft.authorization", "roleeligibilityscheduleinstances")) => {
            ("Microsoft.Authorization", "roleEligibilityScheduleInstances", owned(ELIGIBILITY))
        }
        Some(("microsoft.resourcegraph", "resources")) => ("Microsoft.ResourceGraph", "resources", owned(QUERIES)),
        Some(("microsoft.insights", "diagnosticsettings")) => {
            ("Microsoft.Insights", "diagnosticSettings", owned(SETTINGS))
        }
        Some(("microsoft.insights", "logs")) => ("Microsoft.Insights", "logs", owned(LOGS)),
        Some(("microsoft.operationalinsights", "workspaces")) => {
            ("Microsoft.OperationalInsights", "workspaces", owned(WORKSPACES))
        }
        Some(("microsoft.network", "publicipaddresses")) => ("Microsoft.Network", "publicIPAddresses", owned(NETWORK)),
        Some(("microsoft.authorization", "roledefinitions")) => {
            ("Microsoft.Authorization", "roleDefinitions", owned(DEFINITIONS))
        }
        Some(("microsoft.authorization", "locks")) => ("Microsoft.Authorization", "locks", owned(LOCKS)),
        Some((_, "" | "register")) | None => ("", "", owned(MANAGER)),
        // Among them the addresses of operations, which carry whatever version the provider put into them.
        Some(_) => return None,
    })
}

/// Azure's complaint about a version that what is asked for does not have.
pub(super) fn complaint(path: &str, version: &str) -> Option<Reply> {
    let lower = path.to_ascii_lowercase();
    let segments: Vec<&str> = lower.split('/').skip(1).collect();
    let (namespace, kind, versions) = known(&segments)?;
    if versions.iter().any(|known| known.eq_ignore_ascii_case(version)) {
        return None;
    }
    let list = versions.join(",");
    let (code, message) = if namespace.is_empty() {
        let message = format!("The api-version '{version}' is invalid. The supported versions are '{list}'.");
        ("InvalidApiVersionParameter", message)
    } else {
        let message = format!(
            "The resource type '{kind}' could not be found in the namespace '{namespace}' for api version '{version}'. \
             The supported api-versions are '{list}'."
        );
        ("InvalidResourceType", message)
    };
    Some(gateway_error(StatusCode::BAD_REQUEST, code, &message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_of_what_is_asked_for() {
        let cluster = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
        assert!(complaint(cluster, "2026-06-01").is_none());
        assert!(complaint(cluster, "2025-09-02-preview").is_none());
        assert!(complaint(cluster, "2099-01-01").is_some());
        let roles = format!("{cluster}/providers/Microsoft.Authorization/roleAssignments");
        assert!(complaint(&roles, "2022-04-01").is_none());
        assert!(complaint(&roles, "2026-06-01").is_some());
        assert!(complaint("/subscriptions/s/resourcegroups/g", "2024-11-01").is_none());
        assert!(complaint("/subscriptions", "tomorrow").is_some());
    }
}
