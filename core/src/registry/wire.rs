//! A registry in Azure Resource Manager's format.

use super::{
    Registry,
    settings::{PrivateEndpointConnection, RegistrySettings},
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::ImageReference,
    role::RoleAssignmentMode,
    stored_time,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeMap, time::SystemTime};

#[derive(Deserialize)]
pub(super) struct WireRegistry {
    id: String,
    location: Option<String>,
    /// The tier does not affect any operation on it.
    sku: Option<WireSku>,
    /// They affect no operation on it either.
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    tags: BTreeMap<String, String>,
    #[serde(default, rename = "systemData", deserialize_with = "crate::lenient::or_default")]
    system: WireSystemData,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    properties: WireProperties,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireSystemData {
    #[serde(deserialize_with = "crate::lenient::word")]
    created_at: Option<String>,
    #[serde(deserialize_with = "crate::lenient::word")]
    last_modified_at: Option<String>,
}

#[derive(Deserialize)]
struct WireSku {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireProperties {
    login_server: Option<String>,
    role_assignment_mode: Option<String>,
    #[serde(deserialize_with = "crate::lenient::word")]
    provisioning_state: Option<String>,
    #[serde(deserialize_with = "crate::lenient::word")]
    creation_date: Option<String>,
    admin_user_enabled: Option<bool>,
    anonymous_pull_enabled: Option<bool>,
    data_endpoint_enabled: Option<bool>,
    #[serde(deserialize_with = "crate::lenient::word")]
    public_network_access: Option<String>,
    network_rule_set: Option<Value>,
    encryption: Option<Value>,
    private_endpoint_connections: Option<Value>,
    data_endpoint_host_names: Option<Value>,
    policies: Option<Value>,
}

impl WireRegistry {
    pub fn state(&self) -> &str {
        self.properties.provisioning_state.as_deref().unwrap_or_default()
    }

    /// Whether it is created, and has its final host.
    pub fn is_complete(&self) -> bool {
        self.state().eq_ignore_ascii_case("succeeded") && self.has_host()
    }

    /// Whether it has a login server; while it is being created, it may have none.
    pub fn has_host(&self) -> bool {
        self.properties.login_server.is_some()
    }

    pub fn location(&self) -> &str {
        self.location.as_deref().unwrap_or_default()
    }

    pub fn sku(&self) -> &str {
        self.sku.as_ref().and_then(|sku| sku.name.as_deref()).unwrap_or_default()
    }

    /// The mode as the service names it; the default mode if it names none.
    pub fn mode_word(&self) -> &str {
        self.properties.role_assignment_mode.as_deref().unwrap_or(RoleAssignmentMode::default().as_str())
    }

    /// When it was created. Older API versions return it in the properties only; recordings with both have the same time in both.
    pub fn created(&self) -> Option<SystemTime> {
        let times = [self.system.created_at.as_deref(), self.properties.creation_date.as_deref()];
        times.into_iter().flatten().find_map(stored_time::parse)
    }

    /// Its name, taken from the ID: a list of another API version may leave the name out.
    fn name(&self) -> &str {
        self.id.rsplit_once('/').map_or(&self.id, |(_, name)| name)
    }

    /// Whether the login server has a label after the registry's name.
    pub fn has_domain_label(&self) -> bool {
        let host = self.properties.login_server.as_deref().unwrap_or_default();
        let first = host.split('.').next().unwrap_or_default();
        !first.is_empty() && !first.eq_ignore_ascii_case(self.name())
    }

    /// Whether the admin user, which has full access with a password, is enabled.
    pub fn has_admin_user(&self) -> bool {
        self.properties.admin_user_enabled.unwrap_or_default()
    }

    /// Whether anonymous pull is on.
    pub fn has_anonymous_pull(&self) -> bool {
        self.properties.anonymous_pull_enabled.unwrap_or_default()
    }

