//! No success by default: each place in core that puts a default where a value may be missing, or reads a value as one type, is listed
//! in `tests/defaults.md` with the reason why that is right.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const HOW: &str = "AKS_ACR_BLESS=1 cargo test -p aks-acr-tests --test promises every_default, then write the reasons";
/// What may hide a missing or odd value. The readers of JSON count in files that name a JSON value.
const DEFAULTS: [&str; 4] = ["unwrap_or_default", "unwrap_or(", "unwrap_or_else(", "serde(default"];
const READERS: [&str; 7] = ["as_str()", "as_array()", "as_object()", "as_bool()", "as_i64()", "as_u64()", "as_f64()"];

/// File, function or type, and form, with how often it occurs.
type Uses = BTreeMap<(String, String, String), usize>;
type Reasons = BTreeMap<(String, String, String), (usize, String)>;

#[test]
fn every_default_in_core_has_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let list = root.join("tests/defaults.md");
    let uses = uses(&root.join("core/src"));
    let text = fs::read_to_string(&list).unwrap_or_default();
    let reasons = read(&text);
    let head = text.split("\n| file |").next().unwrap().trim_end();
    if std::env::var_os("AKS_ACR_BLESS").is_some() {
        fs::write(&list, format!("{head}\n\n{}", table(&uses, &reasons))).unwrap();
    }
    let reasons = read(&fs::read_to_string(&list).unwrap());
    let mut flaws = String::new();
    for (place, times) in &uses {
        match reasons.get(place) {
            Some((listed, reason)) if listed == times && !reason.is_empty() => {}
            Some((listed, reason)) if listed == times => writeln!(flaws, "no reason: {place:?} {reason}").unwrap(),
            Some((listed, _)) => writeln!(flaws, "listed {listed} times, there {times} times: {place:?}").unwrap(),
            None => writeln!(flaws, "not listed: {place:?}").unwrap(),
        }
    }
    for place in reasons.keys().filter(|place| !uses.contains_key(*place)) {
        writeln!(flaws, "gone: {place:?}").unwrap();
    }
    assert!(flaws.is_empty(), "{flaws}{HOW}");
    println!("{} uses in {} places", uses.values().sum::<usize>(), uses.len());
}

fn uses(folder: &Path) -> Uses {
    let mut uses = Uses::new();
    for file in sources(folder) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
        // Unit tests stand at the end of their file.
        let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
        let reads_json = code.contains("Value");
        let mut within = String::new();
        let mut lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//")).peekable();
        while let Some(line) = lines.next() {
            // An attribute belongs to the item below it.
            let below = lines.peek().filter(|_| line.starts_with("#["));
            if let Some(item) = item(below.unwrap_or(&line)) {
                within = item;
            }
            // A lock that a panic has poisoned hides nothing that a service said.
            if line.contains("PoisonError") {
                continue;
            }
            let readers = READERS.iter().filter(|_| reads_json);
            for form in DEFAULTS.iter().chain(readers) {
                let times = line.matches(form).count();
                if times > 0 {
                    let form =
                        form.trim_end_matches("()").trim_end_matches('(').trim_start_matches("serde(").to_owned();
                    *uses.entry((name.clone(), within.clone(), form)).or_default() += times;
                }
            }
        }
    }
    uses
}

/// The function or type that begins in this line.
fn item(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| matches!(*word, "fn" | "struct" | "enum"))?;
    let is_head = words[..at]
        .iter()
        .all(|word| word.starts_with("pub") || matches!(*word, "async" | "const" | "unsafe") || word.ends_with(')'));
    let name = words.get(at + 1).filter(|_| is_head)?;
    Some(name.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(text: &str) -> Reasons {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.trim_end_matches('|').split(" | ").map(|cell| cell.trim().to_owned()));
    cells
        .map(|mut cells| {
            let mut next = || cells.next().unwrap_or_default();
            // A reason may begin or end with its own code.
            let mut code = || next().trim_matches('`').to_owned();
            let place = (code(), code(), code());
            (place, (next().parse().unwrap_or(0), next()))
        })
        .collect()
}

fn table(uses: &Uses, reasons: &Reasons) -> String {
    let mut text = "| file | in | form | times | why it is right |\n|---|---|---|--:|---|\n".to_owned();
    for (place, times) in uses {
        let (file, within, form) = place;
        let reason = reasons.get(place).map(|(_, reason)| reason.as_str()).unwrap_or_default();
        writeln!(text, "| `{file}` | `{within}` | `{form}` | {times} | {reason} |").unwrap();
    }
    text
}
