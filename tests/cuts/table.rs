//! The table of what was run.

use crate::{
    case::{Case, Count},
    end,
};
use libtest_mimic::Failed;
use serde::Deserialize;
use std::{
    env, fmt, fs,
    sync::{Arc, Mutex, PoisonError},
};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cuts/README.md");
const BEGIN: &str = "<!-- cuts: generated, see above -->\n";
const END: &str = "<!-- end of cuts -->";

/// A row for each case, in their order.
#[derive(Clone)]
pub struct Table(Arc<Mutex<Vec<Row>>>);

struct Row {
    operation: &'static str,
    before: &'static str,
    count: Option<Count>,
}

impl Table {
    pub fn of(cases: &[Case]) -> Self {
        let row = |case: &Case| Row { operation: case.operation, before: case.before, count: None };
        Self(Arc::new(Mutex::new(cases.iter().map(row).collect())))
    }

    pub fn put(&self, case: &Case, count: Count) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.iter_mut().find(|row| (row.operation, row.before) == (case.operation, case.before));
        row.expect("a row of this case").count = Some(count);
    }

    pub fn is_whole(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().all(|row| row.count.is_some())
    }

    /// Holds it against the one in README, or writes it there; and finds what no run needed.
    pub fn check(&self) -> Result<(), String> {
        let idle = end::idle();
        if !idle.is_empty() {
            return Err(format!("no run needs what end.rs allows at {idle:?}"));
        }
        let readme = fs::read_to_string(README).map_err(|err| format!("{README}: {err}"))?;
        let parts = readme.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
        let Some((before, (shown, after))) = parts else { return Err(format!("{README} has no place for the table")) };
        if env::var_os("AKS_ACR_BLESS").is_some() {
            fs::write(README, format!("{before}{BEGIN}{self}{END}{after}")).map_err(|err| format!("{README}: {err}"))
        } else if shown == self.to_string() {
            Ok(())
        } else {
            Err("README's table is another: AKS_ACR_BLESS=1 cargo test -p aks-acr-tests --test cuts".to_owned())
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let heads = "state before | requests | the caller ends, runs it again | a connection is lost, it continues | it fails, is run again";
        writeln!(f, "| operation | {heads} |")?;
        writeln!(f, "|---|---|--:|--:|--:|--:|")?;
        let mut total = Count::default();
        for Row { operation, before, count } in rows.iter() {
            let Count { requests, ended, went_on, told } = count.unwrap_or_default();
            writeln!(f, "| `{operation}` | {before} | {requests} | {ended} | {went_on} | {told} |")?;
            total.requests += requests;
            total.ended += ended;
            total.went_on += went_on;
            total.told += told;
        }
        let Count { requests, ended, went_on, told } = total;
        let (cases, cuts) = (rows.len(), ended + went_on + told);
        writeln!(f, "| all | {cases} cases, {cuts} cuts | {requests} | {ended} | {went_on} | {told} |")
    }
}

/// Those of `tests/contract/operations.json`.
pub fn every_operation_has_a_row(cases: &[Case]) -> Result<(), Failed> {
    #[derive(Deserialize)]
    struct Operation {
        rust: String,
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/contract/operations.json");
    let text = fs::read_to_string(path)?;
    let known: Vec<Operation> = serde_json::from_str(&text)?;
    let without = known.iter().filter(|known| cases.iter().all(|case| case.operation != known.rust));
    let without: Vec<&str> = without.map(|known| known.rust.as_str()).collect();
    let unknown: Vec<&str> =
        cases.iter().map(|case| case.operation).filter(|name| known.iter().all(|known| known.rust != *name)).collect();
    if without.is_empty() && unknown.is_empty() {
        return Ok(());
    }
    Err(format!("no row: {without:?}; no such operation: {unknown:?}").into())
}
