//! What is applied to a cluster.

use crate::{
    backend::{Backend, absent_cluster, random_name},
    case::{Case, Checked, cases, refused},
    emulator::{GROUP, REGISTRY, Scene, deployment},
    kubectl,
};
use aks_acr::{Applied, ApplyOptions, CallOptions, ErrorKind, Event, Manifest};
use aks_acr_emulator::{RegistrySeed, Service};
use serde_json::json;
use std::sync::{Arc, Mutex};

const LABELLED: &str = "myregistry-e5f2d9a8b7c6h3j1.azurecr.io";
const PLACEHOLDER: &str = "<acr-name>.azurecr.io/nginx:v1";
const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [
            apply_of_a_dry_run_writes_nothing,
            apply_to_an_absent_cluster_is_not_found,
        ];
        on_emulator: [
            apply_looks_up_the_kinds_of_all_objects_before_it_writes_the_first,
            apply_a_second_time_changes_nothing,
            apply_takes_many_documents_in_their_order,
            apply_takes_a_definition_and_an_object_of_its_kind,
            apply_puts_namespaces_and_definitions_before_what_needs_them,
            apply_reports_the_warnings_of_the_server,
            apply_tells_whether_an_object_is_new,
            apply_puts_objects_that_name_no_namespace_into_the_one_of_the_options,
            apply_into_an_absent_namespace_is_not_found,
            apply_of_a_wrong_object_is_refused_and_tells_what_was_done_before_it,
            apply_of_many_objects_reports_them_in_their_order,
            apply_of_many_objects_starts_no_more_after_a_failure_and_counts_what_it_applied,
            apply_of_another_managers_field_is_a_conflict_unless_it_is_forced,
            apply_puts_a_login_server_with_a_domain_label_where_its_placeholder_stands,
            apply_refuses_what_names_no_registry_before_a_request,
            apply_with_an_absent_registry_writes_nothing,
            apply_reads_modes_and_words_as_kubectl_does,
            apply_asks_for_a_kubeconfig_once,
            apply_by_who_may_not_have_a_kubeconfig_is_forbidden,
        ];
    }
}

fn config_map(name: &str, value: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{a: '{value}'}}}}\n")
}

fn names(applied: &[Applied]) -> Vec<String> {
    applied.iter().map(ToString::to_string).collect()
}

async fn apply_of_a_dry_run_writes_nothing(backend: &dyn Backend) -> Checked {
    let name = random_name("aks-acr-test-");
    for _ in 0..2 {
        let manifests = Manifest::parse_all(&config_map(&name, "b"))?;
        let options = ApplyOptions::default().with_dry_run(true);
        let applied = backend.client().apply(backend.cluster(), manifests, options).await?;
        assert_eq!((names(&applied), applied[0].is_new), (vec![format!("ConfigMap/{name}")], true));
    }
    Ok(())
}

async fn apply_to_an_absent_cluster_is_not_found(backend: &dyn Backend) -> Checked {
    let manifests = Manifest::parse_all(&config_map("settings", "b"))?;
    let absent = absent_cluster(backend)?;
    refused(backend.client().apply(&absent, manifests, ApplyOptions::default()).await, ErrorKind::NotFound)?;
    Ok(())
}

fn cluster_writes(scene: &Scene) -> usize {
    scene.sent(|request| request.service == Service::Kubernetes && request.is_write()).len()
}

async fn apply_looks_up_the_kinds_of_all_objects_before_it_writes_the_first() -> Checked {
    let scene = Scene::new()?;
    for unknown in [
        "{apiVersion: no.example/v1, kind: Thing",
        "{apiVersion: apps/v1, kind: Nonesuch",
        "{apiVersion: apps/v9, kind: Deployment",
    ] {
        let text = format!("{}---\n{unknown}, metadata: {{name: x}}}}\n", config_map("settings", "b"));
        refused(scene.apply(&text).await, ErrorKind::NotFound)?;
    }
    assert_eq!(cluster_writes(&scene), 0);
    Ok(())
}

