//! Azure Resource Manager: who asks, may they, and which resource answers.

#![expect(clippy::result_large_err, reason = "a refusal is a whole answer, made at most once for a request")]

pub(crate) mod activity;
pub(crate) mod cluster;
mod compute;
pub(crate) mod eligibility;
mod feature;
pub(crate) mod governance;
pub(crate) mod group;
pub(crate) mod identity;
pub(crate) mod import;
mod kql;
pub(crate) mod kubeconfig;
pub(crate) mod lock;
pub(crate) mod monitor;
mod network;
mod polling;
pub(crate) mod private_endpoint;
mod provider;
pub(crate) mod registry;
pub(crate) mod resource_graph;
pub(crate) mod role_assignment;
pub(crate) mod role_definition;
pub(crate) mod stored;
mod version;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::entra::token::{self, TokenFault};
use crate::fault::Repeated;
use crate::principal::Principal;
use crate::rbac::Wanted;
use crate::reply::{self, Caller, Reply, gateway_error};
use crate::throttle;
use crate::world::World;

pub(crate) const HOST: &str = "management.azure.com";

/// A request to ARM, taken apart once.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request<Bytes>,
    /// The path with one leading slash, as written.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) caller: Principal,
    pub(crate) now: Instant,
}

impl Call<'_> {
    pub(crate) fn method(&self) -> &Method {
        self.request.method()
    }

    /// A parameter of the query, its name in whatever case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn api_version(&self) -> &str {
        self.parameter("api-version").unwrap_or_default()
    }

    /// The body, or ARM's complaint about it.
    pub(crate) fn json(&self) -> Result<Value, Reply> {
        serde_json::from_slice(self.request.body()).map_err(|fault| {
            let message = format!("The request content was invalid and could not be deserialized: '{fault}'.");
            gateway_error(StatusCode::BAD_REQUEST, "InvalidRequestContent", &message)
        })
    }

    /// Continues only if the caller may do this, and no deny assignment, lock or policy is in the way.
    pub(crate) fn demand(&self, world: &World, wanted: &Wanted<'_>, shown_scope: &str) -> Result<(), Reply> {
        if world.access.permits(&self.caller.ids(), wanted, self.now) {
            return governance::refusal(world, self, wanted, shown_scope).map_or(Ok(()), Err);
        }
        // A right that a condition takes away has the same code as none at all; the words are known from public threads.
        let lack = if world.access.permits_but_for_conditions(&self.caller.ids(), wanted, self.now) {
            "has an authorization with ABAC condition that is not fulfilled"
        } else {
            "does not have authorization"
        };
        let message = format!(
            "The client '{}' with object id '{}' {lack} to perform action '{}' over scope \
             '{shown_scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            self.caller.client_id, self.caller.object_id, wanted.action
        );
        Err(gateway_error(StatusCode::FORBIDDEN, "AuthorizationFailed", &message))
    }

    /// The same for an action at the scope that is shown.
    pub(crate) fn demand_action(&self, world: &World, action: &str, scope: &str) -> Result<(), Reply> {
        self.demand(world, &Wanted::action(action, scope), scope)
    }
}

/// Answers a request to ARM.
pub(crate) fn serve(world: &mut World, request: &Request<Bytes>, now: Instant) -> Reply {
    let caller = match authenticate(world, request, now) {
        Ok(caller) => caller,
        Err(refusal) => return finish(world, request, refusal, now),
    };
    let path = format!("/{}", decoded(request.uri().path().trim_matches('/')));
    if let Some(refusal) = other_tenant(world, &path) {
        return finish(world, request, refusal, now);
    }
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let call = Call { request, path, query: query.into_owned().collect(), caller, now };
    let before = resource_graph::changes::resource_at(world, &call);
    let mut answer = throttled(world, &call);
    if let Some(noted) = activity::note(world, &call, &answer).filter(|_| answer.status().is_success()) {
        resource_graph::changes::note(world, &call, before, noted);
    }
    answer.extensions_mut().insert(Caller(call.caller.name.clone()));
    finish(world, request, answer, now)
}

