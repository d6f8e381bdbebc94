//! What a registry writes into its resource logs: see [resource
//! logs](https://learn.microsoft.com/azure/container-registry/monitor-container-registry-reference#resource-logs). Sign-ins and attempts that the
//! firewall refuses are in one table, and pulls in the other.
//!
//! Microsoft documents the columns and not their values. Rows in public tests of log parsers have the operation `Pull`, the result type
//! `HttpStatusCode`, the digest as the tag of a pull by digest, and `<nil>` for a digest that is not known. What a sign-in is called, and what
//! stands for a managed identity, is not established: it is `Login` and the client ID here.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use tokio::time::Instant;

use super::Visit;
use super::sign_in::Visitor;
use crate::arm::monitor::logs::{LOGINS, Logged, REPOSITORIES};
use crate::entra::{form_field, token};
use crate::network::Way;
use crate::principal::Principal;
use crate::registry::wish::{Wish, wish};
use crate::reply::{Caller, Reply};
use crate::world::World;

/// Notes a request that has been answered.
pub(super) fn note(world: &mut World, at: usize, request: &Request<Bytes>, way: &Way, answer: &Reply, now: Instant) {
    let registry = &world.registries[at];
    let visit = Visit { world, registry, request, is_node: false, now };
    let Some(logged) = visit.logged(way, answer) else { return };
    let (id, host, region) = (registry.id(), registry.login_server().to_owned(), registry.location.clone());
    world.note_log(&id, &host, &region, &logged, now);
}

impl Visit<'_> {
    fn logged(&self, way: &Way, answer: &Reply) -> Option<Logged> {
        let path = self.request.uri().path();
        let status = answer.status();
        let sign_in = match path {
            "/oauth2/exchange" => Some(self.exchanging()),
            "/oauth2/token" => Some(self.signing_in()),
            _ => None,
        };
        let is_refused_by_firewall = super::gate::firewall(self.registry, way).is_some();
        let image = match wish(path) {
            Some(Wish::Manifest { repository, reference }) => Some((repository, reference)),
            _ => None,
        };
        let reads = matches!(*self.request.method(), Method::GET | Method::HEAD);
        let (table, operation, principal) = if is_refused_by_firewall {
            (LOGINS, "Login", None)
        } else if let Some(principal) = sign_in {
            (LOGINS, "Login", principal)
        } else if image.is_some() && reads && status != StatusCode::UNAUTHORIZED {
            (REPOSITORIES, "Pull", self.named(answer))
        } else {
            return None;
        };
        let digest = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        let digest = digest.unwrap_or("<nil>").to_owned();
        let agent = self.request.headers().get("user-agent").and_then(|value| value.to_str().ok());
        Some(Logged {
            table,
            operation,
            identity: principal.map(|one| one.client_id).unwrap_or_default(),
            address: match way {
                Way::Public(address) | Way::Subnet { address, .. } => address.clone(),
                // Which address of a node it is, is not known here.
                Way::Private => String::new(),
            },
            status,
            user_agent: agent.unwrap_or_default().to_owned(),
            image: image.filter(|_| table == REPOSITORIES).map(|(repository, tag)| (repository, tag, digest)),
        })
    }

    /// Who shows a token of Entra.
    fn exchanging(&self) -> Option<Principal> {
        let shown = form_field(self.request.body(), "access_token").unwrap_or_default();
        self.world.holder(&shown, &[token::REGISTRY, token::ARM], self.now).ok()
    }

    /// Who asks for a token of the registry.
    fn signing_in(&self) -> Option<Principal> {
        let form = match *self.request.method() {
            Method::GET => self.request.uri().query().unwrap_or_default().as_bytes(),
            _ => &self.request.body()[..],
        };
        match self.visitor(form)? {
            Visitor::Nobody => None,
            Visitor::Known { principal, .. } => Some(*principal),
        }
    }

    fn named(&self, answer: &Reply) -> Option<Principal> {
        let Caller(name) = answer.extensions().get::<Caller>()?;
        self.world.principals.iter().find(|one| one.name == *name).cloned()
    }
}
