use super::{pseudonyms::Pseudonyms, redacted};
use serde_json::{Value, json};

fn shown(text: &str) -> String {
    Pseudonyms::new("").text(text)
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
    let json: Value = serde_json::from_str(&redacted(&json).unwrap()).unwrap();
    let none = "00000000-0000-0000-0000-000000000001";
    let wanted = format!(
        "/subscriptions/{none}/resourceGroups/group1/providers/Microsoft.ContainerRegistry/registries/registry1"
    );
    assert_eq!(json["registry"], wanted);
    assert_eq!(json["message"], format!("registry1 in group1 of {none}"));
}

#[test]
fn a_name_that_is_a_word_of_ours_or_a_pseudonym_is_replaced() {
    let json = json!({"pod": "registry", "container": "providers", "namespace": "namespace1", "id": "grant.missing",
        "message": "the registry of namespace1"});
    let json: Value = serde_json::from_str(&redacted(&json.to_string()).unwrap()).unwrap();
    let wanted = json!({"pod": "pod1", "container": "container1", "namespace": "namespace2", "id": "grant.missing",
        "message": "the pod1 of namespace2"});
    assert_eq!(json, wanted);
}
