//! Why Azure does not create a cluster, by its code, and what to do about it.

use crate::error::{Error, ErrorKind};

/// What a code means: our sentence, the next step, and the kind where Azure's status says another.
struct Cause {
    codes: &'static [&'static str],
    text: &'static str,
    hint: &'static str,
    kind: Option<ErrorKind>,
}

/// The codes that Azure has for one cause, which it reports on the request or as the end of the operation. See [troubleshooting of
/// creations](https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/welcome-azure-kubernetes) for those without a thread:
/// `ErrCode_InsufficientVCPUQuota` (1ChristianAlex/motordesk#14), `OperationNotAllowed` of quotas (Azure/karpenter-provider-azure#192),
/// `VMSizeNotSupported` (Azure/azure-cli#30887), `AvailabilityZoneNotSupported` (cloud-barista/cb-spider#1246), `AKSCapacityError`
/// (Azure/AKS#4113), `K8sVersionNotSupported` (Azure/secrets-store-csi-driver-provider-azure#1713), `AgentPoolK8sVersionNotSupported`
/// (terraform-azurerm-aks#33), `InsufficientSubnetSize` (Azure/AKS-Construction#701), `SubnetNotFound` (sassoftware/viya4-iac-azure#163).
const CAUSES: &[Cause] = &[
    Cause {
        codes: &["ErrCode_InsufficientVCPUQuota", "InsufficientVCPUQuota", "QuotaExceeded"],
        text: "the quota for virtual machines of this family does not suffice",
        hint: "request more quota at https://aka.ms/aks/quotas-skus-regions, delete nodes, or choose fewer nodes or another vm_size",
        kind: Some(ErrorKind::Conflict),
    },
    Cause {
        codes: &["VMSizeNotSupported", "SkuNotAvailable", "NotAvailableForSubscription"],
        text: "the VM size is not available to the subscription in this region or zone",
        hint: "choose another vm_size, location or zone: `az vm list-skus -l REGION --all` lists them with their restrictions",
        kind: Some(ErrorKind::InvalidInput),
    },
    Cause {
        codes: &["AvailabilityZoneNotSupported"],
        text: "the region has no availability zones, or not these",
        hint: "leave availability_zones out, or choose another location",
        kind: Some(ErrorKind::InvalidInput),
    },
    Cause {
        codes: &[
            "AllocationFailed",
            "ZonalAllocationFailed",
            "OverconstrainedAllocationRequest",
            "OverconstrainedZonalAllocationRequest",
        ],
        text: "the region or zone has no machines of this size left",
        hint: "retry later, or choose another vm_size, zone or location",
        kind: None,
    },
    Cause {
        codes: &["AKSCapacityError", "AksCapacityHeavyUsage", "AKSCapacityHeavyUsage"],
        text: "the region takes no new clusters at present",
        hint: "retry later, choose another location, or a paid tier",
        kind: Some(ErrorKind::Conflict),
    },
    Cause {
        codes: &["K8sVersionNotSupported", "AgentPoolK8sVersionNotSupported", "UnsupportedKubernetesVersion"],
        text: "the region does not offer this Kubernetes version",
        hint: "`az aks get-versions -l REGION` lists those that it offers; a version in long-term support needs the tier Premium",
        kind: Some(ErrorKind::InvalidInput),
    },
    Cause {
        codes: &["InsufficientSubnetSize", "SubnetIsFull"],
        text: "the subnet has too few free addresses",
        hint: "choose a larger subnet, fewer nodes or pods, or network_plugin azure_overlay, which gives pods addresses of their own",
        kind: Some(ErrorKind::Conflict),
    },
    Cause {
        codes: &["SubnetNotFound"],
        text: "no such subnet",
        hint: "check the resource ID of the subnet",
        kind: Some(ErrorKind::NotFound),
    },
    Cause {
        codes: &["ReconcileResourceGroupError"],
        text: "Azure could not create the resource group of the nodes",
        hint: "a policy or a missing permission is in the way: see Azure's message",
        kind: None,
    },
];

