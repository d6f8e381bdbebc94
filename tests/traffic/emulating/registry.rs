//! Registries as resources.

use super::{
    compare::{Rule, compare, shape},
    scene::{self, Got, ask, azure, place, registry},
};
use crate::exchange::{Case, Exchange};
use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use aks_acr_tests::data::paused;
use libtest_mimic::Failed;
use std::time::Duration;

/// What clients read of a registry, and what of it is known beforehand.
const BODY: Rule = Rule {
    reads: &[
        "/location",
        "/properties/loginServer",
        "/properties/adminUserEnabled",
        "/properties/publicNetworkAccess",
        "/properties/policies",
    ],
    same: &["/id", "/name", "/type", "/sku", "/properties/provisioningState"],
    beyond: &[],
    headers: &[],
    types: &[],
};

/// With a name that is what it is asked for, every value is known.
const NAME: Rule = Rule { same: &["/nameAvailable"], reads: &[], beyond: &[], headers: &[], types: &[] };
const NO_NAME: Rule = Rule { same: &["/nameAvailable", "/reason", "/message"], ..NAME };

pub(super) fn name_free(case: &Case) -> Result<(), Failed> {
    let rule = Rule { same: &["/nameAvailable", "/availableLoginServerName"], ..NAME };
    paused(async { compare(&case.exchange, &ask(&azure(), &case.exchange).await?, &rule) })
}

pub(super) fn name_taken(case: &Case) -> Result<(), Failed> {
    paused(async {
        let name = case.exchange.sent["name"].as_str().unwrap_or_default();
        let azure = azure().with_registry("group", name);
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &NO_NAME)
    })
}

pub(super) fn name_reserved(case: &Case) -> Result<(), Failed> {
    paused(async { compare(&case.exchange, &ask(&azure(), &case.exchange).await?, &NO_NAME) })
}

/// An emulator with the group that is asked for, where a registry takes this long.
fn with_group(exchange: &Exchange, time: Duration) -> Result<Emulator, Failed> {
    let id = exchange.resource()?;
    let azure = scene::group(azure(), place(&id)?.0);
    azure.set_timing(Timing::none().with_registry(time));
    Ok(azure)
}

const SLOW: Duration = Duration::from_secs(10);

/// An example has no headers but its link, if that; and its login server's capitals are its own.
pub(super) fn create_slowly(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = ask(&with_group(&case.exchange, SLOW)?, &case.exchange).await?;
        let rule = if case.exchange.file["kind"] == "example" {
            Rule { headers: &["azure-asyncoperation", "content-type"], ..BODY }
        } else {
            BODY
        };
        compare(&case.exchange, &got, &rule)
    })
}

pub(super) fn create_at_once(case: &Case) -> Result<(), Failed> {
    paused(async {
        compare(&case.exchange, &ask(&with_group(&case.exchange, Duration::ZERO)?, &case.exchange).await?, &BODY)
    })
}

pub(super) fn create_taken(case: &Case) -> Result<(), Failed> {
    paused(async {
        let id = case.exchange.resource()?;
        let azure = with_group(&case.exchange, SLOW)?.with_registry("elsewhere", place(&id)?.1);
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &Rule { same: &["/status"], ..Rule::default() })
    })
}

/// Makes the registry, and looks at its operation after a time; the address of the look is the emulator's own, of the
/// recorded form.
async fn poll(case: &Case, after: Duration) -> Result<Got, Failed> {
    let mut put = case.other("acr/05-registry-create-201-creating")?;
    put.url = format!("https://management.azure.com{}?api-version=2025-03-01-preview", case.exchange.resource()?);
    let azure = with_group(&put, SLOW)?;
    let started = ask(&azure, &put).await?;
    let link = started.link("azure-asyncoperation")?;
    assert_eq!(shape(&link), shape(&case.exchange.url));
    tokio::time::sleep(after).await;
    ask(&azure, &case.exchange.at(link)).await
}

