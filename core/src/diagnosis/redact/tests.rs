use super::{pseudonyms::Pseudonyms, redacted};
use serde_json::{Value, json};

fn shown(text: &str) -> String {
    numbered(&Pseudonyms::new("", "key").text(text))
}

const KINDS: [&str; 14] = [
    "00000000-0000-0000-0000-",
    "private-address",
    "public-address",
    "namespace",
    "repository",
    "container",
    "registry",
    "cluster",
    "group",
    "resource",
    "object",
    "pod",
    "host",
    "name",
];

/// The same with numbers in place of hashes, counted for each kind.
fn numbered(text: &str) -> String {
    let (mut rest, mut out) = (text, String::new());
    let mut counted: Vec<(&str, &str)> = Vec::new();
    while let Some(letter) = rest.chars().next() {
        let found = KINDS.iter().find_map(|kind| {
            let length = if kind.ends_with('-') { 12 } else { 6 };
            let hash = rest.strip_prefix(kind)?.get(..length)?;
            hash.bytes().all(|one| b"0123456789abcdef".contains(&one)).then_some((*kind, hash))
        });
        let Some((kind, hash)) = found else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        if !counted.contains(&(kind, hash)) {
            counted.push((kind, hash));
        }
        let same: Vec<&str> = counted.iter().filter(|(one, _)| *one == kind).map(|(_, hash)| *hash).collect();
        let number = same.iter().position(|one| *one == hash).unwrap() + 1;
        let shown = if kind.ends_with('-') { format!("{kind}{number:012}") } else { format!("{kind}{number}") };
        out.push_str(&shown);
        rest = &rest[kind.len() + hash.len()..];
    }
    out
}

/// As [`redacted`], with numbers.
fn redacted_with_numbers(json: &str) -> Value {
    serde_json::from_str(&numbered(&redacted(json).unwrap())).unwrap()
}

#[test]
fn a_text_keeps_the_words_of_ours_and_nothing_else() {
    for (text, wanted) in [
        (
            "kubelet identity of cluster zeus has no role assignment",
            "kubelet identity of cluster name1 has no role assignment",
        ),
        ("zeus and hera, ZEUS", "name1 and name2, name1"),
        (
            "lookup zeus.azurecr.io on 10.240.0.4:53: no such host",
            "lookup name1.azurecr.io on private-address1:53: no such host",
        ),
        ("zeus.westeurope.data.azurecr.io", "name1.name2.data.azurecr.io"),
        ("https://acme.example.com/v2/olymp/manifests/v1", "https://host1.example/v2/name1/manifests/v1"),
        ("scope=repository%3Aolymp%2Fzeus%3Apull", "scope=repository:name1/name2:pull"),
        ("from 169.254.169.254, 52.1.2.3 and 2001:db8::1", "from 169.254.169.254, public-address1 and public-address2"),
        ("[fd00::1]:443 ::1", "[private-address1]:443 ::1"),
        ("1.34.2, 401, 30s, 2026-11-29T10:00:00Z, 123456", "1.34.2, 401, 30s, 2026-11-29T10:00:00Z, name1"),
        ("\u{202e}größe zeus\u{301} \u{1f680}", "name1 name2 name3"),
        ("-zeus- --role <b>", "-name1- --role <name2>"),
    ] {
        assert_eq!(shown(text), wanted, "{text}");
    }
}

#[test]
fn ids_keep_their_form() {
    let id = "/subscriptions/2610ec15-0868-5475-814e-6fbb10da7636/resourceGroups/Olymp (1)/providers";
    let id = format!("{id}/Microsoft.ContainerRegistry/registries/Zeus");
    let json =
        json!({"registry": id, "message": "zeus in olymp (1) of 2610EC15-0868-5475-814e-6fbb10da7636"}).to_string();
    let json = redacted_with_numbers(&json);
    let none = "00000000-0000-0000-0000-000000000001";
    let wanted = format!(
        "/subscriptions/{none}/resourceGroups/group1/providers/Microsoft.ContainerRegistry/registries/registry1"
    );
    assert_eq!(json["registry"], wanted);
    assert_eq!(json["message"], format!("registry1 in group1 of {none}"));
}

#[test]
fn a_name_that_is_a_word_of_ours_or_a_pseudonym_is_replaced() {
    let json = json!({"pod": "registry", "container": "providers", "namespace": "zeus", "id": "grant.missing",
        "message": "the registry \"registry\" of zeus, containerd's registry/providers, failed to pull"});
    let json = redacted_with_numbers(&json.to_string());
    let wanted = json!({"pod": "pod1", "container": "container1", "namespace": "namespace1", "id": "grant.missing",
        "message": "the registry \"pod1\" of namespace1, containerd's pod1/container1, failed to pull"});
    assert_eq!(json, wanted);
}

#[test]
fn a_name_has_one_pseudonym_in_all_results_about_a_subscription() {
    let of = |subscription: &str, message: &str| -> String {
        let cluster = format!(
            "/subscriptions/{subscription}/resourceGroups/olymp/providers/Microsoft.ContainerService/managedClusters/zeus"
        );
        let json: Value =
            serde_json::from_str(&redacted(&json!({"cluster": cluster, "message": message}).to_string()).unwrap())
                .unwrap();
        let shown = json["message"].as_str().unwrap().to_owned();
        shown.split(' ').next_back().unwrap().to_owned()
    };
    let (one, other) = ("2610ec15-0868-5475-814e-6fbb10da7636", "2610ec15-0868-5475-814e-6fbb10da7637");
    assert_eq!(of(one, "the pods of hera"), of(one, "hermes and the pods of hera"));
    // The key is the subscription's ID: without it, a name cannot be tried.
    assert_ne!(of(one, "the pods of hera"), of(other, "the pods of hera"));
    assert_ne!(of(one, "hera"), of(one, "hermes"));
}

#[test]
fn what_was_read_keeps_no_name() {
    let records = json!([["zeus", ["10.0.0.4"]], ["zeus.olymp.data", ["10.0.0.5"]]]);
    let facts = json!({"check": {"name": "zeus", "id": "hera", "state": "Succeeded", "pools": [{"name": "registry"}],
        "records": records}});
    let json: Value =
        serde_json::from_str(&redacted(&json!({"facts": facts, "id": "grant.missing"}).to_string()).unwrap()).unwrap();
    let text = json.to_string();
    assert!(!["zeus", "hera", "olymp", "10.0.0"].iter().any(|name| text.contains(name)), "{text}");
    assert!(text.contains("grant.missing"), "{text}");
}
