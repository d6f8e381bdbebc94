//! Commands that are run inside a cluster: a few of kubectl that only look, answered by the cluster's own API server.
//!
//! No shell runs here. What is not understood ends with the status that shells give for an unknown command, and says so.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tokio::time::Instant;

use crate::door::kubernetes;
use crate::reply::Reply;
use crate::world::World;

/// A command that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) id: String,
    /// The resource id of the cluster.
    pub(crate) cluster: String,
    pub(crate) line: String,
    /// The token with which it goes to the API server, where people sign in with Entra.
    pub(crate) token: Option<String>,
}

/// What came of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) code: i32,
    pub(crate) logs: String,
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Version,
    Get { plural: &'static str, name: Option<String>, namespace: Option<String>, output: Output },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Table { wide: bool },
    Json,
    Name,
}

/// The kinds that can be looked at: their names, where they are, and whether they are in namespaces.
const KINDS: [(&[&str], &str, &str, bool); 6] = [
    (&["pods", "pod", "po"], "pods", "api/v1", true),
    (&["nodes", "node", "no"], "nodes", "api/v1", false),
    (&["namespaces", "namespace", "ns"], "namespaces", "api/v1", false),
    (&["services", "service", "svc"], "services", "api/v1", true),
    (&["events", "event", "ev"], "events", "api/v1", true),
    (&["deployments", "deployment", "deploy", "deployments.apps"], "deployments", "apis/apps/v1", true),
];

impl World {
    /// Runs a command and keeps what comes of it.
    pub(crate) fn run(&mut self, command: &Command, now: Instant) {
        let (code, logs) = match self.cluster_of_id(&command.cluster) {
            Some(at) => run(self, at, command, now),
            None => (1, String::from("the cluster is gone\n")),
        };
        self.commands.push(Outcome { id: command.id.clone(), code, logs });
    }
}

fn run(world: &mut World, at: usize, command: &Command, now: Instant) -> (i32, String) {
    let Some(asked) = parse(&command.line) else {
        let text = "the emulator runs no shell: it knows `kubectl version` and `kubectl get` of a few kinds";
        return (127, format!("{}: {text}\n", command.line));
    };
    let request = Request::get(asked.path()).header("accept", asked.accept());
    let Ok(request) = request.body(Bytes::new()) else {
        return (1, String::from("error: the name is not valid\n"));
    };
    let answer = kubernetes::inside(world, at, &request, command.token.as_deref(), now);
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if !answer.status().is_success() {
        return (1, refused(&answer, &body));
    }
    (0, asked.shown(&body))
}

fn refused(answer: &Reply, body: &Value) -> String {
    let reason = body["reason"].as_str().unwrap_or("Unknown");
    let message = body["message"].as_str().map_or_else(|| answer.status().to_string(), str::to_owned);
    format!("Error from server ({reason}): {message}\n")
}

/// Reads a line; `None` when it is not one of the few.
fn parse(line: &str) -> Option<Asked> {
    if line.contains(['|', ';', '&', '>', '<', '$', '`', '\n', '\\', '\'', '"']) {
        return None;
    }
    let mut words = line.split_whitespace();
    if words.next() != Some("kubectl") {
        return None;
    }
    match words.next()? {
        "version" => words.next().is_none().then_some(Asked::Version),
        "get" => get(words),
        _ => None,
    }
}

fn get<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Asked> {
    let (mut plain, mut namespace, mut everywhere) = (Vec::new(), None, false);
    let mut output = Output::Table { wide: false };
    while let Some(word) = words.next() {
        let (flag, value) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        match flag {
            "-A" | "--all-namespaces" => everywhere = true,
            "-n" | "--namespace" => namespace = Some(value.or_else(|| words.next())?.to_owned()),
            "-o" | "--output" => {
                output = match value.or_else(|| words.next())? {
                    "wide" => Output::Table { wide: true },
                    "json" => Output::Json,
                    "name" => Output::Name,
                    _ => return None,
                }
            }
            flag if flag.starts_with('-') => return None,
            _ => plain.push(word),
        }
    }
    let [kind, names @ ..] = plain.as_slice() else {
        return None;
    };
    let (_, plural, _, placed) = KINDS.iter().find(|(names, ..)| names.contains(kind))?;
    let namespace = match (placed, everywhere) {
        (true, false) => Some(namespace.unwrap_or_else(|| String::from("default"))),
        _ => None,
    };
    let name = match names {
        [] => None,
        [name] if !everywhere => Some((*name).to_owned()),
        _ => return None,
    };
    Some(Asked::Get { plural, name, namespace, output })
}

