//! The checked-in list of all recordings, and what it must be.

use aks_acr_tests::data;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const TEXT: &str = include_str!("exchanges.json");
const FOLDERS: [&str; 2] = ["acr", "aks"];
const HELD: &str = "held";
const NOT_PRODUCED: &str = "not produced: ";

/// Whether a half of the tests holds a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Held,
    NotProduced(String),
}

/// What is said of one file.
pub(crate) struct Entry {
    /// The library reads it.
    pub core: Half,
    /// The emulator answers like it.
    pub emulator: Half,
}

/// All files, by folder and name without ending.
pub(crate) struct List {
    pub entries: BTreeMap<String, Entry>,
}

impl List {
    pub(crate) fn checked_in() -> Result<Self, Failed> {
        let parsed: BTreeMap<String, Value> = serde_json::from_str(TEXT)?;
        let entry = |(file, value)| Ok((file, Entry::read(&value)?));
        Ok(Self { entries: parsed.into_iter().map(entry).collect::<Result<_, Failed>>()? })
    }

    /// Says it on standard error, for there is no trial of it.
    pub(crate) fn tell_what_is_not_held(&self) {
        for (file, entry) in &self.entries {
            for (half, of) in [("core", &entry.core), ("emulator", &entry.emulator)] {
                if let Half::NotProduced(reason) = of {
                    eprintln!("{half}::{file} is {NOT_PRODUCED}{reason}");
                }
            }
        }
    }
}

impl Entry {
    /// One word for both halves, or one for each.
    fn read(value: &Value) -> Result<Self, Failed> {
        match value {
            Value::Object(halves) if halves.len() == 2 => {
                Ok(Self { core: Half::read(&value["core"])?, emulator: Half::read(&value["emulator"])? })
            }
            both => Ok(Self { core: Half::read(both)?, emulator: Half::read(both)? }),
        }
    }
}

impl Half {
    fn read(value: &Value) -> Result<Self, Failed> {
        let text = value.as_str().unwrap_or_default();
        let reason = text.strip_prefix(NOT_PRODUCED).map(str::trim).filter(|reason| !reason.is_empty());
        match (text, reason) {
            (HELD, _) => Ok(Self::Held),
            (_, Some(reason)) => Ok(Self::NotProduced(reason.to_owned())),
            _ => Err(format!("must be '{HELD}' or '{NOT_PRODUCED}' and a reason, not {value}").into()),
        }
    }
}

pub(crate) fn trials(list: &List) -> Vec<Trial> {
    let listed: BTreeSet<String> = list.entries.keys().cloned().collect();
    let again = listed.clone();
    vec![
        data::trial("list::every_recording_is_listed", move |folder| {
            is_nothing(recorded(folder)?.difference(&listed), "not listed")
        }),
        data::trial("list::every_listed_recording_is_there", move |folder| {
            is_nothing(again.difference(&recorded(folder)?), "listed and not there")
        }),
    ]
}

fn is_nothing<'a>(files: impl Iterator<Item = &'a String>, what: &str) -> Result<(), Failed> {
    let files: Vec<&String> = files.collect();
    if files.is_empty() { Ok(()) } else { Err(format!("{what}: {files:?}").into()) }
}

/// Every file of the folders of recordings.
pub(crate) fn recorded(folder: &Path) -> Result<BTreeSet<String>, Failed> {
    let mut files = BTreeSet::new();
    for kind in FOLDERS {
        for file in fs::read_dir(folder.join("azure-traffic").join(kind))? {
            let path = file?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                files.insert(format!("{kind}/{}", path.file_stem().unwrap_or_default().to_string_lossy()));
            }
        }
    }
    Ok(files)
}
