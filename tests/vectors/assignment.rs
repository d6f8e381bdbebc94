//! Names of role assignments, as Azure's own tools derive them.

use super::{rows, text};
use aks_acr::assignment_name;
use aks_acr_tests::data;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use uuid::Uuid;

pub(super) fn trials(file: &Value) -> Vec<Trial> {
    let trial = |(number, row): (usize, &Value)| {
        let row = row.clone();
        data::trial(format!("assignment_name::case_{}", number + 1), move |_| check(&row))
    };
    rows(file, "cases").iter().enumerate().map(trial).collect()
}

fn check(row: &Value) -> Result<(), Failed> {
    let role = text(row, "role")?;
    // A role is named by its whole id in some rows; the last part is what counts.
    let role = Uuid::try_parse(role.rsplit('/').next().unwrap_or_default())?;
    let name = assignment_name(&text(row, "scope")?, text(row, "principalId")?.parse()?, role);
    assert_eq!(name.to_string(), text(row, "name")?);
    Ok(())
}
