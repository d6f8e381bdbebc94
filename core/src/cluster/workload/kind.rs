//! The kinds of workloads whose rollout can be waited for.

/// A kind of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
}

impl WorkloadKind {
    pub const ALL: [Self; 4] = [Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::Job];

    /// Reads a kind as kubectl does: in any case, singular, plural or short, and optionally with its group, such as `deployment.apps`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (name, group) = text.split_once('.').unwrap_or((text.as_str(), ""));
        let group = group.strip_prefix("v1.").unwrap_or(group);
        Self::ALL.into_iter().find(|kind| kind.names().contains(&name) && (group.is_empty() || group == kind.group()))
    }

    /// The kind in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
        }
    }

    /// kubectl's names, the plural first: that one is in paths, too.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Deployment => &["deployments", "deployment", "deploy"],
            Self::StatefulSet => &["statefulsets", "statefulset", "sts"],
            Self::DaemonSet => &["daemonsets", "daemonset", "ds"],
            Self::Job => &["jobs", "job"],
        }
    }

    #[cfg(feature = "kubernetes")]
    pub const fn plural(self) -> &'static str {
        self.names()[0]
    }

    pub const fn group(self) -> &'static str {
        match self {
            Self::Job => "batch",
            _ => "apps",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_kubectl_reads_them() {
        for (text, kind) in [
            ("Deployment", WorkloadKind::Deployment),
            ("deploy", WorkloadKind::Deployment),
            ("deployments.apps", WorkloadKind::Deployment),
            ("deployment.v1.apps", WorkloadKind::Deployment),
            ("STS", WorkloadKind::StatefulSet),
            ("daemonset", WorkloadKind::DaemonSet),
            ("jobs.batch", WorkloadKind::Job),
        ] {
            assert_eq!(WorkloadKind::parse(text), Some(kind), "{text}");
        }
        for other in ["", "pod", "cronjob", "deployment.batch", "deployments.apps.example", "replicaset"] {
            assert_eq!(WorkloadKind::parse(other), None, "{other}");
        }
    }
}
