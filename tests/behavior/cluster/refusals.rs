//! What Kubernetes refuses: at once, with its own words, and saying who refused.

use crate::{
    case::{Case, Checked, cases, refused},
    emulator::{REGISTRY, Scene, deployment},
    kubectl,
};
use aks_acr::{ApplyOptions, ErrorKind, RolloutOptions, WorkloadRef};
use aks_acr_emulator::{Fault, Service};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [];
        on_emulator: [
            an_object_that_does_not_fit_its_schema_is_refused_at_once,
            an_object_that_is_too_large_is_refused_at_once,
            an_outage_is_outlasted_and_told_with_the_words_of_kubernetes,
            a_page_in_the_place_of_kubernetes_is_no_refusal,
            who_refused_is_said,
            a_quota_says_that_it_is_one,
            a_namespace_that_is_being_deleted_is_a_transient_conflict,
            what_is_missing_is_named_with_its_namespace,
            a_placeholder_is_filled_in_wherever_an_image_is_named,
            a_namespace_that_is_no_text_is_never_the_default_one,
        ];
    }
}

fn patches(scene: &Scene) -> usize {
    scene.sent(|request| request.service == Service::Kubernetes && request.method == "PATCH").len()
}

fn pod(container: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{containers: [{{name: c, image: nginx, {container}}}]}}}}"
    )
}

/// The first is what Kubernetes 1.33 was seen to answer; the others are of the same kind.
async fn an_object_that_does_not_fit_its_schema_is_refused_at_once() -> Checked {
    let of_kind = |kind: &str, fields: &str| format!("{{{kind}, metadata: {{name: a}}, {fields}}}");
    for (object, words) in [
        (
            deployment("a", "nginx", 1).replace("name: main", "name: c, imagePullPolice: Always"),
            "failed to create typed patch object (default/a; apps/v1, Kind=Deployment): .spec.template.spec.containers[name=\"c\"].imagePullPolice: field not declared in schema",
        ),
        (
            deployment("a", "nginx", 1).replace("replicas: 1", "replicas: two"),
            ".spec.replicas: expected numeric (int or float), got string",
        ),
        (
            deployment("a", "nginx", 1).replace("replicas: 1", "paused: 'yes'"),
            ".spec.paused: expected boolean, got &{yes}",
        ),
        (pod("env: [{name: A, value: '1'}, {name: A, value: '2'}]"), ".env: duplicate entries for key [name=\"A\"]"),
        (pod("env: [{name: A, value: true}]"), ".env[name=\"A\"].value: expected string"),
        (pod("resources: {limits: {cpu: abc}}"), "quantities must match the regular expression"),
        (of_kind("apiVersion: v1, kind: ConfigMap", "Data: {a: b}"), ".Data: field not declared in schema"),
        (of_kind("apiVersion: v1, kind: ConfigMap", "data: {a: 1}"), ".data.a: expected string"),
        (of_kind("apiVersion: v1, kind: Secret", "data: {a: '!!'}"), "illegal base64 data at input byte 0"),
        (
            of_kind("apiVersion: v1, kind: Service", "spec: {ports: [{port: 80}, {port: 80}]}"),
            ".spec.ports: duplicate entries for key [port=80,protocol=\"TCP\"]",
        ),
        (of_kind("apiVersion: batch/v1, kind: CronJob", "spec: {schedule: 5}"), ".spec.schedule: expected string"),
        (
            of_kind("apiVersion: rbac.authorization.k8s.io/v1, kind: Role", "rules: [{verbs: get}]"),
            ".rules[0].verbs: expected list, got &{get}",
        ),
    ] {
        let scene = Scene::new()?;
        let begun = Instant::now();
        let err = refused(scene.apply(&object).await, ErrorKind::InvalidInput)?;
        let text = err.to_string();
        assert!(!err.is_transient() && text.contains(words), "{object}: {text}");
        assert_eq!((err.status(), patches(&scene)), (Some(500), 1), "{object}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{object}");
    }
    Ok(())
}

