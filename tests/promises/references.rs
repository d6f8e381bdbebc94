//! What is printed of a reference is read back as the same reference.

use aks_acr::{ClusterRef, Digest, ImageReference, PrincipalId, RegistryRef, ResourceId, SubscriptionId};
use proptest::{prelude::*, test_runner::Config};
use std::{fmt, str::FromStr};

fn reads_back<T: FromStr<Err = aks_acr::Error> + fmt::Display + fmt::Debug + PartialEq>(one: &T) {
    let text = one.to_string();
    assert_eq!(text.parse::<T>().as_ref().ok(), Some(one), "{text}");
    // Stored texts are trimmed and joined by others: it is one line without blanks.
    assert!(!text.contains(char::is_whitespace), "{text:?}");
}

const GUID: &str = "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const GROUP: &str = "[a-zA-Z0-9ä_(-][a-zA-Z0-9_.()-]{0,20}[a-zA-Z0-9_)-]";
const CLUSTER: &str = "[a-zA-Z0-9]([a-zA-Z0-9_-]{0,30}[a-zA-Z0-9])?";
const REGISTRY: &str = "[a-zA-Z0-9]{5,50}";
const LOGIN_SERVER: &str = "[a-zA-Z0-9]{5,20}(-[a-z0-9]{16})?(\\.westeurope\\.geo)?\\.azurecr\\.(io|us|cn)";

proptest! {
    #![proptest_config(Config { cases: 512, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_cluster_is_read_back(group in GROUP, name in CLUSTER, subscription in proptest::option::of(GUID)) {
        let one = ClusterRef::new(&group, &name).unwrap();
        let one = match subscription {
            Some(id) => one.in_subscription(id.parse().unwrap()),
            None => one,
        };
        reads_back(&one);
    }

    #[test]
    fn a_registry_is_read_back(
        group in GROUP,
        name in REGISTRY,
        host in LOGIN_SERVER,
        owner in GUID,
        subscription in proptest::option::of(GUID),
    ) {
        let id = format!("/subscriptions/{owner}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}");
        for text in [&name, &host, &id] {
            let one: RegistryRef = text.parse().unwrap();
            reads_back(&one);
            if let Some(id) = &subscription {
                reads_back(&one.in_subscription(id.parse().unwrap()));
            }
        }
    }

    #[test]
    fn ids_are_read_back(owner in GUID, group in GROUP, name in CLUSTER, kind in "[A-Z][a-z]{1,9}\\.[A-Z][a-z]{1,9}/[a-z]{1,9}") {
        reads_back(&owner.parse::<SubscriptionId>().unwrap());
        reads_back(&owner.parse::<PrincipalId>().unwrap());
        let id = format!("/subscriptions/{owner}/resourcegroups/{group}/providers/{kind}/{name}");
        reads_back(&id.parse::<ResourceId>().unwrap());
    }

    #[test]
    fn an_image_is_read_back(
        host in proptest::option::of("([a-z0-9]{1,8}\\.){1,2}[a-z]{2,4}(:[1-9][0-9]{1,3})?|localhost|index\\.docker\\.io|docker\\.io"),
        path in "[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,2}",
        tag in proptest::option::of("[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20}"),
        digest in proptest::option::of("sha256:[0-9a-f]{64}"),
    ) {
        let mut text = host.map(|host| format!("{host}/")).unwrap_or_default() + &path;
        text.extend(tag.iter().map(|tag| format!(":{tag}")));
        text.extend(digest.iter().map(|digest| format!("@{digest}")));
        if let Ok(one) = ImageReference::parse(&text) {
            reads_back(&one);
        }
        if let Some(digest) = digest {
            reads_back(&digest.parse::<Digest>().unwrap());
        }
    }
}

#[test]
fn what_is_no_reference_is_refused_with_what_was_wanted() {
    for text in [
        "shared/regone",
        "a/b/c",
        "/x",
        "22222222-2222-2222-2222-222222222222/",
        "22222222-2222-2222-2222-222222222222/a/b",
    ] {
        let err = text.parse::<RegistryRef>().unwrap_err();
        assert_eq!(err.kind(), aks_acr::ErrorKind::InvalidInput, "{text}");
    }
    let err = "shared/regone".parse::<RegistryRef>().unwrap_err().to_string();
    assert!(err.contains("name, login server or resource ID"), "{err}");
}