/// A path with its escapes undone: a group's name may hold brackets, dots and letters of any script.
pub(crate) fn decoded(path: &str) -> String {
    // The form's own three signs are escaped first, so that the path reads as one name of a form.
    let plain = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut names = url::form_urlencoded::parse(plain.as_bytes());
    names.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// Draws on the bucket, routes, and says what is left in the bucket.
fn throttled(world: &mut World, call: &Call<'_>) -> Reply {
    // Recorded: the check of a name draws on the bucket of reads. That a query does, too, is assumed.
    let lower = call.path.to_ascii_lowercase();
    let is_read = lower.ends_with("/checknameavailability")
        || lower.contains("/microsoft.resourcegraph/")
        || lower.ends_with("/microsoft.insights/logs");
    let kind = if is_read { "reads" } else { throttle::kind_of(call.method()) };
    let subscription = call.path.split('/').nth(2).unwrap_or_default().to_owned();
    let left = match world.throttle.take(&subscription, &call.caller.object_id, kind, call.now) {
        Ok(left) => left,
        Err(wait) => return throttle::refusal(&subscription, wait),
    };
    let complaint = match call.api_version() {
        "" => Some(version_missing()),
        asked => version::complaint(&call.path, asked),
    };
    let mut answer = complaint.unwrap_or_else(|| route(world, call));
    if answer.headers().get("x-ms-failure-cause").is_none() {
        // Recorded: a read shows either or both, a write both.
        for (name, left) in [("", left.own), ("global-", left.global)] {
            reply::set(&mut answer, &format!("x-ms-ratelimit-remaining-subscription-{name}{kind}"), &left.to_string());
        }
    }
    answer
}

fn version_missing() -> Reply {
    gateway_error(
        StatusCode::BAD_REQUEST,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )
}

/// Finds the rule for a path. Segments are compared in lower case, and given on as they were written.
fn route(world: &mut World, call: &Call<'_>) -> Reply {
    if let Some(answer) = authorization(world, call) {
        return answer;
    }
    let path = call.path.clone();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    if let Some(missing) = missing_parent(world, &segments, &lower) {
        return missing;
    }
    if let Some(refusal) = provider::unregistered(world, call, &segments, &lower) {
        return refusal;
    }
    if let Some(answer) = activity::route(world, call, &segments, &lower) {
        return answer;
    }
    if let Some(answer) = feature::route(world, call, &segments, &lower) {
        return answer;
    }
    if let Some(answer) = resource_graph::route(world, call, &lower) {
        return answer;
    }
    if let Some(answer) = monitor::route(world, call, &segments, &lower) {
        return answer;
    }
    if let Some(answer) = provider::route(world, call, &segments, &lower) {
        return answer;
    }
    let of = |provider: &str| lower.iter().skip(2).any(|segment| *segment == provider);
    let answer = if of("microsoft.containerregistry") {
        registry::route(world, call, &segments, &lower)
    } else if of("microsoft.containerservice") {
        cluster::route(world, call, &segments, &lower)
    } else if of("microsoft.managedidentity") {
        identity::route(world, call, &segments, &lower)
    } else if of("microsoft.network") {
        network::route(world, call, &segments, &lower)
    } else if of("microsoft.compute") {
        compute::route(world, call, &lower)
    } else {
        group::route(world, call, &segments, &lower)
    };
    answer.unwrap_or_else(|| crate::world::unknown_request(call.method(), call.request.uri()))
}

/// Role assignments and definitions are asked for at the end of any resource's path.
fn authorization(world: &mut World, call: &Call<'_>) -> Option<Reply> {
    const PROVIDER: &str = "/providers/microsoft.authorization/";
    let at = call.path.to_ascii_lowercase().rfind(PROVIDER)?;
    let (scope, rest) = (&call.path[..at], &call.path[at + PROVIDER.len()..]);
    let (kind, name) = rest.split_once('/').map_or((rest, None), |(kind, name)| (kind, Some(name)));
    match kind.to_ascii_lowercase().as_str() {
        "roleassignments" => role_assignment::serve(world, call, scope, name),
        "roleassignmentsusagemetrics" => role_assignment::usage(world, call, scope),
        "denyassignments" => governance::serve(world, call, scope, name),
        "roleeligibilityscheduleinstances" => eligibility::serve(world, call, scope, name),
        "locks" => lock::serve(world, call, scope, name),
        "roledefinitions" => role_definition::serve(world, call, scope, name),
        _ => None,
    }
}

/// ARM's own complaint when the subscription or the group of a path is not there.
///
/// It comes after authorisation in Azure; a caller without rights on what is not there gets 403, which is why an
/// absent group is passed on to the rules when only rights on it could tell.
fn missing_parent(world: &World, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let ["subscriptions", subscription, ..] = lower else {
        return None;
    };
    if !world.subscriptions.iter().any(|one| one.eq_ignore_ascii_case(subscription)) {
        let message = format!("The subscription '{}' could not be found.", segments[1]);
        return Some(gateway_error(StatusCode::NOT_FOUND, "SubscriptionNotFound", &message));
    }
    None
}

/// The same for a group, asked for once the caller's rights are known.
pub(crate) fn demand_group(world: &World, subscription: &str, group: &str) -> Result<(), Reply> {
    if world.group(subscription, group).is_some() {
        return Ok(());
    }
    let message = format!("Resource group '{group}' could not be found.");
    Err(gateway_error(StatusCode::NOT_FOUND, "ResourceGroupNotFound", &message))
}

/// ARM's complaint about a resource that is not in its group.
pub(crate) fn resource_missing(kind: &str, group: &str, name: &str) -> Reply {
    let message = format!(
        "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to \
         https://aka.ms/ARMResourceNotFoundFix"
    );
    gateway_error(StatusCode::NOT_FOUND, "ResourceNotFound", &message)
}

fn authenticate(world: &World, request: &Request<Bytes>, now: Instant) -> Result<Principal, Reply> {
    let Some(token) = bearer(request) else {
        let refusal = gateway_error(
            StatusCode::UNAUTHORIZED,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        );
        return Err(challenge(world, refusal, ""));
    };
    world.holder(token, &[token::ARM], now).map_err(|fault| {
        let (code, message) = match fault {
            TokenFault::Malformed => ("InvalidAuthenticationToken", "The access token is invalid."),
            TokenFault::Forged => {
                ("InvalidAuthenticationToken", "The access token validation failed: the signature is invalid.")
            }
            TokenFault::Expired => ("ExpiredAuthenticationToken", "The access token has expired."),
            TokenFault::Audience => (
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource. It should exactly match with one \
                 of the allowed audiences 'https://management.core.windows.net/','https://management.azure.com'.",
            ),
        };
        challenge(world, gateway_error(StatusCode::UNAUTHORIZED, code, message), message)
    })
}

/// The refusal of a token of this tenant on a subscription of another one. Its text is [that of Azure][1]; whether its challenge says
/// more than the authority is not established.
///
/// [1]: https://github.com/Azure/azure-sdk-for-python/issues/38382
fn other_tenant(world: &World, path: &str) -> Option<Reply> {
    let mut segments = path.split('/').skip(1);
    let subscription =
        segments.next().filter(|first| first.eq_ignore_ascii_case("subscriptions")).and(segments.next())?;
    let (_, tenant) = world.foreign_subscriptions.iter().find(|(id, _)| id.eq_ignore_ascii_case(subscription))?;
    let message = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{}/'. It must match the tenant \
         'https://sts.windows.net/{tenant}/' associated with this subscription. Please use the authority (URL) \
         'https://login.windows.net/{tenant}' to get the token. Note, if the subscription is transferred to another tenant there is \
         no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just \
         transferred your subscription and see this error message, please try back later.",
        world.tenant
    );
    let refusal = gateway_error(StatusCode::UNAUTHORIZED, "InvalidAuthenticationTokenTenant", &message);
    Some(challenge_of(refusal, tenant, ""))
}

