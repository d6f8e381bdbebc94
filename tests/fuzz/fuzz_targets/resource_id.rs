//! Ids and names of things in Azure: each is read or refused, and what was read and written reads the same.
#![no_main]

use aks_acr::{Cloud, ClusterRef, PrincipalId, RegistryRef, ResourceId, SubscriptionId};
use fuzz::again;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    again::<PrincipalId>(text);
    again::<SubscriptionId>(text);
    if let Some(id) = again::<ResourceId>(text) {
        // It becomes the path of a request: it leads where it says, and nowhere else.
        let url = url::Url::parse("https://management.azure.com").and_then(|home| home.join(id.as_str()));
        let url = url.expect("a path");
        assert_eq!(url.host_str(), Some("management.azure.com"));
        assert!(url.query().is_none() && url.fragment().is_none(), "{id}");
        assert_eq!(url.path_segments().map(Iterator::count), Some(8), "{id}");
        assert!(id.is(text) && id.is(&text.to_ascii_uppercase()), "{id}");
    }
    if let Ok(cluster) = text.parse::<ClusterRef>() {
        let text = serde_json::to_string(&cluster).expect("it can be stored");
        assert_eq!(serde_json::from_str::<ClusterRef>(&text).expect("and read"), cluster);
    }
    if let Ok(registry) = text.parse::<RegistryRef>() {
        drop(registry.to_string());
    }
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(cluster) = ClusterRef::new(first, second) {
        assert_eq!(cluster.to_string().parse::<ClusterRef>().ok(), Some(cluster));
    }
    drop(Cloud::custom(first, second));
});
