//! The three entries of a kubeconfig that give access to a cluster, and their names.

use serde_json::{Map, Value, json};

/// The lists of a kubeconfig, the key of an entry's content in each.
pub(super) const LISTS: [(&str, &str); 3] = [("clusters", "cluster"), ("contexts", "context"), ("users", "user")];

/// A complete entry of one of the lists.
#[derive(Clone)]
pub(super) struct Entry {
    pub list: &'static str,
    pub name: String,
    pub value: Value,
}

/// A context, its cluster and, if it has one, its user.
#[derive(Clone)]
pub(super) struct Entries {
    pub context: String,
    pub all: Vec<Entry>,
}

impl Entries {
    /// The entries that a kubeconfig's context refers to.
    pub fn of(file: &Value, context: &str) -> Option<Self> {
        let inner = content(file, "contexts", context)?;
        let named = |key: &str| inner.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
        let cluster = named("cluster")?;
        let mut all = vec![Entry::find(file, 0, cluster)?, Entry::find(file, 1, context)?];
        if let Some(user) = named("user") {
            all.push(Entry::find(file, 2, user)?);
        }
        Some(Self { context: context.to_owned(), all })
    }

    /// The same entries under another name: the context and the cluster get it, and the user's name ends with it. az keeps the
    /// user's name, so two contexts can share one user, and the second merge replaces the first one's keys.
    pub fn named(mut self, context: &str) -> Self {
        for entry in &mut self.all {
            let name = if entry.list == "users" { format!("{}_{context}", entry.name) } else { context.to_owned() };
            entry.rename(&name);
        }
        self.lead(context);
        self
    }

    /// The same entries with the suffix `-admin` for an administrator's context, as az names it.
    pub fn with_admin_suffix(mut self) -> Self {
        let is_admin = self.all.iter().any(|entry| entry.list == "users" && entry.name.starts_with("clusterAdmin_"));
        if is_admin && !self.context.ends_with("-admin") {
            let name = format!("{}-admin", self.context);
            self.all.iter_mut().filter(|entry| entry.list == "contexts").for_each(|entry| entry.rename(&name));
            self.context = name;
        }
        self
    }

    /// Makes the context refer to the cluster and the user by their current names.
    fn lead(&mut self, context: &str) {
        let name = |list: &str| self.all.iter().find(|entry| entry.list == list).map(|entry| entry.name.clone());
        let (cluster, user) = (name("clusters"), name("users"));
        for entry in self.all.iter_mut().filter(|entry| entry.list == "contexts") {
            if let Some(inner) = entry.value.get_mut("context").and_then(Value::as_object_mut) {
                inner.extend(cluster.clone().map(|name| ("cluster".to_owned(), Value::String(name))));
                inner.extend(user.clone().map(|name| ("user".to_owned(), Value::String(name))));
            }
        }
        context.clone_into(&mut self.context);
    }

    /// A complete kubeconfig with these entries.
    pub fn file(&self) -> Value {
        let list = |list: &str| -> Value {
            self.all.iter().filter(|entry| entry.list == list).map(|entry| entry.value.clone()).collect()
        };
        let mut file = Map::new();
        file.insert("apiVersion".to_owned(), json!("v1"));
        file.insert("current-context".to_owned(), json!(self.context));
        file.insert("kind".to_owned(), json!("Config"));
        file.extend(LISTS.map(|(name, _)| (name.to_owned(), list(name))));
        Value::Object(file)
    }
}

impl Entry {
    fn find(file: &Value, list: usize, name: &str) -> Option<Self> {
        let (list, _) = *LISTS.get(list)?;
        let value = find(file, list, name)?.clone();
        Some(Self { list, name: name.to_owned(), value })
    }

    fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        if let Some(entry) = self.value.as_object_mut() {
            entry.insert("name".to_owned(), Value::String(name.to_owned()));
        }
    }

    /// Whether an entry of a file means the same.
    /// Fields that a user added to a context, such as a namespace, are ignored.
    pub fn is(&self, there: &Value) -> bool {
        let part = |entry: &Value, key: &str| entry.get("context").and_then(|inner| inner.get(key)).cloned();
        match self.list {
            "contexts" => ["cluster", "user"].iter().all(|key| part(&self.value, key) == part(there, key)),
            _ => meaning(&self.value) == meaning(there),
        }
    }
}

/// An entry of a list.
pub(super) fn find<'a>(file: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    file.get(list)?.as_array()?.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name))
}

fn content<'a>(file: &'a Value, list: &str, name: &str) -> Option<&'a Map<String, Value>> {
    let (_, key) = LISTS.iter().find(|(known, _)| *known == list)?;
    find(file, list, name)?.get(key)?.as_object()
}

/// An entry without empty values: kubectl drops `null` and writes defaults whenever it saves a file.
fn meaning(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let says_nothing =
                |key: &str, value: &Value| value.is_null() || (key == "interactiveMode" && value == "IfAvailable");
            let kept = map.iter().filter(|(key, value)| !says_nothing(key, value));
            Value::Object(kept.map(|(key, value)| (key.clone(), meaning(value))).collect())
        }
        Value::Array(items) => items.iter().map(meaning).collect(),
        other => other.clone(),
    }
}
