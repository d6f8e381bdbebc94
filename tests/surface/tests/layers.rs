//! Core's imports point down: no file names something of a higher layer, and no files name each other in a circle.

use aks_acr_surface::{core, layers::Layers, paths::Crate};

/// From the lowest to the highest. Within a folder there is no order, but there are no circles.
const RANKS: &[&str] = &[
    "action.rs",
    "environment.rs",
    "lenient.rs",
    "quoted.rs",
    "stored_map.rs",
    "stored_time.rs",
    "words.rs",
    "refusal.rs",
    "diagnosis/stage.rs",
    "diagnosis/catalogue.rs",
    "diagnosis/distance.rs",
    "diagnosis/command.rs",
    "diagnosis/text/",
    "diagnosis/finding.rs",
    "telemetry.rs",
    "error/",
    "id.rs",
    "image/",
    "cloud.rs",
    "difference.rs",
    "missing.rs",
    "tag.rs",
    "challenge.rs",
    "call/",
    "write.rs",
    "network/",
    "http/",
    "credential/",
    "kubernetes/",
    "connection.rs",
    "role/",
    "registry/",
    "cluster/",
    "identity/",
    "inventory/",
    "diagnosis/",
    "operation/",
    "display/",
    "client/",
    "lib.rs",
];

#[test]
fn imports_point_down_and_run_in_no_circle() {
    let source = Crate::read(&core().join("lib.rs"));
    let layers = Layers::new(&source, RANKS);
    print!("{}", layers.sizes());
    let (unranked, upward, circles) = (layers.unranked(), layers.upward(), layers.circles());
    assert!(
        unranked.is_empty() && upward.is_empty() && circles.is_empty(),
        "unranked:\n{}\nupward ({}):\n{}\nin circles ({}):\n{}",
        unranked.join("\n"),
        upward.len(),
        upward.join("\n"),
        circles.len(),
        circles.join("\n"),
    );
}
