//! Microsoft Graph: which principals still exist, and who is in which group.

use crate::{
    call::{Call, Poll, Polling},
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    http::{Answer, BodyKind, Registries, RegistryRequest, Tokens, from_service},
    id::PrincipalId,
    write::{Intent, Write, WriteService, without_secrets},
};
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

const STEP: &str = "querying Microsoft Graph for principals";
const MEMBERS_STEP: &str = "reading the members of a group";
const GROUP_STEP: &str = "reading the Entra group";
const MEMBER_STEP: &str = "checking the membership in the Entra group";
const ADD_STEP: &str = "adding the identity to the Entra group";
const REMOVE_STEP: &str = "removing the identity from the Entra group";
/// How long a new identity may stay unknown to Microsoft Graph.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(5 * 60);
const READ_HINT: &str = "Azure roles do not apply in Entra ID: the caller needs Directory.Read.All, or Application.Read.All and \
                         GroupMember.Read.All, in Microsoft Graph";
const WRITE_HINT: &str = "Azure roles do not apply in Entra ID: the caller needs GroupMember.ReadWrite.All in Microsoft Graph, or \
                          has to be an owner of the group";
/// The code with which Microsoft Graph rejects an expired or revoked token. Conditional access has another one. See [Resolve Microsoft
/// Graph authorization errors](https://learn.microsoft.com/graph/resolve-auth-errors).
const BAD_TOKEN: &str = "InvalidAuthenticationToken";
/// The service's limit per request.
const AT_A_TIME: usize = 1000;
/// A hundred thousand members, 999 on a page.
const MOST_PAGES: usize = 101;
const MOST_MEMBERS: usize = MOST_PAGES * 999;

/// Microsoft Graph, for one caller.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    cloud: Cloud,
    /// Reaches any host, with a token set by the request.
    pipeline: Registries,
    tokens: Tokens,
}

impl Directory {
    pub fn new(cloud: Cloud, pipeline: Registries, tokens: Tokens) -> Self {
        Self { cloud, pipeline, tokens }
    }

    pub async fn existing(&self, principals: &[PrincipalId], call: &Call) -> Result<Vec<PrincipalId>> {
        let mut existing = Vec::new();
        for some in principals.chunks(AT_A_TIME) {
            existing.extend(self.ask(some, call).await?);
        }
        Ok(existing)
    }

    /// See [getByIds](https://learn.microsoft.com/graph/api/directoryobject-getbyids).
    async fn ask(&self, principals: &[PrincipalId], call: &Call) -> Result<Vec<PrincipalId>> {
        let url = self.url("/v1.0/directoryObjects/getByIds")?;
        let body = Some(json!({ "ids": principals }).to_string());
        Ok(self.send(Method::Post, url, body, STEP, call).await?.ids())
    }

    /// The members of a group, including the members of its nested groups. See
    /// [transitiveMembers](https://learn.microsoft.com/graph/api/group-list-transitivemembers).
    pub async fn members(&self, group: PrincipalId, call: &Call) -> Result<Vec<PrincipalId>> {
        let mut url = self.url(&format!("/v1.0/groups/{group}/transitiveMembers"))?;
        url.query_pairs_mut().append_pair("$select", "id").append_pair("$top", "999");
        let (mut members, home) = (Vec::new(), url.origin());
        for _ in 0..MOST_PAGES {
            let page = self.send(Method::Get, url, None, MEMBERS_STEP, call).await?;
            let next = page.next.clone();
            members.extend(page.ids());
            if members.len() > MOST_MEMBERS {
                break;
            }
            let Some(next) = next else { return Ok(members) };
            url = Url::parse(&next).ok().filter(|url| url.origin() == home).ok_or_else(|| {
                Error::new(ErrorKind::Unexpected, "Microsoft Graph returned a link to another host; it is not followed")
            })?;
        }
        let text = "the group has too many members to read";
        Err(Error::new(ErrorKind::Unsupported, text).with_context("group", group.to_string()))
    }

