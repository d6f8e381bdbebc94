//! Resource groups: the default location of the resources in them.

use super::{Arm, ArmRequest};
use crate::{action::READ_GROUP, call::Call, error::Result, id::ResourceId};
use serde::Deserialize;

const API: &str = "2024-11-01";
/// The region of a resource's group.
pub(crate) async fn group_location(arm: &Arm, id: &ResourceId, call: &Call) -> Result<String> {
    Ok(arm.send(get_group(id), call).await?.read::<WireGroup>("a resource group")?.location)
}

fn get_group(id: &ResourceId) -> ArmRequest {
    let group = format!("{}/resourceGroups/{}", id.subscription().path(), id.group());
    ArmRequest::get(group.clone(), API).step("reading the resource group").needs(READ_GROUP, group)
}

#[derive(Deserialize)]
struct WireGroup {
    location: String,
}
