//! The file that clients read the certificate from.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::ServeError;
use crate::control_plane::leftovers;

/// The file.
pub(super) struct CaFile {
    path: PathBuf,
    /// The folder that was made for it alone, if there is one.
    folder: Option<PathBuf>,
    /// Locked in that folder while this process lives.
    _lock: Option<File>,
}

/// How the names of such folders begin.
const PREFIX: &str = "aks-acr-emulator-";

impl CaFile {
    pub(super) fn write(asked: Option<&Path>, pem: &str) -> Result<Self, ServeError> {
        let file = if let Some(path) = asked {
            Self { path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()), folder: None, _lock: None }
        } else {
            leftovers::remove_locked(&std::env::temp_dir(), PREFIX);
            let folder = std::env::temp_dir().join(format!("{PREFIX}{}", uuid::Uuid::new_v4().simple()));
            #[cfg_attr(not(unix), expect(unused_mut, reason = "elsewhere folders have no mode"))]
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&folder).map_err(|fault| ServeError::io(&folder.display().to_string(), &fault))?;
            // Without a lock, the folder of an emulator that was killed stays.
            let lock = leftovers::lock(&folder).ok();
            Self { path: folder.join("ca.pem"), folder: Some(folder), _lock: lock }
        };
        let failed = |fault| ServeError::io(&file.path.display().to_string(), &fault);
        // One that is left from an earlier run goes first; a link goes as a link, and what it names is not touched. A file of
        // another kind stays: its name was given by mistake.
        match std::fs::symlink_metadata(&file.path) {
            Ok(known) if !known.is_symlink() && !is_certificate(&file.path) => {
                return Err(ServeError::new(format!("{} exists and is not a certificate", file.path.display())));
            }
            Ok(_) => std::fs::remove_file(&file.path).map_err(failed)?,
            Err(_) => {}
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&file.path).and_then(|mut open| open.write_all(pem.as_bytes())).map_err(failed)?;
        Ok(file)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn is_certificate(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|known| known.starts_with(b"-----BEGIN CERTIFICATE-----"))
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
