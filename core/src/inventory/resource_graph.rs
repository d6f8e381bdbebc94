//! Azure Resource Graph: an index of the resources of all subscriptions that the caller can read.

use crate::{
    action::READ_LINKS,
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest},
    id::ResourceId,
};
use serde::Deserialize;
use serde_json::json;

const API: &str = "2022-10-01";
/// A network is linked to at most one zone of a name. An index that lags may have a former link, too.
const MOST_ROWS: usize = 10;

/// The rows that a query returns. See [Resources](https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rows<T> {
    pub data: Vec<T>,
    result_truncated: String,
    #[serde(rename = "$skipToken")]
    skip_token: Option<String>,
}

impl<T> Rows<T> {
    /// Whether there are more rows than these.
    pub fn is_part(&self) -> bool {
        self.skip_token.is_some() || self.result_truncated.eq_ignore_ascii_case("true")
    }
}

#[derive(Deserialize)]
struct Row {
    id: String,
}

/// A query for at most this many rows.
pub(super) fn query(text: &str, most_rows: usize) -> ArmRequest {
    let options = json!({"$top": most_rows, "resultFormat": "objectArray"});
    ArmRequest::new(azure_core::http::Method::Post, "/providers/Microsoft.ResourceGraph/resources", API)
        .reads()
        .body(json!({"query": text, "options": options}))
}

/// A text in a query: see [string literals](https://learn.microsoft.com/kusto/query/scalar-data-types/string).
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// The private DNS zones of a name that a network is linked to, wherever they are. A query needs no other right than to read what it returns:
/// see [permissions](https://learn.microsoft.com/azure/governance/resource-graph/overview#permissions-in-azure-resource-graph) and
/// [Resources](https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources).
pub(super) async fn linked_zones(arm: &Arm, network: &ResourceId, name: &str, call: &Call) -> Result<Vec<ResourceId>> {
    let text = format!(
        "resources | where type =~ 'microsoft.network/privatednszones/virtualnetworklinks' \
         | where id contains {} and tostring(properties.virtualNetwork.id) =~ {} | project id | order by id asc",
        quoted(&format!("/privateDnsZones/{name}/")),
        quoted(network.as_str()),
    );
    let request = query(&text, MOST_ROWS)
        .step("searching for private DNS zones that are linked to the nodes' network")
        .needs(READ_LINKS, network.subscription().path());
    let rows: Rows<Row> = arm.send(request, call).await?.read("a result of Resource Graph")?;
    rows.data.iter().map(|row| zone_of(&row.id)).collect()
}

/// The zone that a link belongs to.
fn zone_of(link: &str) -> Result<ResourceId> {
    let at = link.to_ascii_lowercase().rfind("/virtualnetworklinks/");
    let Some(zone) = at.and_then(|at| link.get(..at)) else {
        let err =
            Error::new(ErrorKind::Unexpected, "Resource Graph returned an ID that is not of a virtual network link");
        return Err(err.with_context("id", link));
    };
    zone.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_where_it_ends() {
        assert_eq!(quoted("plain"), "'plain'");
        assert_eq!(quoted(r"it's \ here"), r"'it\'s \\ here'");
    }

    #[test]
    fn a_link_belongs_to_its_zone() {
        let zone = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/z";
        let link = format!("{zone}/virtualNetworkLinks/one");
        assert_eq!(zone_of(&link).map(|found| found.to_string()).ok().as_deref(), Some(zone));
        assert!(zone_of("odd").is_err());
    }
}
