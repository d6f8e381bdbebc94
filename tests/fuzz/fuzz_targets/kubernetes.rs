//! What the administrator of a cluster sends: objects and patches in every form there is.
#![no_main]

use bytes::Bytes;
use fuzz::Azure;
use http::Request;
use libfuzzer_sys::fuzz_target;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const BASE: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":1,
    "selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
    "spec":{"containers":[{"name":"web","image":"docker.io/library/nginx:latest"}]}}}}"#;

/// Ways to send a body: method, path behind the collection's, media type.
const WAYS: [(&str, &str, &str); 10] = [
    ("POST", DEPLOYMENTS, "application/json"),
    ("POST", DEPLOYMENTS, "application/yaml"),
    ("POST", "/api/v1/namespaces/default/pods", "application/yaml"),
    ("POST", "/api/v1/namespaces/default/secrets", "application/vnd.kubernetes.protobuf"),
    ("PUT", "/apis/apps/v1/namespaces/default/deployments/web", "application/json"),
    ("PATCH", "/apis/apps/v1/namespaces/default/deployments/web", "application/json-patch+json"),
    ("PATCH", "/apis/apps/v1/namespaces/default/deployments/web", "application/merge-patch+json"),
    ("PATCH", "/apis/apps/v1/namespaces/default/deployments/web", "application/strategic-merge-patch+json"),
    (
        "PATCH",
        "/apis/apps/v1/namespaces/default/deployments/web?fieldManager=a&force=true",
        "application/apply-patch+yaml",
    ),
    ("DELETE", "/apis/apps/v1/namespaces/default/deployments/web", "application/json"),
];

/// Kubernetes rejects some bad requests with 500: an applied object that does not fit its schema (kubernetes/kubernetes#122480), and a
/// deletion whose options cannot be read, which the suite `kubernetes` compares with a real API server; and a strategic merge patch
/// whose list does not fit (`interpretStrategicMergePatchError` in `k8s.io/apiserver/pkg/endpoints/handlers/patch.go`, v0.33.3).
const INTERNAL: [&str; 6] = [
    "failed to create typed patch object",
    "failed to convert new object",
    "couldn't get version/kind; json parse error",
    "json: cannot unmarshal",
    "does not contain declared merge key",
    "list element types are not identical",
];

fn is_of_kubernetes(status: u16, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    status == 500 && INTERNAL.iter().any(|words| text.contains(words))
}

fuzz_target!(|data: &[u8]| {
    let azure = Azure::new();
    let ask = |method: &str, path: &str, media: &str, body: &[u8]| {
        let request = Request::builder().method(method).uri(format!("{}{path}", azure.api_server()));
        let request = request.header("authorization", azure.token("kube")).header("content-type", media);
        azure.ask(request.body(Bytes::copy_from_slice(body)).expect("a request"))
    };
    assert_eq!(ask("POST", DEPLOYMENTS, "application/json", BASE.as_bytes()).0, 201);
    // A digit says which way, and the rest is the body; several follow one another.
    for part in data.split(|byte| *byte == 0).take(4) {
        if let Some((first, body)) = part.split_first() {
            let (method, path, media) = WAYS[usize::from(*first) % WAYS.len()];
            let (status, answer) = ask(method, path, media, body);
            let is_expected = status < 500 || status == 501 || is_of_kubernetes(status, &answer);
            assert!(is_expected, "{method} {path}: {status} {}", String::from_utf8_lossy(&answer));
            azure.pass(2);
        }
    }
    azure.pass(600);
    for path in ["/api/v1/pods", "/api/v1/events", "/apis/apps/v1/deployments"] {
        assert_eq!(ask("GET", path, "application/json", b"").0, 200, "{path}");
    }
});
