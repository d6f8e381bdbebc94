//! Writes the generated files that are not current.

use aks_acr_surface::files;
use std::fs;

fn main() {
    for (path, text) in files::outdated() {
        fs::write(files::root().join(path), text).unwrap_or_else(|err| panic!("{path}: {err}"));
        println!("wrote {path}");
    }
}
