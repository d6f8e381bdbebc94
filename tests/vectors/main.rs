//! Parser cases: image references, registry names, names of role assignments, texts of failed pulls.

mod assignment;
mod image;
mod pull_cause;
mod pull_text;
mod registry;

use aks_acr_tests::data;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let groups: [(&str, &str, Maker); 3] = [
        ("image_reference", "image-references.json", image::trials),
        ("registry_name", "registry-names.json", registry::trials),
        ("assignment_name", "role-assignment-names.json", assignment::trials),
    ];
    let trials = groups.into_iter().flat_map(|(name, file, make)| trials(name, file, make));
    let trials = trials.chain(pull_text::trials()).chain(pull_cause::trials()).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Makes the trials of a group of its file.
type Maker = fn(&Value) -> Vec<Trial>;

/// What a file holds is known only where the file is; elsewhere one ignored trial stands for all of it.
fn trials(name: &str, file: &'static str, make: Maker) -> Vec<Trial> {
    let Some(folder) = data::folder() else { return vec![data::trial(format!("{name}::all_cases"), |_| Ok(()))] };
    match read(&folder, file) {
        Ok(cases) => make(&cases),
        Err(why) => vec![data::trial(format!("{name}::the_file_is_read"), |_| Err(why))],
    }
}

fn read(folder: &Path, file: &str) -> Result<Value, Failed> {
    let cases = data::read(&folder.join("vectors").join(file))?;
    if cases["cases"].as_array().is_none_or(Vec::is_empty) {
        return Err("there are no cases in it".into());
    }
    Ok(cases)
}

/// The rows of a table.
fn rows<'a>(file: &'a Value, table: &str) -> &'a [Value] {
    file[table].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text of a row; its absence fails the trial, as it would make the test say nothing.
fn text(row: &Value, member: &str) -> Result<String, Failed> {
    let text = row[member].as_str().map(str::to_owned);
    text.ok_or_else(|| format!("the row has no text named {member}").into())
}
