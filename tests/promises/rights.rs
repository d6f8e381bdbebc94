//! README's table of rights: each operation works with exactly those actions, and without any of them fails and names it.

use crate::client;
use aks_acr::{
    AttachOptions, Client, ClusterRef, CreateRegistryOptions, Error, ErrorKind, ImportOptions, KubeconfigOptions,
    MergeKubeconfigOptions, RegistryRef,
};
use aks_acr_emulator::Emulator;
use aks_acr_tests::folder::Folder;
use futures::future::{BoxFuture, FutureExt};

const READ_CLUSTER: &str = "Microsoft.ContainerService/managedClusters/read";
const USER_CREDENTIAL: &str = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action";
const READ_REGISTRY: &str = "Microsoft.ContainerRegistry/registries/read";
const WRITE_REGISTRY: &str = "Microsoft.ContainerRegistry/registries/write";
const IMPORT: &str = "Microsoft.ContainerRegistry/registries/importImage/action";
const READ_GRANTS: &str = "Microsoft.Authorization/roleAssignments/read";
const WRITE_GRANTS: &str = "Microsoft.Authorization/roleAssignments/write";
const READ_GROUP: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

type Operation = for<'a> fn(&'a Client, &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>>;

fn cluster() -> ClusterRef {
    ClusterRef::new("group", "dev").unwrap()
}

fn plan<'a>(client: &'a Client, registry: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async { client.plan_attach(&cluster(), registry, AttachOptions::default()).await.map(drop) }.boxed()
}

fn attach<'a>(client: &'a Client, registry: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async { client.attach(&cluster(), registry, AttachOptions::default()).await.map(drop) }.boxed()
}

fn create<'a>(client: &'a Client, _: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async { client.create_registry("group", "another", CreateRegistryOptions::default()).await.map(drop) }.boxed()
}

fn import<'a>(client: &'a Client, registry: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async {
        let options = ImportOptions::default().with_target("nginx:v1");
        client.import_image(registry, &"nginx".parse().unwrap(), options).await.map(drop)
    }
    .boxed()
}

fn kubeconfig<'a>(client: &'a Client, _: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async { client.kubeconfig(&cluster(), KubeconfigOptions::default()).await.map(drop) }.boxed()
}

fn merge<'a>(client: &'a Client, _: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async {
        let folder = Folder::new();
        let options = MergeKubeconfigOptions::default().with_file(folder.join("config"));
        client.merge_kubeconfig(&cluster(), options).await.map(drop)
    }
    .boxed()
}

/// The operation as a caller who has these actions in the resource group, and no other.
async fn run(operation: Operation, actions: &[&str]) -> Result<(), Error> {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let azure =
        azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"]).with_custom_role("exactly", actions, &[]);
    let group = format!("/subscriptions/{}/resourceGroups/group", azure.subscription());
    let azure = azure.with_caller("caller", &[("exactly", &group)]);
    let registry = azure.registry_id("group", "myregistry").parse().unwrap();
    operation(&client(&azure, azure.credential_of("caller")), &registry).await
}

async fn needs_exactly(operation: Operation, actions: &[&str]) {
    run(operation, actions).await.unwrap();
    for missing in actions {
        let rest: Vec<&str> = actions.iter().copied().filter(|action| action != missing).collect();
        let err = run(operation, &rest).await.unwrap_err();
        assert_eq!((err.kind(), err.missing_action()), (ErrorKind::Forbidden, Some(*missing)), "{err:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn attach_needs_to_read_cluster_and_registry_and_to_write_grants() {
    needs_exactly(attach, &[READ_CLUSTER, READ_REGISTRY, WRITE_GRANTS]).await;
    run(attach, &[READ_CLUSTER, READ_REGISTRY, READ_GRANTS, WRITE_GRANTS]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_plan_needs_to_read_only() {
    needs_exactly(plan, &[READ_CLUSTER, READ_REGISTRY]).await;
}

#[tokio::test(start_paused = true)]
async fn creating_a_registry_needs_to_read_and_write_it_and_to_read_its_group() {
    needs_exactly(create, &[READ_REGISTRY, WRITE_REGISTRY, READ_GROUP]).await;
}

#[tokio::test(start_paused = true)]
async fn importing_needs_to_read_the_registry_and_to_import() {
    needs_exactly(import, &[READ_REGISTRY, IMPORT]).await;
}

#[tokio::test(start_paused = true)]
async fn a_kubeconfig_needs_its_own_action_only() {
    needs_exactly(kubeconfig, &[USER_CREDENTIAL]).await;
    needs_exactly(merge, &[USER_CREDENTIAL]).await;
}
