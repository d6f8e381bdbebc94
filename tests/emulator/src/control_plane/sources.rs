//! The Go sources of a control plane, which are part of this crate.

use sha2::{Digest, Sha256};

/// One program is all parts: it runs as the one whose name it is called by.
const MAIN: &str = include_str!("../../control-plane/1.33/main.go");

/// The sources of one version of Kubernetes.
pub(super) struct Sources {
    /// The names of the files and what is in them.
    pub(super) files: [(&'static str, &'static str); 3],
}

impl Sources {
    /// The sources of a version such as `1.33`.
    pub(super) fn of(version: &str) -> Option<Self> {
        let (module, sums) = match version {
            "1.33" => {
                (include_str!("../../control-plane/1.33/go.mod"), include_str!("../../control-plane/1.33/go.sum"))
            }
            "1.37" => {
                (include_str!("../../control-plane/1.37/go.mod"), include_str!("../../control-plane/1.37/go.sum"))
            }
            _ => return None,
        };
        Some(Self { files: [("main.go", MAIN), ("go.mod", module), ("go.sum", sums)] })
    }

    /// A hash of these sources.
    pub(super) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (name, text) in self.files {
            hash.update(format!("{name} {}\n", text.len()));
            hash.update(text);
        }
        format!("{:x}", hash.finalize())
    }

    /// The version of Go that they need, such as `1.24.0`.
    pub(super) fn go(&self) -> &'static str {
        self.line("go ")
    }

    /// The whole version of Kubernetes, such as `v1.33.3`.
    pub(super) fn kubernetes(&self) -> &'static str {
        self.line("k8s.io/kubernetes ")
    }

    /// The rest of the line of `go.mod` that begins like this.
    fn line(&self, start: &str) -> &'static str {
        self.files[1].1.lines().find_map(|line| line.trim().strip_prefix(start)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_say_what_they_build() {
        let sources = ["1.33", "1.37"].map(|version| Sources::of(version).unwrap());
        assert_eq!(sources.each_ref().map(Sources::go), ["1.24.0", "1.26.0"]);
        assert_eq!(sources.each_ref().map(Sources::kubernetes), ["v1.33.3", "v1.37.2"]);
        assert_ne!(sources[0].hash(), sources[1].hash());
        assert!(Sources::of("1.20").is_none());
    }
}
