//! Conditional access that wants more than a token has.

use crate::{azure, builder, ids, with};
use aks_acr::{CallOptions, ClusterRef, ErrorKind};
use aks_acr_emulator::Fault;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_claims_challenge_is_an_outcome_of_its_own_and_ends_at_once() {
    let azure = azure();
    let (_, secret) = azure.client_secret_of("owner");
    let client = builder(&azure, with(ids(&azure), &[("AZURE_CLIENT_SECRET", &secret)])).build().unwrap();
    let challenge = "Bearer authorization_uri=\"https://login.microsoftonline.com/\", error=\"insufficient_claims\", \
                     claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJ2YWx1ZSI6ImMxIn19fQ==\"";
    let body = json!({"error": {"code": "InteractionRequired", "message": "Interaction required."}});
    let fault = Fault::on("GET", "/managedClusters/").status(401).header("www-authenticate", challenge).body(body);
    azure.fault(fault.times(100));
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let err = client.identities(&cluster, CallOptions::default()).await.unwrap_err();
    assert_eq!((err.kind(), err.code()), (ErrorKind::Unauthenticated, Some("InteractionRequired")));
    assert_eq!(err.claims(), Some(r#"{"access_token":{"acrs":{"value":"c1"}}}"#));
    assert!(err.to_string().contains("conditional access"), "{err}");
    let tries = azure.requests().iter().filter(|one| one.path.contains("/managedClusters/")).count();
    assert_eq!(tries, 1);
}
