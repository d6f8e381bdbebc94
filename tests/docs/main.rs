//! The pages below `docs/`: one for each operation, of which all but the introduction is made from what is true, and whose examples run.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test program: what fails here ends a test")]

mod examples;
mod findings;
mod measure;
mod page;
mod security;
mod surface;
mod types;
mod versions;
mod words;

use aks_acr::{ErrorKind, FindingId, Operation};
use aks_acr_surface::{examples as texts, source::Source};
use aks_acr_tests::folder::Folder;
use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

const BEGIN: &str = "<!-- made, see CONTRIBUTING: what is below is not written by hand -->\n";
const HOW: &str = "AKS_ACR_BLESS=1 cargo test -p aks-acr-tests --test docs";

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The beginning of an operation's page that does not exist yet. An introduction may be added; the made part begins with core's docs.
fn beginning(name: &str) -> Option<String> {
    let operation = name.strip_suffix(".md")?;
    if let Some(id) = operation.strip_prefix("findings/") {
        return Some(format!("# {id}\n\n[All findings](README.md)\n\n{BEGIN}"));
    }
    Some(format!("# {operation}\n\n[All operations](README.md)\n\n{BEGIN}"))
}

/// Holds the made part of a page against what it must be, or writes it.
fn check(name: &str, made: &str) {
    let path = root().join("docs").join(name);
    let is_blessed = std::env::var_os("AKS_ACR_BLESS").is_some();
    let begun = || beginning(name).filter(|_| is_blessed && !path.exists());
    let page = begun().map_or_else(|| fs::read_to_string(&path), Ok).unwrap_or_else(|err| panic!("docs/{name}: {err}"));
    let (written, shown) = page.split_once(BEGIN).unwrap_or_else(|| panic!("docs/{name} has no line {BEGIN}"));
    assert!(written.starts_with("# "), "docs/{name} has no heading");
    if is_blessed {
        fs::write(&path, format!("{written}{BEGIN}\n{made}")).unwrap();
    } else {
        assert_eq!(shown.trim(), made.trim(), "docs/{name}: {HOW}");
    }
}

