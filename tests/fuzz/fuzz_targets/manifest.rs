//! Manifests: each is read or refused, and what was read and written as JSON reads the same.
#![no_main]

use aks_acr::Manifest;
use libfuzzer_sys::fuzz_target;

/// The one thing of JSON that YAML has not: it takes keys of more than 1024 characters only behind a question mark.
fn has_long_key(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().any(|(key, value)| key.len() > 1000 || has_long_key(value))
        }
        serde_json::Value::Array(items) => items.iter().any(has_long_key),
        _ => false,
    }
}

fuzz_target!(|text: &str| {
    let Ok(manifests) = Manifest::parse_all(text) else { return };
    assert!(!manifests.is_empty());
    for manifest in manifests {
        // Somebody will log it.
        drop(format!("{manifest} {manifest:?}"));
        assert!(!manifest.api_version().is_empty() && !manifest.kind().is_empty() && !manifest.name().is_empty());
        // Both become parts of a path.
        for part in [Some(manifest.name()), manifest.namespace()].into_iter().flatten() {
            assert!(!part.contains(['/', '?', '#', '%', '\\']) && part != "." && part != "..", "{part:?}");
        }
        let sent = serde_json::to_string(manifest.object()).expect("it can be sent");
        if has_long_key(&serde_json::Value::Object(manifest.object().clone())) {
            continue;
        }
        let again = Manifest::parse_all(&sent).expect("JSON is YAML");
        assert_eq!(again, [manifest], "{sent}");
    }
});
