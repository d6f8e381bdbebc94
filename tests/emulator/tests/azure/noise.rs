//! Noise: requests that were whole once and then damaged, by a seed, for a bounded time. Nothing may panic, and nothing
//! may be the server's fault.
//!
//! `AKS_ACR_NOISE_SEED` takes another seed than the usual one, `AKS_ACR_NOISE_ROUNDS` more rounds.

use aks_acr_emulator::Emulator;
use azure_core::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::client::{ACR_PULL, ARM, REPOSITORY_READER, arm, send, token};

/// Numbers that look like chance and come again with their seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// What is put between: marks of all the little languages that are read here.
const MARKS: [&str; 32] = [
    "'",
    "\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "/",
    "//",
    "..",
    ":",
    "@",
    "@sha256:",
    "?",
    "&",
    "=",
    ",",
    "!",
    "$filter=",
    " eq ",
    " and ",
    " or ",
    "%",
    "%00",
    "%2F",
    "\u{e9}",
    "\u{1f600}",
    "-1",
    "99999999999999999999",
    "null",
    "\u{0}",
];

/// Damages a text in one to four places.
fn damaged(text: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=chance.below(4) {
        let at = chance.below(letters.len() + 1);
        match chance.below(5) {
            0 => drop(letters.splice(at..at, chance.of(&MARKS).chars())),
            1 => letters.truncate(at),
            2 => drop(letters.drain(at..(at + 1 + chance.below(8)).min(letters.len()).max(at))),
            3 => {
                let end = (at + chance.below(20)).min(letters.len());
                let again = letters[at..end].to_vec();
                drop(letters.splice(at..at, again));
            }
            _ => {
                let mark = chance.of(&MARKS).repeat(1 + chance.below(40));
                drop(letters.splice(at..at, mark.chars()));
            }
        }
    }
    letters.into_iter().collect()
}

/// A request that is whole.
struct Whole {
    method: Method,
    host: String,
    path: String,
    bearer: String,
    media: &'static str,
    body: String,
}

