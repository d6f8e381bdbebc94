//! Merges one kubeconfig into another, for tests that read the result with other programs:
//!
//!     merge FROM INTO [--replace]

use aks_acr::{Kubeconfig, MergeKubeconfigOptions, OnExistingEntry};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, into, options @ ..] = &arguments[..] else { return Err("wanted: merge FROM INTO [--replace]".into()) };
    let replace = options.iter().any(|option| option == "--replace");
    let existing = if replace { OnExistingEntry::Replace } else { OnExistingEntry::Keep };
    let kubeconfig = Kubeconfig::parse(fs::read_to_string(from)?)?;
    let merged =
        kubeconfig.merge(&MergeKubeconfigOptions::default().with_file(into).with_on_existing_entry(existing))?;
    println!("{} {}", merged.context, merged.outcome);
    Ok(())
}
