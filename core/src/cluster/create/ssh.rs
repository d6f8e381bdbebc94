//! SSH access to a cluster's nodes.

use super::public_key::is_public_key;
use crate::error::{Error, Result};
use std::path::PathBuf;

/// SSH access to a cluster's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SshKey {
    /// No SSH access: the cluster is created without a key; this library cannot add one later.
    #[default]
    None,
    /// Access with this public key, `ssh-rsa AAAA…` or `ssh-ed25519 AAAA…`.
    Public(String),
    /// Access with the key pair in this file; the public key is in the file of the same name with the suffix `.pub`. Missing files are
    /// generated: an RSA key of 2048 bits, readable by its owner only. The files are not read unless a cluster is created. In Rust this
    /// requires the feature `ssh`.
    Pair(PathBuf),
}

impl SshKey {
    /// The key pair that `az aks create --generate-ssh-keys` and OpenSSH use: `~/.ssh/id_rsa`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the home directory is unknown.
    pub fn at_home() -> Result<Self> {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let home = home.ok_or_else(|| {
            Error::invalid("the home directory is unknown; give the path of a key", "ssh key", "~/.ssh/id_rsa")
        })?;
        Ok(Self::Pair(home.join(".ssh").join("id_rsa")))
    }

    /// Rejects an invalid public key. If it is a private key, the error does not repeat it.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Public(key) if !is_public_key(key) => Err(Error::invalid(
                "expected a public key, `ssh-rsa AAAA…` or `ssh-ed25519 AAAA…`",
                "ssh key",
                "(not shown)",
            )),
            _ => Ok(()),
        }
    }

    /// The public key for the nodes, if any. A pair is read, or generated.
    pub(super) async fn public_key(&self) -> Result<Option<String>> {
        match self {
            Self::None => Ok(None),
            Self::Public(key) => Ok(Some(key.trim().to_owned())),
            Self::Pair(path) => pair(path.clone()).await.map(Some),
        }
    }
}

#[cfg(feature = "ssh")]
async fn pair(path: PathBuf) -> Result<String> {
    let shown = path.display().to_string();
    let work = tokio::task::spawn_blocking(move || super::ssh_pair::public_key(&path));
    let done = work.await.map_err(|err| {
        Error::new(crate::error::ErrorKind::Unexpected, "could not generate the SSH key").with_source(err)
    });
    done?.map_err(|err| err.with_context("file", shown))
}

#[cfg(not(feature = "ssh"))]
#[expect(clippy::unused_async, reason = "the other build of it waits")]
async fn pair(path: PathBuf) -> Result<String> {
    let text = "built without support for SSH key files: give the public key, or enable the feature `ssh` of aks-acr";
    Err(Error::new(crate::error::ErrorKind::Unsupported, text).with_context("file", path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn a_public_key_is_recognized() {
        for good in [ED25519, &format!("{ED25519} me@example.com\n")] {
            SshKey::Public(good.to_owned()).check().unwrap();
        }
        let wrong = [
            "",
            "ssh-rsa",
            "ssh-rsa AAAA",
            &ED25519.replace("ssh-ed25519", "ssh-rsa"),
            &format!("{ED25519}\n{ED25519}"),
        ];
        for wrong in wrong {
            let err = SshKey::Public(wrong.to_owned()).check().unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput, "{wrong}");
        }
    }

    #[test]
    fn a_private_key_in_the_place_of_a_public_one_is_in_no_error() {
        let err = SshKey::Public("-----BEGIN RSA PRIVATE KEY-----\nMIIsecret".to_owned()).check().unwrap_err();
        assert!(!format!("{err:#} {err:?}").contains("secret"));
    }
}
