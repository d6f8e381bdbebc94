//! The small languages of queries: filters of Resource Manager and Graph, selectors of Kubernetes, conditions of grants.
#![no_main]

use bytes::Bytes;
use fuzz::Azure;
use http::Request;
use libfuzzer_sys::fuzz_target;

thread_local! {
    /// Looking changes nothing, so that one is enough.
    static AZURE: Azure = Azure::new();
}

fuzz_target!(|text: &str| {
    let escaped: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    AZURE.with(|azure| {
        let look = |whose: &str, place: String| {
            let request = Request::get(&place).header("authorization", azure.token(whose)).body(Bytes::new());
            if let Ok(request) = request {
                let status = azure.ask(request).0;
                assert!(status < 500 || status == 501, "{place}: {status}");
            }
        };
        let arm = "https://management.azure.com/subscriptions/2610ec15-0868-5475-814e-6fbb10da7636";
        for list in ["providers/Microsoft.Authorization/roleAssignments", "providers/Microsoft.Authorization/roleDefinitions"] {
            look("arm", format!("{arm}/{list}?api-version=2022-04-01&$filter={escaped}"));
        }
        look("arm", format!("{arm}/resources?api-version=2024-11-01&$filter={escaped}"));
        for list in ["servicePrincipals", "users", "groups"] {
            look("graph", format!("https://graph.microsoft.com/v1.0/{list}?$filter={escaped}"));
        }
        for selector in ["labelSelector", "fieldSelector", "continue", "resourceVersion", "limit"] {
            look("kube", format!("{}/api/v1/nodes?{selector}={escaped}", azure.api_server()));
        }
        for list in ["v2/_catalog", "v2/app/tags/list", "acr/v1/app/_tags", "acr/v1/app/_manifests"] {
            look("pusher", format!("https://myregistry.azurecr.io/{list}?n={escaped}&last={escaped}&orderby={escaped}"));
        }
        look("pusher", format!("https://myregistry.azurecr.io/oauth2/token?service=myregistry.azurecr.io&scope={escaped}"));
        // A condition that means nothing grants nothing and is refused.
        let body = serde_json::json!({"properties": {"principalId": "51fbdfa8-d324-5b7f-86de-16bcadb0bef7",
            "principalType": "ServicePrincipal", "condition": text, "conditionVersion": "2.0",
            "roleDefinitionId": format!("{arm}/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d")}});
        let place = format!("{arm}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000000?api-version=2022-04-01");
        let put = Request::put(place).header("authorization", azure.token("arm")).body(Bytes::from(body.to_string()));
        let status = azure.ask(put.expect("a request")).0;
        assert!(status < 500 || status == 501, "a condition: {status}");
    });
});
