//! Clusters, their identities, their pods, and their kubeconfigs.

use super::grants::{list, place};
use crate::{
    cluster::{Cluster, Kubeconfig, MergedKubeconfig, Pod, Rollout},
    identity::{AddOnIdentity, ClusterIdentities, EntraSettings, KubeletIdentity},
    operation::create_cluster::CreatedCluster,
};
use std::fmt;

impl fmt::Display for ClusterIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cluster = place(&self.cluster);
        match (&self.kubelet, &self.service_principal) {
            (Some(kubelet), _) => write!(f, "{cluster} pulls with {kubelet}"),
            (None, Some(application)) => {
                write!(f, "{cluster} pulls with the service principal of application {application}")
            }
            (None, None) => write!(f, "{cluster} has no kubelet identity (state: {})", self.state),
        }
    }
}

impl fmt::Display for KubeletIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kubelet identity {}", self.object_id)
    }
}

impl fmt::Display for AddOnIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "identity {} of {}", self.object_id, self.add_on)
    }
}

impl fmt::Display for EntraSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.azure_rbac { "Entra with Azure RBAC" } else { "Entra with Kubernetes RBAC" })
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { location, state, kubernetes_version, node_count, vm_size, .. } = self;
        let nodes = match node_count {
            Some(1) => "1 node".to_owned(),
            Some(count) => format!("{count} nodes"),
            None => "an unknown number of nodes".to_owned(),
        };
        let size = if vm_size.is_empty() { String::new() } else { format!(" of {vm_size}") };
        write!(f, "{}: Kubernetes {kubernetes_version}, {nodes}{size} in {location} ({state})", place(&self.id))
    }
}

impl fmt::Display for CreatedCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_new { "created" } else { "exists:" }, self.cluster)?;
        if !self.differences.is_empty() {
            write!(f, "; differs in {}", list(&self.differences))?;
        }
        if !self.attachments.is_empty() {
            write!(f, "; {}", list(&self.attachments))?;
        }
        Ok(())
    }
}

/// Nothing of its text, which contains keys.
impl fmt::Display for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "context {} at {}", self.context(), self.server())
    }
}

impl fmt::Display for MergedKubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "context {} in {}: {}", self.context, self.file.display(), self.outcome)?;
        if self.current_context_changed {
            f.write_str(", now the current context")?;
        }
        if self.is_open_to_others {
            f.write_str("; other users can read or write this file")?;
        }
        Ok(())
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ready", self.ready, self.wanted)
    }
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, status, ready, containers, .. } = self;
        write!(f, "{namespace}/{name}: {status}, {ready}/{containers} ready")?;
        self.pull_failure.as_ref().map_or(Ok(()), |failure| write!(f, "; {failure}"))
    }
}
