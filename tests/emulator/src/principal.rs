//! Users, groups, service principals and managed identities of the tenant.

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use crate::arm::bearer;
use crate::entra::assertion::Federated;
use crate::entra::form_field;
use crate::entra::token::{Claims, TokenFault};
use crate::password::Password;
use crate::world::World;

/// A principal that can hold roles.
#[derive(Clone)]
pub(crate) struct Principal {
    pub(crate) object_id: String,
    /// The application id; for a managed identity, its client id.
    pub(crate) client_id: String,
    pub(crate) name: String,
    /// `ServicePrincipal`, `Group` or `User`.
    pub(crate) kind: &'static str,
    /// Of a service principal; managed identities have none.
    pub(crate) passwords: Vec<Password>,
    /// Whether it is the service principal of an application, and not a managed identity.
    pub(crate) of_application: bool,
    /// Whether it may sign in.
    pub(crate) enabled: bool,
    /// Certificates (DER) with whose keys it may sign assertions.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// Whose assertions it may show.
    pub(crate) federated: Vec<Federated>,
    /// Object ids of the groups it is in, not through others.
    pub(crate) groups: Vec<String>,
    /// Since when it is in those that it came into while the emulator ran.
    pub(crate) joined: Vec<(String, Instant)>,
    /// Whether it may read and change the directory through Graph.
    pub(crate) directory: bool,
    /// The permissions in Graph that it has, where it has not all rights, such as `GroupMember.ReadWrite.All`.
    pub(crate) permissions: Vec<String>,
    /// Object ids of a group's owners.
    pub(crate) owners: Vec<String>,
    pub(crate) made: Instant,
}

impl Principal {
    /// A service principal that signs in with this secret.
    pub(crate) fn service(name: &str, secret: String, made: Instant) -> Self {
        let key = stable_id(&format!("{name}/password"));
        let passwords = vec![Password::lasting(key, secret, made)];
        Self { passwords, of_application: true, ..Self::managed(name, made) }
    }

    /// A managed identity.
    pub(crate) fn managed(name: &str, made: Instant) -> Self {
        Self {
            object_id: stable_id(&format!("{name}/object")),
            client_id: stable_id(&format!("{name}/client")),
            name: name.to_owned(),
            kind: "ServicePrincipal",
            passwords: Vec::new(),
            of_application: false,
            enabled: true,
            certificates: Vec::new(),
            federated: Vec::new(),
            groups: Vec::new(),
            joined: Vec::new(),
            directory: false,
            permissions: Vec::new(),
            owners: Vec::new(),
            made,
        }
    }

    /// Its own id and those of its groups: an assignment to any of them is one to it. (For a caller with a token, all groups that the
    /// token says.)
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids = vec![self.object_id.clone()];
        ids.extend(self.groups.iter().cloned());
        ids
    }
}

