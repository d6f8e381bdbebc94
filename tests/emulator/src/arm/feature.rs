//! Preview features of a subscription: listed, registered, unregistered.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::group::demand_sight;
use super::{Call, page};
use crate::reply::{self, Reply, gateway_error};
use crate::world::World;

/// Features that AKS's documentation has commands for.
const KNOWN: [(&str, &str); 3] = [
    ("Microsoft.ContainerService", "EnableAPIServerVnetIntegrationPreview"),
    ("Microsoft.ContainerService", "IdentityBindingPreview"),
    ("Microsoft.ContainerService", "NodeAutoProvisioningPreview"),
];

pub(super) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let ["subscriptions", _, "providers", "microsoft.features", "providers", _, "features", rest @ ..] = lower else {
        return None;
    };
    let (subscription, namespace) = (segments[1], segments[5]);
    let answer = match (call.method(), rest) {
        (&Method::GET, []) => list(world, call, subscription, namespace),
        (&Method::GET, [_]) => one(world, call, (subscription, namespace, segments[7])),
        (&Method::POST, [_, "register"]) => switch(world, call, (subscription, namespace, segments[7]), true),
        (&Method::POST, [_, "unregister"]) => switch(world, call, (subscription, namespace, segments[7]), false),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn body(world: &World, subscription: &str, (namespace, name): (&str, &str)) -> Value {
    let key = (subscription.to_ascii_lowercase(), name.to_owned());
    let state = if world.features.contains(&key) { "Registered" } else { "NotRegistered" };
    json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features/{name}"),
        "name": format!("{namespace}/{name}"),
        "type": "Microsoft.Features/providers/features",
        "properties": {"state": state},
    })
}

fn list(world: &World, call: &Call<'_>, subscription: &str, namespace: &str) -> Result<Reply, Reply> {
    let scope = format!("/subscriptions/{subscription}");
    demand_sight(world, call, "Microsoft.Features/providers/features/read", &scope)?;
    let known = KNOWN.iter().filter(|(of, _)| of.eq_ignore_ascii_case(namespace));
    Ok(page(world, call, &known.map(|one| body(world, subscription, *one)).collect::<Vec<_>>()))
}

fn known(namespace: &str, name: &str) -> Result<(&'static str, &'static str), Reply> {
    let found = KNOWN.iter().find(|(of, one)| of.eq_ignore_ascii_case(namespace) && one.eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| {
        let message = format!("The feature '{name}' could not be found.");
        gateway_error(StatusCode::NOT_FOUND, "FeatureNotFound", &message)
    })
}

fn one(world: &World, call: &Call<'_>, (subscription, namespace, name): (&str, &str, &str)) -> Result<Reply, Reply> {
    let scope = format!("/subscriptions/{subscription}");
    demand_sight(world, call, "Microsoft.Features/providers/features/read", &scope)?;
    Ok(reply::json(StatusCode::OK, &body(world, subscription, known(namespace, name)?)))
}

/// How long Azure takes is not recorded; here it is done at once.
fn switch(
    world: &mut World,
    call: &Call<'_>,
    (subscription, namespace, name): (&str, &str, &str),
    on: bool,
) -> Result<Reply, Reply> {
    let verb = if on { "register" } else { "unregister" };
    let action = format!("Microsoft.Features/providers/features/{verb}/action");
    call.demand_action(world, &action, &format!("/subscriptions/{subscription}"))?;
    let one = known(namespace, name)?;
    let key = (subscription.to_ascii_lowercase(), one.1.to_owned());
    if on {
        world.features.insert(key);
    } else {
        world.features.remove(&key);
    }
    Ok(reply::json(StatusCode::OK, &body(world, subscription, one)))
}
