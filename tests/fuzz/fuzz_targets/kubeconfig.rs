//! Kubeconfigs: one that is merged into another, and both may be anything.
#![no_main]

use aks_acr::{OnExistingEntry, Kubeconfig};
use fuzz::lines_lost;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const OURS: &str = "apiVersion: v1\nkind: Config\ncurrent-context: dev\ncontexts:\n- name: dev\n  context: {cluster: dev, user: u}\n\
    clusters:\n- name: dev\n  cluster: {server: 'https://dev.example:443'}\nusers:\n- name: u\n  user: {token: top-secret}\n";
const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (new, file) = text.split_once("\n%%\n").unwrap_or((OURS, text));
    let Ok(kubeconfig) = Kubeconfig::parse(new) else { return };
    // The caller will log it.
    drop(format!("{kubeconfig:?}"));
    assert!(kubeconfig.server().starts_with("https://") && !kubeconfig.context().is_empty());
    let existing = if first & 1 == 0 { OnExistingEntry::Keep } else { OnExistingEntry::Replace };
    let set_current = first & 2 == 0;
    let merged = match kubeconfig.merge_text(file, existing, set_current) {
        Ok(merged) => merged,
        Err(err) => {
            assert!(!format!("{err:#} {err:?}").contains("top-secret"), "{err:#}");
            return;
        }
    };
    // A second time there is nothing to do.
    let again = kubeconfig.merge_text(&merged, existing, set_current).expect("what was merged can be merged into");
    assert_eq!(again, merged);
    // The current context may be another file's affair, but where it is set it leads to the cluster.
    if set_current {
        let entered = Kubeconfig::parse(merged.trim_start_matches('\u{feff}'));
        let entered = entered.unwrap_or_else(|err| panic!("{err}: {merged}"));
        assert_eq!(entered.server(), kubeconfig.server());
    }
    // Lines of others stay. One names the current context, and one each may begin a list that was empty.
    if existing == OnExistingEntry::Keep {
        let lost = lines_lost(file, &merged);
        assert!(lost <= 4, "{lost} lines are lost:\n{file}\n=>\n{merged}");
    }
    // And all that is not ours means what it meant.
    let (before, after) = (values(file), values(&merged));
    for (key, value) in before.as_object().into_iter().flatten() {
        if !LISTS.contains(&key.as_str()) && key != "current-context" {
            assert_eq!(after.get(key), Some(value), "{key}");
        }
    }
    for list in LISTS {
        let ours = values(kubeconfig.text());
        for entry in before[list].as_array().into_iter().flatten() {
            let is_ours = |one: &Value| one["name"] == entry["name"];
            if existing == OnExistingEntry::Keep || !ours[list].as_array().is_some_and(|all| all.iter().any(is_ours)) {
                let admin = format!("{}-admin", kubeconfig.context());
                let kept = after[list].as_array().is_some_and(|all| all.contains(entry));
                assert!(kept || entry["name"] == admin, "{list}: {entry}");
            }
        }
    }
});

fn values(text: &str) -> Value {
    serde_saphyr::from_str(text.trim_start_matches('\u{feff}')).expect("YAML that the library has read, too")
}