    /// The registry with its network settings. A setting of an unexpected type is an error: it may be the one that keeps nodes out.
    pub fn into_settings(mut self) -> Result<RegistrySettings> {
        let rules = read_part::<WireRules>("networkRuleSet", self.properties.network_rule_set.take())?;
        let connections = read_part::<Vec<WireConnection>>(
            "privateEndpointConnections",
            self.properties.private_endpoint_connections.take(),
        )?;
        let data_hosts =
            read_part::<Vec<String>>("dataEndpointHostNames", self.properties.data_endpoint_host_names.take())?;
        let public_network_access = self.properties.public_network_access.take();
        let anonymous_pull = self.has_anonymous_pull();
        let (admin_user, data_endpoint) = (self.properties.admin_user_enabled, self.properties.data_endpoint_enabled);
        let rules = rules.unwrap_or_default();
        let policies = read_part::<WirePolicies>("policies", self.properties.policies.take())?.unwrap_or_default();
        let encryption = read_part::<WirePolicy>("encryption", self.properties.encryption.take())?;
        let updated = self.system.last_modified_at.as_deref().and_then(stored_time::parse);
        Ok(RegistrySettings {
            public_network_access,
            default_action: rules.default_action,
            allowed_addresses: rules.ip_rules.unwrap_or_default().into_iter().map(|rule| rule.value).collect(),
            private_endpoints: connections
                .unwrap_or_default()
                .into_iter()
                .map(WireConnection::into_connection)
                .collect(),
            anonymous_pull,
            admin_user,
            data_endpoint,
            data_hosts: data_hosts.into_iter().flatten().map(|host| host.to_ascii_lowercase()).collect(),
            soft_delete: policies.soft_delete_policy.and_then(WirePolicy::into_switch),
            quarantine: policies.quarantine_policy.and_then(WirePolicy::into_switch),
            updated,
            arm_tokens: policies.arm_tokens.and_then(WirePolicy::into_switch),
            customer_managed_key: encryption.and_then(WirePolicy::into_switch),
            registry: self.into_registry()?,
        })
    }

