//! Kubeconfigs: the answer, and the file inside, which is compared by the same rule.

use super::{
    compare::{Rule, compare},
    scene::{Got, ask, azure, cluster},
};
use crate::exchange::{Case, Exchange};
use aks_acr_emulator::ClusterSeed;
use aks_acr_tests::data::paused;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use libtest_mimic::Failed;
use serde_json::Value;

/// What programs read of a kubeconfig.
const FILE: Rule = Rule {
    reads: &[
        "/clusters/*/name",
        "/clusters/*/cluster/server",
        "/clusters/*/cluster/certificate-authority-data",
        "/contexts/*/name",
        "/contexts/*/context/cluster",
        "/contexts/*/context/user",
        "/current-context",
        "/users/*/name",
    ],
    same: &["/apiVersion", "/kind", "/preferences"],
    beyond: &[],
    headers: &[],
    types: &[],
};

const CERTIFICATE: &[&str] =
    &["/users/*/user/client-certificate-data", "/users/*/user/client-key-data", "/users/*/user/token"];

const EXEC: &[&str] = &["/users/*/user/exec/args", "/users/*/user/exec/installHint"];

pub(super) fn asked(case: &Case, change: fn(ClusterSeed) -> ClusterSeed) -> Result<(), Failed> {
    paused(async {
        let azure = azure().with_cluster_of(change(cluster(&case.exchange.resource()?)?));
        let got = ask(&azure, &case.exchange).await?;
        hold(&case.exchange, &got, &Rule { reads: CERTIFICATE, ..FILE })
    })
}

/// Recorded of a namespace, which cannot be asked here; a cluster with Entra answers the same form. The words that start the
/// program are the recorded ones except for the tenant.
pub(super) fn of_cluster_with_entra(case: &Case) -> Result<(), Failed> {
    paused(async {
        let mut request = case.exchange.clone();
        request.url =
            request.url.replace("/managedNamespaces/namespace01/listCredential", "/listClusterUserCredential");
        let azure = azure().with_cluster_of(cluster(&case.exchange.resource()?)?.entra());
        let got = ask(&azure, &request).await?;
        hold(&case.exchange, &got, &Rule { reads: EXEC, ..FILE })?;
        let exec = |body: &Value, tenant: &str| -> Result<String, Failed> {
            let file = file(body)?;
            Ok(file["users"][0]["user"]["exec"].to_string().replace(tenant, "{tenant}"))
        };
        let recorded = file(&case.exchange.body)?["users"][0]["user"]["exec"]["args"][8].clone();
        let wanted = exec(&case.exchange.body, recorded.as_str().unwrap_or_default())?;
        assert_eq!(exec(&got.body, azure.tenant())?, wanted);
        Ok::<_, Failed>(())
    })
}

fn hold(recorded: &Exchange, got: &Got, rule: &Rule) -> Result<(), Failed> {
    let same = &["/kubeconfigs/0/name"];
    compare(recorded, got, &Rule { reads: &["/kubeconfigs/*/value"], same, ..Rule::default() })?;
    let wanted = recorded.answering(file(&recorded.body)?);
    let mut got = got.clone();
    got.body = file(&got.body)?;
    compare(&wanted, &got, &FILE)?;
    compare(&wanted, &got, rule)?;
    let user = |file: &Value| Some(file["users"][0]["name"].as_str()?.split('_').next()?.to_owned());
    assert_eq!(user(&got.body), user(&wanted.body), "the account's name begins alike");
    assert_eq!(got.body["current-context"], got.body["clusters"][0]["name"]);
    assert_eq!(wanted.body["current-context"], wanted.body["clusters"][0]["name"]);
    Ok(())
}

/// The file inside an answer.
fn file(body: &Value) -> Result<Value, Failed> {
    let text = body["kubeconfigs"][0]["value"].as_str().ok_or("there is no kubeconfig")?;
    let text = String::from_utf8(STANDARD.decode(text)?)?;
    Ok(serde_saphyr::from_str(&text).map_err(|err| err.to_string())?)
}
