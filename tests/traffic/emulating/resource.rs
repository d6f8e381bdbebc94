//! Groups, and the list of all resources.

use super::{
    compare::{Rule, compare},
    scene::{SUBSCRIPTION, ask, azure, place, registry, send},
};
use crate::exchange::Case;
use aks_acr_emulator::ClusterSeed;
use aks_acr_tests::data::paused;
use libtest_mimic::Failed;

/// Beside the recorded registries there is a cluster, which must not be listed.
pub(super) fn registries(case: &Case) -> Result<(), Failed> {
    paused(async {
        let recorded = case.exchange.body["value"].as_array().ok_or("the recording has no list")?;
        let mut azure = azure();
        for item in recorded {
            let seed = registry(item["id"].as_str().unwrap_or_default())?;
            azure = azure.with_registry_of(seed.sku(item["sku"]["name"].as_str().unwrap_or_default()));
        }
        let (group, _) = place(case.exchange.text("/value/0/id")?)?;
        let azure = azure.with_cluster_of(ClusterSeed::new(group, "dev").in_subscription(SUBSCRIPTION));
        let got = ask(&azure, &case.exchange).await?;
        let rule = Rule {
            reads: &["/value/*/id", "/value/*/name", "/value/*/type", "/value/*/location", "/value/*/sku/name"],
            same: &["/value/0/name", "/value/1/name", "/value/0/id", "/value/1/type", "/value/0/sku"],
            ..Rule::default()
        };
        assert_eq!(got.body["value"].as_array().map(Vec::len), Some(recorded.len()));
        compare(&case.exchange, &got, &rule)
    })
}

pub(super) fn group(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = super::scene::group(azure(), case.exchange.text("/name")?);
        let got = ask(&azure, &case.exchange).await?;
        let rule = Rule {
            reads: &["/properties/provisioningState"],
            same: &["/id", "/name", "/type", "/location"],
            ..Rule::default()
        };
        compare(&case.exchange, &got, &rule)
    })
}

/// Asked by a caller that may read the directory, about an application that does not exist in it.
pub(super) fn no_application(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = azure().with_caller("reader", &[]).with_graph_rights("reader");
        let token = azure.credential_of("reader").get_token(&["https://graph.microsoft.com/.default"], None).await?;
        let got = send(&azure, &case.exchange, Some(token.token.secret())).await?;
        compare(&case.exchange, &got, &Rule { same: &["/value", "/@odata.context"], ..Rule::default() })
    })
}
