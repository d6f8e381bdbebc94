//! A folder for one test, which goes with it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// An empty folder.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    ///
    /// # Panics
    /// If the system gives no folder: no test can go on then.
    #[must_use]
    #[expect(clippy::new_without_default, clippy::expect_used, reason = "each is another folder, and a test needs it")]
    pub fn new() -> Self {
        let path = env::temp_dir().join(format!("aks-acr-test-{}", Uuid::new_v4()));
        fs::create_dir(&path).expect("a folder can be made");
        Self(path)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
