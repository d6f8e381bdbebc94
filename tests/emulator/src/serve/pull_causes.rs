//! The causes in `tests/vectors/pull_causes.json`: an emulated node says what kubelet says with a real containerd. The suite
//! `tests/peers/containerd` writes the texts.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::control::fault::FaultOrder;
use super::scene_file::Scene;
use crate::door::network::pull_on_a_node;
use crate::emulator::Emulator;
use crate::network::Way;
use crate::node::{Credential, Image, Kubelet, Node, PullSecret};

/// The user name that stands for a token.
const TOKEN: &str = "00000000-0000-0000-0000-000000000000";
const PATCHES: [(&str, &str); 3] = [("1.7", "1.7.35"), ("2.0", "2.0.14"), ("2.4", "2.4.2")];

#[derive(Deserialize)]
struct Cause {
    #[serde(rename = "cause")]
    name: String,
    image: String,
    scene: Value,
    #[serde(default)]
    faults: Vec<Value>,
    /// Whether a firewall inspects TLS.
    #[serde(default)]
    inspected: bool,
    /// Whether the node's store has lost the image's manifest.
    #[serde(default)]
    lost: bool,
    credential: Option<Given>,
    texts: BTreeMap<String, Option<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Given {
    User(String, String),
    Admin(String),
    AdminWithWrongPassword(String),
    Caller(String),
}

impl Given {
    fn credential(&self, azure: &Emulator, host: &str) -> Credential {
        let (username, password) = match self {
            Self::User(name, password) => (name.clone(), password.clone()),
            Self::Admin(name) => (name.clone(), azure.act(|world| world.registries[0].passwords[0].clone())),
            Self::AdminWithWrongPassword(name) => (name.clone(), String::from("wrong")),
            Self::Caller(name) => (TOKEN.to_owned(), refresh_token(azure, name, host)),
        };
        Credential { username, password }
    }
}

fn refresh_token(azure: &Emulator, caller: &str, host: &str) -> String {
    azure.act(|world| {
        let principal = world.principal_named(caller).unwrap();
        let token = world.token(principal, "https://management.azure.com", 3600, Instant::now());
        let form = Serializer::new(String::new())
            .extend_pairs([("grant_type", "access_token"), ("service", host), ("access_token", &token)])
            .finish();
        let request = Request::post(format!("https://{host}/oauth2/exchange"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form));
        let answer = world.serve(&request.unwrap(), &Way::Public(String::from("203.0.113.7")), Instant::now());
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        body["refresh_token"].as_str().unwrap().to_owned()
    })
}

/// What the node says, `None` if the image is pulled.
fn text(cause: &Cause, containerd: &str) -> Option<String> {
    let mut scene = cause.scene.clone();
    scene["clusters"] = json!([{"group": "group", "name": "dev", "withoutKubeletIdentity": true}]);
    let scene: Scene = serde_json::from_value(scene).unwrap();
    let azure = scene.set(Emulator::new()).unwrap();
    let image = Image::parse(&cause.image).unwrap();
    let given =
        cause.credential.iter().map(|given| PullSecret::of(given.credential(&azure, image.api_host()))).collect();
    for fault in &cause.faults {
        let mut fault = fault.clone();
        fault["times"] = 1000.into();
        serde_json::from_value::<FaultOrder>(fault).unwrap().obey(&azure);
    }
    azure.set_inspection("group", "dev", "*.azurecr.io", cause.inspected);
    let mut node = Node::new(("linux", "amd64"), Kubelet::of("1.33"), containerd.parse().unwrap(), None);
    if cause.lost {
        let (host, repository, tag) = crate::image::split(&cause.image);
        node.lose(&azure.tag_of(host, repository, tag).unwrap());
    }
    azure.act(|world| pull_on_a_node(world, &mut node, &image, given)).err()
}

#[tokio::test]
async fn an_emulated_node_says_what_kubelet_says_with_a_real_containerd() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/pull_causes.json");
    let causes: Vec<Cause> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut compared = 0;
    for cause in &causes {
        for (version, patch) in PATCHES {
            let real = cause.texts.get(version).unwrap_or_else(|| panic!("{}: no text of {version}", cause.name));
            assert_eq!(text(cause, patch), *real, "{}, containerd {patch}", cause.name);
            compared += 1;
        }
    }
    assert!(compared >= 150, "{compared}");
}
