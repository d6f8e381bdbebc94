//! What SECURITY.md and the threat model promise of the repository itself.

use super::root;
use std::fs;

/// What stands in backticks in the last column of each row.
fn named_tests(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| from "));
    let last = rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | ").map(|(_, last)| last.to_owned()));
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn each_line_of_the_threat_model_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/threat_model.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ")).count() - 1;
    let tests = named_tests(&page);
    assert!(rows >= 20 && tests.len() >= rows, "{rows} rows, {} tests", tests.len());
    for test in tests {
        let (file, name) = test.split_once(": ").unwrap_or((&test, ""));
        let text = fs::read_to_string(root().join(file)).unwrap_or_else(|err| panic!("{file}: {err}"));
        let wanted = if !name.is_empty() && !name.starts_with('-') { format!("fn {name}(") } else { name.to_owned() };
        assert!(text.contains(&wanted), "{file} has no {wanted}");
    }
}

#[test]
fn every_action_is_pinned_by_commit() {
    let mut seen = 0;
    for file in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = file.unwrap().path();
        for line in fs::read_to_string(&path).unwrap().lines().filter_map(|line| line.split_once("uses: ")) {
            let (action, version) = line.1.split_once(" # ").unwrap_or((line.1, ""));
            let commit = action.split_once('@').map_or("", |(_, commit)| commit);
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit && version.starts_with('v'), "{}: {}", path.display(), line.1);
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen} actions");
}

/// The workflow for pull requests builds the library with each of its features.
#[test]
fn each_feature_is_built_for_a_pull_request() {
    let manifest = fs::read_to_string(root().join("core/Cargo.toml")).unwrap();
    let (_, features) = manifest.split_once("[features]\n").unwrap();
    let features = features.split("\n[").next().unwrap().lines().filter_map(|line| line.split_once(" = "));
    let names: Vec<&str> = features.map(|(name, _)| name.trim()).filter(|name| *name != "default").collect();
    let workflow = fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    let line = format!("features: [\"\", {}]", names.join(", "));
    assert!(workflow.contains(&line), ".github/workflows/ci.yml has no {line}");
}

#[test]
fn vulnerabilities_are_reported_privately() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    for part in ["/security/advisories/new", "docs/threat_model.md", "Supported versions"] {
        assert!(page.contains(part), "{part}");
    }
}

/// The crates are published without each other: a dependency by path alone is for tests, and is left out of the package.
#[test]
fn what_is_published_needs_nothing_unpublished() {
    for folder in ["core", "tests/emulator"] {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let (normal, dev) = manifest.split_once("[dev-dependencies]").unwrap();
        let ours =
            |text: &str| text.lines().filter(|line| line.starts_with("aks-acr")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(ours(normal), Vec::<String>::new(), "{folder}");
        for line in ours(dev) {
            assert!(
                line.contains("path = ") && !line.contains("version") && !line.contains("workspace"),
                "{folder}: {line}"
            );
        }
    }
    let core = fs::read_to_string(root().join("core/Cargo.toml")).unwrap();
    let docs = core.split_once("[package.metadata.docs.rs]").unwrap().1;
    assert!(docs.contains("K8S_OPENAPI_ENABLED_VERSION"), "docs.rs builds nothing without a version of Kubernetes");
}

/// Which job of the release waits for which.
fn needs(workflow: &str, job: &str) -> Vec<String> {
    let (_, rest) = workflow.split_once(&format!("\n  {job}:\n")).unwrap_or_else(|| panic!("no job {job}"));
    let line =
        rest.lines().take_while(|line| line.starts_with("    ")).find_map(|line| line.trim().strip_prefix("needs: "));
    let names = line.unwrap_or_default().trim_matches(['[', ']']).split(", ");
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn nothing_is_published_before_it_was_tried_and_approved() {
    let workflow = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    assert_eq!(needs(&workflow, "approve"), ["try-rust", "try-python", "npm"]);
    // What cannot be taken back goes first; each of the others waits for the one before.
    assert_eq!(needs(&workflow, "publish-rust"), ["approve"]);
    assert_eq!(needs(&workflow, "publish-python"), ["publish-rust"]);
    assert_eq!(needs(&workflow, "publish-node"), ["publish-python"]);
    let publishing = workflow.lines().filter(|line| line.trim_start().starts_with("environment: release")).count();
    assert_eq!(publishing, 3, "one for each registry");
}