    fn graph(&self) -> Result<(&str, &str)> {
        self.cloud.graph().ok_or_else(|| {
            let text = "the address of Microsoft Graph in this cloud is unknown: set it on the cloud, or turn query_graph \
                off";
            Error::new(ErrorKind::Unsupported, text)
        })
    }

    fn url(&self, path: &str) -> Result<Url> {
        let (host, _) = self.graph()?;
        let odd = |err| Error::new(ErrorKind::Unexpected, "cannot make a URL").with_source(err);
        Url::parse(&format!("{host}{path}")).map_err(odd)
    }

    async fn send(&self, method: Method, url: Url, body: Option<String>, step: &str, call: &Call) -> Result<Page> {
        let answer = self.ask_for(method, url, body, (step, BodyKind::ListPage, Intent::Read), call).await?;
        if !answer.is_success() {
            return Err(hinted(from_service(step, &answer), READ_HINT));
        }
        answer.read("a list of principals")
    }

    /// Reads one object. An error status is a response here.
    pub(super) async fn get(&self, path: &str, step: &str, call: &Call) -> Result<Answer> {
        self.ask_for(Method::Get, self.url(path)?, None, (step, BodyKind::Object, Intent::Read), call).await
    }

    /// Sends a request. An error status is a response here. Re-authenticates once when a token is rejected before its expiry.
    async fn ask_for(
        &self,
        method: Method,
        url: Url,
        body: Option<String>,
        (step, body_kind, intent): (&str, BodyKind, Intent),
        call: &Call,
    ) -> Result<Answer> {
        let (_, scope) = self.graph()?;
        let ask = |token: String| {
            let headers =
                vec![("authorization", format!("Bearer {token}")), ("content-type", "application/json".to_owned())];
            let (url, body, step, intent) = (url.clone(), body.clone(), step.to_owned(), intent.clone());
            self.pipeline.send(RegistryRequest { method, url, headers, body, step, body_kind, intent }, call)
        };
        let token = self.tokens.get(scope, call).await?;
        let answer = ask(token.secret().to_owned()).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let is_bad = from_service(step, &answer).code() == Some(BAD_TOKEN);
        self.tokens.forget_this(scope, token.secret(), is_bad);
        if !is_bad {
            return Ok(answer);
        }
        // Once: a second rejection is final.
        ask(self.tokens.get(scope, call).await?.secret().to_owned()).await
    }

    /// The group with this object ID or display name. Display names are not unique.
    ///
    /// An owner of a group who may not read it can give its ID: then whether it exists shows when a member is added.
    pub async fn find_group(&self, group: &str, call: &Call) -> Result<PrincipalId> {
        let missing = || Error::new(ErrorKind::NotFound, "no such Entra group").with_context("group", group);
        if let Ok(id) = group.parse::<PrincipalId>() {
            let url = self.url(&format!("/v1.0/groups/{id}?$select=id"))?;
            let answer =
                self.ask_for(Method::Get, url, None, (GROUP_STEP, BodyKind::Object, Intent::Read), call).await?;
            return match answer.status {
                404 => Err(missing()),
                403 => Ok(id),
                _ if answer.is_success() => Ok(id),
                _ => Err(from_service(GROUP_STEP, &answer)),
            };
        }
        let mut url = self.url("/v1.0/groups")?;
        let filter = format!("displayName eq '{}'", group.replace('\'', "\'\'"));
        url.query_pairs_mut().append_pair("$filter", &filter).append_pair("$select", "id");
        let found = self.send(Method::Get, url, None, GROUP_STEP, call).await?.ids();
        match found[..] {
            [id] => Ok(id),
            [] => Err(missing()),
            _ => {
                let text = "several Entra groups have this name; give the object ID of one";
                Err(Error::invalid(text, "entra_group", group))
            }
        }
    }