fn challenge(world: &World, refusal: Reply, why: &str) -> Reply {
    challenge_of(refusal, &world.tenant, why)
}

fn challenge_of(refusal: Reply, tenant: &str, why: &str) -> Reply {
    let authority = format!("https://{}/{tenant}", crate::entra::HOST);
    let value = if why.is_empty() {
        format!("Bearer authorization_uri=\"{authority}\"")
    } else {
        format!("Bearer authorization_uri=\"{authority}\", error=\"invalid_token\", error_description=\"{why}\"")
    };
    reply::with(refusal, "www-authenticate", &value)
}

/// The token of a request, where it has one.
pub(crate) fn bearer(request: &Request<Bytes>) -> Option<&str> {
    let value = request.headers().get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Adds what every answer of ARM carries.
fn finish(world: &World, request: &Request<Bytes>, mut answer: Reply, now: Instant) -> Reply {
    let sent = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let id = Uuid::new_v4().to_string();
    let correlation = sent("x-ms-correlation-request-id").unwrap_or_else(|| id.clone());
    reply::set(&mut answer, "x-ms-request-id", &id);
    reply::set(&mut answer, "x-ms-correlation-request-id", &correlation);
    reply::set(&mut answer, "x-ms-routing-request-id", &format!("WESTEUROPE:{}:{id}", world.clock.rfc3339(now)));
    reply::set(&mut answer, "cache-control", "no-cache");
    if let Some(client) = sent("x-ms-client-request-id") {
        reply::set(&mut answer, "x-ms-client-request-id", &client);
    }
    answer
}

/// One page of a list, with the address of the next.
pub(crate) fn page(world: &World, call: &Call<'_>, items: &[Value]) -> Reply {
    let from: Option<usize> = call.parameter("$skiptoken").and_then(|token| token.parse().ok());
    let next = |at: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken")));
        query.append_pair("$skiptoken", &at.to_string());
        format!("https://{HOST}{}?{}", polling::escaped(&call.path), query.finish())
    };
    let is_repeated = call.request.extensions().get::<Repeated>().is_some();
    if world.paging.empty_first && from.is_none() {
        return reply::json(StatusCode::OK, &json!({"value": [], "nextLink": next(0)}));
    }
    let from = from.unwrap_or(0).min(items.len());
    let to = from.saturating_add(world.paging.size.max(1)).min(items.len());
    let mut body = json!({"value": items[from..to]});
    if is_repeated {
        body["nextLink"] = next(from).into();
    } else if to < items.len() {
        body["nextLink"] = next(to).into();
    }
    let mut answer = reply::json(StatusCode::OK, &body);
    if is_repeated {
        answer.extensions_mut().insert(Repeated);
    }
    answer
}

