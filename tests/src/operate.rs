//! Calls any operation with arguments in JSON. A new operation is added here, and every test that goes through all operations has it.

#![expect(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::panic, reason = "for tests only")]

use crate::arguments::Arguments;
use aks_acr::{
    ApplyAttachOptions, ApplyDetachOptions, ApplyOptions, AttachOptions, AttachPlan, AttachmentsOptions, CallOptions,
    Client, ClusterRef, CreateClusterOptions, CreateRegistryOptions, DetachOptions, DetachPlan, Error, Import,
    ImportCredentials, ImportHandle, ImportItem, ImportManyOptions, ImportOptions, KubeconfigOptions, Manifest,
    MergeKubeconfigOptions, Operation, PodSelection, RolloutOptions, SshKey, WorkloadRef,
};
use azure_core::credentials::Secret;
use serde::Serialize;
use serde_json::{Value, json};
use std::{fmt::Debug, path::Path};

/// A cluster and a registry that exist, and the rest that operations need.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// As `group/name`.
    pub cluster: &'a str,
    /// Its name or resource ID.
    pub registry: &'a str,
    /// The manifest of a Deployment `web`.
    pub manifests: &'a str,
    /// For files.
    pub folder: &'a Path,
    /// The target of imports.
    pub target: Option<&'a str>,
}

impl Scene<'_> {
    /// The arguments of an operation. New resources are in the cluster's group and named `another`.
    #[must_use]
    pub fn arguments(&self, operation: Operation) -> Arguments {
        let group = self.cluster.split('/').next().unwrap_or_default();
        let image = json!({ "source": "nginx", "target": self.target });
        let arguments = Arguments::shared(&json!({
            "cluster": self.cluster,
            "registry": self.registry,
            "group": group,
            "name": "another",
            "source": "nginx",
            "images": [without_null(image)],
            "manifests": self.manifests,
            "workload": "web",
            "file": self.folder.join("config"),
        }));
        let arguments = arguments.with("target", self.target.map_or(Value::Null, Value::from));
        match operation {
            Operation::CreateCluster => {
                arguments.with("cluster", format!("{group}/another")).with("registries", json!([self.registry]))
            }
            // There it is an option.
            Operation::Apply | Operation::WaitForRollout => arguments.with("registry", Value::Null),
            _ => arguments,
        }
    }

    /// The same after what has to exist before was done: a plan made, an import started, a workload applied.
    pub async fn prepared(&self, owner: &Client, operation: Operation) -> Result<Arguments, Error> {
        let before = |operation| operate(owner, operation, self.arguments(operation), CallOptions::default());
        let arguments = self.arguments(operation);
        Ok(match operation {
            Operation::ApplyAttach => arguments.with("plan", before(Operation::PlanAttach).await?),
            Operation::ApplyDetach => arguments.with("plan", before(Operation::PlanDetach).await?),
            Operation::PollImport => arguments.with("handle", before(Operation::StartImport).await?),
            Operation::WaitForRollout => {
                before(Operation::Apply).await?;
                arguments
            }
            _ => arguments,
        })
    }
}

fn without_null(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, one| !one.is_null());
    }
    value
}

