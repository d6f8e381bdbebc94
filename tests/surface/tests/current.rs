//! The generated files are those that the tool would write.

use aks_acr_surface::files;

#[test]
fn the_generated_files_are_current() {
    let outdated: Vec<_> = files::outdated().into_iter().map(|(path, _)| path).collect();
    assert!(outdated.is_empty(), "not current: {outdated:?}; run: cargo run -p aks-acr-surface");
}
