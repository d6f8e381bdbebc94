//! Pods of a cluster whose service principal's secret has ended.

use super::{only, some_time};
use crate::{
    case::{Checked, some},
    check::{
        IMAGE,
        service_principal::{principal, scene},
    },
    emulator::{Scene, deployment},
};
use aks_acr::{ExplainOptions, Explanation, FindingId, FindingStatus};

async fn explained(scene: &Scene, options: ExplainOptions) -> aks_acr::Result<Explanation> {
    scene.apply(&deployment("web", IMAGE, 2)).await?;
    some_time().await;
    scene.client.explain(&scene.cluster, &"web".parse()?, options).await
}

pub async fn an_ended_secret_is_explained() -> Checked {
    let scene = scene(Some(0))?;
    drop(scene.azure.clone().with_graph_rights("owner"));
    let explanation = explained(&scene, ExplainOptions::default().with_query_graph(true)).await?;
    let group = only(&explanation)?;
    assert_eq!(explanation.root_cause, Some(FindingId::SERVICE_PRINCIPAL_EXPIRED), "{group}");
    assert!(group.failure.message.contains("failed to fetch oauth token"), "{group}");
    assert!(group.failure.message.contains("401 Unauthorized"), "{group}");
    Ok(())
}

/// The message is that of a missing role. The role exists, so what is left is named.
pub async fn without_a_query_an_ended_secret_is_not_known() -> Checked {
    let scene = scene(Some(0))?;
    let named = ExplainOptions::default().with_principal_id(principal(&scene).parse()?);
    let explanation = explained(&scene, named).await?;
    let group = only(&explanation)?;
    let is_it = |one: &&aks_acr::Finding| one.id == FindingId::SERVICE_PRINCIPAL_EXPIRED;
    let found = some(group.report.findings.iter().find(is_it), "the secret")?;
    assert_eq!(found.status, FindingStatus::Unknown, "{group}");
    assert_eq!(found.needs[0].option.as_deref(), Some("query_graph"), "{group}");
    Ok(())
}