/// Makes the call and returns its result as JSON. A kubeconfig is returned without its text, which is a secret. With exact arguments
/// each image of a list has its own result or error; with those of a scene, the first error is that of the call.
#[expect(clippy::too_many_lines, reason = "one arm for each operation")]
pub async fn operate(
    client: &Client,
    operation: Operation,
    mut args: Arguments,
    call: CallOptions,
) -> Result<Value, Error> {
    let args = &mut args;
    match operation {
        Operation::Identities => {
            let cluster = args.required("cluster")?;
            args.done();
            shown(client.identities(&cluster, call).await)
        }
        Operation::Attach => {
            let (cluster, registry, options) =
                (args.required("cluster")?, args.required("registry")?, attach_options(args)?);
            args.done();
            shown(client.attach(&cluster, &registry, options.with_call(call)).await)
        }
        Operation::PlanAttach => {
            let (cluster, registry, options) =
                (args.required("cluster")?, args.required("registry")?, attach_options(args)?);
            args.done();
            shown(client.plan_attach(&cluster, &registry, options.with_call(call)).await)
        }
        Operation::ApplyAttach => {
            let plan: AttachPlan = args.stored("plan");
            let mut options = ApplyAttachOptions::default().with_call(call);
            options.retry_forbidden_for = args.seconds("retry_forbidden_for");
            args.done();
            shown(client.apply_attach(&plan, options).await)
        }
        Operation::Detach => {
            let (cluster, registry, options) =
                (args.required("cluster")?, args.required("registry")?, detach_options(args)?);
            args.done();
            shown(client.detach(&cluster, &registry, options.with_call(call)).await)
        }
        Operation::PlanDetach => {
            let (cluster, registry, options) =
                (args.required("cluster")?, args.required("registry")?, detach_options(args)?);
            args.done();
            shown(client.plan_detach(&cluster, &registry, options.with_call(call)).await)
        }
        Operation::ApplyDetach => {
            let plan: DetachPlan = args.stored("plan");
            args.done();
            shown(client.apply_detach(&plan, ApplyDetachOptions::default().with_call(call)).await)
        }
        Operation::AttachmentsOfCluster => {
            let (cluster, options) = (args.required("cluster")?, attachments_options(args)?);
            args.done();
            shown(client.attachments_of_cluster(&cluster, options.with_call(call)).await)
        }
        Operation::AttachmentsOfRegistry => {
            let (registry, options) = (args.required("registry")?, attachments_options(args)?);
            args.done();
            shown(client.attachments_of_registry(&registry, options.with_call(call)).await)
        }
        Operation::Registry => {
            let registry = args.required("registry")?;
            args.done();
            shown(client.registry(&registry, call).await)
        }
        Operation::CreateRegistry => {
            let (group, name) = (args.required_text("group"), args.required_text("name"));
            let options = create_registry_options(args)?;
            args.done();
            shown(client.create_registry(&group, &name, options.with_call(call)).await)
        }
        Operation::CreateCluster => {
            let (cluster, options) = (args.required::<ClusterRef>("cluster")?, create_cluster_options(args)?);
            args.done();
            shown(client.create_cluster(&cluster, options.with_call(call)).await)
        }
        Operation::ImportImage => {
            let (registry, source, options) =
                (args.required("registry")?, args.required("source")?, import_options(args)?);
            args.done();
            shown(client.import_image(&registry, &source, options.with_call(call)).await)
        }
        Operation::ImportImages => {
            let registry = args.required("registry")?;
            let images = args.objects("images").into_iter().map(import_item).collect::<Result<Vec<_>, _>>()?;
            let mut options = ImportManyOptions::default().with_call(call);
            options.concurrency = args.number("concurrency").map_or(options.concurrency, |number| number as usize);
            args.done();
            let results = client.import_images(&registry, images, options).await?;
            if args.is_shared() {
                return shown(results.into_iter().collect::<Result<Vec<Import>, Error>>());
            }
            Ok(results.into_iter().map(import_or_error).collect())
        }
        Operation::StartImport => {
            let (registry, source, options) =
                (args.required("registry")?, args.required("source")?, import_options(args)?);
            args.done();
            shown(client.start_import(&registry, &source, options.with_call(call)).await)
        }
        Operation::PollImport => {
            // The result of `start_import`, or the handle in it.
            let given: Value = args.stored("handle");
            let handle = given.get("handle").cloned().unwrap_or(given);
            let mut handle: ImportHandle = serde_json::from_value(handle).unwrap_or_else(|err| panic!("handle: {err}"));
            args.done();
            shown(client.poll_import(&mut handle, call).await)
        }
        Operation::Kubeconfig => {
            let (cluster, options) = (args.required("cluster")?, kubeconfig_options(args)?);
            args.done();
            let kubeconfig = client.kubeconfig(&cluster, options.with_call(call)).await?;
            Ok(json!({"context": kubeconfig.context(), "server": kubeconfig.server()}))
        }
        Operation::MergeKubeconfig => {
            let (cluster, options) = (args.required("cluster")?, merge_options(args)?);
            args.done();
            shown(client.merge_kubeconfig(&cluster, options.with_call(call)).await)
        }
        Operation::Apply => {
            let cluster = args.required("cluster")?;
            let manifests = Manifest::parse_all(&args.required_text("manifests"));
            let options = apply_options(args)?;
            args.done();
            shown(client.apply(&cluster, manifests?, options.with_call(call)).await)
        }
        Operation::WaitForRollout => {
            let cluster = args.required("cluster")?;
            let workload: WorkloadRef = args.required("workload")?;
            let workload = args.text("namespace").into_iter().fold(workload, WorkloadRef::in_namespace);
            let options = rollout_options(args)?;
            args.done();
            shown(client.wait_for_rollout(&cluster, &workload, options.with_call(call)).await)
        }
        Operation::Pods => {
            let cluster = args.required("cluster")?;
            let selection = PodSelection::default();
            let selection = args.text("namespace").into_iter().fold(selection, PodSelection::in_namespace);
            let selection = args.text("labels").into_iter().fold(selection, PodSelection::with_labels);
            args.done();
            shown(client.pods(&cluster, &selection, call).await)
        }
        other => panic!("{other}: add the operation here"),
    }
}

/// The result as JSON. `Debug` is called because programs log results.
fn shown<T: Debug + Serialize>(result: Result<T, Error>) -> Result<Value, Error> {
    let value = result?;
    drop(format!("{value:?}"));
    Ok(json!(value))
}

/// The result of one image of a list.
fn import_or_error(result: Result<Import, Error>) -> Value {
    match result {
        Ok(import) => json!({"import": import}),
        Err(err) => json!({"error": facts(&err)}),
    }
}