async fn apply_a_second_time_changes_nothing() -> Checked {
    let scene = Scene::new()?;
    let text = format!("{}---\n{}", config_map("settings", "b"), deployment("web", PLACEHOLDER, 0));
    let options = || ApplyOptions::default().with_registry(scene.by_id());
    let first = scene.apply_with(&text, options()).await?;
    let path = "/api/v1/namespaces/default/configmaps/settings";
    let before = (kubectl::get(&scene, path).await?, kubectl::get(&scene, WEB).await?);
    let second = scene.apply_with(&text, options()).await?;
    assert_eq!((kubectl::get(&scene, path).await?, kubectl::get(&scene, WEB).await?), before);
    assert_eq!(names(&first), names(&second));
    assert!(first.iter().all(|one| one.is_new) && !second.iter().any(|one| one.is_new));
    Ok(())
}

async fn apply_takes_many_documents_in_their_order() -> Checked {
    let scene = Scene::new()?;
    let text = format!(
        "---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: team}}}}\n---\n# nothing\n---\n\
         {{apiVersion: v1, kind: List, items: [\
         {{apiVersion: v1, kind: Secret, metadata: {{name: key, namespace: team}}, stringData: {{a: b}}}},\
         {{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}]}}\n---\n{}",
        config_map("settings", "b")
    );
    let applied = scene.apply(&text).await?;
    assert_eq!(names(&applied), ["Namespace/team", "Secret/key", "Service/web", "ConfigMap/settings"]);
    let places: Vec<_> = applied.iter().map(|one| one.namespace.as_deref()).collect();
    assert_eq!(places, [None, Some("team"), Some("default"), Some("default")]);
    Ok(())
}

const THINGS: &str = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.acme.example}, \
    spec: {group: acme.example, scope: Namespaced, names: {plural: things, singular: thing, kind: Thing}, \
    versions: [{name: v1, served: true, storage: true, \
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}";

async fn apply_puts_namespaces_and_definitions_before_what_needs_them() -> Checked {
    let scene = Scene::new()?;
    let text = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: settings, namespace: team}}}}\n---\n\
         {{apiVersion: acme.example/v1, kind: Thing, metadata: {{name: one, namespace: team}}}}\n---\n{THINGS}\n---\n\
         {{apiVersion: v1, kind: Namespace, metadata: {{name: team}}}}"
    );
    let applied = scene.apply(&text).await?;
    // The result has the order of the manifests.
    let wanted = ["ConfigMap/settings", "Thing/one", "CustomResourceDefinition/things.acme.example", "Namespace/team"];
    assert_eq!(names(&applied), wanted);
    let paths: Vec<_> = scene
        .sent(|request| request.service == Service::Kubernetes && request.is_write())
        .iter()
        .map(|request| request.path.rsplit('/').nth(1).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(paths, ["customresourcedefinitions", "namespaces", "configmaps", "things"]);
    Ok(())
}

async fn apply_reports_the_warnings_of_the_server() -> Checked {
    let scene = Scene::new()?;
    let text = "{apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {pod-security.kubernetes.io/warn: restricted}}}";
    let text = format!("{text}\n---\n{}", deployment("web", PLACEHOLDER, 0));
    let applied =
        scene.apply_with(&text, ApplyOptions::default().with_registry(scene.by_id()).with_namespace("team")).await?;
    assert!(applied[0].warnings.is_empty());
    assert!(
        applied[1].warnings[0].starts_with("would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation")
    );
    Ok(())
}

async fn apply_takes_a_definition_and_an_object_of_its_kind() -> Checked {
    let scene = Scene::new()?;
    let definition = THINGS;
    let object = "{apiVersion: acme.example/v1, kind: Thing, metadata: {name: one}, spec: {size: 3}}";
    let applied = scene.apply(&format!("{definition}\n---\n{object}")).await?;
    assert_eq!(names(&applied), ["CustomResourceDefinition/things.acme.example", "Thing/one"]);
    let (status, thing) = kubectl::get(&scene, "/apis/acme.example/v1/namespaces/default/things/one").await?;
    assert_eq!((status, &thing["spec"]["size"]), (200, &json!(3)));
    assert!(!scene.apply(object).await?[0].is_new);
    Ok(())
}

