//! The pages of findings: one for each ID, and the indexes.

mod cells;
mod table;

use aks_acr::{FindingId, Operation, PullRetry};
use aks_acr_surface::examples;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};
use table::{Facts, REQUESTS, Step};

#[derive(Deserialize)]
struct Row {
    finding: String,
    text: String,
    source: String,
    image: Option<String>,
}

fn texts() -> Vec<Row> {
    serde_json::from_str(include_str!("../../vectors/pull_texts.json")).unwrap()
}

fn facts_of(id: &FindingId) -> &'static Facts {
    table::ALL.iter().find(|one| *id == *one.id).unwrap_or_else(|| panic!("{id}: write its row in tests/docs/findings"))
}

/// The made part of the page that lists all.
pub fn page() -> String {
    let mut page = String::from(
        "## All findings\n\nIn the order of a pull. Each has a page with the texts of events, the evidence, and commands. \
         [Indexes by text, by stage and by permission](findings/README.md)\n\n| `id` | meaning | `retry` | next step |\n|---|---|---|---|\n",
    );
    for id in FindingId::ALL {
        let (meaning, retry, step) = (id.meaning().unwrap(), id.retry().unwrap(), id.next_step().unwrap());
        writeln!(page, "| [`{id}`](findings/{id}.md) | {meaning} | `{retry}` | {step} |").unwrap();
    }
    page
}

/// The made part of a finding's page.
pub fn page_of(id: &FindingId) -> String {
    let facts = facts_of(id);
    let (meaning, stage) = (id.meaning().unwrap(), id.stage().unwrap());
    let mut page = format!("Meaning: {meaning}.\n\nStage of the pull: `{stage}`.\n\n");
    page += &texts_of(id);
    page += &evidence(facts);
    page += &next_step(id, facts);
    write!(page, "## Confirm by hand\n\n```sh\n{}\n```\n\nIt shows {}.\n\n", facts.confirm, facts.shows).unwrap();
    page.push_str("## Confused with\n\n");
    for (other, how) in facts.confused {
        writeln!(page, "- [`{other}`]({other}.md): {how}.").unwrap();
    }
    for other in confused_with(facts) {
        writeln!(page, "- [`{other}`]({other}.md): {}.", other.meaning().unwrap()).unwrap();
    }
    write!(page, "\n## Retry\n\n{}\n\n## Tests\n\n", retry_by_facts(id).unwrap_or_else(|| retry(id.retry().unwrap())))
        .unwrap();
    // A few suffice, and a new test seldom changes the page.
    for cell in cells::of(id.as_str()).into_iter().take(3) {
        writeln!(page, "- `{cell}`").unwrap();
    }
    page
}

fn texts_of(id: &FindingId) -> String {
    let of_it: Vec<Row> = texts().into_iter().filter(|row| row.finding == id.as_str()).collect();
    if of_it.is_empty() {
        return "No text of an event leads to it: it is found in what Azure, the registry and Kubernetes report.\n\n"
            .to_owned();
    }
    let mut text = String::from(
        "## Texts\n\nThe texts of events and of waiting containers. The line below each text names its source.\n\n```text\n",
    );
    for row in of_it {
        writeln!(text, "{}\n    # {}", row.text, row.source).unwrap();
    }
    text + "```\n\n"
}

fn requests(facts: &Facts) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str, &'static str)> {
    let keys: Vec<&str> = facts.reads.split(' ').collect();
    assert!(keys.iter().all(|key| REQUESTS.iter().any(|(known, ..)| known == key)), "{}: {keys:?}", facts.id);
    REQUESTS.iter().filter(move |(key, ..)| keys.contains(key))
}

fn evidence(facts: &Facts) -> String {
    let mut text = String::from("## Evidence\n\n| request | permission | smallest role |\n|---|---|---|\n");
    for (_, request, action, role) in requests(facts) {
        writeln!(text, "| {request} | `{action}` | {role} |").unwrap();
    }
    text + "\nIf a permission is missing, the report says `unknown` for that part and names the permission. It never guesses.\n\n"
}

fn next_step(id: &FindingId, facts: &Facts) -> String {
    let mut text = format!("## Next step\n\n{}.\n\n", crate::capital(id.next_step().unwrap()));
    let command = match facts.step {
        Step::Person => return text + "No single command does this: what to change is your decision.\n\n",
        Step::Wait => return text + "No command is needed: the cause ends after some time.\n\n",
        Step::Command(command) => command,
        Step::Operation(operation, command) => {
            text += &operation_with(operation, operation);
            text.push_str("As a command:\n\n");
            command
        }
        Step::Example(operation, example, commands) => {
            text += &operation_with(operation, example);
            text.push_str("How to get the value:\n\n");
            commands
        }
    };
    writeln!(text, "```sh\n{command}\n```\n").unwrap();
    text
}