/// The parts of a filter that are joined by `and`: the word counts outside of quotes only.
pub(crate) fn parts(filter: &str) -> Vec<&str> {
    let (mut parts, mut from) = (Vec::new(), 0);
    for (at, _) in filter.match_indices(" and ") {
        if filter[..at].matches('\'').count().is_multiple_of(2) {
            parts.push(filter[from..at].trim());
            from = at + " and ".len();
        }
    }
    parts.push(filter[from..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The value that a filter such as `name eq 'value'` compares a field with; two quotes in it stand for one.
pub(crate) fn equals(filter: &str, field: &str) -> Option<String> {
    let (name, value) = filter.trim().split_once(" eq ")?;
    let value = value.trim();
    let quoted = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    // One word and no more: what follows a value would change what it means.
    let whole = quoted.map_or(!value.contains([' ', '\'']), |inner| !inner.replace("''", "").contains('\''));
    let inner = quoted.unwrap_or(value);
    (whole && name.trim().eq_ignore_ascii_case(field)).then(|| inner.replace("''", "'"))
}

/// What is answered to a filter that no rule is there for: Azure's own words for it are not known.
pub(crate) fn filter_unknown(call: &Call<'_>) -> Reply {
    crate::world::unknown_request(call.method(), call.request.uri())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_value_is_not_overlooked() {
        assert_eq!(equals("name eq 'it''s'", "name").as_deref(), Some("it's"));
        assert_eq!(equals("name eq 'a' or 1 eq '1'", "name"), None);
        assert_eq!(equals("name eq a or 1", "name"), None);
        assert_eq!(equals("name eq 'a", "name"), None);
    }

    #[test]
    fn a_filter_is_cut_outside_of_quotes_only() {
        assert_eq!(parts("a eq 'x and y' and atScope()"), ["a eq 'x and y'", "atScope()"]);
        assert_eq!(equals("roleName eq 'it''s'", "ROLENAME"), Some(String::from("it's")));
    }
}
