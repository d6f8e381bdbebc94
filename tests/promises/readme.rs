//! What the front pages say of getting the packages, and how they are built from source.

use std::{fs, path::PathBuf};

fn read(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{name}: {err}"))
}

#[test]
fn the_first_dependency_says_that_it_is_required() {
    let readme = read("README.md");
    let (_, example) = readme.split_once("```toml\n[dependencies]\n").unwrap();
    let mut lines = example.lines();
    let said = lines.next().unwrap();
    assert!(said.starts_with("# Required") && said.contains("the build fails"), "{said}");
    assert!(lines.next().unwrap().starts_with("k8s-openapi = "), "{example}");
}

#[test]
fn no_install_line_hides_that_nothing_is_published() {
    let pages = [
        "README.md",
        "bindings-python/README.md",
        "bindings-node/README.md",
        "tests/emulator/python/README.md",
        "tests/emulator/node/README.md",
        "examples/pipelines/azure-pipelines.yml",
        "examples/pipelines/github-actions.yml",
    ];
    let mut seen = 0;
    for page in pages {
        let text = read(page);
        let mut before = "";
        for line in text.lines() {
            let is_of_registry = [
                "pip install aks-acr",
                "npm install aks-acr",
                "npm install --save-dev aks-acr",
                "npm install --no-save aks-acr",
            ]
            .iter()
            .any(|install| line.contains(install));
            if is_of_registry {
                seen += 1;
                let said = format!("{before}\n{line}").to_lowercase();
                assert!(said.contains("not published yet"), "{page}: {line}");
            }
            before = line;
        }
    }
    assert!(seen >= 6, "{seen}");
}

/// What stands in backticks and has a slash is a file, a folder, or a pattern of files.
#[test]
fn each_path_that_contributing_names_exists() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let text = read("CONTRIBUTING.md");
    let tops = ["core/", "bindings-", "examples/", "docs/", "tests/", ".ci/", ".github/"];
    let prose = text.split("```").step_by(2).collect::<String>();
    let named = prose.split('`').skip(1).step_by(2).filter(|one| tops.iter().any(|top| one.starts_with(top)));
    let mut seen = 0;
    for path in named.filter(|path| !path.contains(['*', ' ']) && !path.contains("NAME")) {
        assert!(root.join(path).exists(), "CONTRIBUTING.md names {path}");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_first_page_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}

/// The part of a link that leads to a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn each_link_between_pages_leads_somewhere() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut pages: Vec<String> =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).to_vec();
    for folder in ["docs", "docs/findings"] {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.filter(|path| path.is_file());
        pages.extend(files.map(|path| format!("{folder}/{}", path.file_name().unwrap().display())));
    }
    let mut seen = 0;
    for page in pages {
        let text = read(&page);
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { root.join(&page) } else { root.join(&page).with_file_name(file) };
            assert!(target.exists(), "{page}: {link}");
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                let is_there = headings.map(|line| anchor(line.trim_start_matches('#'))).any(|one| one == heading);
                assert!(is_there, "{page}: {link}");
            }
            seen += 1;
        }
    }
    assert!(seen > 1000, "{seen}");
}

/// A first look waits for the compiler; a download is made once.
#[test]
fn packages_are_built_from_source_without_optimisation_and_shipped_with_it() {
    for package in ["bindings-python/pyproject.toml", "tests/emulator/python/pyproject.toml"] {
        let settings = read(package);
        assert!(
            settings.contains("\nprofile = \"source\"\n") && settings.contains("\neditable-profile = \"dev\"\n"),
            "{package}"
        );
    }
    let workspace = read("Cargo.toml");
    let profile = |name: &str| {
        let (_, rest) = workspace.split_once(&format!("[profile.{name}]\n")).unwrap();
        rest.split("\n[").next().unwrap().replace(' ', "")
    };
    assert!(profile("source").contains("opt-level=0\nlto=\"off\"\n"), "{}", profile("source"));
    assert!(profile("shipped").contains("lto=\"fat\""));
    for publisher in [".ci/run", ".github/workflows/release.yml"] {
        assert!(read(publisher).contains("--profile shipped"), "{publisher}");
    }
}
