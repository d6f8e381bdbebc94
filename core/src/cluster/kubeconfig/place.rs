//! Which file is used if none is named: kubectl's rules.

use crate::{
    environment::Environment,
    error::{Error, Result},
};
use std::path::{Path, PathBuf};

const VARIABLE: &str = "KUBECONFIG";

/// The files that kubectl would read, in order of precedence. One of them will be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Places(Vec<PathBuf>);

impl Places {
    /// The named file, else those of `KUBECONFIG`, else `~/.kube/config`.
    pub fn find(named: Option<&Path>, environment: &Environment) -> Result<Self> {
        if let Some(file) = named {
            return if file.file_name().is_some() {
                Ok(Self(vec![file.to_owned()]))
            } else {
                Err(Error::invalid("expected the name of a file", "file", file.display().to_string()))
            };
        }
        let mut files: Vec<PathBuf> = Vec::new();
        if let Some(list) = environment.get(VARIABLE) {
            for file in std::env::split_paths(&list).filter(|file| file.file_name().is_some()) {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        if files.is_empty() {
            let text = "the home directory is unknown: name the kubeconfig file, or set KUBECONFIG";
            let home = home(environment).ok_or_else(|| Error::new(crate::ErrorKind::InvalidInput, text))?;
            files.push(home.join(".kube").join("config"));
        }
        Ok(Self(files))
    }

    pub fn all(&self) -> &[PathBuf] {
        &self.0
    }

    /// Where kubectl adds new entries: the first file that exists, else the last.
    pub fn default(&self) -> &Path {
        let first = self.0.iter().find(|file| file.exists());
        first.or(self.0.last()).map_or(Path::new(""), PathBuf::as_path)
    }
}

/// The home directory according to kubectl, which does not query the system's list of users.
fn home(environment: &Environment) -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["HOME", "USERPROFILE"] } else { &["HOME"] };
    let all = names.iter().filter_map(|name| environment.get(name)).map(PathBuf::from);
    let homes: Vec<PathBuf> = all.filter(|home| home.is_absolute()).collect();
    let used = homes.iter().find(|home| home.join(".kube").join("config").exists());
    used.or(homes.first()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &'static [(&'static str, &'static str)]) -> Result<Places> {
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Places::find(None, &Environment::new(lookup))
    }

    #[cfg(unix)]
    #[test]
    fn the_variable_comes_before_the_home_folder_and_empty_parts_do_not_count() {
        let of = |places: Result<Places>| {
            places.unwrap().0.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of(places(&[("HOME", "/home/me")])), ["/home/me/.kube/config"]);
        assert_eq!(of(places(&[("HOME", "/home/me"), ("KUBECONFIG", ":")])), ["/home/me/.kube/config"]);
        assert_eq!(of(places(&[("HOME", "/home/me"), ("KUBECONFIG", "/a::/b:/a")])), ["/a", "/b"]);
        assert!(places(&[]).unwrap_err().to_string().contains("KUBECONFIG"));
    }

    #[test]
    fn what_is_new_goes_to_the_first_file_that_exists_and_else_to_the_last() {
        let here = std::env::current_exe().unwrap();
        let (absent, last) = (PathBuf::from("/absent/a"), PathBuf::from("/absent/b"));
        assert_eq!(Places(vec![absent.clone(), last.clone()]).default(), last);
        assert_eq!(Places(vec![absent, here.clone(), last]).default(), here);
    }

    #[test]
    fn a_named_file_must_have_a_name() {
        for named in ["", "/", ".."] {
            Places::find(Some(Path::new(named)), &Environment::default()).unwrap_err();
        }
    }
}
