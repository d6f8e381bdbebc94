//! The Go sources of a control plane and of what a real node runs, which are part of this crate.

use sha2::{Digest, Sha256};

/// One program is all parts: it runs as the one whose name it is called by.
const MAIN: &str = include_str!("../../control-plane/1.33/main.go");

/// The texts of files of this crate, by their names in a folder.
macro_rules! files {
    ($from:literal => $to:literal: $($name:literal),+) => {
        vec![$((concat!($to, $name), include_str!(concat!("../../", $from, $name)))),+]
    };
}

/// The sources of one version of Kubernetes, or of what its nodes run.
pub(super) struct Sources {
    /// The names of the files and what is in them.
    pub(super) files: Vec<(&'static str, &'static str)>,
}

impl Sources {
    /// The sources of a control plane of a version such as `1.33`.
    pub(super) fn of(version: &str) -> Option<Self> {
        let mut files = vec![("main.go", MAIN)];
        files.extend(match version {
            "1.33" => files!("control-plane/1.33/" => "": "go.mod", "go.sum"),
            "1.37" => files!("control-plane/1.37/" => "": "go.mod", "go.sum"),
            _ => return None,
        });
        Some(Self { files })
    }

    /// The sources of what nodes of this version run, each module in its own folder: kubelet, containerd, network plugins, and ours.
    pub(super) fn of_node(version: &str) -> Option<Self> {
        let mut files = match version {
            "1.33" => files!("real-node/1.33/" => "node/kubelet/": "main.go", "go.mod", "go.sum"),
            "1.37" => files!("real-node/1.37/" => "node/kubelet/": "main.go", "go.mod", "go.sum"),
            _ => return None,
        };
        files.extend(files!("real-node/containerd/" => "node/containerd/": "go.mod", "go.sum"));
        files.extend(files!("real-node/1.33/cni/" => "node/cni/": "go.mod", "go.sum"));
        files.extend(files!("real-node/1.33/program/" => "node/program/": "main.go", "go.mod"));
        files.extend(files!("real-node/agent/" => "node/agent/":
            "go.mod", "main.go", "namespaces.go", "inside.go", "forward.go", "sandbox.go", "silent.go", "provider.go"));
        Some(Self { files })
    }

    /// A hash of these sources.
    pub(super) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (name, text) in &self.files {
            hash.update(format!("{name} {}\n", text.len()));
            hash.update(text);
        }
        format!("{:x}", hash.finalize())
    }

    /// The newest version of Go that a module of them needs, such as `1.24.0`.
    pub(super) fn go(&self) -> &'static str {
        let newest = self.lines("go ").max_by_key(|version| super::build::numbers(version));
        newest.unwrap_or_default()
    }

    /// The whole version of Kubernetes, such as `v1.33.3`.
    pub(super) fn kubernetes(&self) -> &'static str {
        self.lines("k8s.io/kubernetes ").next().unwrap_or_default()
    }

    /// The rest of each line of a `go.mod` that begins like this.
    fn lines<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'static str> + 'a {
        let modules = self.files.iter().filter(|(name, _)| name.ends_with("go.mod"));
        modules.filter_map(move |(_, text)| text.lines().find_map(|line| line.trim().strip_prefix(start)))
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

    #[test]
    fn a_node_runs_the_kubelet_of_its_control_plane() {
        for version in ["1.33", "1.37"] {
            let (node, server) = (Sources::of_node(version).unwrap(), Sources::of(version).unwrap());
            assert_eq!(node.kubernetes(), server.kubernetes());
            // That of containerd.
            assert_eq!(node.go(), "1.26.6");
        }
        assert!(Sources::of_node("1.20").is_none());
    }

    #[test]
    fn every_file_of_our_own_program_is_part_of_it() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/real-node/agent");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("node/agent/{}", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        let node = Sources::of_node("1.33").unwrap();
        let mut known: Vec<&str> =
            node.files.iter().map(|(name, _)| *name).filter(|name| name.starts_with("node/agent/")).collect();
        found.sort();
        known.sort_unstable();
        assert_eq!(found, known);
    }
}