/// What users of the crate can name is changed on purpose only: a break has a line in CHANGELOG.md.
#[test]
fn the_public_api_is_as_the_checked_in_list_has_it() {
    let (path, made) = (root().join("tests/docs/api.txt"), surface::made());
    if std::env::var_os("AKS_ACR_BLESS").is_some() {
        fs::write(&path, made).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let (before, now) = (surface::by_item(&kept), surface::by_item(&made));
    let gone: Vec<_> = before.difference(&now).collect();
    let new: Vec<_> = now.difference(&before).collect();
    assert!(kept == made, "tests/docs/api.txt: {HOW}\ngone: {gone:#?}\nnew: {new:#?}");
}

#[tokio::test(start_paused = true)]
async fn each_operation_has_a_page_that_is_true() {
    let source = Source::read();
    for operation in Operation::ALL {
        let name = operation.as_str();
        let examples = [("rust", texts::rust(name)), ("python", texts::python(name)), ("js", texts::javascript(name))];
        let made = page::made(&source, *operation, &measure::measure(*operation).await, &examples);
        check(&format!("{operation}.md"), &made);
    }
}

/// A row for each operation, with what it does; `link` gives what stands for its name.
fn operations(source: &Source, link: impl Fn(Operation) -> String) -> String {
    let mut made = String::from("| operation | what it does |\n|---|---|\n");
    for operation in Operation::ALL {
        let docs = &source.methods[&format!("Client::{operation}")].docs;
        let first = words::described(source, docs).remove(0);
        let first = first.split_once(". ").map_or(first.as_str(), |(first, _)| first).trim_end_matches('.');
        writeln!(made, "| {} | {first} |", link(*operation)).unwrap();
    }
    made
}

#[test]
fn the_crates_first_page_lists_all() {
    let mut made = operations(&Source::read(), |operation| format!("[`Client::{operation}`]"));
    for operation in Operation::ALL {
        // The pages of operations are not in the crate.
        made = made.replace(&format!("[`{operation}`]({operation}.md)"), &format!("[`Client::{operation}`]"));
    }
    let path = root().join("core/README.md");
    let page = fs::read_to_string(&path).unwrap();
    let begin = "<!-- made from the table of operations, see CONTRIBUTING -->\n";
    let (before, rest) = page.split_once(begin).unwrap();
    let (shown, after) = rest.split_once("<!-- end -->\n").unwrap();
    if std::env::var_os("AKS_ACR_BLESS").is_some() {
        fs::write(&path, format!("{before}{begin}\n{made}\n<!-- end -->\n{after}")).unwrap();
    } else {
        assert_eq!(shown.trim(), made.trim(), "core/README.md: {HOW}");
    }
}

#[test]
fn the_first_page_lists_all_and_every_kind_of_error() {
    let source = Source::read();
    let rows = operations(&source, |operation| format!("[`{operation}`]({operation}.md)"));
    let mut made = format!("## Operations\n\n{rows}");
    made.push_str("\n## Errors\n\n| kind | Python | Node | what to do |\n|---|---|---|---|\n");
    let table = fs::read_to_string(root().join("tests/contract/errors.json")).unwrap();
    let table: Vec<serde_json::Value> = serde_json::from_str(&table).unwrap();
    for kind in ErrorKind::ALL {
        let known = table.iter().find(|one| one["kind"] == kind.as_str()).unwrap_or_else(|| panic!("{kind}"));
        let text = |key: &str| known[key].as_str().unwrap_or_else(|| panic!("{known}")).to_owned();
        writeln!(made, "| `{kind}` | `{}` | `'{}'` | {} |", text("python"), text("node"), words::advice(*kind))
            .unwrap();
    }
    check("README.md", &made);
}

#[tokio::test(start_paused = true)]
async fn the_page_of_versions_is_true() {
    check("versions.md", &versions::page().await);
}

/// Names that a page gives are those of the bindings.
#[test]
fn options_have_the_names_that_the_bindings_know() {
    let source = Source::read();
    let node = fs::read_to_string(root().join("bindings-node/index.d.ts")).unwrap();
    let python = fs::read_to_string(root().join("bindings-python/python/aks_acr/_native.pyi")).unwrap();
    let mut missing = BTreeSet::new();
    for operation in Operation::ALL {
        let method = &source.methods[&format!("Client::{operation}")];
        let (_, signature) = python.split_once(&format!("    def {operation}(\n")).unwrap();
        let (signature, _) = signature.split_once("->").unwrap();
        for (_, field) in page::option_rows(&source, method) {
            let in_node = page::node_name(&field.name, &field.ty);
            if !node.contains(&format!("  {in_node}?: ")) {
                missing.insert(format!("{operation}: {in_node} of Node"));
            }
            if !signature.contains(&format!(" {}: ", field.name)) {
                missing.insert(format!("{operation}: {} of Python", field.name));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_type_that_a_caller_meets_has_a_section() {
    let source = Source::read();
    check("types.md", &types::page(&source));
    check("client.md", &types::client(&source));
    // Whatever a table names leads to a section.
    let page = fs::read_to_string(root().join("docs/types.md")).unwrap();
    let sections: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect();
    let mut missing = BTreeSet::new();
    for path in pages() {
        let text = fs::read_to_string(path).unwrap();
        for link in text.split("](types.md#").skip(1) {
            let name = link.split(')').next().unwrap();
            if !sections.contains(name) {
                missing.insert(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "docs/types.md has no section of {missing:?}");
}

/// The example of the page of reports, which no operation has.
#[test]
fn the_page_of_reports_shows_how_they_are_stored() {
    let name = "stored_report";
    let node = format!("import {{ Report }} from 'aks-acr';\n\n{}", texts::javascript(name));
    let mut made = String::from("## Example\n\n");
    for (language, example) in [("rust", texts::rust(name)), ("python", texts::python(name)), ("js", node)] {
        writeln!(made, "```{language}\n{}\n```\n", example.trim_end()).unwrap();
    }
    check("reports.md", &made);
}

#[tokio::test(start_paused = true)]
async fn the_example_of_the_page_of_reports_runs() {
    let (_azure, client) = measure::scene();
    let (cluster, registry) = ("my-group/my-cluster".parse().unwrap(), "myregistry".parse().unwrap());
    assert!(examples::stored_report(&client).await.is_err(), "a cluster without a grant cannot pull");
    client.attach(&cluster, &registry, aks_acr::AttachOptions::default()).await.unwrap();
    examples::stored_report(&client).await.unwrap();
}

/// The examples of pages of findings, which show an option of `check`.
#[tokio::test(start_paused = true)]
async fn the_examples_of_findings_run() {
    let (_azure, client) = measure::scene();
    examples::check_principal(&client).await.unwrap();
    examples::check_addresses(&client).await.unwrap();
}

#[test]
fn every_finding_is_on_its_page() {
    check("findings.md", &findings::page());
}

#[test]
fn each_finding_has_a_page_and_no_page_is_without_one() {
    for id in FindingId::ALL {
        check(&format!("findings/{id}.md"), &findings::page_of(id));
    }
    check("findings/README.md", &findings::indexes());
    let known =
        FindingId::ALL.iter().map(|id| format!("{id}.md")).chain(["README.md", "cells.md", "az.md"].map(str::to_owned));
    let there = fs::read_dir(root().join("docs/findings")).unwrap();
    let there: BTreeSet<String> = there.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, known.collect());
}

/// Each page of the documentation, those of findings among them.
fn pages() -> Vec<PathBuf> {
    let folders = [root().join("docs"), root().join("docs/findings")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

/// A text as a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Every public type of core's that has a form in Python is on the page: it is what a caller holds in their hands.
#[test]
fn no_class_of_python_is_without_a_section() {
    let stub = fs::read_to_string(root().join("bindings-python/python/aks_acr/_native.pyi")).unwrap();
    let page = fs::read_to_string(root().join("docs/types.md")).unwrap();
    let classes = stub.lines().filter_map(|line| line.strip_prefix("class ")?.strip_suffix("(Result):"));
    let missing: Vec<&str> = classes.filter(|name| !page.contains(&format!("\n## {name}\n"))).collect();
    assert!(missing.is_empty(), "docs/types.md has no section of {missing:?}");
}

/// A sentence of which a part was taken out, and a link to what only Rust has.
#[test]
fn no_page_has_a_hole() {
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for hole in [": ,", "| , ", "`` ", "|  | those of", "[``]"] {
            assert!(!text.contains(hole), "{}: {hole:?}", path.display());
        }
        let has_default = text.contains("| **`") || text.contains(", **`");
        assert_eq!(text.contains("Defaults are bold"), has_default, "{}", path.display());
    }
}

#[test]
fn nothing_else_is_among_the_pages() {
    let besides = [
        "README.md",
        "client.md",
        "credentials.md",
        "findings",
        "findings.md",
        "limits.md",
        "migrating.md",
        "rights.md",
        "terraform.md",
        "incidents.md",
        "real_kubernetes.md",
        "reports.md",
        "testing.md",
        "threat_model.md",
        "types.md",
        "versions.md",
    ]
    .map(str::to_owned);
    let known: BTreeSet<String> = Operation::ALL.iter().map(|one| format!("{one}.md")).chain(besides).collect();
    let there = fs::read_dir(root().join("docs")).unwrap();
    let there: BTreeSet<String> = there.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, known);
}

#[tokio::test(start_paused = true)]
async fn the_examples_run() {
    for operation in Operation::ALL {
        let (azure, client) = measure::scene();
        let (cluster, registry) = ("my-group/my-cluster".parse().unwrap(), "myregistry".parse().unwrap());
        if !matches!(operation, Operation::Attach | Operation::PlanAttach | Operation::ApplyAttach) {
            client.attach(&cluster, &registry, aks_acr::AttachOptions::default()).await.unwrap();
        }
        if matches!(operation, Operation::Explain | Operation::WaitForRollout | Operation::Pods) {
            examples::apply(&client, measure::DEPLOYMENT).await.unwrap();
        }
        let folder = Folder::new();
        let mark = azure.mark();
        let done = examples::run(&client, *operation, &folder.join("config")).await;
        done.unwrap_or_else(|err| panic!("{operation}: {err:#}"));
        assert!(!azure.requests_since(mark).is_empty(), "{operation}");
    }
}
