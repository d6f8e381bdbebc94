//! Whose the pull is, and the grant for it.

use super::Calls;
use crate::{
    argument::{Listening, Parsed, Span, set},
    attach::{AttachPlan, Attachment},
    call::Call,
    identity::ClusterIdentities,
    value::through_json,
    word::Word,
};
use aks_acr::{
    ApplyAttachOptions, AttachOptions, ClusterRef, OnConditionMismatch, OnInheritedGrant, PrincipalId, RegistryRef,
};
use pyo3::prelude::*;

#[pymethods]
impl Calls {
    /// Finds a cluster's identities, the one that pulls images among them.
    ///
    /// Raises:
    ///     NotFoundError: If there is no such cluster.
    ///     ForbiddenError: If the caller may not read it.
    #[pyo3(signature = (cluster, *, deadline = None, on_progress = None))]
    fn identities(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        Ok(Call::new::<ClusterIdentities, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.identities(&cluster.0, call).await
        }))
    }

    /// Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, none where it is
    /// there already, and never the cluster.
    ///
    /// `registry` is a name, a login server or a resource id; with an id it is 4 requests, 2 deep (one after another). Where
    /// an Entra group has a role that gives pull, one more request tells whether the identity is a member: then nothing is written,
    /// unless `on_inherited_grant` asks for a direct grant.
    ///
    /// `principal_id` is who gets the grant, where that is not the cluster's kubelet identity. `condition` narrows the grant,
    /// on registries whose permissions are on repositories. `on_inherited_grant` says what is done where a scope above gives the
    /// role already, `on_condition_mismatch` what is done where it is there with another condition. A refusal is tried again for
    /// `retry_forbidden_for`, not at all by default. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     NotFoundError: If the cluster, its kubelet identity or the registry does not exist.
    ///     ForbiddenError: If the caller may not read them or not write the grant, with `missing_action` and
    ///         `smallest_role`.
    ///     InvalidInputError: If a condition would have no effect.
    ///     UnsupportedError: If the cluster has a service principal whose object id is not given.
    #[pyo3(signature = (cluster, registry, *, principal_id = None, condition = None, on_inherited_grant = None, on_condition_mismatch = None,
        retry_forbidden_for = None, deadline = None, on_progress = None))]
    fn attach(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal_id: Option<Parsed<PrincipalId>>,
        condition: Option<String>,
        on_inherited_grant: Option<Word<OnInheritedGrant>>,
        on_condition_mismatch: Option<Word<OnConditionMismatch>>,
        retry_forbidden_for: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attach_options(
            py,
            principal_id,
            condition,
            on_inherited_grant,
            on_condition_mismatch,
            retry_forbidden_for,
        )?;
        Ok(Call::new::<Attachment, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.attach(&cluster.0, &registry.0, options.with_call(call)).await
        }))
    }

    /// Says what `attach` would do, and writes nothing. It needs read rights only.
    ///
    /// Its arguments are those of `attach`.
    ///
    /// Raises:
    ///     AksAcrError: Those of `attach`, but for a refusal to write.
    #[pyo3(signature = (cluster, registry, *, principal_id = None, condition = None, on_inherited_grant = None, on_condition_mismatch = None,
        retry_forbidden_for = None, deadline = None, on_progress = None))]
    fn plan_attach(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal_id: Option<Parsed<PrincipalId>>,
        condition: Option<String>,
        on_inherited_grant: Option<Word<OnInheritedGrant>>,
        on_condition_mismatch: Option<Word<OnConditionMismatch>>,
        retry_forbidden_for: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attach_options(
            py,
            principal_id,
            condition,
            on_inherited_grant,
            on_condition_mismatch,
            retry_forbidden_for,
        )?;
        Ok(Call::new::<AttachPlan, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.plan_attach(&cluster.0, &registry.0, options.with_call(call)).await
        }))
    }

    /// Does what a plan says, after another look: what is done by then is no hindrance, but where something else would be
    /// done, nothing is written.
    ///
    /// The plan carries the options that it was made with; it is good for an hour. A refusal is tried again for
    /// `retry_forbidden_for`, not at all by default. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     ConflictError: If the plan has expired or no longer fits.
    ///     InvalidInputError: If it is of another version.
    ///     AksAcrError: Those of `attach`.
    #[pyo3(signature = (plan, *, retry_forbidden_for = None, deadline = None, on_progress = None))]
    fn apply_attach(
        &self,
        py: Python<'_>,
        plan: &Bound<'_, AttachPlan>,
        retry_forbidden_for: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let plan: aks_acr::AttachPlan = through_json(plan.get())?;
        let mut options = ApplyAttachOptions::default();
        options.retry_forbidden_for = Span::named(retry_forbidden_for, py, "retry_forbidden_for")?;
        Ok(Call::new::<Attachment, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.apply_attach(&plan, options.with_call(call)).await
        }))
    }
}

fn attach_options(
    py: Python<'_>,
    principal_id: Option<Parsed<PrincipalId>>,
    condition: Option<String>,
    on_inherited_grant: Option<Word<OnInheritedGrant>>,
    on_condition_mismatch: Option<Word<OnConditionMismatch>>,
    retry_forbidden_for: Option<Span>,
) -> PyResult<AttachOptions> {
    let mut options = AttachOptions::default();
    options.principal_id = principal_id.map(|Parsed(principal)| principal);
    options.condition = condition;
    set(&mut options.on_inherited_grant, on_inherited_grant.map(|Word(on_inherited_grant)| on_inherited_grant));
    set(&mut options.on_condition_mismatch, on_condition_mismatch.map(|Word(other)| other));
    options.retry_forbidden_for = Span::named(retry_forbidden_for, py, "retry_forbidden_for")?;
    Ok(options)
}
