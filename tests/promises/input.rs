//! Bad input is refused before the first request, and the wrong part is named.

use crate::Scene;
use aks_acr::{
    ApplyOptions, AttachOptions, CallOptions, ClusterRef, CreateClusterOptions, CreateRegistryOptions, Error,
    ErrorKind, ImageReference, ImportOptions, Kubeconfig, KubeconfigOptions, Manifest, PodSelection, PrincipalId,
    RegistryRef, ResourceId, Result, RolloutOptions, SubscriptionId, UpdateRegistryOptions, WorkloadRef,
};

fn refused<T: std::fmt::Debug>(result: Result<T>, part: &str) {
    let err: Error = result.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput, "{err:#}");
    assert!(format!("{err:#}").contains(part), "{part:?} is not named: {err:#}");
}

#[test]
fn names_and_ids_are_checked_when_they_are_made() {
    refused(ClusterRef::new("my/group", "dev"), "my/group");
    refused(ClusterRef::new("group", "-dev"), "-dev");
    refused("dev".parse::<ClusterRef>(), "dev");
    refused("my_registry".parse::<RegistryRef>(), "my_registry");
    refused("abcd".parse::<RegistryRef>(), "abcd");
    refused("my..azurecr.io".parse::<RegistryRef>(), "my..azurecr.io");
    let stored = serde_json::from_str::<ClusterRef>(r#"{"group":"g","name":"x/../y"}"#).unwrap_err();
    assert!(stored.to_string().contains("x/../y"), "{stored}");
    refused("not-a-guid".parse::<PrincipalId>(), "not-a-guid");
    refused("".parse::<SubscriptionId>(), "subscription");
    let id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries";
    for odd in ["a%2e%2e", "..", "a?b", "a b", "a\nb", ""] {
        refused(format!("{id}/{odd}").parse::<ResourceId>(), "segment");
        refused(format!("{id}/{odd}").parse::<RegistryRef>(), "segment");
    }
}

#[test]
fn references_manifests_and_kubeconfigs_are_checked_when_they_are_read() {
    refused("Nginx:latest".parse::<ImageReference>(), "Nginx:latest");
    refused("nginx:".parse::<ImageReference>(), "nginx:");
    refused(Manifest::parse_all("just: a mapping"), "document: 1");
    refused(Manifest::parse_all("a: [b"), "YAML");
    refused(
        Manifest::parse_all("{apiVersion: a/b/c, kind: Pod, metadata: {name: a}}"),
        "such as v1 or apps/v1, not a/b/c",
    );
    let rule = "of letters from a to z, digits and -_.:~@!$&'()*+,;= (and neither . nor .. alone), not";
    refused(
        Manifest::parse_all("{apiVersion: v1, kind: Pod, metadata: {name: ../secrets/x}}"),
        &format!("metadata.name {rule} ../secrets/x"),
    );
    refused(
        Manifest::parse_all("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 'x?y'}}"),
        &format!("metadata.namespace {rule} x?y"),
    );
    refused(
        Manifest::parse_all("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: 53}}"),
        "metadata.namespace must be text, found the number 53; if it is meant as text, write it in quotes (document: 1, line: 1)",
    );
    refused(
        Manifest::parse_all("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 123\n"),
        "metadata.name must be text, found the number 123; if it is meant as text, write it in quotes (document: 1, line: 4)",
    );
    refused(Kubeconfig::parse("kind: Config"), "kubeconfig");
}

fn pod(image: &str) -> Vec<Manifest> {
    let text = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{containers: [{{name: a, image: '{image}'}}]}}}}"
    );
    Manifest::parse_all(&text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn operations_refuse_bad_input_before_the_first_request() {
    let Scene { azure, client, cluster, registry } = Scene::new();
    let nginx: ImageReference = "nginx".parse().unwrap();
    let elsewhere: RegistryRef = "myregistry.azurecr.cn".parse().unwrap();

    refused(client.attach(&cluster, &elsewhere, AttachOptions::default()).await, "azurecr.cn");
    refused(client.plan_attach(&cluster, &elsewhere, AttachOptions::default()).await, "azurecr.cn");
    refused(client.registry(&elsewhere, CallOptions::default()).await, "azurecr.cn");
    refused(client.import_image(&elsewhere, &nginx, ImportOptions::default()).await, "azurecr.cn");
    refused(client.create_registry("group", "MyRegistry", CreateRegistryOptions::default()).await, "MyRegistry");
    refused(client.create_registry("group", "my-registry", CreateRegistryOptions::default()).await, "my-registry");
    refused(client.create_registry("gro/up", "myregistry", CreateRegistryOptions::default()).await, "gro/up");
    let address = UpdateRegistryOptions::default().with_allowed_addresses(["1.2.3.4", "::1"]);
    refused(client.update_registry(&registry, address).await, "::1");
    let tag = UpdateRegistryOptions::default().with_tag("a/b", None);
    refused(client.update_registry(&registry, tag).await, "a/b");
    let nowhere = CreateRegistryOptions::default().with_location("");
    refused(client.create_registry("group", "another", nowhere).await, "location");

    let cluster_options = CreateClusterOptions::default;
    refused(client.create_cluster(&cluster, cluster_options().with_node_count(0)).await, "node_count");
    refused(client.create_cluster(&cluster, cluster_options().with_node_count(1001)).await, "1001");
    refused(client.create_cluster(&cluster, cluster_options().with_kubernetes_version("newest")).await, "newest");
    refused(client.create_cluster(&cluster, cluster_options().with_vm_size(" ")).await, "vm_size");
    refused(client.create_cluster(&cluster, cluster_options().with_location(" ")).await, "location");
    let key = aks_acr::SshKey::Public("no key".to_owned());
    refused(client.create_cluster(&cluster, cluster_options().with_ssh_key(key)).await, "ssh key");
    refused(client.create_cluster(&cluster, cluster_options().with_registry(elsewhere.clone())).await, "azurecr.cn");

    let stranger: RegistryRef = "quay5.docker.io".parse().unwrap();
    refused(client.attach(&cluster, &stranger, AttachOptions::default()).await, "quay5.docker.io");
    refused(client.attach(&cluster, &registry, AttachOptions::default().with_condition(" ")).await, "condition");

    let image: ImageReference = "other.azurecr.us/app:1".parse().unwrap();
    refused(client.import_image(&registry, &image, ImportOptions::default()).await, "azurecr.us");
    refused(client.import_image(&registry, &nginx, ImportOptions::default().with_target("nginx")).await, "nginx");

    let unfilled = client.apply(&cluster, pod("<acr-name>.azurecr.io/nginx:v1"), ApplyOptions::default()).await;
    refused(unfilled, "<acr-name>.azurecr.io/nginx:v1");
    refused(client.apply(&cluster, pod("other.azurecr.us/app:1"), ApplyOptions::default()).await, "azurecr.us");
    let options = ApplyOptions::default().with_registry(elsewhere);
    refused(client.apply(&cluster, pod("<acr-name>.azurecr.io/nginx:v1"), options).await, "azurecr.cn");
    let odd = || ApplyOptions::default().with_namespace("a/b");
    refused(client.apply(&cluster, pod("nginx"), odd()).await, "a/b");
    refused(client.apply(&cluster, pod("nginx"), odd()).await, "lower-case letters, digits and '-'");
    let odd = KubeconfigOptions::default().with_context(" dev");
    refused(client.kubeconfig(&cluster, odd).await, "without white space at its ends");

    refused(client.wait_for_rollout(&cluster, &WorkloadRef::new("../x"), RolloutOptions::default()).await, "../x");
    refused(client.pods(&cluster, &PodSelection::default().in_namespace("a/b"), CallOptions::default()).await, "a/b");

    assert_eq!(azure.requests().len(), 0, "{:?}", azure.requests());
}

#[test]
fn a_client_needs_a_subscription_that_is_an_id() {
    let azure = aks_acr_emulator::Emulator::new();
    let built = aks_acr::Client::builder(azure.credential(), "my subscription").transport(azure.transport()).build();
    refused(built, "my subscription");
}