    /// See [checkMemberGroups](https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups). Lists of members are no
    /// substitute: version 1.0 of the API [may leave service principals
    /// out](https://github.com/microsoftgraph/microsoft-graph-docs/issues/13029).
    pub async fn is_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool> {
        let url = self.url(&format!("/v1.0/directoryObjects/{principal}/checkMemberGroups"))?;
        let body = Some(json!({ "groupIds": [group] }).to_string());
        let answer = self.ask_for(Method::Post, url, body, (MEMBER_STEP, BodyKind::Object, Intent::Read), call).await?;
        match answer.status {
            // It does not know the principal yet, which then is in no group.
            404 => Ok(false),
            _ if answer.is_success() => Ok(answer.read::<Groups>("a list of groups")?.value.contains(&group)),
            _ => Err(hinted(from_service(MEMBER_STEP, &answer), READ_HINT)),
        }
    }

    /// See [Add members](https://learn.microsoft.com/graph/api/group-post-members). A new principal is not found for a time, and one that
    /// is a member already is an [error](https://github.com/microsoftgraph/microsoft-graph-docs/issues/8637).
    pub async fn add_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool> {
        let (host, _) = self.graph()?;
        let path = format!("/v1.0/groups/{group}/members/$ref");
        let body = json!({ "@odata.id": format!("{host}/v1.0/directoryObjects/{principal}") });
        let poll = || async {
            let answer = self.write((Method::Post, &path), Some(&body), ADD_STEP, call).await?;
            if answer.is_success() {
                return Ok(Poll::Ready(true));
            }
            let err = from_service(ADD_STEP, &answer);
            let says = |text: &str| {
                err.service().and_then(|service| service.message.as_deref()).is_some_and(|said| said.contains(text))
            };
            if answer.status == 400 && says("already exist") {
                return Ok(Poll::Ready(answer.is_repeated));
            }
            let is_group = says(&group.to_string());
            let err = hinted(err, WRITE_HINT).with_context("group", group.to_string());
            let err = err.with_context("principal", principal.to_string());
            if answer.status == 404 && !is_group { Ok(Poll::Failed(err)) } else { Err(err) }
        };
        call.poll_until(Polling::new(ADD_STEP).at_most(LONGEST_UNKNOWN), poll).await
    }

    /// See [Remove member](https://learn.microsoft.com/graph/api/group-delete-members).
    pub async fn remove_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool> {
        let path = format!("/v1.0/groups/{group}/members/{principal}/$ref");
        let answer = self.write((Method::Delete, &path), None, REMOVE_STEP, call).await?;
        match answer.status {
            404 => Ok(answer.is_repeated),
            _ if answer.is_success() => Ok(true),
            _ => {
                let err = hinted(from_service(REMOVE_STEP, &answer), WRITE_HINT);
                Err(err.with_context("group", group.to_string()))
            }
        }
    }

    async fn write(
        &self,
        (method, path): (Method, &str),
        body: Option<&Value>,
        step: &str,
        call: &Call,
    ) -> Result<Answer> {
        let intent = Intent::Write(Write {
            service: WriteService::Graph,
            method: method.to_string(),
            target: path.to_owned(),
            action: None,
            step: step.to_owned(),
            body: body.map(without_secrets),
        });
        let body = body.map(Value::to_string);
        self.ask_for(method, self.url(path)?, body, (step, BodyKind::Object, intent), call).await
    }
}

fn hinted(err: Error, hint: &str) -> Error {
    if err.kind() == ErrorKind::Forbidden { err.with_context("hint", hint) } else { err }
}

#[derive(Deserialize)]
struct Groups {
    value: Vec<PrincipalId>,
}

/// A page of a list of objects.
#[derive(Deserialize)]
struct Page {
    value: Vec<Object>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    id: PrincipalId,
}

impl Page {
    fn ids(self) -> Vec<PrincipalId> {
        self.value.into_iter().map(|object| object.id).collect()
    }
}