/// The findings that name this one as similar, besides those that it names itself. What is unknown is confused with nothing.
fn confused_with(facts: &Facts) -> impl Iterator<Item = &'static FindingId> {
    let names = |one: &FindingId| facts_of(one).confused.iter().any(|(other, _)| *other == facts.id);
    let is_named = |one: &FindingId| facts.confused.iter().any(|(other, _)| *one == **other);
    FindingId::ALL.iter().filter(move |one| !one.as_str().starts_with("unknown.") && names(one) && !is_named(one))
}

/// An operation, and an example of it.
fn operation_with(operation: &str, example: &str) -> String {
    let known: Operation = operation.parse().unwrap();
    let mut text = format!("An operation that helps is [`{known}`](../{known}.md):\n\n");
    for (language, example) in [
        ("rust", examples::rust(example)),
        ("python", examples::python(example)),
        ("js", examples::javascript(example)),
    ] {
        writeln!(text, "```{language}\n{}\n```\n", example.trim_end()).unwrap();
    }
    text
}

/// Whether waiting helps, where it depends on the facts of a failure.
fn retry_by_facts(id: &FindingId) -> Option<&'static str> {
    Some(match id.as_str() {
        "dns.lookup_failed" => {
            "`transient` if the DNS server does not answer: it may answer later. `never` if the name does not exist (`no such host`): the name has to be \
             corrected or created first."
        }
        "network.data_endpoint_blocked" => {
            "`never` if the host does not respond or its name does not exist: something has to be changed first. `transient` if the connection was cut \
             or a DNS server does not answer."
        }
        "admission.denied" => {
            "`never`: waiting does not help. Something has to be changed first. `transient` if a quota is exhausted: waiting helps if other pods end."
        }
        "grant.missing" => {
            "`after_grant`: waiting helps if a grant exists that is not effective yet. `never` if the role assignments could be read completely and \
             none allows the pull."
        }
        "image.not_found" => {
            "`never`: waiting does not help. Something has to be changed first. `transient` in a check if the registry has replicas: one of them may not \
             have the image yet."
        }
        "node.disk_full" => {
            "`transient`: waiting can help, since the kubelet deletes unused images. `never` if the image is larger than the nodes' disks."
        }
        _ => return None,
    })
}

fn retry(retry: PullRetry) -> &'static str {
    match retry {
        PullRetry::Never => "`never`: waiting does not help. Something has to be changed first.",
        PullRetry::AfterGrant => "`after_grant`: waiting helps if a grant exists that is not effective yet.",
        PullRetry::Transient => "`transient`: waiting can help, since the cause may end by itself.",
        _ => unreachable!("a new kind"),
    }
}

/// The made part of the indexes.
pub fn indexes() -> String {
    let mut page = String::from("## By stage\n\nIn the order of a pull.\n\n| stage | findings |\n|---|---|\n");
    let mut stages: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for id in FindingId::ALL {
        stages.entry(id.stage().unwrap()).or_default().push(link(id.as_str()));
    }
    for (stage, ids) in stages {
        writeln!(page, "| `{stage}` | {} |", ids.join(", ")).unwrap();
    }
    page.push_str("\n## By text\n\nThe ends of the texts of events.\n\n| text | finding |\n|---|---|\n");
    for (end, id) in texts().iter().map(|row| (end(&row.text), &row.finding)).collect::<BTreeSet<_>>() {
        writeln!(page, "| `{}` | {} |", end.replace('|', "\\|"), link(id)).unwrap();
    }
    page.push_str("\n## By permission\n\nWhat a finding is read with.\n\n| permission | smallest role | findings |\n|---|---|---|\n");
    let mut rights: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for facts in table::ALL {
        for (_, _, action, role) in requests(facts) {
            rights.entry((action, role)).or_default().insert(link(facts.id));
        }
    }
    for ((action, role), ids) in rights {
        writeln!(page, "| `{action}` | {role} | {} |", ids.into_iter().collect::<Vec<_>>().join(", ")).unwrap();
    }
    page
}

fn link(id: &str) -> String {
    format!("[`{id}`]({id}.md)")
}