/// An id that is the same in every run, so that a failing test reads the same twice.
pub(crate) fn stable_id(name: &str) -> String {
    let name = format!("aks-acr-emulator/{}", name.to_ascii_lowercase());
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

impl World {
    pub(crate) fn principal(&self, object_id: &str) -> Option<&Principal> {
        self.principals.iter().find(|one| one.object_id.eq_ignore_ascii_case(object_id))
    }

    pub(crate) fn principal_named(&self, name: &str) -> Option<&Principal> {
        self.principals.iter().find(|one| one.name == name)
    }

    /// Makes a group of the directory unless it is there.
    pub(crate) fn ensure_entra_group(&mut self, name: &str) {
        let id = stable_id(&format!("group/{name}"));
        if self.principal(&id).is_none() {
            let made = Principal { object_id: id, kind: "Group", ..Principal::managed(name, self.clock.start()) };
            self.principals.push(made);
        }
    }

    /// The groups that a principal is in, directly or through other groups.
    pub(crate) fn groups_of(&self, principal: &Principal) -> Vec<String> {
        self.groups_since(principal, None)
    }

    /// The same without memberships that are younger than this.
    fn groups_since(&self, principal: &Principal, latest: Option<Instant>) -> Vec<String> {
        let (mut known, mut open) = (Vec::new(), vec![principal]);
        while let Some(one) = open.pop() {
            let is_young = |group: &str| {
                let since =
                    one.joined.iter().find(|(known, _)| known.eq_ignore_ascii_case(group)).map(|(_, since)| *since);
                since.zip(latest).is_some_and(|(since, latest)| since > latest)
            };
            for group in one.groups.iter().map(|group| group.to_ascii_lowercase()) {
                if known.contains(&group) || is_young(&group) {
                    continue;
                }
                open.extend(self.principal(&group));
                known.push(group);
            }
        }
        known
    }

    /// Adds a principal to a group, from now on or since ever. Returns whether it was not in it.
    pub(crate) fn join(&mut self, member: &str, group: &str, since: Option<Instant>) -> bool {
        let found = self.principals.iter_mut().find(|one| one.object_id.eq_ignore_ascii_case(member));
        let Some(found) = found.filter(|one| !one.groups.iter().any(|known| known.eq_ignore_ascii_case(group))) else {
            return false;
        };
        found.groups.push(group.to_ascii_lowercase());
        found.joined.extend(since.map(|since| (group.to_ascii_lowercase(), since)));
        true
    }

    /// Removes a principal from a group. Returns whether it was in it.
    pub(crate) fn leave(&mut self, member: &str, group: &str) -> bool {
        let found = self.principals.iter_mut().find(|one| one.object_id.eq_ignore_ascii_case(member));
        let Some(found) = found else { return false };
        let before = found.groups.len();
        found.groups.retain(|one| !one.eq_ignore_ascii_case(group));
        found.joined.retain(|(one, _)| !one.eq_ignore_ascii_case(group));
        found.groups.len() != before
    }

    /// A caller that a scene names, to be changed.
    ///
    /// # Panics
    /// If it does not exist: a scene that does nothing by mistake would let a test pass for the wrong reason.
    pub(crate) fn seeded_caller(&mut self, name: &str) -> &mut Principal {
        let known = self.principals.iter_mut().find(|one| one.name == name);
        known.unwrap_or_else(|| panic!("caller {name} does not exist"))
    }

    /// How long a token lives that a principal gets now. It differs from token to token, as Entra's does.
    pub(crate) fn token_life(&self, principal: &Principal, now: Instant) -> u64 {
        let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, principal.object_id.as_bytes()).as_u64_pair().1;
        let thousandths = 800 + id.wrapping_add(self.clock.unix(now)) % 401;
        self.timing.token.as_secs().saturating_mul(thousandths) / 1000
    }

    /// A token for a principal that lives for so many seconds, as Entra would issue it.
    pub(crate) fn token(&self, principal: &Principal, audience: &str, life: u64, now: Instant) -> String {
        let issued = self.clock.unix(now);
        let latest = now.checked_sub(self.timing.membership).unwrap_or_else(|| self.clock.start());
        let groups = self.groups_since(principal, Some(latest));
        self.signer.sign(&json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{}/", self.tenant),
            "iat": issued,
            "nbf": issued,
            "exp": issued.saturating_add(life),
            "appid": principal.client_id,
            "groups": groups,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self.tenant,
            "uti": uuid::Uuid::new_v4(),
            "ver": "1.0",
        }))
    }

    /// Lets all tokens expire that a request brings. Gives whether there were any.
    pub(crate) fn expire_tokens_of(&mut self, request: &Request<Bytes>) -> bool {
        let in_form = |name| form_field(request.body(), name);
        let tokens = [bearer(request).map(str::to_owned), in_form("access_token"), in_form("refresh_token")];
        // All of them: `any` would stop at the first.
        tokens.into_iter().flatten().filter(|token| self.signer.expire(token)).count() > 0
    }

    /// Who shows this token, if it is one of Entra's for one of these audiences.
    pub(crate) fn holder(&self, token: &str, audiences: &[&str], now: Instant) -> Result<Principal, TokenFault> {
        let claims: Claims = self.signer.check(token, self.clock.unix(now))?;
        if !audiences.iter().any(|audience| claims.is_for(audience)) {
            return Err(TokenFault::Audience);
        }
        let mut holder = self.principal(claims.text("oid")).cloned().ok_or(TokenFault::Forged)?;
        // The groups are those of the moment the token was made: a new one counts with the next token.
        let groups = claims.get("groups").and_then(|groups| groups.as_array()).cloned().unwrap_or_default();
        holder.groups = groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect();
        Ok(holder)
    }
}