    pub fn into_registry(self) -> Result<Registry> {
        let no_host = || {
            Error::new(ErrorKind::Unexpected, "the registry has no login server yet")
                .with_context("registry", self.name())
        };
        let login_server = self.properties.login_server.as_deref().map(str::to_ascii_lowercase).ok_or_else(no_host)?;
        // Tokens are shown there, and images are named after it.
        if !ImageReference::is_registry(&login_server) {
            return Err(Error::new(ErrorKind::Unexpected, "the registry's login server is not a valid host name")
                .with_context("registry", self.name())
                .with_context("loginServer", login_server));
        }
        let (location, sku, created) = (self.location().to_owned(), self.sku().to_owned(), self.created());
        Ok(Registry {
            id: self.id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?,
            login_server,
            location,
            sku,
            mode: mode(self.properties.role_assignment_mode.as_deref())?,
            state: self.properties.provisioning_state.unwrap_or_default(),
            created,
            tags: self.tags,
        })
    }
}

fn read_part<T: DeserializeOwned>(field: &'static str, value: Option<Value>) -> Result<Option<T>> {
    // The reader's own words may quote the answer.
    value.map(serde_json::from_value).transpose().map_err(|_| {
        Error::new(ErrorKind::Unexpected, "Azure's response about the registry has a field of an unexpected type")
            .with_context("field", format!("properties.{field}"))
    })
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireRules {
    default_action: Option<String>,
    ip_rules: Option<Vec<WireRule>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WirePolicies {
    soft_delete_policy: Option<WirePolicy>,
    quarantine_policy: Option<WirePolicy>,
    #[serde(rename = "azureADAuthenticationAsArmPolicy")]
    arm_tokens: Option<WirePolicy>,
}

#[derive(Deserialize)]
struct WirePolicy {
    #[serde(default, deserialize_with = "crate::lenient::word")]
    status: Option<String>,
}

impl WirePolicy {
    /// `None` if Azure does not report it.
    fn into_switch(self) -> Option<bool> {
        self.status.map(|status| status.eq_ignore_ascii_case("enabled"))
    }
}

#[derive(Deserialize)]
struct WireRule {
    value: String,
}

#[derive(Deserialize)]
struct WireConnection {
    name: Option<String>,
    properties: WireConnectionProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireConnectionProperties {
    private_link_service_connection_state: WireConnectionState,
    private_endpoint: Option<WireEndpoint>,
}

#[derive(Deserialize)]
struct WireEndpoint {
    id: Option<String>,
}

#[derive(Deserialize)]
struct WireConnectionState {
    status: String,
}

impl WireConnection {
    fn into_connection(self) -> PrivateEndpointConnection {
        PrivateEndpointConnection {
            name: self.name.unwrap_or_default(),
            status: self.properties.private_link_service_connection_state.status,
            // An ID in a form that is not known here names no endpoint that could be read.
            endpoint: self.properties.private_endpoint.and_then(|one| one.id?.parse().ok()),
        }
    }
}

/// The requested registry of a list.
#[derive(Clone, Copy)]
pub(super) enum Requested<'a> {
    Name(&'a str),
    LoginServer(&'a str),
}

/// A search among the items of a list, before they are parsed. The first match counts.
pub(super) struct Search<'a> {
    wanted: Requested<'a>,
    found: Option<Value>,
    /// An item without a login server whose name matches the requested one.
    may_be: Option<Value>,
    has_nameless: bool,
}

impl<'a> Search<'a> {
    pub fn new(wanted: Requested<'a>) -> Self {
        Self { wanted, found: None, may_be: None, has_nameless: false }
    }

    /// Takes the next item, and returns how many bytes of it are kept: at most two items are.
    pub fn take(&mut self, item: Value) -> usize {
        self.has_nameless |= name_of(&item).is_none();
        let has_name = |wanted: &str| name_of(&item).is_some_and(|mine| mine.eq_ignore_ascii_case(wanted));
        let place = match self.wanted {
            Requested::Name(name) => has_name(name).then_some(&mut self.found),
            Requested::LoginServer(host) => match item["properties"]["loginServer"].as_str() {
                Some(mine) => mine.eq_ignore_ascii_case(host).then_some(&mut self.found),
                None => host.split(['.', '-']).next().is_some_and(has_name).then_some(&mut self.may_be),
            },
        };
        if let Some(place) = place.filter(|place| place.is_none()) {
            *place = Some(item);
        }
        0
    }

    /// Whether there was an item whose name cannot be parsed: it may be the requested one.
    pub fn has_nameless(&self) -> bool {
        self.has_nameless
    }

    /// The requested item.
    pub fn found(self) -> Option<Value> {
        self.found.or(self.may_be)
    }
}

/// The name of an item, or what its id ends with.
fn name_of(item: &Value) -> Option<&str> {
    item["name"].as_str().or_else(|| item["id"].as_str()?.rsplit('/').next())
}

/// An unknown mode is an error: a role without effect must not be granted on a guess.
fn mode(word: Option<&str>) -> Result<RoleAssignmentMode> {
    let Some(word) = word else { return Ok(RoleAssignmentMode::default()) };
    let found = RoleAssignmentMode::ALL.iter().copied().find(|mode| mode.as_str().eq_ignore_ascii_case(word));
    found.ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "the registry has an unknown role assignment mode")
            .with_context("roleAssignmentMode", word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn registry(login_server: &str) -> Result<Registry> {
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/\
                  Microsoft.ContainerRegistry/registries/myreg";
        let body = json!({"id": id, "name": "myreg", "location": "westeurope", "sku": {"name": "Basic"},
                          "properties": {"loginServer": login_server}});
        serde_json::from_value::<WireRegistry>(body).unwrap().into_registry()
    }

    #[test]
    fn an_invalid_login_server_is_rejected_and_named() {
        assert_eq!(registry("MyReg-h4sh.azurecr.io").unwrap().login_server, "myreg-h4sh.azurecr.io");
        for wrong in ["", "myreg", "my~reg.azurecr.io", "a@b.azurecr.io", "myreg.azurecr.io/x", "myreg.azurecr.io:"] {
            let err = registry(wrong).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Unexpected, "{wrong}");
            assert!(err.to_string().contains("login server"), "{err}");
        }
    }

    #[test]
    fn a_registry_without_a_name_has_no_domain_label_for_that() {
        let has_label = |name: Value, host: &str| {
            let body = item("myreg", json!({"name": name, "properties": {"loginServer": host}}));
            serde_json::from_value::<WireRegistry>(body).unwrap().has_domain_label()
        };
        for name in [json!("myreg"), json!(null), json!(""), json!(5)] {
            assert!(!has_label(name.clone(), "MyReg.azurecr.io"), "{name}");
            assert!(has_label(name.clone(), "myreg-h4sh.azurecr.io"), "{name}");
        }
        assert!(!has_label(json!("myreg"), ""));
    }

    #[test]
    fn the_creation_time_is_read_from_either_place() {
        let created = |system: Value, date: Value| {
            let body = item("myreg", json!({"systemData": system, "properties": {"creationDate": date}}));
            serde_json::from_value::<WireRegistry>(body).unwrap().created().map(stored_time::text)
        };
        let (system, date) = ("2025-03-19T20:05:10.0568997+00:00", "2025-03-19T20:05:10.0568997Z");
        assert_eq!(created(json!({"createdAt": system}), json!(date)).as_deref(), Some(date));
        assert_eq!(created(json!(null), json!(date)).as_deref(), Some(date));
        assert_eq!(created(json!({"createdAt": "today"}), json!(date)).as_deref(), Some(date));
        assert_eq!(created(json!({"createdAt": null}), json!(5)), None);
    }

    fn item(name: &str, mut rest: Value) -> Value {
        let id = format!(
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/\
             Microsoft.ContainerRegistry/registries/{name}"
        );
        rest["id"] = id.into();
        rest
    }

    #[test]
    fn the_requested_item_is_found_among_invalid_ones() {
        let good = item("goodreg", json!({"name": "goodreg", "properties": {"loginServer": "goodreg-x1.azurecr.io"}}));
        let odd = [
            json!(null),
            json!("text"),
            json!([]),
            json!({}),
            json!({"name": 5, "properties": {"loginServer": {}}}),
            item("oddreg", json!({"name": null, "sku": null, "properties": null})),
        ];
        let list = || odd.iter().cloned().chain([good.clone()]).collect::<Vec<_>>();
        let find = |wanted: Requested<'_>| {
            let mut search = Search::new(wanted);
            for item in list() {
                assert_eq!(search.take(item), 0);
            }
            search.found()
        };
        assert_eq!(find(Requested::Name("GOODREG")), Some(good.clone()));
        assert_eq!(find(Requested::LoginServer("goodreg-x1.AZURECR.io")), Some(good.clone()));
        // An invalid item is found if it is the requested one: parsing it then reports the problem.
        assert_eq!(find(Requested::Name("oddreg")), Some(odd[5].clone()));
        assert_eq!(find(Requested::LoginServer("oddreg-h4sh.azurecr.io")), Some(odd[5].clone()));
        assert_eq!(find(Requested::LoginServer("goodreg-other.azurecr.io")), None);
        assert_eq!(find(Requested::Name("absent")), None);
    }

    #[test]
    fn what_a_registry_leaves_out_is_tolerated_unless_it_decides_something() {
        let read = |properties: Value, sku: Value| {
            let body = item("myreg", json!({"name": "myreg", "location": null, "sku": sku, "properties": properties}));
            crate::http::read_item::<WireRegistry>(body, "a registry").and_then(WireRegistry::into_registry)
        };
        let fine = json!({"loginServer": "myreg.azurecr.io", "roleAssignmentMode": null, "provisioningState": null});
        for sku in [json!(null), json!({}), json!({"name": null}), json!({"name": "Basic", "more": 1})] {
            assert!(read(fine.clone(), sku.clone()).is_ok(), "{sku}");
        }
        for odd in [
            json!(null),
            json!({}),
            json!({"loginServer": null}),
            json!({"loginServer": 5}),
            json!({"loginServer": "myreg.azurecr.io", "roleAssignmentMode": 1}),
            json!({"loginServer": "myreg.azurecr.io", "roleAssignmentMode": "SomethingNew"}),
        ] {
            assert!(read(odd.clone(), json!(null)).is_err(), "{odd}");
        }
    }
}
