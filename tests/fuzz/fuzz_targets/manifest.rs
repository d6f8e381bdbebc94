//! Manifests: each is read or refused, and what was read and written as JSON reads the same.
#![no_main]

use aks_acr::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(manifests) = Manifest::parse_all(text) else { return };
    assert!(!manifests.is_empty());
    for manifest in manifests {
        // The caller will log it.
        drop(format!("{manifest} {manifest:?}"));
        assert!(!manifest.api_version().is_empty() && !manifest.kind().is_empty() && !manifest.name().is_empty());
        // Both become parts of a path.
        for part in [Some(manifest.name()), manifest.namespace()].into_iter().flatten() {
            assert!(!part.contains(['/', '?', '#', '%', '\\']) && part != "." && part != "..", "{part:?}");
        }
        let sent = serde_json::to_string(manifest.object()).expect("it can be sent");
        let again = Manifest::parse_all(&sent).expect("JSON is read, too");
        assert_eq!(again, [manifest], "{sent}");
    }
});
