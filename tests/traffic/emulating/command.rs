//! Identities as resources, and commands that run inside a cluster.

use super::{
    compare::{Rule, compare},
    scene::{self, Got, ask, azure, cluster, place},
};
use crate::exchange::{Case, Exchange};
use aks_acr_emulator::{Emulator, Timing};
use aks_acr_tests::data::paused;
use libtest_mimic::Failed;
use std::time::Duration;

const IDENTITY: Rule = Rule {
    reads: &["/properties/tenantId", "/properties/principalId", "/properties/clientId"],
    same: &["/id", "/name", "/type", "/location", "/tags"],
    beyond: &[],
    headers: &[],
    types: &[],
};

pub(super) fn make_identity(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = scene::group(azure(), place(&case.exchange.resource()?)?.0);
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &IDENTITY)
    })
}

/// Those that a scene has are in one region, which is another than the recorded one.
pub(super) fn identity(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = azure().with_identity(&case.exchange.resource()?);
        let rule = Rule { same: &["/id", "/name", "/type", "/tags"], ..IDENTITY };
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &rule)
    })
}

const TIME: Duration = Duration::from_secs(11);
const RUN: &str = "aks/53-run-command-202";

async fn start(exchange: &Exchange) -> Result<(Emulator, Got), Failed> {
    let azure = azure().with_cluster_of(cluster(&exchange.resource()?)?);
    azure.set_timing(Timing::none().with_command(TIME));
    let got = ask(&azure, exchange).await?;
    Ok((azure, got))
}

pub(super) fn run(case: &Case) -> Result<(), Failed> {
    paused(async { compare(&case.exchange, &start(&case.exchange).await?.1, &Rule::default()) })
}

/// The recorded look at what came of the command, after a time.
async fn look(case: &Case, after: Duration) -> Result<Got, Failed> {
    let (azure, begun) = start(&case.other(RUN)?).await?;
    tokio::time::sleep(after).await;
    ask(&azure, &case.exchange.at(begun.link("location")?)).await
}

pub(super) fn running(case: &Case) -> Result<(), Failed> {
    paused(async {
        let rule = Rule { same: &["/properties"], reads: &["/id"], ..Rule::default() };
        compare(&case.exchange, &look(case, TIME / 2).await?, &rule)
    })
}

pub(super) fn done(case: &Case) -> Result<(), Failed> {
    paused(async {
        let rule = Rule {
            same: &["/properties/provisioningState", "/properties/exitCode"],
            reads: &["/id", "/properties/startedAt", "/properties/finishedAt", "/properties/logs"],
            ..Rule::default()
        };
        compare(&case.exchange, &look(case, TIME * 2).await?, &rule)
    })
}