const STATUS: Rule = Rule { same: &["/status"], reads: &[], beyond: &[], headers: &[], types: &[] };

pub(super) fn poll_running(case: &Case) -> Result<(), Failed> {
    paused(async { compare(&case.exchange, &poll(case, SLOW / 2).await?, &STATUS) })
}

pub(super) fn poll_done(case: &Case) -> Result<(), Failed> {
    paused(async { compare(&case.exchange, &poll(case, SLOW * 2).await?, &STATUS) })
}

/// A registry that was made with what the recording shows of it.
fn as_recorded(exchange: &Exchange) -> Result<RegistrySeed, Failed> {
    let mut seed = registry(&exchange.resource()?)?.sku(exchange.text("/sku/name")?);
    for name in ["publicNetworkAccess", "networkRuleSet", "roleAssignmentMode"] {
        if let Some(value) = exchange.body["properties"].get(name) {
            seed = seed.property(name, value.clone());
        }
    }
    Ok(seed.location(exchange.text("/location")?))
}

pub(super) fn get(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = azure().with_registry_of(as_recorded(&case.exchange)?);
        let got = ask(&azure, &case.exchange).await?;
        for member in ["publicNetworkAccess", "networkRuleSet", "roleAssignmentMode"] {
            let recorded = &case.exchange.body["properties"][member];
            // Rules for subnets that nobody set are an empty list in some versions and missing in others.
            let (recorded, got) = (without_subnets(recorded), without_subnets(&got.body["properties"][member]));
            if !recorded.is_null() {
                assert_eq!(got, recorded, "{member}");
            }
        }
        compare(&case.exchange, &got, &BODY)
    })
}

fn without_subnets(value: &serde_json::Value) -> serde_json::Value {
    let mut value = value.clone();
    if let Some(rules) = value.as_object_mut() {
        rules.retain(|_, rule| rule.as_array().is_none_or(|list| !list.is_empty()));
    }
    value
}

/// File 20 follows file 19, which left a rule behind; the others begin with an open registry.
pub(super) fn patch(case: &Case) -> Result<(), Failed> {
    paused(async {
        let seed = registry(&case.exchange.resource()?)?.sku("Premium").location(case.exchange.text("/location")?);
        let seed = if case.exchange.sent["properties"]["networkRuleSet"].is_null() {
            seed.public_network_disabled().only_from(&[])
        } else {
            seed
        };
        let got = ask(&azure().with_registry_of(seed), &case.exchange).await?;
        let rule = Rule {
            same: &[
                "/id",
                "/name",
                "/location",
                "/sku",
                "/properties/provisioningState",
                "/properties/publicNetworkAccess",
                "/properties/networkRuleSet",
            ],
            ..BODY
        };
        compare(&case.exchange, &got, &rule)
    })
}

pub(super) fn absent(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = with_group(&case.exchange, SLOW)?;
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &Rule::default())
    })
}

pub(super) fn group_absent(case: &Case) -> Result<(), Failed> {
    paused(async { compare(&case.exchange, &ask(&azure(), &case.exchange).await?, &Rule::default()) })
}

/// Beside the recorded one there is a registry in another group, which must not be listed.
pub(super) fn list(case: &Case) -> Result<(), Failed> {
    paused(async {
        let seed = registry(case.exchange.text("/value/0/id")?)?.sku("Standard").location("eastus");
        let other = registry(case.exchange.text("/value/0/id")?.replace("aks-cit-Registry", "other").as_str())?;
        let azure = azure().with_registry_of(seed).with_registry_of(other);
        let got = ask(&azure, &case.exchange).await?;
        assert_eq!(got.body["value"].as_array().map(Vec::len), Some(1));
        let rule = Rule {
            reads: &["/value/*/properties/provisioningState"],
            same: &["/value/0/id", "/value/0/properties/loginServer", "/value/0/sku", "/value/0/location"],
            ..Rule::default()
        };
        compare(&case.exchange, &got, &rule)
    })
}
