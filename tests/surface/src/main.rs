//! Writes the generated files that are not current, and then the pages below `docs/`, whose figures are measured by a test. With
//! `--no-docs` it leaves those.

use aks_acr_surface::files;
use std::{
    env, fs,
    process::{self, Command},
};

fn main() {
    for (path, text) in files::outdated() {
        fs::write(files::root().join(path), text).unwrap_or_else(|err| panic!("{path}: {err}"));
        println!("wrote {path}");
    }
    if env::args().any(|argument| argument == "--no-docs") {
        return;
    }
    let mut pages = Command::new(env!("CARGO"));
    pages.args(["test", "--quiet", "-p", "aks-acr-tests", "--test", "docs"]).env("AKS_ACR_BLESS", "1");
    let status = pages.current_dir(files::root()).status().unwrap_or_else(|err| panic!("cargo: {err}"));
    process::exit(status.code().unwrap_or(1));
}