/// The facts of an error that are set.
#[must_use]
pub fn facts(err: &Error) -> Value {
    let facts = json!({
        "kind": err.kind().as_str(),
        "status": err.status(),
        "code": err.code(),
        "refusal": err.refusal(),
        "missing_action": err.missing_action(),
        "scope": err.scope(),
        "smallest_role": err.smallest_role(),
        "pull_failure": err.pull_failure(),
        "failed_side": err.failed_side(),
        "is_transient": err.is_transient(),
        "created": err.created(),
    });
    let Value::Object(facts) = facts else { return facts };
    facts.into_iter().filter(|(_, fact)| !fact.is_null()).collect()
}

fn attach_options(args: &mut Arguments) -> Result<AttachOptions, Error> {
    let mut options = AttachOptions::default();
    options.principal_id = args.parsed("principal_id")?;
    options.condition = args.text("condition");
    options.on_inherited_grant = args.parsed("on_inherited_grant")?.unwrap_or_default();
    options.on_condition_mismatch = args.parsed("on_condition_mismatch")?.unwrap_or_default();
    options.retry_forbidden_for = args.seconds("retry_forbidden_for");
    Ok(options)
}

fn detach_options(args: &mut Arguments) -> Result<DetachOptions, Error> {
    let mut options = DetachOptions::default();
    options.principal_id = args.parsed("principal_id")?;
    options.only_created_by_aks_acr = args.is_set("only_created_by_aks_acr");
    Ok(options)
}

fn rollout_options(args: &mut Arguments) -> Result<RolloutOptions, Error> {
    let mut options = RolloutOptions::default();
    options.registry = args.parsed("registry")?;
    options.subscriptions = args.all_parsed("subscriptions")?;
    options.propagation_timeout = args.seconds("propagation_timeout").unwrap_or(options.propagation_timeout);
    Ok(options)
}

fn attachments_options(args: &mut Arguments) -> Result<AttachmentsOptions, Error> {
    let mut options = AttachmentsOptions::default();
    options.query_graph = args.is_set("query_graph");
    options.subscriptions = args.all_parsed("subscriptions")?;
    Ok(options)
}

fn create_registry_options(args: &mut Arguments) -> Result<CreateRegistryOptions, Error> {
    let mut options = CreateRegistryOptions::default();
    options.location = args.text("location");
    options.sku = args.parsed("sku")?.unwrap_or_default();
    options.mode = args.parsed("mode")?.unwrap_or_default();
    options.domain_name_label_scope = args.parsed("domain_name_label_scope")?;
    options.register_providers = args.is_set("register_providers");
    Ok(options)
}

fn create_cluster_options(args: &mut Arguments) -> Result<CreateClusterOptions, Error> {
    let mut options = CreateClusterOptions::default();
    options.registries = args.all_parsed("registries")?;
    options.location = args.text("location");
    options.node_count = args.number("node_count").unwrap_or(options.node_count);
    options.vm_size = args.text("vm_size");
    options.kubernetes_version = args.text("kubernetes_version");
    options.tier = args.parsed("tier")?.unwrap_or_default();
    options.ssh_key = args.text("ssh_key").map_or(SshKey::None, SshKey::Public);
    options.register_providers = args.is_set("register_providers");
    Ok(options)
}

fn import_options(args: &mut Arguments) -> Result<ImportOptions, Error> {
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

fn kubeconfig_options(args: &mut Arguments) -> Result<KubeconfigOptions, Error> {
    let mut options = KubeconfigOptions::default();
    options.access = args.parsed("access")?.unwrap_or_default();
    options.public_fqdn = args.is_set("public_fqdn");
    options.context = args.text("context");
    Ok(options)
}

fn merge_options(args: &mut Arguments) -> Result<MergeKubeconfigOptions, Error> {
    let mut options = MergeKubeconfigOptions::default();
    options.kubeconfig = kubeconfig_options(args)?;
    options.file = args.text("file").map(Into::into);
    options.on_existing_entry = args.parsed("on_existing_entry")?.unwrap_or_default();
    options.set_current = args.flag("set_current").unwrap_or(options.set_current);
    options.lock_wait = args.seconds("lock_wait").unwrap_or(options.lock_wait);
    Ok(options)
}

fn import_item(mut args: Arguments) -> Result<ImportItem, Error> {
    let source = args.required("source")?;
    let options = import_options(&mut args)?;
    args.done();
    Ok(ImportItem::new(source, options))
}

fn apply_options(args: &mut Arguments) -> Result<ApplyOptions, Error> {
    let mut options = ApplyOptions::default();
    options.registry = args.parsed("registry")?;
    options.namespace = args.text("namespace").unwrap_or(options.namespace);
    options.force = args.is_set("force");
    options.dry_run = args.is_set("dry_run");
    Ok(options)
}
