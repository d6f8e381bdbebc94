//! The kinds that an API server serves: its own, and those that custom resource definitions add.

use serde_json::{Value, json};

use super::object::{list, text};
use super::typed::{Type, of_schema};

/// One kind in one version.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of its own in the API")]
#[expect(clippy::struct_field_names, reason = "the API calls this field `kind` too")]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) list_kind: String,
    pub(super) short: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) namespaced: bool,
    pub(super) status: bool,
    pub(super) scale: bool,
    pub(super) custom: bool,
    /// The type of a custom kind's objects, where its definition has a schema.
    pub(super) schema: Option<Type>,
    /// The schema itself.
    pub(super) definition: Value,
}

impl Kind {
    fn built_in(group: &str, version: &str, kind: &str, plural: &str, short: &[&str]) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            singular: kind.to_lowercase(),
            list_kind: format!("{kind}List"),
            short: short.iter().map(|&name| name.to_owned()).collect(),
            categories: Vec::new(),
            namespaced: true,
            status: false,
            scale: false,
            custom: false,
            schema: None,
            definition: Value::Null,
        }
    }

    fn cluster_wide(mut self) -> Self {
        self.namespaced = false;
        self
    }

    fn with_status(mut self) -> Self {
        self.status = true;
        self
    }

    fn with_scale(mut self) -> Self {
        self.scale = true;
        self.categories.push("all".to_owned());
        self
    }

    /// `deployments.apps`, as messages and keys name it.
    pub(super) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether a PUT makes an object that is not there: `AllowCreateOnUpdate` in `pkg/registry` of Kubernetes.
    pub(super) fn is_made_by_put(&self) -> bool {
        self.group == "rbac.authorization.k8s.io"
            || matches!(self.kind.as_str(), "Event" | "Lease" | "LimitRange" | "Service") && !self.custom
    }

    /// Whether a PUT has to name the revision that it changes: `AllowUnconditionalUpdate` there.
    pub(super) fn needs_revision(&self) -> bool {
        let of_group = ["admissionregistration.k8s.io", "apiextensions.k8s.io", "policy", "coordination.k8s.io"];
        self.custom || of_group.contains(&self.group.as_str())
    }

    /// What a `Status` says about an object of this kind.
    pub(super) fn details(&self, name: &str) -> Value {
        let mut details = json!({"kind": self.plural});
        if !name.is_empty() {
            details["name"] = json!(name);
        }
        if !self.group.is_empty() {
            details["group"] = json!(self.group);
        }
        details
    }
}

/// All kinds that are served.
#[derive(Debug)]
pub(super) struct Kinds(Vec<Kind>);