async fn apply_tells_whether_an_object_is_new() -> Checked {
    let scene = Scene::new()?;
    assert!(scene.apply(&config_map("settings", "b")).await?[0].is_new);
    assert!(!scene.apply(&config_map("settings", "c")).await?[0].is_new);
    let (_, found) = kubectl::get(&scene, "/api/v1/namespaces/default/configmaps/settings").await?;
    assert_eq!(found["data"], json!({"a": "c"}));
    Ok(())
}

async fn apply_puts_objects_that_name_no_namespace_into_the_one_of_the_options() -> Checked {
    let scene = Scene::new()?;
    scene.apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}").await?;
    let named = "{apiVersion: v1, kind: ConfigMap, metadata: {name: other, namespace: default}}";
    let text = format!("{}---\n{named}", config_map("settings", "b"));
    let applied = scene.apply_with(&text, ApplyOptions::default().with_namespace("team")).await?;
    let places: Vec<_> = applied.iter().map(|one| one.namespace.as_deref()).collect();
    assert_eq!(places, [Some("team"), Some("default")]);
    assert_eq!(kubectl::get(&scene, "/api/v1/namespaces/team/configmaps/settings").await?.0, 200);
    Ok(())
}

async fn apply_into_an_absent_namespace_is_not_found() -> Checked {
    let scene = Scene::new()?;
    let options = ApplyOptions::default().with_namespace("absent");
    refused(scene.apply_with(&config_map("settings", "b"), options).await, ErrorKind::NotFound)?;
    Ok(())
}

async fn apply_of_a_wrong_object_is_refused_and_tells_what_was_done_before_it() -> Checked {
    let scene = Scene::new()?;
    let wrong = deployment("typo", "docker.io/library/nginx:latest", 1).replace("replicas", "replcas");
    let text = format!("{}---\n{wrong}", config_map("settings", "b"));
    let err = refused(scene.apply(&text).await, ErrorKind::InvalidInput)?.to_string();
    assert!(err.contains("Deployment/typo") && err.contains("already applied: 1"), "{err}");
    Ok(())
}

async fn apply_of_many_objects_reports_them_in_their_order() -> Checked {
    let scene = Scene::new()?;
    let wanted: Vec<String> = (0..40).map(|number| format!("ConfigMap/c{number}")).collect();
    let text: Vec<String> = (0..40).map(|number| config_map(&format!("c{number}"), "b")).collect();
    assert_eq!(names(&scene.apply(&text.join("---\n")).await?), wanted);
    Ok(())
}

async fn apply_of_many_objects_starts_no_more_after_a_failure_and_counts_what_it_applied() -> Checked {
    let scene = Scene::new()?;
    let mut texts: Vec<String> = (0..40).map(|number| config_map(&format!("c{number}"), "b")).collect();
    texts[11] = texts[11].replace(", data", ", datum");
    let err = refused(scene.apply(&texts.join("---\n")).await, ErrorKind::InvalidInput)?.to_string();
    let mut there = 0;
    for number in 0..40 {
        let path = format!("/api/v1/namespaces/default/configmaps/c{number}");
        there += usize::from(kubectl::get(&scene, &path).await?.0 == 200);
    }
    assert!(err.contains("ConfigMap/c11") && err.contains(&format!("already applied: {there})")), "{there}: {err}");
    let sent = scene.sent(|request| request.method == "PATCH").len();
    assert!(there + 1 == sent && sent < 11 + 9, "{there} of {sent}");
    Ok(())
}

async fn apply_of_another_managers_field_is_a_conflict_unless_it_is_forced() -> Checked {
    let scene = Scene::new()?;
    scene.apply(&deployment("web", "docker.io/library/nginx:latest", 1)).await?;
    let scaled =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3}});
    kubectl::apply(&scene, WEB, &scaled).await?;
    let mine = deployment("web", "docker.io/library/nginx:latest", 2);
    let err = format!("{:#}", refused(scene.apply(&mine).await, ErrorKind::Conflict)?);
    assert!(err.contains(".spec.replicas") && err.contains("\"other\""), "{err}");
    assert_eq!(kubectl::get(&scene, WEB).await?.1["spec"]["replicas"], 3);
    scene.apply_with(&mine, ApplyOptions::default().with_force(true)).await?;
    assert_eq!(kubectl::get(&scene, WEB).await?.1["spec"]["replicas"], 2);
    Ok(())
}

