//! Uses the library beside typed Kubernetes objects of another version.

use aks_acr::{Manifest, Result};
use k8s_openapi::api::core::v1::Pod;

fn main() -> Result<()> {
    let manifest = &Manifest::parse_all("{apiVersion: v1, kind: Pod, metadata: {name: web}}")?[0];
    let typed = Pod::default();
    println!("{manifest} {:?}", typed.metadata.name);
    Ok(())
}
