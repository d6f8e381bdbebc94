//! The files that the library reads: kubeconfigs and manifests.
#![no_main]

use aks_acr::{Kubeconfig, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(kubeconfig) = Kubeconfig::parse(text) {
        // Somebody will log it.
        drop(format!("{kubeconfig:?}"));
    }
    if let Ok(manifests) = Manifest::parse_all(text) {
        drop(format!("{manifests:?}"));
    }
});
