//! The scale sets of a cluster's node pools, which have the identities of the nodes.

use crate::{
    action::READ_SCALE_SETS,
    call::Call,
    error::Result,
    http::{Arm, ArmRequest},
    id::SubscriptionId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const API: &str = "2024-07-01";
/// The tag with which AKS names the pool of a scale set. See [Tags in AKS](https://learn.microsoft.com/azure/aks/use-tags).
const POOL: &str = "aks-managed-poolName";

/// The virtual machine scale set of a node pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeScaleSet {
    /// Its name.
    pub name: String,
    /// The node pool, by its tag.
    pub pool: Option<String>,
    /// Resource IDs of the managed identities that its machines have.
    pub identities: Vec<String>,
}

#[derive(Deserialize)]
struct WireSet {
    name: String,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    tags: BTreeMap<String, String>,
    identity: Option<WireIdentity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIdentity {
    user_assigned_identities: Option<BTreeMap<String, serde_json::Value>>,
}

impl WireSet {
    fn into_set(self) -> NodeScaleSet {
        let identities = self.identity.and_then(|identity| identity.user_assigned_identities).into_iter().flatten();
        let pool = self.tags.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(POOL));
        NodeScaleSet {
            name: self.name,
            pool: pool.map(|(_, pool)| pool),
            identities: identities.map(|(id, _)| id).collect(),
        }
    }
}

/// See [Virtual machine scale sets](https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/list).
pub(super) async fn list(
    arm: &Arm,
    subscription: SubscriptionId,
    group: &str,
    call: &Call,
) -> Result<Vec<NodeScaleSet>> {
    let scope = format!("/subscriptions/{subscription}/resourceGroups/{group}");
    let request = ArmRequest::get(format!("{scope}/providers/Microsoft.Compute/virtualMachineScaleSets"), API)
        .step("listing the scale sets of the node pools")
        .needs(READ_SCALE_SETS, &scope);
    arm.list(request, "a list of scale sets", call, |one: WireSet| Ok(Some(one.into_set()))).await
}
