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
    ApplyAttachOptions, AttachOptions, ClusterRef, InheritedGrant, OtherCondition, PrincipalId, RegistryRef,
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
    /// unless `inherited` asks for a direct grant.
    ///
    /// `principal_id` is who gets the grant, where that is not the cluster's kubelet identity. `condition` narrows the grant,
    /// on registries whose permissions are on repositories. `inherited` says what is done where a scope above gives the
    /// role already, `other_condition` what is done where it is there with another condition. A refusal is tried again for
    /// `retry_refused`, not at all by default. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     NotFoundError: If the cluster, its kubelet identity or the registry does not exist.
    ///     ForbiddenError: If the caller may not read them or not write the grant, with `missing_action` and
    ///         `smallest_role`.
    ///     InvalidInputError: If a condition would have no effect.
    ///     UnsupportedError: If the cluster has a service principal whose object id is not given.
    #[pyo3(signature = (cluster, registry, *, principal_id = None, condition = None, inherited = None, other_condition = None,
        retry_refused = None, deadline = None, on_progress = None))]
    fn attach(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal_id: Option<Parsed<PrincipalId>>,
        condition: Option<String>,
        inherited: Option<Word<InheritedGrant>>,
        other_condition: Option<Word<OtherCondition>>,
        retry_refused: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attach_options(py, principal_id, condition, inherited, other_condition, retry_refused)?;
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
    #[pyo3(signature = (cluster, registry, *, principal_id = None, condition = None, inherited = None, other_condition = None,
        retry_refused = None, deadline = None, on_progress = None))]
    fn plan_attach(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal_id: Option<Parsed<PrincipalId>>,
        condition: Option<String>,
        inherited: Option<Word<InheritedGrant>>,
        other_condition: Option<Word<OtherCondition>>,
        retry_refused: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attach_options(py, principal_id, condition, inherited, other_condition, retry_refused)?;
        Ok(Call::new::<AttachPlan, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.plan_attach(&cluster.0, &registry.0, options.with_call(call)).await
        }))
    }

    /// Does what a plan says, after another look: what is done by then is no hindrance, but where something else would be
    /// done, nothing is written.
    ///
    /// The plan carries the options that it was made with; it is good for an hour. A refusal is tried again for
    /// `retry_refused`, not at all by default. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     ConflictError: If the plan has expired or no longer fits.
    ///     InvalidInputError: If it is of another version.
    ///     AksAcrError: Those of `attach`.
    #[pyo3(signature = (plan, *, retry_refused = None, deadline = None, on_progress = None))]
    fn apply_attach(
        &self,
        py: Python<'_>,
        plan: &Bound<'_, AttachPlan>,
        retry_refused: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let plan: aks_acr::AttachPlan = through_json(plan.get())?;
        let mut options = ApplyAttachOptions::default();
        options.retry_refused = Span::named(retry_refused, py, "retry_refused")?;
        Ok(Call::new::<Attachment, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.apply_attach(&plan, options.with_call(call)).await
        }))
    }
}

fn attach_options(
    py: Python<'_>,
    principal_id: Option<Parsed<PrincipalId>>,
    condition: Option<String>,
    inherited: Option<Word<InheritedGrant>>,
    other_condition: Option<Word<OtherCondition>>,
    retry_refused: Option<Span>,
) -> PyResult<AttachOptions> {
    let mut options = AttachOptions::default();
    options.principal_id = principal_id.map(|Parsed(principal)| principal);
    options.condition = condition;
    set(&mut options.inherited, inherited.map(|Word(inherited)| inherited));
    set(&mut options.other_condition, other_condition.map(|Word(other)| other));
    options.retry_refused = Span::named(retry_refused, py, "retry_refused")?;
    Ok(options)
}
