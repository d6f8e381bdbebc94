//! The identity of the machine.

use crate::{attach, azure, builder, outside::Outside, tool::SignedIn};
use aks_acr::ErrorKind;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_machines_own_identity_or_the_one_that_is_named() {
    let subscription = format!("/subscriptions/{}", azure().subscription());
    let azure =
        azure().with_caller("machine", &[("Owner", &subscription)]).with_caller("other", &[("Owner", &subscription)]);
    let azure = azure.with_machine_identities(&["machine", "other"]);
    let (other, _) = azure.client_secret_of("other");
    for (variables, caller) in [(Vec::new(), "machine"), (vec![("AZURE_CLIENT_ID", other)], "other")] {
        let mark = azure.mark();
        attach(&builder(&azure, variables).build().unwrap()).await.unwrap();
        let seen = azure.requests_since(mark);
        assert!(seen.iter().filter_map(|one| one.caller.as_deref()).all(|one| one == caller), "{seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_the_machine_does_not_have_is_passed_over() {
    let azure = azure().with_machine_identities(&["owner"]);
    let tool = SignedIn::to("az", &azure);
    let variables = vec![("AZURE_CLIENT_ID", "nobody".to_owned())];
    attach(&builder(&azure, variables.clone()).developer_tools(tool.clone()).build().unwrap()).await.unwrap();
    assert_eq!(tool.runs.lock().unwrap().len(), 1);

    let err = attach(&builder(&azure, variables).build().unwrap()).await.unwrap_err();
    assert!(
        err.kind() == ErrorKind::Unauthenticated && format!("{err:#}").contains("has not been assigned"),
        "{err:#}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_machine_elsewhere_waits_a_second_and_no_longer() {
    let azure = azure();
    let outside = Outside::that_hangs(&azure, "169.254.169.254");
    let tool = SignedIn::to("az", &azure);
    let client = builder(&azure, Vec::new()).developer_tools(tool).transport(outside.clone()).build().unwrap();
    let begun = Instant::now();
    attach(&client).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    attach(&client).await.unwrap();
    let probes = outside.asked().iter().filter(|one| one.contains("169.254.169.254")).count();
    assert_eq!(probes, 1, "what was found stays");
}