/// Says what a code means. The service's own words stay.
pub(super) fn explain(err: Error) -> Error {
    let Some(cause) = err.code().and_then(|code| CAUSES.iter().find(|cause| cause.codes.contains(&code))) else {
        return without_code(err);
    };
    let numbers = err.service().and_then(|service| service.message.as_deref()).map(numbers).unwrap_or_default();
    // A creation that has started and failed leaves a cluster behind: that is another thing to act on.
    let kind = cause.kind.filter(|_| err.kind() != ErrorKind::OperationFailed);
    let err = if let Some(kind) = kind { err.of_kind(kind) } else { err };
    let err = numbers.into_iter().fold(err.saying(cause.text), |err, (name, value)| err.with_context(name, value));
    err.with_context("hint", cause.hint)
}

/// For two causes the provider has no code of its own but `BadRequest`: there only its words tell them apart. The size is quoted from
/// dotnet/core#8181, Windows from Azure/AKS#1101.
fn without_code(err: Error) -> Error {
    let message = err.service().and_then(|service| service.message.clone()).unwrap_or_default();
    let is = |part: &str| err.code() == Some("BadRequest") && message.contains(part);
    if is("is not allowed in your subscription in location") {
        return err
            .saying("the VM size is not available to the subscription in this region")
            .with_context("hint", "choose another vm_size or location: https://aka.ms/aks/quotas-skus-regions");
    }
    if is("Windows agent pools can only be added to AKS clusters using Azure-CNI") {
        return err.with_context("hint", "set network_plugin to azure or azure_overlay");
    }
    err
}

/// The numbers and names in Azure's texts about quotas and subnets, as facts of the error. A text of another form has none.
fn numbers(message: &str) -> Vec<(&'static str, String)> {
    let after = |word: &str| {
        let (_, rest) = message.split_once(word)?;
        let value: String =
            rest.chars().take_while(|one| one.is_alphanumeric() || matches!(one, '_' | '-' | '.' | '/')).collect();
        let value = value.trim_end_matches('.').to_owned();
        (!value.is_empty()).then_some(value)
    };
    let words = [
        ("requested", "quota requested "),
        ("remaining", "remaining "),
        ("family", "for family "),
        ("region", "for region "),
        ("limit", "Current Limit: "),
        ("usage", "Current Usage: "),
        ("needed addresses", "Pre-allocated IPs "),
        ("free addresses", "IPs available "),
        ("subnet", "Subnet Name "),
    ];
    words.into_iter().filter_map(|(name, word)| Some((name, after(word)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServiceError;

    fn explained(code: &str, message: &str) -> Error {
        let service = ServiceError {
            status: 400,
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            ..ServiceError::default()
        };
        explain(Error::new(ErrorKind::InvalidInput, "Azure rejected it").with_service(service))
    }

    #[test]
    fn a_quota_names_its_family_and_its_numbers() {
        let message = "Insufficient vcpu quota requested 24, remaining 8 for family standardDSv5Family for region westeurope. Surge \
                       nodes would also consume vcpu quota.";
        let err = explained("ErrCode_InsufficientVCPUQuota", message);
        assert_eq!(err.kind(), ErrorKind::Conflict);
        let shown = err.to_string();
        for part in [
            "requested: 24",
            "remaining: 8",
            "family: standardDSv5Family",
            "region: westeurope",
            "hint: request more quota",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn a_full_subnet_names_its_numbers() {
        let message = "Pre-allocated IPs 255 exceeds IPs available 251 in Subnet Cidr 10.10.0.0/24, Subnet Name AKS. \
                       http://aka.ms/aks/insufficientsubnetsize";
        let shown = explained("InsufficientSubnetSize", message).to_string();
        for part in ["needed addresses: 255", "free addresses: 251", "subnet: AKS"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn an_unknown_code_stays_as_it_is() {
        let err = explained("SomethingNew", "Current Limit: 5");
        assert_eq!((err.kind(), err.to_string().contains("hint")), (ErrorKind::InvalidInput, false));
        let size = explained("BadRequest", "The VM size of X is not allowed in your subscription in location 'y'.");
        assert!(size.to_string().contains("the VM size is not available"));
    }
}
