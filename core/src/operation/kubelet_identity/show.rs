//! The text of plans and results: a line for each part, and below it what a reviewer needs.

use super::{
    KubeletIdentityPlan, KubeletIdentitySetup, PartState, PlannedIdentity, PlannedMembership, PlannedPull,
    SetUpIdentity, SetUpMembership, SetUpPull, SetUpRole,
};
use crate::{quoted::Complete, role::our_description};
use std::fmt;

fn sign(state: PartState) -> char {
    match state {
        PartState::Exists => '=',
        PartState::Missing => '+',
        PartState::Unknown => '?',
    }
}

fn sign_of_new(is_new: bool) -> char {
    sign(if is_new { PartState::Missing } else { PartState::Exists })
}

impl fmt::Display for PlannedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} identity {}\n    id: {}", sign(self.state()), self.id.name(), self.id)?;
        self.principal_id.map_or(Ok(()), |principal| write!(f, "\n    principal: {principal}"))
    }
}

impl fmt::Display for PlannedMembership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} the kubelet identity as a member of Entra group {}", sign(self.state), self.group)
    }
}

impl fmt::Display for PlannedPull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} on {}", sign(self.state), self.role, self.registry.name())?;
        write!(f, "\n    scope: {}", self.registry)?;
        if self.state == PartState::Exists {
            return Ok(());
        }
        write!(f, "\n    description: {}", our_description())
    }
}

impl fmt::Display for KubeletIdentityPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the nodes' identity:\n{}\nthe control plane's identity:\n{}", self.kubelet, self.control_plane)?;
        let is_complete = self.kubelet.principal_id.is_some() && self.control_plane.principal_id.is_some();
        if let Some(location) = self.location.as_ref().filter(|_| !is_complete) {
            write!(f, "\n    region: {}", Complete(location))?;
        }
        let operator = sign(self.operator_role);
        write!(f, "\n{operator} Managed Identity Operator for the control plane on the kubelet identity")?;
        if let Some(one) = &self.membership {
            write!(f, "\n{one}")?;
        }
        if !self.pulls.is_empty() {
            match &self.membership {
                Some(one) => write!(f, "\nfor Entra group {}:", one.group)?,
                None => f.write_str("\nfor the kubelet identity:")?,
            }
        }
        self.pulls.iter().try_for_each(|one| write!(f, "\n{one}"))
    }
}

impl fmt::Display for SetUpIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} identity {} ({})", sign_of_new(self.is_new), self.id.name(), self.principal_id)
    }
}

impl fmt::Display for SetUpRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = sign_of_new(self.is_new);
        write!(f, "{sign} Managed Identity Operator for the control plane on the kubelet identity")
    }
}

impl fmt::Display for SetUpMembership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} the kubelet identity as a member of Entra group {}", sign_of_new(self.is_new), self.group)
    }
}

impl fmt::Display for SetUpPull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, registry) = (sign_of_new(self.is_new), self.registry.name());
        write!(f, "{sign} {} on {registry} for {}", self.role, self.principal_id)?;
        match &self.condition {
            Some(condition) => write!(f, ", with a condition that was kept: {}", Complete(condition)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for KubeletIdentitySetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}", self.kubelet, self.control_plane, self.operator_role)?;
        if let Some(one) = &self.membership {
            write!(f, "\n{one}")?;
        }
        self.pulls.iter().try_for_each(|one| write!(f, "\n{one}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_shows_every_part_with_its_sign() {
        let id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers";
        let text = format!(
            r#"{{"version":1,"expires":"2026-01-01T00:00:00Z","location":"westeurope","operator_role":"missing",
            "kubelet":{{"id":"{id}/Microsoft.ManagedIdentity/userAssignedIdentities/k","principal_id":null}},
            "control_plane":{{"id":"{id}/Microsoft.ManagedIdentity/userAssignedIdentities/c",
                "principal_id":"aaaaaaaa-0000-0000-0000-000000000001"}},
            "membership":{{"group":"aaaaaaaa-0000-0000-0000-000000000002","state":"unknown"}},
            "pulls":[{{"registry":"{id}/Microsoft.ContainerRegistry/registries/r","role":"AcrPull","state":"missing"}}]}}"#
        );
        let plan: KubeletIdentityPlan = serde_json::from_str(&text).unwrap();
        let shown = plan.to_string();
        for part in [
            "+ identity k",
            "= identity c",
            "region: westeurope",
            "+ Managed Identity Operator",
            "? the kubelet identity as a member of Entra group aaaaaaaa-0000-0000-0000-000000000002",
            "+ AcrPull on r",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
