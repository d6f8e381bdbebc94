//! The trait `Inventory`: what it lists, and what it says of what it could not read.

use crate::client_of;
use aks_acr::{CallOptions, ClusterFilter, ListedCluster, Listing, ReadSource, SubscriptionId};
use aks_acr_emulator::{ClusterSeed, Emulator, Fault};
use std::time::Duration;

const SECOND: &str = "33333333-3333-3333-3333-333333333333";

fn two_subscriptions() -> Emulator {
    let azure = Emulator::new().with_subscription(SECOND).with_cluster("group", "dev");
    azure
        .with_cluster_of(ClusterSeed::new("group", "test").tag("env", "test"))
        .with_cluster_of(ClusterSeed::new("far", "prod").in_subscription(SECOND).tag("Env", "prod"))
}

async fn listed(azure: &Emulator, caller: &str, filter: &ClusterFilter) -> aks_acr::Result<Listing<ListedCluster>> {
    let subscriptions: Vec<SubscriptionId> = [azure.subscription(), SECOND].map(|id| id.parse().unwrap()).into();
    let builder = aks_acr::Client::builder(azure.credential_of(caller), azure.subscription());
    let client = builder.transport(azure.transport()).build().unwrap();
    let call = CallOptions::default().start(Duration::from_secs(60));
    client.inventory().clusters(&subscriptions, filter, &call).await
}

fn names(listing: &Listing<ListedCluster>) -> Vec<&str> {
    listing.items.iter().map(|one| one.id.name()).collect()
}

#[tokio::test(start_paused = true)]
async fn many_subscriptions_are_one_list_in_their_order() {
    let azure = two_subscriptions();
    azure.set_page_size(1);
    let listing = listed(&azure, "owner", &ClusterFilter::default()).await.unwrap();
    assert_eq!(names(&listing), ["dev", "test", "prod"]);
    assert_eq!((listing.source, listing.is_complete(), listing.subscriptions.len()), (ReadSource::Arm, true, 2));
    assert_eq!(listing.items[2].tags["Env"], "prod");
    assert_eq!(listing.items[2].power_state.as_deref(), Some("Running"));
    assert!(listing.items[2].identities.kubelet.is_some());
    let listing = listed(&azure, "owner", &ClusterFilter::default().with_tag_name("env")).await.unwrap();
    assert_eq!(names(&listing), ["test", "prod"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_cannot_be_read_does_not_hide_the_others() {
    let azure = two_subscriptions();
    let scope = format!("/subscriptions/{}", azure.subscription());
    let azure = azure.with_caller("reader", &[("Reader", &scope)]);
    let listing = listed(&azure, "reader", &ClusterFilter::default()).await.unwrap();
    assert_eq!((names(&listing), listing.is_complete()), (vec!["dev", "test"], false));
    let [part] = &listing.unreadable[..] else { panic!("{listing:?}") };
    assert_eq!((part.subscription.to_string().as_str(), &part.resource), (SECOND, &None));
    assert_eq!(part.error.missing_action(), Some("Microsoft.ContainerService/managedClusters/read"));
}

#[tokio::test(start_paused = true)]
async fn a_transient_error_fails_the_whole_list() {
    let azure = two_subscriptions();
    azure.fault(Fault::on("GET", &format!("{SECOND}/providers")).status(503).times(100));
    let err = listed(&azure, "owner", &ClusterFilter::default()).await.unwrap_err();
    assert!(err.is_transient(), "{err:#}");
    assert!(err.to_string().contains(SECOND), "{err}");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_cannot_be_parsed_is_named_and_the_list_is_not_complete() {
    let azure = two_subscriptions();
    let azure = azure.with_cluster_of(ClusterSeed::new("group", "odd").property("identityProfile", "none"));
    let listing = listed(&azure, "owner", &ClusterFilter::default()).await.unwrap();
    assert_eq!(names(&listing), ["dev", "test", "prod"]);
    let [part] = &listing.unreadable[..] else { panic!("{listing:?}") };
    assert!(part.resource.as_deref().unwrap().ends_with("/odd"));
    // What the filter leaves out does not have to be parsed.
    let filter = ClusterFilter::default().with_name("d*");
    assert!(listed(&azure, "owner", &filter).await.unwrap().is_complete());
}

#[tokio::test(start_paused = true)]
async fn the_usage_of_a_subscription_counts_its_role_assignments() {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let client = client_of(&azure, |builder| builder);
    let call = CallOptions::default().start(Duration::from_secs(60));
    let before = client.inventory().usage(client.subscription_id(), &call).await.unwrap();
    let scope = azure.registry_id("group", "myregistry");
    azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &scope);
    let after = client.inventory().usage(client.subscription_id(), &call).await.unwrap();
    assert_eq!((after.limit, after.current, after.remaining), (4000, before.current + 1, before.remaining - 1));
}
