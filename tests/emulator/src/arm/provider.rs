//! Resource providers and where they are: registered for a subscription, or not yet.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::group::demand_sight;
use super::{Call, page};
use crate::operation::Work;
use crate::reply::{self, Reply};
use crate::world::World;

/// The providers that this Azure has, and their types.
const PROVIDERS: [(&str, &[&str]); 4] = [
    ("Microsoft.Authorization", &["roleAssignments", "roleDefinitions", "locks"]),
    ("Microsoft.ContainerRegistry", &["registries"]),
    ("Microsoft.ContainerService", &["managedClusters"]),
    ("Microsoft.ManagedIdentity", &["userAssignedIdentities"]),
];

const REGISTERED: &str = "Registered";
const NOT_REGISTERED: &str = "NotRegistered";

const REGIONS: [(&str, &str); 6] = [
    ("westeurope", "West Europe"),
    ("northeurope", "North Europe"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("westus2", "West US 2"),
    ("uksouth", "UK South"),
];

pub(crate) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let answer = match (call.method(), lower) {
        (&Method::GET, ["tenants"]) => Ok(tenants(world, call)),
        (&Method::GET, ["subscriptions", _, "locations"]) => Ok(locations(world, call, segments[1])),
        (&Method::GET, ["subscriptions", _, "providers"]) => list(world, call, segments[1]),
        (&Method::GET, ["subscriptions", _, "providers", name]) => get(world, call, segments[1], name),
        (&Method::POST, ["subscriptions", _, "providers", name, "register"]) => {
            register(world, call, segments[1], name)
        }
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn tenants(world: &World, call: &Call<'_>) -> Reply {
    let tenant = json!({"id": format!("/tenants/{}", world.tenant), "tenantId": world.tenant,
                        "displayName": "Emulator", "tenantCategory": "Home"});
    page(world, call, &[tenant])
}

fn locations(world: &World, call: &Call<'_>, subscription: &str) -> Reply {
    let body = |(name, shown): &(&str, &str)| {
        json!({"id": format!("/subscriptions/{subscription}/locations/{name}"), "name": name, "type": "Region",
               "displayName": shown, "regionalDisplayName": shown, "metadata": {"regionType": "Physical"}})
    };
    page(world, call, &REGIONS.iter().map(body).collect::<Vec<_>>())
}

fn body(world: &World, subscription: &str, (name, types): &(&str, &[&str])) -> Value {
    let regions: Vec<&str> = REGIONS.iter().map(|(_, shown)| *shown).collect();
    let types: Vec<Value> = types.iter().map(|kind| json!({"resourceType": kind, "locations": regions})).collect();
    let state = world.registration(subscription, name);
    json!({"id": format!("/subscriptions/{subscription}/providers/{name}"), "namespace": name,
           "registrationPolicy": "RegistrationRequired", "resourceTypes": types, "registrationState": state})
}

fn list(world: &World, call: &Call<'_>, subscription: &str) -> Result<Reply, Reply> {
    demand_sight(
        world,
        call,
        "Microsoft.Resources/subscriptions/providers/read",
        &format!("/subscriptions/{subscription}"),
    )?;
    let items: Vec<Value> = PROVIDERS.iter().map(|one| body(world, subscription, one)).collect();
    Ok(page(world, call, &items))
}

fn known(name: &str) -> Result<&'static (&'static str, &'static [&'static str]), Reply> {
    PROVIDERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let message = format!("The resource namespace '{name}' is invalid.");
        reply::gateway_error(StatusCode::NOT_FOUND, "InvalidResourceNamespace", &message)
    })
}

fn get(world: &World, call: &Call<'_>, subscription: &str, name: &str) -> Result<Reply, Reply> {
    demand_sight(
        world,
        call,
        "Microsoft.Resources/subscriptions/providers/read",
        &format!("/subscriptions/{subscription}"),
    )?;
    Ok(reply::json(StatusCode::OK, &body(world, subscription, known(name)?)))
}

/// Registers a provider, which takes a while: the answer says that it is running.
fn register(world: &mut World, call: &Call<'_>, subscription: &str, name: &str) -> Result<Reply, Reply> {
    let one = known(name)?;
    call.demand_action(world, &format!("{}/register/action", one.0), &format!("/subscriptions/{subscription}"))?;
    if world.registration(subscription, name) == NOT_REGISTERED {
        let due = call.now + world.timing.registration;
        world.start(Work::Registration(subscription.to_owned(), one.0.to_owned()), call.now, due);
    }
    Ok(reply::json(StatusCode::OK, &body(world, subscription, one)))
}

/// The refusal to make anything of a provider that the subscription has not registered.
pub(super) fn unregistered(world: &World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    if *call.method() != Method::PUT || lower.get(4) != Some(&"providers") {
        return None;
    }
    let (subscription, namespace) = (segments[1], segments.get(5)?);
    if world.registration(subscription, namespace) == REGISTERED {
        return None;
    }
    let namespace = known(namespace).map_or(*namespace, |(name, _)| name);
    let code = "MissingSubscriptionRegistration";
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to \
         register subscriptions."
    );
    let detail = json!({"code": code, "target": namespace, "message": message});
    let body = json!({"error": {"code": code, "message": message, "details": [detail]}});
    Some(reply::with(reply::json(StatusCode::CONFLICT, &body), "x-ms-failure-cause", "gateway"))
}

impl World {
    /// The word for how a provider stands in a subscription.
    fn registration(&self, subscription: &str, namespace: &str) -> &'static str {
        if !self.unregistered.iter().any(|one| is_meant(one, subscription, namespace)) {
            return REGISTERED;
        }
        let under_way = self.operations.iter().any(|operation| match &operation.work {
            Work::Registration(in_subscription, name) => {
                operation.outcome.is_none()
                    && in_subscription.eq_ignore_ascii_case(subscription)
                    && name.eq_ignore_ascii_case(namespace)
            }
            _ => false,
        });
        if under_way { "Registering" } else { NOT_REGISTERED }
    }

    /// Takes that a registration is through.
    pub(crate) fn registered(&mut self, subscription: &str, namespace: &str) {
        self.unregistered.retain(|one| !is_meant(one, subscription, namespace));
    }
}

fn is_meant((in_subscription, name): &(String, String), subscription: &str, namespace: &str) -> bool {
    in_subscription.eq_ignore_ascii_case(subscription) && name.eq_ignore_ascii_case(namespace)
}
