//! Creating a registry, or changing an existing one.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Place, WRITE, name_fault, poll_address, shown, taken};
use crate::arm::{Call, demand_group};
use crate::operation::Work;
use crate::principal::stable_id;
use crate::registry::{Registry, merge};
use crate::reply::{self, Reply, arm_error, gateway_error};
use crate::seed::RegistrySeed;
use crate::world::World;

/// What only the service sets. The passwords of the admin user are no properties.
const READ_ONLY: [&str; 6] = [
    "loginServer",
    "creationDate",
    "provisioningState",
    "status",
    "privateEndpointConnections",
    "dataEndpointHostNames",
];

/// The properties of a body that a client may set. A null is no wish.
fn writable(properties: &Value) -> Value {
    let members = properties.as_object().into_iter().flatten();
    let wished = members.filter(|(name, value)| !READ_ONLY.contains(&name.as_str()) && !value.is_null());
    wished.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A sku's name as the service writes it.
fn sku_named(name: &str) -> Option<&'static str> {
    ["Basic", "Standard", "Premium"].into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// How far a registry's host name is to be its own: only previews can ask for it.
pub(super) fn label_scope<'a>(call: &Call<'_>, asked: &'a Value) -> &'a str {
    let asked = asked.as_str().unwrap_or("Unsecure");
    if call.api_version().ends_with("-preview") { asked } else { "Unsecure" }
}

/// The host of a registry: its name, and with a label scope 16 characters that the scope decides.
pub(super) fn login_server(world: &World, place: Place<'_>, scope: &str) -> String {
    let Place { subscription, group, name } = place;
    let key = match scope {
        "TenantReuse" => world.tenant.clone(),
        "SubscriptionReuse" => subscription.to_owned(),
        "ResourceGroupReuse" => format!("{subscription}/{group}"),
        "NoReuse" => world.ids.id().to_string(),
        _ => return format!("{name}.azurecr.io").to_ascii_lowercase(),
    };
    let hash = stable_id(&format!("label/{key}/{name}")).replace('-', "");
    format!("{name}-{}.azurecr.io", &hash[..16]).to_ascii_lowercase()
}

/// A resource does not move.
fn demand_location(registry: &Registry, sent: &Value) -> Result<(), Reply> {
    let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    let asked = sent["location"].as_str().unwrap_or_default();
    if plain(asked) == plain(&registry.location) {
        return Ok(());
    }
    let message = format!(
        "The resource '{}' already exists in location '{}' in resource group '{}'. A resource with the same name cannot \
         be created in location '{asked}'. Please select a new resource name.",
        registry.name, registry.location, registry.group
    );
    Err(gateway_error(StatusCode::CONFLICT, "InvalidResourceLocation", &message))
}

/// What Azure answers to a change of a registry that it deletes is not recorded.
fn demand_no_deletion(registry: &Registry) -> Result<(), Reply> {
    if !registry.is_deleting() {
        return Ok(());
    }
    let message = format!("The registry {} is being deleted.", registry.name);
    Err(arm_error(StatusCode::CONFLICT, "Conflict", &message))
}

pub(super) fn put(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, WRITE, &place.id())?;
    demand_group(world, place.subscription, place.group)?;
    let sent = call.json()?;
    check_body(&sent)?;
    if let Some(at) = world.registry_at(place.subscription, place.group, place.name) {
        demand_location(&world.registries[at], &sent)?;
        demand_no_deletion(&world.registries[at])?;
        return Ok(change(world, call, at, &sent));
    }
    if let Some(message) = name_fault(place.name) {
        return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidResourceName", message));
    }
    if taken(world, place.name) {
        return Err(name_in_use(place.name));
    }
    Ok(create(world, call, place, &sent))
}

/// What a body must have. The codes for what it may not have are not recorded.
fn check_body(sent: &Value) -> Result<(), Reply> {
    let bad = |code: &str, message: &str| Err(arm_error(StatusCode::BAD_REQUEST, code, message));
    if sent["location"].as_str().is_none() {
        return bad("LocationRequired", "The location property is required for this definition.");
    }
    let Some(sku) = sku_named(sent["sku"]["name"].as_str().unwrap_or_default()) else {
        return bad("SkuNotSupported", "The SKU must be one of 'Basic', 'Standard' and 'Premium'.");
    };
    check_properties(sku, &sent["properties"])
}

