//! Makes the call that a step names.

use crate::{
    answer::{Answer, Listener},
    options::Args,
};
use aks_acr::{
    ApplyOptions, AttachOptions, AttachPlan, Client, CreateRegistryOptions, Deployment, Error, ImportOptions,
    KubeconfigOptions, Manifest, MergeKubeconfigOptions, PodSelection, RollOutOptions,
};
use serde::Serialize;
use serde_json::json;
use std::future::Future;

/// Reads the arguments, makes the call and puts the answer together.
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
            let options = attach_options(&mut args);
            end(&args, listener, async { client.apply_attach(&plan, options?.with_call(call)).await }).await
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
        "import_image" => {
            let (registry, source) = (args.needed("registry"), args.needed("source"));
            let options = import_options(&mut args);
            let work = async { client.import_image(&registry?, &source?, options?.with_call(call)).await };
            end(&args, listener, work).await
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
            let mut options = RollOutOptions::default().with_call(call);
            options.propagation = args.seconds("propagation").unwrap_or(options.propagation);
            end(&args, listener, async { client.roll_out(&cluster?, &deployment, options).await }).await
        }
        "pods" => {
            let cluster = args.needed("cluster");
            let selection = PodSelection::default();
            let selection = args.text("namespace").into_iter().fold(selection, PodSelection::in_namespace);
            let selection = args.text("labels").into_iter().fold(selection, PodSelection::with_labels);
            end(&args, listener, async { client.pods(&cluster?, &selection, call).await }).await
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
    options.principal = args.parsed("principal")?;
    options.condition = args.text("condition");
    options.inherited = args.parsed("inherited")?.unwrap_or_default();
    options.other_condition = args.parsed("other_condition")?.unwrap_or_default();
    options.retry_refused = args.seconds("retry_refused");
    Ok(options)
}

fn create_registry_options(args: &mut Args) -> Result<CreateRegistryOptions, Error> {
    let mut options = CreateRegistryOptions::default();
    options.location = args.text("location");
    options.sku = args.parsed("sku")?.unwrap_or_default();
    options.mode = args.parsed("mode")?.unwrap_or_default();
    Ok(options)
}

fn import_options(args: &mut Args) -> Result<ImportOptions, Error> {
    let mut options = ImportOptions::default();
    options.target = args.text("target");
    options.existing = args.parsed("existing")?.unwrap_or_default();
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

fn apply_options(args: &mut Args) -> Result<ApplyOptions, Error> {
    let mut options = ApplyOptions::default();
    options.registry = args.parsed("registry")?;
    options.mode.namespace = args.text("namespace").unwrap_or(options.mode.namespace);
    options.mode.force = args.is_set("force");
    options.mode.dry_run = args.is_set("dry_run");
    Ok(options)
}
