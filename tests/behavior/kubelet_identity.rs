//! Own kubelet identities: what a removal keeps.

use crate::{
    case::{Case, Checked, cases},
    emulator::{GROUP, Scene},
};
use aks_acr::{
    ApplyKubeletIdentityOptions, IdentityPartKind, KubeletIdentityOptions, KubeletIdentityPlan, PartState,
    RemoveKubeletIdentityOptions,
};
use libtest_mimic::Failed;

pub fn cases() -> Vec<Case> {
    cases! { "kubelet_identity";
        everywhere: [];
        on_emulator: [
            what_was_created_is_removed,
            the_role_of_a_group_stays_for_its_other_members,
            a_role_that_could_not_be_read_is_kept,
        ];
    }
}

fn options(scene: &Scene) -> KubeletIdentityOptions {
    KubeletIdentityOptions::default().with_registry(scene.by_id())
}

async fn removed(scene: &Scene, plan: &KubeletIdentityPlan) -> Result<Vec<IdentityPartKind>, Failed> {
    let removal = scene.client.remove_kubelet_identity(plan, RemoveKubeletIdentityOptions::default()).await?;
    Ok(removal.removed.into_iter().map(|one| one.part).collect())
}

/// The principals that this library has granted a role at the registry.
fn grants(scene: &Scene) -> Vec<String> {
    let registry = scene.by_id().as_str().to_owned();
    let at_registry =
        scene.azure.role_assignments().into_iter().filter(|one| one.scope.eq_ignore_ascii_case(&registry));
    at_registry.map(|one| one.principal_id).collect()
}

async fn what_was_created_is_removed() -> Checked {
    use IdentityPartKind::{Identity, RoleAssignment};
    let scene = Scene::new()?;
    let plan = scene.client.plan_kubelet_identity(GROUP, "kubelet", options(&scene)).await?;
    scene.client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await?;
    assert_eq!(grants(&scene).len(), 1);
    assert_eq!(removed(&scene, &plan).await?, [RoleAssignment, RoleAssignment, Identity, Identity]);
    assert_eq!(grants(&scene), Vec::<String>::new());
    assert_eq!(removed(&scene, &plan).await?, []);
    Ok(())
}

/// The first identity's plan made the grant; the second identity relies on it.
async fn the_role_of_a_group_stays_for_its_other_members() -> Checked {
    use IdentityPartKind::{Identity, Membership, RoleAssignment};
    let scene = Scene::new()?;
    let azure = scene.azure.clone().with_graph_rights("owner").with_entra_group("pullers");
    let mut plans = Vec::new();
    for name in ["first", "second"] {
        let options = options(&scene).with_entra_group("pullers");
        let plan = scene.client.plan_kubelet_identity(GROUP, name, options).await?;
        scene.client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await?;
        plans.push(plan);
    }
    assert_eq!((plans[0].pulls[0].state, plans[1].pulls[0].state), (PartState::Missing, PartState::Exists));
    assert_eq!(removed(&scene, &plans[0]).await?, [RoleAssignment, Membership, Identity, Identity]);
    assert_eq!(grants(&scene), [azure.group_id("pullers")]);
    Ok(())
}

/// An earlier call of this library may have made it.
async fn a_role_that_could_not_be_read_is_kept() -> Checked {
    let scene = Scene::new()?;
    let first = scene.client.plan_kubelet_identity(GROUP, "kubelet", options(&scene)).await?;
    scene.client.apply_kubelet_identity(&first, ApplyKubeletIdentityOptions::default()).await?;
    let blind = scene.caller_who_may(&[
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
        "Microsoft.ContainerRegistry/registries/read",
    ])?;
    let plan = blind.plan_kubelet_identity(GROUP, "kubelet", options(&scene)).await?;
    assert_eq!((plan.pulls[0].state, plan.operator_role), (PartState::Unknown, PartState::Unknown));
    assert_eq!(removed(&scene, &plan).await?, []);
    assert_eq!(grants(&scene).len(), 1);
    Ok(())
}