/// The last words of a text: what went wrong stands there.
fn end(text: &str) -> String {
    const LONGEST: usize = 110;
    let plain = text.replace('`', "'");
    let letters = plain.chars().count();
    if letters <= LONGEST {
        return plain;
    }
    let end: String = plain.chars().skip(letters - LONGEST).collect();
    format!("… {}", end.split_once(' ').map_or(&*end, |(_, rest)| rest))
}

/// The findings that an operation reports, or that it resolves.
pub fn of_operation(operation: Operation) -> String {
    // A rollout reads pods, not nodes.
    let reads_nodes = |facts: &Facts| facts.reads.split(' ').any(|one| one == "K1");
    let is_own = |facts: &&Facts| match operation {
        Operation::WaitForRollout if reads_nodes(facts) => false,
        Operation::Check => facts.reads != "K" && facts.reads != "K K5",
        Operation::Explain => true,
        Operation::WaitForRollout => facts.reads.contains('K') || facts.id.starts_with("grant."),
        Operation::Attach => matches!(facts.step, Step::Operation("attach", _)),
        _ => false,
    };
    let ids: Vec<String> =
        table::ALL.iter().filter(is_own).map(|facts| format!("[`{0}`](findings/{0}.md)", facts.id)).collect();
    let what = if operation == Operation::Attach { "It is the next step of these" } else { "It can report these" };
    if ids.is_empty() { String::new() } else { format!("## Findings\n\n{what}: {}.\n\n", ids.join(", ")) }
}

/// What is read needs what the operations say that they need.
#[test]
fn every_permission_is_one_of_the_operations() {
    let rights = aks_acr::required_rights(&[Operation::Check, Operation::Explain]);
    for (key, _, action, role) in REQUESTS {
        // A permission in Microsoft Graph is no action of Azure: the option that needs it names it.
        if !action.contains('/') {
            assert!(include_str!("../../../docs/check.md").contains(action), "{key}: {action}");
            continue;
        }
        let right = rights.iter().find(|one| one.action == *action);
        let right = right.unwrap_or_else(|| panic!("{key}: {action} is no permission of check or explain"));
        assert_eq!(right.smallest_role, Some(*role), "{key}");
    }
}

#[test]
fn every_row_is_in_the_order_of_a_pull_and_names_other_findings() {
    let rows: Vec<&str> = table::ALL.iter().map(|one| one.id).collect();
    let ids: Vec<&str> = FindingId::ALL.iter().map(FindingId::as_str).collect();
    assert_eq!(rows, ids);
    for facts in table::ALL {
        assert!(!facts.confused.is_empty() && !facts.shows.is_empty(), "{}", facts.id);
        let is_other = |(other, _): &(&str, &str)| *other != facts.id && ids.contains(other);
        assert!(facts.confused.iter().all(is_other), "{}", facts.id);
    }
}

/// Each text leads to the page that shows it.
#[test]
fn every_text_is_on_the_page_of_its_finding() {
    for row in texts() {
        let image = row.image.as_deref().unwrap_or_default();
        let failure = aks_acr::PullFailure::new("p", "c", image, "ErrImagePull", &*row.text);
        assert_eq!(failure.finding.id, *row.finding, "{}", row.text);
        assert!(page_of(&failure.finding.id).contains(&row.text), "{}", row.text);
    }
}

/// A page that names no test shows something that nobody has seen. The list may only shrink.
#[test]
fn every_finding_is_shown_by_a_test() {
    let unseen = FindingId::ALL.iter().map(FindingId::as_str).filter(|id| cells::of(id).is_empty());
    assert_eq!(unseen.collect::<Vec<_>>(), [""; 0]);
}

/// People come from a search for an event's text: a page begins with what usually is behind it.
#[test]
fn every_page_has_an_introduction() {
    for id in FindingId::ALL {
        let path = format!("{}/../docs/findings/{id}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
        let head = page.split("[All findings]").next().unwrap();
        assert!(head.trim_start_matches(&format!("# {id}")).trim().len() > 60, "{id} has no introduction");
    }
}

/// A released ID never changes its meaning: the list may only grow.
#[test]
fn no_id_is_removed_or_moved_to_another_stage() {
    let listed = include_str!("ids.txt");
    let now: Vec<String> = FindingId::ALL.iter().map(|id| format!("{id} {}", id.stage().unwrap())).collect();
    for line in listed.lines() {
        assert!(now.iter().any(|one| one == line), "{line} is gone, or has another stage");
    }
    for line in &now {
        assert!(listed.lines().any(|one| one == line), "tests/docs/findings/ids.txt lacks the line {line}");
    }
}
