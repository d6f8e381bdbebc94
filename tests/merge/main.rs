//! Kubeconfig files: others' entries stay byte for byte, no write is lost, and no file is ever half-written.
//!
//! This program is started again by its own tests, as the processes that merge at once, are killed, or find the disk full.

#![expect(clippy::unwrap_used, reason = "a test program: what fails here ends a trial")]

mod client;
mod files;
mod generate;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(unix)]
mod processes;
mod property;

use aks_acr::{Kubeconfig, MergeKubeconfigOptions};
use libtest_mimic::{Arguments, Trial};
use std::{path::Path, process::ExitCode};

/// A kubeconfig as Azure makes it, with a context of this name.
fn kubeconfig(name: &str) -> Kubeconfig {
    let text = format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: QUJD\n    server: https://{name}.example:443\n  \
         name: \"{name}\"\ncontexts:\n- context:\n    cluster: \"{name}\"\n    user: clusterUser_group_{name}\n  name: \"{name}\"\n\
         current-context: \"{name}\"\nkind: Config\npreferences: {{}}\nusers:\n- name: clusterUser_group_{name}\n  user:\n    \
         client-key-data: QUJD\n    token: top-secret\n"
    );
    Kubeconfig::parse(text).unwrap()
}

fn mode(file: &Path) -> MergeKubeconfigOptions {
    MergeKubeconfigOptions::default().with_file(file)
}

/// The values of a file, read by other means than the library's.
fn values(text: &str) -> serde_json::Value {
    serde_saphyr::from_str(text.trim_start_matches('\u{feff}')).unwrap()
}

/// The names in a list, in their order.
fn names(text: &str, list: &str) -> Vec<String> {
    let values = values(text);
    let items = values[list].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn main() -> ExitCode {
    #[cfg(unix)]
    if let Some(code) = processes::work() {
        return code;
    }
    let mut trials = Vec::new();
    trials.extend(files::trials());
    trials.extend(property::trials());
    trials.extend(client::trials());
    #[cfg(unix)]
    trials.extend(processes::trials());
    #[cfg(target_os = "linux")]
    trials.extend(mounts::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Trials of a module's functions, under their names.
fn trials(module: &str, all: &[(&str, fn())]) -> Vec<Trial> {
    let trial = |(name, run): &(&str, fn())| {
        let run = *run;
        Trial::test(format!("{module}::{name}"), move || {
            run();
            Ok(())
        })
    };
    all.iter().map(trial).collect()
}

/// Functions with their names.
macro_rules! named {
    ($($name:ident),+ $(,)?) => { &[$((stringify!($name), $name as fn())),+] };
}
use named;
