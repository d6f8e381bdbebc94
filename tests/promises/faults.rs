//! `tests/faults.md` has a section for each known fault, and a fixed one names tests that exist.

use std::{collections::BTreeSet, fs, path::Path};

/// Every fault of the audit, by section.
const IDS: &str = "
    1.R 1.H1 1.M1 1.M2 1.M3 1.M4 1.M13 1.D5 1.T
    2.H3 2.M8 2.M9 2.S1 2.O 2.B 2.I6 2.W
    3.A1 3.E 3.F 3.G 3.H 3.H2 3.M5 3.Q 3.more
    4.I 4.M7 4.J 4.D 4.A 4.M12 4.D1 4.E2 4.M6x
    5.K 5.L 5.M10 5.M14 5.N 5.P 5.Mf 5.Lost 5.Pr 5.V 5.Py 5.Pub
    6.1 6.2 6.3 6.4 6.5 6.6 6.7 6.8 6.9 6.10 6.11 6.12 6.13 6.14
    7.B1 7.B2 7.A1 7.A2 7.A3 7.A4 7.A6 7.A7 7.A8 7.A9 7.A11 7.A13 7.A14 7.Build 7.Polish
";

struct Row<'a> {
    id: &'a str,
    text: &'a str,
}

impl Row<'_> {
    fn field(&self, name: &str) -> String {
        let from = self.text.split_once(&format!("- **{name}**:")).map_or("", |(_, rest)| rest);
        from.split("\n- **").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn is_fixed(&self) -> bool {
        self.field("State").starts_with("fixed")
    }

    /// What is wrong with the row, if anything.
    fn flaws(&self, root: &Path) -> Vec<String> {
        let state = self.field("State");
        let mut flaws = Vec::new();
        if !["fixed", "partial", "open"].iter().any(|known| state.starts_with(known)) {
            flaws.push(format!("{}: the state {state:?} is unknown", self.id));
        }
        if self.is_fixed() {
            for name in ["Fault", "Test", "Siblings"] {
                if self.field(name).is_empty() {
                    flaws.push(format!("{}: {name} is empty", self.id));
                }
            }
        }
        for test in self.field("Test").split('`').skip(1).step_by(2) {
            if !exists(root, test) {
                flaws.push(format!("{}: no such test: {test}", self.id));
            }
        }
        flaws
    }
}

/// Whether `file: name` names a file of this repository that has the name in it; a script or a program is named by its file alone.
fn exists(root: &Path, test: &str) -> bool {
    let (file, name) = test.split_once(": ").unwrap_or((test, ""));
    fs::read_to_string(root.join(file)).is_ok_and(|text| text.contains(name))
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let sections = text.split("\n### ").skip(1);
    sections
        .map(|section| Row { id: section.lines().next().unwrap().trim(), text: section.split("\n## ").next().unwrap() })
        .collect()
}

#[test]
fn every_fault_has_a_row_and_every_fixed_one_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("tests/faults.md")).unwrap();
    let rows = rows(&text);
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.id).collect();
    let known: BTreeSet<&str> = IDS.split_whitespace().collect();
    assert_eq!(rows.len(), listed.len(), "a row stands twice");
    assert_eq!(known, listed, "rows and faults differ");
    let flaws: Vec<String> = rows.iter().flat_map(|row| row.flaws(root)).collect();
    assert!(flaws.is_empty(), "{}", flaws.join("\n"));
    let fixed = rows.iter().filter(|row| row.is_fixed()).count();
    println!("{fixed} of {} faults are fixed", rows.len());
}