impl Asked {
    fn path(&self) -> String {
        let Self::Get { plural, name, namespace, .. } = self else {
            return String::from("/version");
        };
        let root = KINDS.iter().find(|(_, known, ..)| known == plural).map_or("api/v1", |(_, _, root, _)| root);
        let within = namespace.as_ref().map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        let one = name.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
        format!("/{root}{within}/{plural}{one}")
    }

    fn accept(&self) -> &'static str {
        match self {
            Self::Get { output: Output::Table { .. }, .. } => "application/json;as=Table;v=v1;g=meta.k8s.io",
            _ => "application/json",
        }
    }

    fn shown(&self, body: &Value) -> String {
        let Self::Get { plural, namespace, output, .. } = self else {
            let version = body["gitVersion"].as_str().unwrap_or_default();
            return format!("Client Version: {version}\nKustomize Version: v5.6.0\nServer Version: {version}\n");
        };
        match output {
            Output::Json => serde_json::to_string_pretty(body).unwrap_or_default() + "\n",
            Output::Name => names(plural, body),
            Output::Table { wide } => {
                let placed = KINDS.iter().any(|(_, known, _, placed)| known == plural && *placed);
                let none = match namespace {
                    Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
                    None => String::from("No resources found\n"),
                };
                table(body, *wide, placed && namespace.is_none()).unwrap_or(none)
            }
        }
    }
}

fn names(plural: &str, body: &Value) -> String {
    let kind = match plural {
        "deployments" => "deployment.apps",
        other => other.trim_end_matches('s'),
    };
    let one = std::slice::from_ref(body);
    let items = body["items"].as_array().map_or(one, Vec::as_slice);
    let line = |item: &Value| format!("{kind}/{}\n", item["metadata"]["name"].as_str().unwrap_or_default());
    items.iter().map(line).collect::<Vec<_>>().concat()
}

/// The rows in columns, as kubectl prints them; `None` when there are none.
fn table(body: &Value, wide: bool, everywhere: bool) -> Option<String> {
    let columns = body["columnDefinitions"].as_array()?;
    let rows = body["rows"].as_array().filter(|rows| !rows.is_empty())?;
    let visible: Vec<usize> = (0..columns.len()).filter(|at| wide || columns[*at]["priority"] == 0).collect();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut lines: Vec<Vec<String>> =
        vec![visible.iter().map(|at| text(&columns[*at]["name"]).to_uppercase()).collect()];
    lines.extend(rows.iter().map(|row| visible.iter().map(|at| text(&row["cells"][*at])).collect()));
    if everywhere {
        lines[0].insert(0, String::from("NAMESPACE"));
        for (line, row) in lines.iter_mut().skip(1).zip(rows) {
            line.insert(0, text(&row["object"]["metadata"]["namespace"]));
        }
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or_default() + 3;
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let print = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    Some(lines.iter().map(print).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_one_of_the_few_or_none() {
        let pods = |namespace: Option<&str>| {
            let namespace = namespace.map(str::to_owned);
            Some(Asked::Get { plural: "pods", name: None, namespace, output: Output::Table { wide: false } })
        };
        assert_eq!(parse("kubectl get pods -A"), pods(None));
        assert_eq!(parse("kubectl get po --namespace=kube-system"), pods(Some("kube-system")));
        assert_eq!(parse("kubectl get pods"), pods(Some("default")));
        assert_eq!(parse("kubectl version"), Some(Asked::Version));
        for other in ["kubectl delete pod a", "ls", "kubectl get pods | wc", "kubectl get pods -w", "kubectl get"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn rows_stand_in_columns() {
        let body = json!({
            "columnDefinitions": [{"name": "Name", "priority": 0}, {"name": "Ready", "priority": 0}, {"name": "IP", "priority": 1}],
            "rows": [{"cells": ["web", "1/1", "10.0.0.1"], "object": {"metadata": {"namespace": "default"}}}],
        });
        assert_eq!(table(&body, false, true).unwrap(), "NAMESPACE   NAME   READY\ndefault     web    1/1\n");
    }
}