async fn apply_puts_a_login_server_with_a_domain_label_where_its_placeholder_stands() -> Checked {
    let scene = Scene::with_registry(RegistrySeed::new(GROUP, REGISTRY).login_server(LABELLED))?;
    let options = ApplyOptions::default().with_registry(REGISTRY.parse()?);
    scene.apply_with(&deployment("web", PLACEHOLDER, 0), options).await?;
    let (_, web) = kubectl::get(&scene, WEB).await?;
    let image = &web["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, &json!(format!("{LABELLED}/nginx:v1")));
    Ok(())
}

async fn apply_refuses_what_names_no_registry_before_a_request() -> Checked {
    let scene = Scene::new()?;
    for image in [PLACEHOLDER, "<your-registry>/nginx:v1", "myregistry.azurecr.cn/nginx:v1"] {
        let err = refused(scene.apply(&deployment("web", image, 1)).await, ErrorKind::InvalidInput)?;
        assert!(err.to_string().contains("Deployment/web"), "{err}");
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn apply_with_an_absent_registry_writes_nothing() -> Checked {
    let scene = Scene::new()?;
    let options = ApplyOptions::default().with_registry("absentregistry".parse()?);
    let text = format!("{}---\n{}", config_map("settings", "b"), deployment("web", PLACEHOLDER, 1));
    refused(scene.apply_with(&text, options).await, ErrorKind::NotFound)?;
    assert_eq!(cluster_writes(&scene), 0);
    Ok(())
}

/// Manifests of others have octal modes and words: kubectl applies them.
async fn apply_reads_modes_and_words_as_kubectl_does() -> Checked {
    let scene = Scene::new()?;
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: words}, spec: {automountServiceAccountToken: no, \
        containers: [{name: c, image: nginx, stdin: yes, env: [{name: A, value: 'no'}, {name: B, value: '0123'}]}], \
        volumes: [{name: s, secret: {secretName: s, defaultMode: 0400, optional: on}}]}}";
    scene.apply(pod).await?;
    let (_, found) = kubectl::get(&scene, "/api/v1/namespaces/default/pods/words").await?;
    let (spec, container) = (&found["spec"], &found["spec"]["containers"][0]);
    assert_eq!((&spec["automountServiceAccountToken"], &container["stdin"]), (&json!(false), &json!(true)));
    assert_eq!(container["env"], json!([{"name": "A", "value": "no"}, {"name": "B", "value": "0123"}]));
    assert_eq!(spec["volumes"][0]["secret"], json!({"secretName": "s", "defaultMode": 256, "optional": true}));
    // A word where Kubernetes has text is refused there, with the field's name.
    let words = "{apiVersion: v1, kind: ConfigMap, metadata: {name: words}, data: {a: no}}";
    refused(scene.apply(words).await, ErrorKind::InvalidInput)?;
    Ok(())
}

async fn apply_asks_for_a_kubeconfig_once() -> Checked {
    let scene = Scene::new()?;
    let heard = Arc::new(Mutex::new(0));
    for _ in 0..3 {
        let sink = heard.clone();
        let call = CallOptions::default().with_progress(move |event| {
            if let (Event::Finished { .. }, Ok(mut count)) = (event, sink.lock()) {
                *count += 1;
            }
        });
        scene.apply_with(&config_map("settings", "b"), ApplyOptions::default().with_call(call)).await?;
    }
    assert_eq!(scene.sent(|request| request.path.ends_with("Credential")).len(), 1);
    assert_eq!(heard.lock().map(|heard| *heard).ok(), Some(3), "each object is told");
    Ok(())
}

async fn apply_by_who_may_not_have_a_kubeconfig_is_forbidden() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Reader", &scene.everything())])?;
    let manifests = Manifest::parse_all(&config_map("settings", "b"))?;
    let err = refused(client.apply(&scene.cluster, manifests, ApplyOptions::default()).await, ErrorKind::Forbidden)?;
    assert_eq!(err.smallest_role(), Some("Azure Kubernetes Service Cluster User Role"));
    Ok(())
}
