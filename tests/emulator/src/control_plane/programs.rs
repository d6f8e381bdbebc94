//! The programs of a control plane, as `build-kubernetes` builds them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;

use crate::serve::ServeError;

/// The parts, in the order in which they start.
pub(super) const PARTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// A folder with the programs.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// Such as `1.33.3`.
    pub(super) version: String,
    /// The programs of a real node, if nodes are real: name and place.
    node: Option<BTreeMap<String, PathBuf>>,
}

impl Programs {
    /// The programs in `bin` of a folder: those of a control plane, and of real nodes if these are wanted.
    pub(crate) fn open(folder: &Path, with_node: bool) -> Result<Self, ServeError> {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).join("bin");
        if !cfg!(target_os = "linux") {
            return Err(ServeError::new("a real control plane runs on Linux only; omit --kubernetes elsewhere"));
        }
        if with_node {
            super::node::demand_root()?;
        }
        for part in PARTS {
            let path = folder.join(part);
            if !path.is_file() {
                return Err(ServeError::new(format!(
                    "{} does not exist; run `aks-acr-emulator build-kubernetes` to build it",
                    path.display()
                )));
            }
        }
        let version = version(&folder.join("kube-apiserver"))?;
        super::leftovers::remove(&std::env::temp_dir());
        let node = if with_node { Some(super::node::demand(&folder)?.into_iter().collect()) } else { None };
        Ok(Self { folder, version, node })
    }

    /// Whether nodes are real.
    pub(super) fn has_node(&self) -> bool {
        self.node.is_some()
    }

    /// The programs of a real node.
    pub(super) fn of_node(&self) -> BTreeMap<String, PathBuf> {
        self.node.clone().unwrap_or_default()
    }

    /// What made-up images run on real nodes.
    pub(crate) fn program(&self) -> Result<Bytes, ServeError> {
        if !self.has_node() {
            return Ok(Bytes::new());
        }
        let path = self.path("program");
        let read = std::fs::read(&path).map(Bytes::from);
        read.map_err(|fault| ServeError::io(&path.display().to_string(), &fault))
    }

    pub(super) fn path(&self, part: &str) -> PathBuf {
        self.folder.join(part)
    }
}

/// Asks the API server for its version, and so whether it runs on this machine.
fn version(program: &Path) -> Result<String, ServeError> {
    let shown = program.display();
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).env_clear().output();
    let output = output.map_err(|fault| ServeError::io(&format!("cannot run {shown}"), &fault))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // Recorded: `Kubernetes v1.33.3`.
    let version = text.trim().strip_prefix("Kubernetes v").filter(|_| output.status.success());
    version.map(str::to_owned).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        ServeError::new(format!("{shown} is not a kube-apiserver: --version printed {text:?} {said:?}"))
    })
}
