//! Public IP addresses, of which nodes have one towards registries.

use crate::{
    action::READ_ADDRESS,
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest},
    id::ResourceId,
};
use serde::Deserialize;
use std::net::IpAddr;

const API: &str = "2024-05-01";

#[derive(Deserialize)]
struct WireAddress {
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    ip_address: Option<String>,
}

/// See [Public IP addresses](https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses/get).
pub(super) async fn read(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Option<IpAddr>> {
    let request =
        ArmRequest::get(id.as_str(), API).step("reading a public IP address").needs(READ_ADDRESS, id.as_str());
    let wire: WireAddress = arm.send(request, call).await?.read("a public IP address")?;
    let address = wire.properties.ip_address.map(|text| {
        text.parse().map_err(|_| {
            Error::new(ErrorKind::Unexpected, "Azure returned an IP address that could not be parsed")
                .with_context("public IP address", id.as_str())
        })
    });
    address.transpose()
}
