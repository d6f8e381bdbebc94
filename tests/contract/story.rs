//! A story: a scene, a caller, and for each step its result or error, its events and its requests.

use crate::{answer::Answer, call, compare, names};
use aks_acr::{Client, Cloud};
use aks_acr_emulator::{Emulator, From, Mark, Service, serve::Background};
use aks_acr_tests::folder::Folder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// A story as it stands in its file.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    pub name: String,
    about: String,
    /// What there is at the start, in the form of the emulator's scene files.
    #[serde(default)]
    scene: Value,
    #[serde(default = "owner")]
    caller: String,
    /// `none` or `typical`.
    #[serde(default = "none")]
    timing: String,
    /// How many times faster than real the emulator's clock runs.
    #[serde(default = "real")]
    clock: u32,
    /// Faults to come, in the form of the emulator's orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Value>,
    /// What is ordered besides, each with the name of its method in the emulator's packages as `order`: `policy`,
    /// `deny_assignment`, `sign_in`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    orders: Vec<Map<String, Value>>,
    steps: Vec<Step>,
}

/// One call and what comes of it. What is absent is not compared.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Step {
    call: String,
    /// Arguments and options together, by core's names.
    args: Map<String, Value>,
    /// The name under which the result is kept; `"$name"` as an argument of a later step means it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep: Option<String>,
    /// When the caller cancels: `before` the call, or `on_event`, at the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancel: Option<String>,
    /// Whether the events are read one by one, by iteration, where the language has that.
    #[serde(default, skip_serializing_if = "is_false")]
    follow: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gives: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fails: Option<Value>,
    /// Parts of the error's text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    says: Vec<String>,
    /// IDs of findings that the result has, wherever they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    finds: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests: Option<Vec<String>>,
}

fn owner() -> String {
    "owner".to_owned()
}

fn none() -> String {
    "none".to_owned()
}

fn real() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
fn is_false(value: &bool) -> bool {
    !value
}

fn folder() -> PathBuf {
    names::here().join("stories")
}

/// Every story, by name.
pub fn all() -> Vec<Story> {
    let entries = std::fs::read_dir(folder()).expect("the stories are there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the stories can be listed").path()).collect();
    paths.sort();
    paths.iter().map(read).collect()
}

fn read(path: &PathBuf) -> Story {
    let text = std::fs::read_to_string(path).expect("a story can be read");
    let story: Story = serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    assert_eq!(
        path.file_stem().and_then(|stem| stem.to_str()),
        Some(story.name.as_str()),
        "a story has its file's name"
    );
    story
}

impl Story {
    /// The operations that it calls.
    pub fn calls(&self) -> Vec<&str> {
        self.steps.iter().map(|step| step.call.as_str()).collect()
    }

    /// Runs it over the TLS server, as the other languages do.
    pub fn tell(&self) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
        let azure = self.azure()?;
        let told = runtime.block_on(self.run(&azure))?;
        if std::env::var_os("AKS_ACR_BLESS").is_some() {
            let text = serde_json::to_string_pretty(&told).expect("a story can be written") + "\n";
            std::fs::write(folder().join(format!("{}.json", self.name)), text).expect("a story can be kept");
        }
        Ok(())
    }

    async fn run(&self, azure: &Background) -> Result<Self, String> {
        let client = client(azure, &self.caller)?;
        let mut told = self.clone();
        let mut kept = Map::new();
        let is_blessed = std::env::var_os("AKS_ACR_BLESS").is_some();
        let folder = Folder::new();
        for (at, step) in told.steps.iter_mut().enumerate() {
            let mark = azure.emulator().mark();
            let args = call::arguments(&step.args, &kept, folder.path())?;
            let answer = call::make(&client, &step.call, args, step.cancel.as_deref()).await?;
            let requests = requests(azure.emulator(), mark);
            if let (Some(name), Ok(value)) = (&step.keep, &answer.outcome) {
                kept.insert(name.clone(), value.clone());
            }
            if is_blessed {
                step.bless(&answer, &requests);
            }
            step.check(&answer, &requests).map_err(|why| format!("step {} ({}): {why}", at + 1, step.call))?;
        }
        Ok(told)
    }

    fn azure(&self) -> Result<Background, String> {
        let wanted = json!({"scene": self.scene, "timing": self.timing, "clock": self.clock});
        let azure = Background::start(wanted).map_err(|err| err.to_string())?;
        for fault in &self.faults {
            azure.order("fault", fault.clone()).map_err(|err| err.to_string())?;
        }
        for order in &self.orders {
            let mut order = order.clone();
            let name = order.remove("order").and_then(|name| name.as_str().map(|name| name.replace('_', "-")));
            let name = name.unwrap_or_default();
            // The packages call it `push_image`, beside `delete_image`.
            let name = if name == "push-image" { "image" } else { &name };
            azure.order(name, order.into()).map_err(|err| err.to_string())?;
        }
        Ok(azure)
    }
}

