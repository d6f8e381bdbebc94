//! Makes the call that a step names.

use crate::{
    answer::{self, Answer, Listener},
    options::Args,
};
use aks_acr::{
    ApplyAttachOptions, ApplyDetachOptions, ApplyOptions, AttachOptions, AttachPlan, AttachmentsOptions, Client,
    CreateClusterOptions, CreateRegistryOptions, Deployment, DetachOptions, DetachPlan, Error, Import,
    ImportCredentials, ImportHandle, ImportItem, ImportManyOptions, ImportOptions, KubeconfigOptions, Manifest,
    MergeKubeconfigOptions, PodSelection, RollOutOptions, SshKey,
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
            options.retry_refused = args.seconds("retry_refused");
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
        "roll_out" => {
            let cluster = args.needed("cluster");
            let deployment = Deployment::new(args.wanted("deployment"));
            let deployment = args.text("namespace").into_iter().fold(deployment, Deployment::in_namespace);
            let options = roll_out_options(&mut args);
            end(&args, listener, async { client.roll_out(&cluster?, &deployment, options?.with_call(call)).await })
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
    options.inherited = args.parsed("inherited")?.unwrap_or_default();
    options.other_condition = args.parsed("other_condition")?.unwrap_or_default();
    options.retry_refused = args.seconds("retry_refused");
    Ok(options)
}

fn detach_options(args: &mut Args) -> Result<DetachOptions, Error> {
    let mut options = DetachOptions::default();
    options.principal_id = args.parsed("principal_id")?;
    options.only_ours = args.is_set("only_ours");
    Ok(options)
}

fn roll_out_options(args: &mut Args) -> Result<RollOutOptions, Error> {
    let mut options = RollOutOptions::default();
    options.registry = args.parsed("registry")?;
    options.subscriptions = args.texts("subscriptions").iter().map(|one| one.parse()).collect::<Result<_, _>>()?;
    options.propagation = args.seconds("propagation").unwrap_or(options.propagation);
    Ok(options)
}

fn attachments_options(args: &mut Args) -> Result<AttachmentsOptions, Error> {
    let named = args.value("subscriptions").unwrap_or_default();
    let named = named.as_array().into_iter().flatten().map(|one| one.as_str().unwrap_or_default().parse());
    let mut options = AttachmentsOptions::default();
    options.ask_directory = args.is_set("ask_directory");
    options.subscriptions = named.collect::<Result<_, _>>()?;
    Ok(options)
}

fn create_registry_options(args: &mut Args) -> Result<CreateRegistryOptions, Error> {
    let mut options = CreateRegistryOptions::default();
    options.location = args.text("location");
    options.sku = args.parsed("sku")?.unwrap_or_default();
    options.mode = args.parsed("mode")?.unwrap_or_default();
    options.domain_label = args.parsed("domain_label")?;
    options.register = args.is_set("register");
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
    options.register = args.is_set("register");
    Ok(options)
}

fn import_options(args: &mut Args) -> Result<ImportOptions, Error> {
    let mut options = ImportOptions::default();
    options.target = args.text("target");
    options.also = args.texts("also");
    options.untagged = args.texts("untagged");
    options.existing = args.parsed("existing")?.unwrap_or_default();
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
    options.mode.access = args.parsed("access")?.unwrap_or_default();
    options.mode.public_fqdn = args.is_set("public_fqdn");
    options.context = args.text("context");
    Ok(options)
}

fn merge_options(args: &mut Args) -> Result<MergeKubeconfigOptions, Error> {
    let mut options = MergeKubeconfigOptions::default();
    options.kubeconfig = kubeconfig_options(args)?;
    options.mode.file = args.text("file").map(Into::into);
    options.mode.existing = args.parsed("existing")?.unwrap_or_default();
    options.mode.set_current = args.flag("set_current").unwrap_or(options.mode.set_current);
    options.mode.lock_wait = args.seconds("lock_wait").unwrap_or(options.mode.lock_wait);
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
    options.mode.namespace = args.text("namespace").unwrap_or(options.mode.namespace);
    options.mode.force = args.is_set("force");
    options.mode.dry_run = args.is_set("dry_run");
    Ok(options)
}
