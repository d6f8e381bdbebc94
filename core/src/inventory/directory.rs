//! Microsoft Graph: which principals the directory still knows.

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

const STEP: &str = "asking the directory for principals";
/// The service takes no more at a time.
const AT_A_TIME: usize = 1000;

/// The directory, as the caller sees it.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    cloud: Cloud,
    /// Any host is reached through it, with a token that the request brings.
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
        #[derive(Deserialize)]
        struct Found {
            value: Vec<Object>,
        }
        #[derive(Deserialize)]
        struct Object {
            id: PrincipalId,
        }
        let Some((host, scope)) = self.cloud.graph() else {
            let text = "the address of Microsoft Graph in this cloud is not known: leave `ask_directory` off";
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        let odd = |err| Error::new(ErrorKind::Unexpected, "cannot make a URL").with_source(err);
        let url = Url::parse(&format!("{host}/v1.0/directoryObjects/getByIds")).map_err(odd)?;
        let token = self.tokens.get(scope, call).await?;
        let headers = vec![
            ("authorization", format!("Bearer {}", token.secret())),
            ("content-type", "application/json".to_owned()),
        ];
        let body = Some(json!({ "ids": principals }).to_string());
        let request = RegistryRequest {
            method: Method::Post,
            url,
            headers,
            body,
            step: STEP.to_owned(),
            body_kind: BodyKind::ListPage,
        };
        let answer = self.pipeline.send(request, call).await?;
        if !answer.is_success() {
            let err = from_service(STEP, &answer);
            let hint =
                "rights in Azure are none in the directory: there the caller needs a role or a permission to read it";
            return Err(if err.kind() == ErrorKind::Forbidden { err.with_context("hint", hint) } else { err });
        }
        Ok(answer.read::<Found>("a list of principals")?.value.into_iter().map(|object| object.id).collect())
    }
}