async fn an_object_that_is_too_large_is_refused_at_once() -> Checked {
    let filled = |size: usize| pod(&format!("env: [{{name: A, value: '{}'}}]", "x".repeat(size)));
    let config_map = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{a: '{}'}}}}",
        "x".repeat(1024 * 1024 + 1)
    );
    for (object, status, words) in [
        (filled(3 * 1024 * 1024), 413, "Request entity too large: limit is 3145728"),
        (filled(9 * 1024 * 1024 / 4), 500, "trying to send message larger than max ("),
        (filled(7 * 1024 * 1024 / 4), 500, "etcdserver: request is too large"),
        (config_map, 422, "Too long: may not be more than 1048576 bytes"),
    ] {
        let scene = Scene::new()?;
        let err = refused(scene.apply(&object).await, ErrorKind::InvalidInput)?;
        assert_eq!((err.status(), patches(&scene)), (Some(status), 1));
        assert!(err.to_string().contains(words), "{words}: {}", err.to_string().chars().take(500).collect::<String>());
    }
    Ok(())
}

fn status(code: u16, reason: &str, message: &str) -> Fault {
    let mut body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code});
    if !reason.is_empty() {
        body["reason"] = json!(reason);
    }
    Fault::on("PATCH", "/configmaps/").status(code).body(body)
}

const SETTINGS: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}";

async fn an_outage_is_outlasted_and_told_with_the_words_of_kubernetes() -> Checked {
    for words in ["etcdserver: request timed out", "etcdserver: leader changed", "context deadline exceeded"] {
        let scene = Scene::new()?;
        scene.azure.fault(status(500, "", words).times(2));
        scene.apply(SETTINGS).await?;
        assert_eq!(patches(&scene), 3);
        scene.azure.fault(status(500, "", words).times(100));
        let err = refused(scene.apply(SETTINGS).await, ErrorKind::Unavailable)?;
        assert!(err.is_transient() && err.to_string().contains(words), "{err}");
    }
    Ok(())
}

async fn a_page_in_the_place_of_kubernetes_is_no_refusal() -> Checked {
    for code in [400, 401, 403, 404, 409, 422] {
        let scene = Scene::new()?;
        scene.azure.fault(Fault::on("PATCH", "/configmaps/").status(code).page().times(100));
        let err = refused(scene.apply(SETTINGS).await, ErrorKind::Unavailable)?;
        // A block stays until it is lifted; only a failing gateway recovers by itself.
        assert!(!err.is_transient() && err.to_string().contains("a proxy or firewall"), "{err}");
    }
    Ok(())
}

async fn who_refused_is_said() -> Checked {
    for (who, words) in [
        ("ResourceQuota", "exceeded quota: q, requested: configmaps=1, used: configmaps=3, limited: configmaps=3"),
        ("LimitRange", "maximum cpu usage per Container is 100m, but limit is 1"),
        (
            "admission policy",
            "ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest' denied request: every image needs a tag",
        ),
        ("Pod Security", "violates PodSecurity \"restricted:latest\": runAsNonRoot != true"),
        ("RBAC", "User \"reader\" cannot patch resource \"configmaps\" in API group \"\" in the namespace \"default\""),
        ("denied the request", "something that nobody here knows"),
    ] {
        let scene = Scene::new()?;
        let message = format!("configmaps \"settings\" is forbidden: {words}");
        scene.azure.fault(status(403, "Forbidden", &message));
        let err = refused(scene.apply(SETTINGS).await, ErrorKind::Forbidden)?;
        let (sentence, rest) =
            err.to_string().split_once(" (").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap_or_default();
        assert!(sentence.contains(who) && rest.contains(words), "{err}");
        assert_eq!(patches(&scene), 1);
    }
    Ok(())
}

async fn a_quota_says_that_it_is_one() -> Checked {
    let scene = Scene::new()?;
    // Each namespace has a ConfigMap from the start, with the cluster's certificate.
    let quota = "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {configmaps: '2', count/deployments.apps: 0}}}";
    scene.apply(quota).await?;
    scene.apply(SETTINGS).await?;
    let second = SETTINGS.replace("name: settings", "name: others");
    let err = refused(scene.apply(&second).await, ErrorKind::Forbidden)?.to_string();
    assert!(
        err.contains("ResourceQuota")
            && err.contains("exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2"),
        "{err}"
    );
    let err = refused(scene.apply(&deployment("web", "nginx", 1)).await, ErrorKind::Forbidden)?.to_string();
    assert!(err.contains("count/deployments.apps=0"), "{err}");
    Ok(())
}