impl Step {
    fn check(&self, answer: &Answer, requests: &[String]) -> Result<(), String> {
        match (&self.gives, &self.fails, &answer.outcome) {
            (Some(wanted), _, Ok(got)) => compare::values("gives", wanted, got)?,
            (_, Some(wanted), Err(got)) => compare::part("fails", wanted, got)?,
            (_, None, Err(got)) => return Err(format!("failed: {got}")),
            (_, Some(_), Ok(got)) => return Err(format!("gave {got}")),
            (None, None, Ok(_)) => {}
        }
        if let Some(part) = self.says.iter().find(|part| !answer.text.contains(*part)) {
            return Err(format!("does not say {part:?}, but {:?}", answer.text));
        }
        if let Ok(got) = &answer.outcome {
            let missing = self.finds.iter().find(|id| !compare::has_finding(got, id));
            missing.map_or(Ok(()), |id| Err(format!("does not find {id:?}: {got}")))?;
        }
        if let Some(wanted) = &self.events {
            compare::values("events", &Value::from(wanted.clone()), &Value::from(answer.events.clone()))?;
        }
        self.requests.as_ref().map_or(Ok(()), |wanted| compare::lines(wanted, requests))
    }

    /// Takes what came out for what is wanted, but leaves what is masked as it is.
    fn bless(&mut self, answer: &Answer, requests: &[String]) {
        match &answer.outcome {
            // A step that names its findings is about nothing else.
            Ok(_) if !self.finds.is_empty() => {}
            Ok(got) => self.gives = Some(compare::masked(self.gives.as_ref(), got)),
            Err(got) => self.fails = Some(compare::masked(self.fails.as_ref(), got)),
        }
        if let Some(events) = &mut self.events {
            events.clone_from(&answer.events);
        }
        if let Some(wanted) = &mut self.requests {
            *wanted = requests.iter().map(|line| compare::mask_line(line)).collect();
        }
    }
}

fn client(azure: &Background, caller: &str) -> Result<Client, String> {
    let fact = |name: &str| azure.facts()[name].as_str().unwrap_or_default();
    let emulator = azure.emulator();
    let cloud =
        Cloud::custom(fact("origin"), ".azurecr.io").and_then(|cloud| cloud.with_graph("https://graph.microsoft.com"));
    let cloud = cloud.map_err(|err| err.to_string())?;
    let built = Client::builder(emulator.credential_of(caller), emulator.subscription())
        .cloud(cloud)
        .proxy(fact("proxy"))
        .add_root_certificates(fact("ca"))
        .build();
    built.map_err(|err| err.to_string())
}

/// What the client asked, Entra left out: each language brings its own credentials. Sorted, since some go side by side.
fn requests(azure: &Emulator, mark: Mark) -> Vec<String> {
    let since = azure.requests_since(mark);
    let ours = since.iter().filter(|one| one.from == From::Client && one.service != Service::Entra);
    let mut lines: Vec<String> = ours
        .map(|one| {
            let query = if one.query.is_empty() { String::new() } else { format!("?{}", one.query) };
            let status = one.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            format!("{} {}{}{query} {status}", one.method, one.host, one.path)
        })
        .collect();
    lines.sort();
    lines
}
