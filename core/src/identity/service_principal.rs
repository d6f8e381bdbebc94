//! Service principals as Microsoft Graph reports them, by the client ID of their application.

use super::Directory;
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    http::from_service,
    id::PrincipalId,
    stored_time,
};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

const STEP: &str = "reading the service principal";
const APPLICATION_STEP: &str = "reading the application of the service principal";
/// The permission that both requests need. See [Get
/// servicePrincipal](https://learn.microsoft.com/graph/api/serviceprincipal-get).
pub(crate) const READ_APPLICATIONS: &str = "Application.Read.All";
const HINT: &str = "Azure roles do not apply in Entra ID: the caller needs Application.Read.All in Microsoft Graph";

/// A service principal in Entra ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServicePrincipal {
    /// Its object ID, which role assignments use.
    pub object_id: PrincipalId,
    /// Whether it can sign in.
    pub is_enabled: bool,
    /// Its own credentials. Those of its application count as well.
    pub credentials: Vec<ApplicationCredential>,
}

impl ServicePrincipal {
    /// An enabled service principal that has no credentials itself.
    #[must_use]
    pub fn new(object_id: PrincipalId) -> Self {
        Self { object_id, is_enabled: true, credentials: Vec::new() }
    }
}

/// A credential of an application: when it ends, and not what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApplicationCredential {
    /// Whether it is a certificate, and not a client secret.
    pub is_certificate: bool,
    /// When it ends. `None`: never.
    #[serde(with = "crate::stored_time::option")]
    pub end: Option<SystemTime>,
}

impl ApplicationCredential {
    /// A client secret, or a certificate, with this end.
    #[must_use]
    pub fn new(is_certificate: bool, end: Option<SystemTime>) -> Self {
        Self { is_certificate, end }
    }
}

impl Directory {
    /// See [Get servicePrincipal](https://learn.microsoft.com/graph/api/serviceprincipal-get).
    pub async fn service_principal(&self, client_id: &str, call: &Call) -> Result<Option<ServicePrincipal>> {
        let select = "id,accountEnabled,passwordCredentials,keyCredentials";
        let read: Option<WirePrincipal> = self.by_app_id("servicePrincipals", client_id, select, STEP, call).await?;
        let Some(found) = read else { return Ok(None) };
        Ok(Some(ServicePrincipal {
            object_id: found.id,
            is_enabled: found.account_enabled,
            credentials: found.credentials.read()?,
        }))
    }

    /// See [Get application](https://learn.microsoft.com/graph/api/application-get).
    pub async fn application_credentials(
        &self,
        client_id: &str,
        call: &Call,
    ) -> Result<Option<Vec<ApplicationCredential>>> {
        let select = "passwordCredentials,keyCredentials";
        let read: Option<WireCredentials> =
            self.by_app_id("applications", client_id, select, APPLICATION_STEP, call).await?;
        read.map(WireCredentials::read).transpose()
    }

    /// `None`: there is none in this tenant.
    async fn by_app_id<T: serde::de::DeserializeOwned>(
        &self,
        collection: &str,
        client_id: &str,
        select: &str,
        step: &str,
        call: &Call,
    ) -> Result<Option<T>> {
        // It comes from the cluster, and becomes part of a path.
        let id: PrincipalId = client_id
            .parse()
            .map_err(|err: Error| err.of_kind(ErrorKind::Unexpected).with_context("application id", client_id))?;
        let path = format!("/v1.0/{collection}(appId='{id}')?$select={select}");
        let answer = self.get(&path, step, call).await?;
        match answer.status {
            404 => Ok(None),
            _ if answer.is_success() => answer.read("an object with credentials").map(Some),
            _ => {
                let err = from_service(step, &answer).with_context("application id", client_id);
                Err(if err.kind() == ErrorKind::Forbidden { err.with_context("hint", HINT) } else { err })
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePrincipal {
    id: PrincipalId,
    account_enabled: bool,
    #[serde(flatten)]
    credentials: WireCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCredentials {
    password_credentials: Vec<WireCredential>,
    key_credentials: Vec<WireCredential>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCredential {
    end_date_time: Option<String>,
}

impl WireCredentials {
    fn read(self) -> Result<Vec<ApplicationCredential>> {
        let one = |is_certificate: bool, wire: WireCredential| {
            let end = wire.end_date_time.map(|text| {
                let odd =
                    || Error::new(ErrorKind::Unexpected, "Microsoft Graph returned an invalid end of a credential");
                stored_time::parse(&text).ok_or_else(|| odd().with_context("endDateTime", text.as_str()))
            });
            Ok(ApplicationCredential::new(is_certificate, end.transpose()?))
        };
        let secrets = self.password_credentials.into_iter().map(|wire| one(false, wire));
        secrets.chain(self.key_credentials.into_iter().map(|wire| one(true, wire))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<ApplicationCredential>> {
        serde_json::from_str::<WireCredentials>(text).unwrap().read()
    }

    #[test]
    fn the_end_of_each_credential_is_read() {
        let end = stored_time::parse("2027-01-01T00:00:00Z");
        let all = read(
            r#"{"passwordCredentials": [{"endDateTime": "2027-01-01T00:00:00Z"}, {"endDateTime": null}],
                "keyCredentials": [{"endDateTime": "2027-01-01T00:00:00Z"}]}"#,
        );
        let of = ApplicationCredential::new;
        assert_eq!(all.unwrap(), [of(false, end), of(false, None), of(true, end)]);
    }

    #[test]
    fn an_end_that_is_no_time_is_not_never() {
        let odd = read(r#"{"passwordCredentials": [{"endDateTime": "soon"}], "keyCredentials": []}"#);
        assert_eq!(odd.unwrap_err().kind(), ErrorKind::Unexpected);
        assert!(serde_json::from_str::<WireCredentials>("{}").is_err());
    }
}
