//! Makes the call that a step names.

use crate::{
    answer::{self, Answer, Listener},
    options::Args,
};
use aks_acr::{
    ApplyAttachOptions, ApplyDetachOptions, ApplyOptions, AttachOptions, AttachPlan, AttachmentsOptions, Client,
    CreateClusterOptions, CreateRegistryOptions, DetachOptions, DetachPlan, Error, Import, ImportCredentials,
    ImportHandle, ImportItem, ImportManyOptions, ImportOptions, KubeconfigOptions, Manifest, MergeKubeconfigOptions,
    PodSelection, RolloutOptions, SshKey, WorkloadRef,
};
use azure_core::credentials::Secret;
use serde::Serialize;
use serde_json::json;
use std::future::Future;

/// Reads the arguments, makes the call and puts the answer together.
#[expect(clippy::too_many_lines, reason = "one arm an operation")]
pub async fn make(client: &Client, name: &str, mut args: Args, cancel: Option<&str>) -> Result<Answer, String> {
    let mut listener = Listener::new(cancel)?;
    listener.options.deadline = args.seconds("deadline");
    let call = listener.options.clone();
    match name {
        "identities" => {
            let cluster = args.needed("cluster");
            end(&args, listener, async { client.identities(&cluster?, call).await }).await
        }
        "attach" => {
            let (cluster, registry) = (args.needed("cluster"), args.needed("registry"));
            let options = attach_options(&mut args);
            let work = async { client.attach(&cluster?, &registry?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "plan_attach" => {
            let (cluster, registry) = (args.needed("cluster"), args.needed("registry"));
            let options = attach_options(&mut args);
            let work = async { client.plan_attach(&cluster?, &registry?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "apply_attach" => {
            let plan = args.value("plan").ok_or("plan is missing")?;
            let plan: AttachPlan = serde_json::from_value(plan).map_err(|fault| fault.to_string())?;
            let mut options = ApplyAttachOptions::default().with_call(call);
            options.retry_forbidden_for = args.seconds("retry_forbidden_for");
            end(&args, listener, async { client.apply_attach(&plan, options).await }).await
        }
        "registry" => {
            let registry = args.needed("registry");
            end(&args, listener, async { client.registry(&registry?, call).await }).await
        }
        "create_registry" => {
            let (group, name) = (args.wanted("group"), args.wanted("name"));
            let options = create_registry_options(&mut args);
            let work = async { client.create_registry(&group, &name, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "create_cluster" => {
            let cluster = args.needed("cluster");
            let options = create_cluster_options(&mut args);
            let work = async { client.create_cluster(&cluster?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "import_image" => {
            let (registry, source) = (args.needed("registry"), args.needed("source"));
            let options = import_options(&mut args);
            let work = async { client.import_image(&registry?, &source?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "import_images" => {
            let registry = args.needed("registry");
            let images = args.objects("images").into_iter().map(import_item).collect::<Result<Vec<_>, _>>();
            let mut options = ImportManyOptions::default().with_call(call);
            options.concurrency = args.number("concurrency").map_or(options.concurrency, |number| number as usize);
            let work = async {
                let results = client.import_images(&registry?, images?, options).await?;
                // Each on its own: what it gave, or why it failed.
                let one = |result: Result<Import, Error>| match result {
                    Ok(import) => json!({"import": import}),
                    Err(err) => json!({"error": answer::error(&err)}),
                };
                Ok(results.into_iter().map(one).collect::<Vec<_>>())
            };
            end(&args, listener, work).await
        }
        "start_import" => {
            let (registry, source) = (args.needed("registry"), args.needed("source"));
            let options = import_options(&mut args);
            let work = async { client.start_import(&registry?, &source?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "poll_import" => {
            // What `start_import` gave, or the handle in it.
            let given = args.value("handle").ok_or("handle is missing")?;
            let handle = given.get("handle").cloned().unwrap_or(given);
            let mut handle: ImportHandle = serde_json::from_value(handle).map_err(|fault| fault.to_string())?;
            end(&args, listener, async { client.poll_import(&mut handle, call).await }).await
        }
        "kubeconfig" => {
            let cluster = args.needed("cluster");
            let options = kubeconfig_options(&mut args);
            let work = async {
                let kubeconfig = client.kubeconfig(&cluster?, options?.with_call(call)).await?;
                // Its text is a secret.
                Ok(json!({"context": kubeconfig.context(), "server": kubeconfig.server()}))
            };
            end(&args, listener, work).await
        }
        "merge_kubeconfig" => {
            let cluster = args.needed("cluster");
            let options = merge_options(&mut args);
            end(&args, listener, async { client.merge_kubeconfig(&cluster?, options?.with_call(call)).await }).await
        }
        "apply" => {
            let (cluster, manifests) = (args.needed("cluster"), args.wanted("manifests"));
            let options = apply_options(&mut args);
            let work =
                async { client.apply(&cluster?, Manifest::parse_all(&manifests)?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "wait_for_rollout" => {
            let cluster = args.needed("cluster");
            let (workload, namespace) = (args.needed::<WorkloadRef>("workload"), args.text("namespace"));
            let options = wait_for_rollout_options(&mut args);
            end(&args, listener, async {
                let workload = namespace.into_iter().fold(workload?, WorkloadRef::in_namespace);
                client.wait_for_rollout(&cluster?, &workload, options?.with_call(call)).await
            })
            .await
        }
        "pods" => {
            let cluster = args.needed("cluster");
            let selection = PodSelection::default();
            let selection = args.text("namespace").into_iter().fold(selection, PodSelection::in_namespace);
            let selection = args.text("labels").into_iter().fold(selection, PodSelection::with_labels);
            end(&args, listener, async { client.pods(&cluster?, &selection, call).await }).await
        }
        other => make_of_grants(client, other, args, listener).await,
    }
}

/// The same for those that take grants back or look at them.
async fn make_of_grants(client: &Client, name: &str, mut args: Args, listener: Listener) -> Result<Answer, String> {
    let call = listener.options.clone();
    match name {
        "detach" => {
            let (cluster, registry) = (args.needed("cluster"), args.needed("registry"));
            let options = detach_options(&mut args);
            let work = async { client.detach(&cluster?, &registry?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "plan_detach" => {
            let (cluster, registry) = (args.needed("cluster"), args.needed("registry"));
            let options = detach_options(&mut args);
            let work = async { client.plan_detach(&cluster?, &registry?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "apply_detach" => {
            let plan = args.value("plan").ok_or("plan is missing")?;
            let plan: DetachPlan = serde_json::from_value(plan).map_err(|fault| fault.to_string())?;
            let options = ApplyDetachOptions::default().with_call(call);
            end(&args, listener, async { client.apply_detach(&plan, options).await }).await
        }
        "attachments_of_cluster" => {
            let cluster = args.needed("cluster");
            let options = attachments_options(&mut args);
            let work = async { client.attachments_of_cluster(&cluster?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        "attachments_of_registry" => {
            let registry = args.needed("registry");
            let options = attachments_options(&mut args);
            let work = async { client.attachments_of_registry(&registry?, options?.with_call(call)).await };
            end(&args, listener, work).await
        }
        other => Err(format!("there is no operation {other}")),
    }
}

async fn end<T: Serialize>(
    args: &Args,
    listener: Listener,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Answer, String> {
    args.done()?;
    let result = work.await;
    Ok(listener.answer(result))
}

fn attach_options(args: &mut Args) -> Result<AttachOptions, Error> {
    let mut options = AttachOptions::default();
    options.principal_id = args.parsed("principal_id")?;
    options.condition = args.text("condition");
    options.on_inherited_grant = args.parsed("on_inherited_grant")?.unwrap_or_default();
    options.on_condition_mismatch = args.parsed("on_condition_mismatch")?.unwrap_or_default();
    options.retry_forbidden_for = args.seconds("retry_forbidden_for");
    Ok(options)
}

fn detach_options(args: &mut Args) -> Result<DetachOptions, Error> {
    let mut options = DetachOptions::default();
    options.principal_id = args.parsed("principal_id")?;
    options.only_created_by_aks_acr = args.is_set("only_created_by_aks_acr");
    Ok(options)
}

fn wait_for_rollout_options(args: &mut Args) -> Result<RolloutOptions, Error> {
    let mut options = RolloutOptions::default();
    options.registry = args.parsed("registry")?;
    options.subscriptions = args.texts("subscriptions").iter().map(|one| one.parse()).collect::<Result<_, _>>()?;
    options.propagation_timeout = args.seconds("propagation_timeout").unwrap_or(options.propagation_timeout);
    Ok(options)
}

fn attachments_options(args: &mut Args) -> Result<AttachmentsOptions, Error> {
    let named = args.value("subscriptions").unwrap_or_default();
    let named = named.as_array().into_iter().flatten().map(|one| one.as_str().unwrap_or_default().parse());
    let mut options = AttachmentsOptions::default();
    options.query_graph = args.is_set("query_graph");
    options.subscriptions = named.collect::<Result<_, _>>()?;
    Ok(options)
}

fn create_registry_options(args: &mut Args) -> Result<CreateRegistryOptions, Error> {
    let mut options = CreateRegistryOptions::default();
    options.location = args.text("location");
    options.sku = args.parsed("sku")?.unwrap_or_default();
    options.mode = args.parsed("mode")?.unwrap_or_default();
    options.domain_name_label_scope = args.parsed("domain_name_label_scope")?;
    options.register_providers = args.is_set("register_providers");
    Ok(options)
}

fn create_cluster_options(args: &mut Args) -> Result<CreateClusterOptions, Error> {
    let mut options = CreateClusterOptions::default();
    options.registries = args.texts("registries").iter().map(|one| one.parse()).collect::<Result<_, _>>()?;
    options.location = args.text("location");
    options.node_count = args.number("node_count").unwrap_or(options.node_count);
    options.vm_size = args.text("vm_size");
    options.kubernetes_version = args.text("kubernetes_version");
    options.tier = args.parsed("tier")?.unwrap_or_default();
    options.ssh_key = args.text("ssh_key").map_or(SshKey::None, SshKey::Public);
    options.register_providers = args.is_set("register_providers");
    Ok(options)
}

fn import_options(args: &mut Args) -> Result<ImportOptions, Error> {
    let mut options = ImportOptions::default();
    options.target = args.text("target");
    options.additional_tags = args.texts("additional_tags");
    options.untagged_repositories = args.texts("untagged_repositories");
    options.on_existing_tag = args.parsed("on_existing_tag")?.unwrap_or_default();
    options.source_registry = args.parsed("source_registry")?;
    let (username, password) = (args.text("username"), args.text("password"));
    options.credentials = password.map(Secret::from).map(|password| match username {
        Some(username) => ImportCredentials::user(username, password),
        None => ImportCredentials::token(password),
    });
    Ok(options)
}

fn kubeconfig_options(args: &mut Args) -> Result<KubeconfigOptions, Error> {
    let mut options = KubeconfigOptions::default();
    options.access = args.parsed("access")?.unwrap_or_default();
    options.public_fqdn = args.is_set("public_fqdn");
    options.context = args.text("context");
    Ok(options)
}

fn merge_options(args: &mut Args) -> Result<MergeKubeconfigOptions, Error> {
    let mut options = MergeKubeconfigOptions::default();
    options.kubeconfig = kubeconfig_options(args)?;
    options.file = args.text("file").map(Into::into);
    options.on_existing_entry = args.parsed("on_existing_entry")?.unwrap_or_default();
    options.set_current = args.flag("set_current").unwrap_or(options.set_current);
    options.lock_wait = args.seconds("lock_wait").unwrap_or(options.lock_wait);
    Ok(options)
}

fn import_item(mut args: Args) -> Result<ImportItem, Error> {
    let source = args.needed("source")?;
    let options = import_options(&mut args)?;
    args.done().expect("an image of a list has an import's arguments");
    Ok(ImportItem::new(source, options))
}

fn apply_options(args: &mut Args) -> Result<ApplyOptions, Error> {
    let mut options = ApplyOptions::default();
    options.registry = args.parsed("registry")?;
    options.namespace = args.text("namespace").unwrap_or(options.namespace);
    options.force = args.is_set("force");
    options.dry_run = args.is_set("dry_run");
    Ok(options)
}
