//! The tests that show a finding: those that name it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A function of the tests of behavior: its file, its name, and all of it.
type Function = (String, String, String);

/// The tests of behavior that name the finding, or use a table that does, the sets of cells that name it, and the vectors if one of them is of
/// it.
pub fn of(id: &str) -> BTreeSet<String> {
    let name = constant(id);
    let ends = |text: &str| text.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    let is_named = |text: &str| {
        let constant = format!("FindingId::{name}");
        text.split(&constant).skip(1).any(|after| !ends(after)) || text.contains(&format!("\"{id}\""))
    };
    let (tests, others): (Vec<&Function>, Vec<_>) = FUNCTIONS.iter().partition(|(file, _, text)| {
        file.starts_with("tests/cells") || text.lines().next().is_some_and(|line| line.ends_with("-> Checked {"))
    });
    // A table may be made of others.
    let mut tables: BTreeSet<&str> = BTreeSet::new();
    let uses = |tables: &BTreeSet<&str>, text: &str| tables.iter().any(|table| text.contains(&format!("{table}()")));
    for _ in 0..3 {
        let more = others.iter().filter(|(_, _, text)| is_named(text) || uses(&tables, text));
        tables = more.map(|(_, name, _)| name.as_str()).collect();
    }
    let found = tests.iter().filter(|(_, _, text)| is_named(text) || uses(&tables, text));
    let mut found: BTreeSet<String> = found.map(|(file, name, _)| format!("{file}: {name}")).collect();
    // A set of cells is a product: its cells have no functions of their own.
    folder(&root().join("tests/cells"), &mut |path, text| {
        if is_named(text) {
            found.insert(path.strip_prefix(root()).unwrap().display().to_string());
        }
    });
    if include_str!("../../vectors/pull_texts.json").contains(&format!("\"finding\": \"{id}\"")) {
        found.insert("tests/vectors/pull_texts.json".to_owned());
    }
    found
}

static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let mut all = Vec::new();
    let mut take = |path: &Path, text: &str| {
        let file = path.strip_prefix(root()).unwrap().display().to_string();
        // Each begins at the margin.
        let text = text.replace("\n    fn ", "\nfn ").replace("\npub ", "\n").replace("\nasync ", "\n");
        for function in text.split("\nfn ").skip(1) {
            let name = function.split('(').next().unwrap().to_owned();
            all.push((file.clone(), name, function.to_owned()));
        }
    };
    for tests in ["tests/behavior", "tests/cells"] {
        folder(&root().join(tests), &mut take);
    }
    all
});

/// The name of an ID's constant, as core's catalogue has it.
fn constant(id: &str) -> String {
    let catalogue = fs::read_to_string(root().join("core/src/diagnosis/catalogue.rs")).unwrap();
    let line = catalogue.lines().find(|line| line.contains(&format!(" = \"{id}\", ")));
    line.and_then(|line| line.split_once(" = ")).map(|(name, _)| name.trim().to_owned()).unwrap()
}

fn folder(folder: &Path, take: &mut dyn FnMut(&Path, &str)) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            self::folder(&path, take);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            take(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