/// What each SKU has. Two texts are public: anonymous pull in [azure-docs#94535](https://github.com/MicrosoftDocs/azure-docs/issues/94535),
/// public access in [terraform-provider-azurerm#26054](https://github.com/hashicorp/terraform-provider-azurerm/pull/26054). The others are
/// not; that they need Premium is documented with the [tiers](https://learn.microsoft.com/azure/container-registry/container-registry-skus).
fn check_properties(sku: &str, properties: &Value) -> Result<(), Reply> {
    let refused = |code: &str, message: &str| Err(arm_error(StatusCode::BAD_REQUEST, code, message));
    let bad = |message: &str| refused("InvalidParameter", message);
    let sku = sku_named(sku).unwrap_or("Basic");
    let premium = sku == "Premium";
    let tiers = "For more information on SKU tiers, please visit https://aka.ms/acr/tiers.";
    let rules = &properties["networkRuleSet"];
    if !premium && (rules["defaultAction"] == "Deny" || rules["ipRules"].as_array().is_some_and(|all| !all.is_empty()))
    {
        return bad("The network rules are not supported for the SKU of this registry.");
    }
    if !premium && properties["publicNetworkAccess"] == "Disabled" {
        let message = format!(
            "Disabling public network access is not supported for the SKU {sku}. For more information, please visit \
             https://aka.ms/acr/private-link."
        );
        return refused("DisablingPublicNetworkAccessNotSupported", &message);
    }
    if !premium && properties["dataEndpointEnabled"] == true {
        return refused("BadRequest", &format!("Data endpoints are not supported for SKU Managed_{sku}. {tiers}"));
    }
    if sku == "Basic" && properties["anonymousPullEnabled"] == true {
        return refused("BadRequest", &format!("Anonymous pull is not supported for SKU Managed_{sku}. {tiers}"));
    }
    match properties["roleAssignmentMode"].as_str() {
        None | Some("LegacyRegistryPermissions" | "AbacRepositoryPermissions") => Ok(()),
        Some(_) => bad("The value of roleAssignmentMode is not known."),
    }
}

fn name_in_use(name: &str) -> Reply {
    let message = format!(
        "The registry name {name} is already in use. You can check if the name is already claimed using following \
         API: https://aka.ms/acr/check-name-availability"
    );
    let body = json!({"error": {"code": "RegistryNameAlreadyInUse", "message": message}, "status": "Failed"});
    reply::json(StatusCode::CONFLICT, &body)
}

fn create(world: &mut World, call: &Call<'_>, place: Place<'_>, sent: &Value) -> Reply {
    let mut seed = RegistrySeed::new(place.group, place.name)
        .in_subscription(place.subscription)
        .location(sent["location"].as_str().unwrap_or_default())
        .sku(sku_named(sent["sku"]["name"].as_str().unwrap_or_default()).unwrap_or("Basic"));
    seed.properties = writable(&sent["properties"]);
    let scope = label_scope(call, &sent["properties"]["autoGeneratedDomainNameLabelScope"]);
    seed = seed.login_server(&login_server(world, place, scope)).property("autoGeneratedDomainNameLabelScope", scope);
    let slow = !world.timing.registry.is_zero();
    if slow {
        seed = seed.property("provisioningState", "Creating");
    }
    world.seed_registry(seed, call.now);
    let at = world.registries.len() - 1;
    if sent["tags"].is_object() {
        world.registries[at].tags = sent["tags"].clone();
    }
    let body = world.registries[at].body(world);
    if !slow {
        return shown(call, StatusCode::OK, &body);
    }
    let due = call.now + world.timing.registry;
    let id = world.start(Work::Registry(place.id()), call.now, due);
    reply::with(shown(call, StatusCode::CREATED, &body), "azure-asyncoperation", &poll_address(call, place, &id))
}

/// A PUT on an existing registry. It sets what it names; whether Azure resets what a smaller body leaves out is not known.
fn change(world: &mut World, call: &Call<'_>, at: usize, sent: &Value) -> Reply {
    let registry = &mut world.registries[at];
    let mut properties = writable(&sent["properties"]);
    if let Some(properties) = properties.as_object_mut() {
        // The name of the host is for good.
        properties.remove("autoGeneratedDomainNameLabelScope");
    }
    registry.change(&properties, call.now);
    registry.name_data_endpoints();
    if let Some(sku) = sent["sku"]["name"].as_str().and_then(sku_named) {
        sku.clone_into(&mut registry.sku);
    }
    if sent["tags"].is_object() {
        registry.tags = sent["tags"].clone();
    }
    registry.updated = call.now;
    let body = world.registries[at].body(world);
    shown(call, StatusCode::OK, &body)
}

pub(super) fn patch(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, WRITE, &place.id())?;
    let found = place.find(world)?;
    demand_no_deletion(found)?;
    let (sku, mut all) = (found.sku.clone(), found.properties.clone());
    let sent = call.json()?;
    match sent["sku"]["name"].as_str() {
        // Another SKU has to have what was set before, too.
        Some(sku) => {
            merge(&mut all, &writable(&sent["properties"]));
            check_properties(sku, &all)?;
        }
        None => check_properties(&sku, &sent["properties"])?,
    }
    let at = world.registry_at(place.subscription, place.group, place.name);
    Ok(change(world, call, at.unwrap_or_default(), &sent))
}