/// One of each service with its own protocol.
#[expect(clippy::too_many_lines, reason = "a list of requests, each said in a line or a few")]
async fn whole(azure: &Emulator) -> Vec<Whole> {
    let (registry, cluster) = (azure.registry_id("group", "myregistry"), azure.cluster_id("group", "dev"));
    let answer = arm(azure, "owner", Method::Post, &format!("{cluster}/listClusterAdminCredential"), None).await;
    let file = STANDARD.decode(answer.body["kubeconfigs"][0]["value"].as_str().unwrap()).unwrap();
    let file = String::from_utf8(file).unwrap();
    let after = |mark: &str| file.split(mark).nth(1).unwrap().split(['\n', ':']).next().unwrap().trim().to_owned();
    let (kube_host, kube_token) = (after("server: https://"), after("token:"));
    let arm_token = token(azure, "owner", ARM).await;
    let principal = azure.kubelet_object_id("group", "dev");
    let of_arm = |method, path: String, body: String| Whole {
        method,
        host: String::from("management.azure.com"),
        path,
        bearer: arm_token.clone(),
        media: "application/json",
        body,
    };
    let of_cluster = |method, path: &str, media, body: String| Whole {
        method,
        host: kube_host.clone(),
        path: path.to_owned(),
        bearer: kube_token.clone(),
        media,
        body,
    };
    let of_registry = |method, path: &str, body: &str| Whole {
        method,
        host: String::from("myregistry.azurecr.io"),
        path: path.to_owned(),
        bearer: String::from("none"),
        media: "application/x-www-form-urlencoded",
        body: body.to_owned(),
    };
    let assignment = |role: &str, condition: &str| {
        let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
        json!({"properties": {"roleDefinitionId": role, "principalId": principal, "condition": condition, "conditionVersion": "2.0"}})
            .to_string()
    };
    let condition = "((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'})) OR \
                     (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase 'a'))";
    let assignments = format!("{registry}/providers/Microsoft.Authorization/roleAssignments");
    let import = json!({"source": {"registryUri": "docker.io", "sourceImage": "library/nginx:latest"}, "targetTags": ["nginx:v1"]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"b": "c"}},
        "spec": {"containers": [{"name": "a", "image": "myregistry.azurecr.io/nginx:v1@sha256:00"}]}});
    let pods = "/api/v1/namespaces/default/pods";
    vec![
        of_arm(
            Method::Get,
            format!("{assignments}?$filter=atScope() and principalId eq '{principal}'&api-version=2022-04-01"),
            String::new(),
        ),
        of_arm(
            Method::Get,
            format!(
                "{registry}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'acrpull'&api-version=2022-04-01"
            ),
            String::new(),
        ),
        of_arm(
            Method::Put,
            format!("{assignments}/11111111-1111-4111-8111-111111111111?api-version=2022-04-01"),
            assignment(REPOSITORY_READER, condition),
        ),
        of_arm(
            Method::Put,
            format!("{assignments}/11111111-1111-4111-8111-111111111112?api-version=2022-04-01"),
            assignment(ACR_PULL, ""),
        ),
        of_arm(Method::Post, format!("{registry}/importImage?api-version=2025-11-01"), import.to_string()),
        of_arm(
            Method::Put,
            format!("{registry}?api-version=2025-11-01"),
            json!({"location": "westeurope", "sku": {"name": "Basic"}}).to_string(),
        ),
        of_arm(
            Method::Put,
            format!("{cluster}x?api-version=2025-10-01"),
            json!({"location": "westeurope", "properties": {"dnsPrefix": "a"}}).to_string(),
        ),
        of_cluster(
            Method::Get,
            &format!("{pods}?labelSelector=a in (b,c),d!=e,!f&fieldSelector=metadata.name=a&limit=1&continue=x"),
            "",
            String::new(),
        ),
        of_cluster(Method::Post, pods, "application/json", pod.to_string()),
        of_cluster(
            Method::Post,
            pods,
            "application/vnd.kubernetes.protobuf",
            String::from("k8s\u{0}\n\u{9}\n\u{2}v1\u{12}\u{3}Pod\u{12}\u{5}\n\u{3}\n\u{1}a"),
        ),
        of_cluster(Method::Patch, &format!("{pods}/b?fieldManager=x"), "application/apply-patch+yaml", pod.to_string()),
        of_cluster(
            Method::Patch,
            &format!("{pods}/a"),
            "application/json-patch+json",
            json!([{"op": "add", "path": "/metadata/labels/x~1y", "value": "1"}]).to_string(),
        ),
        of_cluster(Method::Patch, &format!("{pods}/a"), "application/strategic-merge-patch+json", pod.to_string()),
        of_registry(Method::Get, "/v2/nginx/manifests/sha256:0000?ns=docker.io", ""),
        of_registry(Method::Get, "/v2/nginx/tags/list?n=2&last=v1", ""),
        of_registry(
            Method::Post,
            "/oauth2/exchange",
            "grant_type=access_token&service=myregistry.azurecr.io&access_token=a.b.c",
        ),
        of_registry(
            Method::Post,
            "/oauth2/token",
            "grant_type=refresh_token&service=myregistry.azurecr.io&scope=repository:nginx:pull,push&refresh_token=a.b.c",
        ),
    ]
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test(start_paused = true)]
async fn damaged_requests_are_never_the_servers_fault() {
    let azure = Emulator::new()
        .with_cluster("group", "dev")
        .with_registry("group", "myregistry")
        .with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    let (seed, rounds) = (number("AKS_ACR_NOISE_SEED", 1), number("AKS_ACR_NOISE_ROUNDS", 200));
    let mut chance = Chance(seed);
    let corpus = whole(&azure).await;
    let mut answered = 0;
    for round in 0..rounds {
        for one in &corpus {
            let whole_path = one.path.clone();
            let (path, body) = match chance.below(3) {
                0 => (damaged(&one.path, &mut chance), one.body.clone()),
                1 => (whole_path, damaged(&one.body, &mut chance)),
                _ => (damaged(&one.path, &mut chance), damaged(&one.body, &mut chance)),
            };
            // A watch never ends, and is no answer to wait for.
            let url = format!("https://{}/{}", one.host, path.trim_start_matches('/')).replace("watch", "w");
            let headers = [("authorization", format!("Bearer {}", one.bearer)), ("content-type", one.media.to_owned())];
            let Ok(answer) = send(&azure, one.method, &url, &headers, Some(body.clone())).await else {
                continue; // no address at all
            };
            answered += 1;
            // 501 is how the emulator says that it has no rule, and a 500 without a reason is how Kubernetes refuses an object that does
            // not fit its schema.
            let is_schema =
                answer.status == 500 && answer.body["kind"] == "Status" && answer.body.get("reason").is_none();
            let fine = answer.status < 500 || answer.status == 501 || is_schema;
            assert!(fine, "seed {seed}, round {round}: {} for {url} {body}", answer.status);
        }
    }
    assert!(answered > rounds * u64::try_from(corpus.len()).unwrap() / 2);
    let answer = arm(&azure, "owner", Method::Get, &azure.registry_id("group", "myregistry"), None).await;
    assert_eq!(answer.status, 200);
}
