//! Microsoft Graph: which principals still exist, and the members of groups.

use crate::{
    call::Call,
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    http::{BodyKind, Registries, RegistryRequest, Tokens, from_service},
    id::PrincipalId,
};
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

const STEP: &str = "querying Microsoft Graph for principals";
const MEMBERS_STEP: &str = "reading the members of a group";
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
        let (_, scope) = self.graph()?;
        let token = self.tokens.get(scope, call).await?;
        let headers = vec![
            ("authorization", format!("Bearer {}", token.secret())),
            ("content-type", "application/json".to_owned()),
        ];
        let step = step.to_owned();
        let request = RegistryRequest { method, url, headers, body, step: step.clone(), body_kind: BodyKind::ListPage };
        let answer = self.pipeline.send(request, call).await?;
        if !answer.is_success() {
            let err = from_service(&step, &answer);
            let hint = "Azure roles do not apply in Entra ID: the caller needs Directory.Read.All, or Application.Read.All and \
                        GroupMember.Read.All, in Microsoft Graph";
            return Err(if err.kind() == ErrorKind::Forbidden { err.with_context("hint", hint) } else { err });
        }
        answer.read("a list of principals")
    }
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