async fn a_namespace_that_is_being_deleted_is_a_transient_conflict() -> Checked {
    let scene = Scene::new()?;
    let held =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: held, namespace: ending, finalizers: [example.com/held]}}";
    scene.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: ending}}}}\n---\n{held}")).await?;
    kubectl::delete(&scene, "/api/v1/namespaces/ending").await?;
    let before = patches(&scene);
    let options = ApplyOptions::default().with_namespace("ending");
    let err = refused(scene.apply_with(SETTINGS, options).await, ErrorKind::Conflict)?;
    let text = err.to_string();
    assert!(err.is_transient() && text.starts_with("the namespace is being deleted"), "{text}");
    assert!(text.contains("unable to create new content in namespace ending because it is being terminated"), "{text}");
    assert_eq!(patches(&scene), before + 1);
    Ok(())
}

async fn what_is_missing_is_named_with_its_namespace() -> Checked {
    let scene = Scene::new()?;
    let wait = async |deployment: WorkloadRef| {
        let err = scene.client.wait_for_rollout(&scene.cluster, &deployment, RolloutOptions::default()).await;
        refused(err, ErrorKind::NotFound).map(|err| err.to_string())
    };
    let err = wait(WorkloadRef::new("web")).await?;
    assert!(err.starts_with("no deployment 'web' in namespace 'default'; set `namespace`"), "{err}");
    let err = wait(WorkloadRef::new("api").in_namespace("team")).await?;
    assert!(err.starts_with("no deployment 'api' in namespace 'team'"), "{err}");
    let options = ApplyOptions::default().with_namespace("nowhere");
    let err = refused(scene.apply_with(SETTINGS, options).await, ErrorKind::NotFound)?.to_string();
    assert!(
        err.starts_with("no namespace 'nowhere' in the cluster") && err.contains("namespaces \"nowhere\" not found"),
        "{err}"
    );
    let unknown = "{apiVersion: no.example/v1, kind: Thing, metadata: {name: a}}";
    let err = refused(scene.apply(unknown).await, ErrorKind::NotFound)?.to_string();
    assert!(err.starts_with("the cluster has no kind 'Thing' in apiVersion 'no.example/v1'"), "{err}");
    Ok(())
}

async fn a_placeholder_is_filled_in_wherever_an_image_is_named() -> Checked {
    let image = "'<acr-name>.azurecr.io/models/m:v1'";
    let scene = Scene::new()?;
    let spec = format!(
        "{{restartPolicy: Never, containers: [{{name: c, image: nginx, args: ['--helper=<acr-name>.azurecr.io/h:v1']}}], \
         initContainers: [{{name: i, image: {image}}}], volumes: [{{name: m, image: {{reference: {image}, pullPolicy: IfNotPresent}}}}]}}"
    );
    let pod = format!("{{apiVersion: v1, kind: Pod, metadata: {{name: model}}, spec: {spec}}}");
    let cron = format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: model}}, spec: {{schedule: '* * * * *', jobTemplate: {{spec: {{template: {{spec: {spec}}}}}}}}}}}"
    );
    let list = format!("{{apiVersion: v1, kind: List, items: [{pod}, {cron}]}}");
    let err = refused(scene.apply(&list).await, ErrorKind::InvalidInput)?.to_string();
    assert!(err.contains("field: spec.") && err.contains("Pod/model"), "{err}");
    assert_eq!(scene.azure.requests(), [], "refused before the first request");
    let options = ApplyOptions::default().with_registry(REGISTRY.parse()?);
    scene.apply_with(&list, options).await?;
    let filled = json!("myregistry.azurecr.io/models/m:v1");
    for (path, spec) in [
        ("/api/v1/namespaces/default/pods/model", "/spec"),
        ("/apis/batch/v1/namespaces/default/cronjobs/model", "/spec/jobTemplate/spec/template/spec"),
    ] {
        let (_, found) = kubectl::get(&scene, path).await?;
        let at = |place: &str| found.pointer(&format!("{spec}{place}")).cloned().unwrap_or_default();
        assert_eq!((at("/volumes/0/image/reference"), at("/initContainers/0/image")), (filled.clone(), filled.clone()));
        assert_eq!(at("/containers/0/args/0"), json!("--helper=myregistry.azurecr.io/h:v1"));
    }
    Ok(())
}

async fn a_namespace_that_is_no_text_is_never_the_default_one() -> Checked {
    let scene = Scene::new()?;
    for value in ["53", "123", "1.5", "true", "[team]", "{name: team}", ".inf"] {
        let object = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: where\n  namespace: {value}\ndata: {{a: b}}\n"
        );
        let err = refused(scene.apply(&object).await, ErrorKind::InvalidInput)?.to_string();
        let is_named = err.contains("metadata.namespace must be text") && err.contains("line: 5");
        assert!(is_named || (value == ".inf" && err.contains("line: 5")), "{value}: {err}");
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}