impl Kinds {
    pub(super) fn built_in() -> Self {
        let core = |kind: &str, plural: &str, short: &[&str]| Kind::built_in("", "v1", kind, plural, short);
        let apps = |kind: &str, plural: &str, short: &[&str]| {
            Kind::built_in("apps", "v1", kind, plural, short).with_status().with_scale()
        };
        let rbac = |kind: &str, plural: &str| Kind::built_in("rbac.authorization.k8s.io", "v1", kind, plural, &[]);
        let policy =
            |kind: &str, plural: &str| Kind::built_in(super::policy::GROUP, "v1", kind, plural, &[]).cluster_wide();
        let mut daemon_sets = apps("DaemonSet", "daemonsets", &["ds"]);
        daemon_sets.scale = false;
        let mut pods = core("Pod", "pods", &["po"]).with_status();
        pods.categories.push("all".to_owned());
        Self(vec![
            pods,
            core("Namespace", "namespaces", &["ns"]).cluster_wide().with_status(),
            core("Node", "nodes", &["no"]).cluster_wide().with_status(),
            core("Secret", "secrets", &[]),
            core("ConfigMap", "configmaps", &["cm"]),
            core("Service", "services", &["svc"]).with_status(),
            core("ServiceAccount", "serviceaccounts", &["sa"]),
            core("Event", "events", &["ev"]),
            apps("Deployment", "deployments", &["deploy"]),
            apps("ReplicaSet", "replicasets", &["rs"]),
            apps("StatefulSet", "statefulsets", &["sts"]),
            daemon_sets,
            Kind::built_in("batch", "v1", "Job", "jobs", &[]).with_status(),
            Kind::built_in("batch", "v1", "CronJob", "cronjobs", &["cj"]).with_status(),
            Kind::built_in("networking.k8s.io", "v1", "Ingress", "ingresses", &["ing"]).with_status(),
            Kind::built_in("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", &["netpol"]),
            Kind::built_in("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"]).with_status(),
            Kind::built_in("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"])
                .with_status(),
            Kind::built_in("coordination.k8s.io", "v1", "Lease", "leases", &[]),
            Kind::built_in("storage.k8s.io", "v1", "StorageClass", "storageclasses", &["sc"]).cluster_wide(),
            Kind::built_in("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", &["pc"]).cluster_wide(),
            core("PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"]).with_status(),
            core("PersistentVolume", "persistentvolumes", &["pv"]).cluster_wide().with_status(),
            core("ResourceQuota", "resourcequotas", &["quota"]).with_status(),
            core("LimitRange", "limitranges", &["limits"]),
            policy("ValidatingAdmissionPolicy", "validatingadmissionpolicies").with_status(),
            policy("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
            rbac("Role", "roles"),
            rbac("RoleBinding", "rolebindings"),
            rbac("ClusterRole", "clusterroles").cluster_wide(),
            rbac("ClusterRoleBinding", "clusterrolebindings").cluster_wide(),
            Kind::built_in(
                "apiextensions.k8s.io",
                "v1",
                "CustomResourceDefinition",
                "customresourcedefinitions",
                &["crd", "crds"],
            )
            .cluster_wide()
            .with_status(),
        ])
    }

    pub(super) fn all(&self) -> &[Kind] {
        &self.0
    }

    /// The kind behind a path.
    pub(super) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Kind> {
        self.0.iter().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
    }

    /// A kind of the API server's own, by its plural.
    pub(super) fn own(&self, plural: &str) -> Option<&Kind> {
        self.0.iter().find(|kind| !kind.custom && kind.plural == plural)
    }

    /// Serves what a definition defines, in place of what it defined before.
    pub(super) fn define(&mut self, definition: &Value) {
        self.forget(definition);
        self.0.extend(defined(definition));
    }

    /// Stops serving what a definition defines.
    pub(super) fn forget(&mut self, definition: &Value) {
        let (group, plural) = (text(definition, "/spec/group"), text(definition, "/spec/names/plural"));
        self.0.retain(|kind| !(kind.custom && kind.group == group && kind.plural == plural));
    }
}

fn defined(definition: &Value) -> Vec<Kind> {
    let names = |field: &str| text(definition, &format!("/spec/names/{field}")).to_owned();
    let texts = |pointer: &str| list(definition, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let kind = names("kind");
    let or = |given: String, default: String| if given.is_empty() { default } else { given };
    list(definition, "/spec/versions")
        .iter()
        .filter(|version| version["served"] == true)
        .map(|version| Kind {
            group: text(definition, "/spec/group").to_owned(),
            version: text(version, "/name").to_owned(),
            plural: names("plural"),
            singular: or(names("singular"), kind.to_lowercase()),
            list_kind: or(names("listKind"), format!("{kind}List")),
            kind: kind.clone(),
            short: texts("/spec/names/shortNames"),
            categories: texts("/spec/names/categories"),
            namespaced: text(definition, "/spec/scope") == "Namespaced",
            status: version.pointer("/subresources/status").is_some(),
            scale: version.pointer("/subresources/scale").is_some(),
            custom: true,
            definition: version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_default(),
            schema: Some(version.pointer("/schema/openAPIV3Schema").map_or(Type::Any, of_schema)),
        })
        .collect()
}
