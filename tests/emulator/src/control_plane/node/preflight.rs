//! What real nodes need of this machine: checked before anything starts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::guard::Guard;
use crate::serve::ServeError;

/// What `build-kubernetes --node` builds.
pub(in super::super) const BUILT: [&str; 8] =
    ["agent", "program", "kubelet", "containerd", "containerd-shim-runc-v2", "bridge", "host-local", "loopback"];
/// Programs of the machine, and the package that has each.
const NEEDED: [(&str, &str); 3] = [("ip", "iproute2"), ("mount", "mount, or util-linux"), ("runc", "runc")];

/// The place of each program that a node runs, if all are there and the kernel has what a node needs.
pub(in super::super) fn demand(folder: &Path) -> Result<Vec<(String, PathBuf)>, ServeError> {
    let mut found = Vec::new();
    for name in BUILT {
        let path = folder.join(name);
        if !path.is_file() {
            return Err(ServeError::new(format!(
                "{} does not exist; run `aks-acr-emulator build-kubernetes --node` to build what a node runs",
                path.display()
            )));
        }
        // A link may lead to a folder that a node does not see.
        let path = path.canonicalize().unwrap_or(path);
        found.push((name.to_owned(), path.clone()));
        if name == "agent" {
            found.push((String::from("acr-credential-provider"), path));
        }
    }
    for (name, package) in NEEDED {
        let Some(path) = program(folder, name) else {
            return Err(ServeError::new(format!(
                "{name} is not installed, and --node needs it: install the package {package}"
            )));
        };
        if name == "runc" {
            found.push((name.to_owned(), path));
        }
    }
    check_kernel(&folder.join("agent"))?;
    Ok(found)
}

/// Whether this user can run nodes: checked first.
pub(in super::super) fn demand_root() -> Result<(), ServeError> {
    if is_root() {
        return Ok(());
    }
    let text = "--node needs root: kubelet and containerd make mounts, control groups and networks; run it with sudo, or omit --node";
    Err(ServeError::new(text))
}

/// A program that was built, or one of the machine.
fn program(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path)).chain(usual);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file()).map(|path| path.canonicalize().unwrap_or(path))
}

/// Makes what a node needs, in namespaces that end at once.
fn check_kernel(agent: &Path) -> Result<(), ServeError> {
    let failed = |fault: &std::io::Error| ServeError::io("cannot check whether a node can run", fault);
    let guard = Guard::new(&std::env::temp_dir()).map_err(|fault| failed(&fault))?;
    let mut command = Command::new(agent);
    command.arg("check").arg(guard.folder()).stdin(Stdio::null());
    let output = command.output().map_err(|fault| failed(&fault))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // The last line says that the process that did the work has failed.
    let why = said.lines().next().unwrap_or_default().trim_start_matches("agent: ");
    Err(ServeError::new(format!("a node cannot run on this machine: {why}; omit --node here")))
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
