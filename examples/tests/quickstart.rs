//! The quickstart ends with running pods, and without the attach it does not.

#[path = "../rust/quickstart/screen.rs"]
mod screen;
#[path = "../rust/quickstart/stage.rs"]
#[expect(dead_code, reason = "only the emulator's stage is set here")]
mod stage;
#[path = "../rust/quickstart/story.rs"]
mod story;

use aks_acr::{ErrorKind, FindingId};
use screen::Screen;
use stage::Stage;
use story::Attach;

#[tokio::test(start_paused = true)]
async fn it_ends_with_two_running_pods() {
    let stage = Stage::emulator().unwrap();
    let pods = story::tell(&stage, &Screen::default(), Attach::Later).await.unwrap();
    let shown: Vec<_> = pods.pods.iter().map(|pod| (pod.status.as_str(), pod.ready, pod.containers)).collect();
    assert_eq!(shown, [("Running", 1, 1), ("Running", 1, 1)]);
    assert_eq!(stage.cluster_writes(), "1 write in all: its creation");

    // Without the grant the next pod fails, and running pods continue.
    let pods = story::undo(&stage, &Screen::default()).await.unwrap();
    let mut shown: Vec<_> = pods.pods.iter().map(|pod| (pod.status.as_str(), pod.pull_failure.is_some())).collect();
    shown.sort_unstable();
    assert!(matches!(shown[..], [(_, true), ("Running", false), ("Running", false)]), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_with_a_registry_from_its_creation_pulls_immediately() {
    let stage = Stage::emulator().unwrap();
    let pods = story::tell(&stage, &Screen::default(), Attach::AtCreation).await.unwrap();
    assert_eq!(pods.pods.iter().map(|pod| pod.status.as_str()).collect::<Vec<_>>(), ["Running", "Running"]);
}

#[tokio::test(start_paused = true)]
async fn without_the_attach_it_fails_with_a_missing_grant() {
    let stage = Stage::emulator().unwrap();
    let err = story::tell(&stage, &Screen::default(), Attach::Never).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::PullFailed);
    assert_eq!(err.pull_failure().map(|failure| &failure.finding.id), Some(&FindingId::GRANT_MISSING));
    assert!(err.context().any(|(name, value)| name == "missing grant" && value.starts_with("AcrPull")), "{err}");
}
