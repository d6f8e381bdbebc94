//! Registries.

use super::Calls;
use crate::{
    argument::{Listening, Parsed, Span, set},
    call::Call,
    registry::{CreatedRegistry, Registry},
    word::Word,
};
use aks_acr::{CreateRegistryOptions, DomainNameLabelScope, RegistryRef, RoleAssignmentMode, Sku};
use pyo3::prelude::*;

#[pymethods]
impl Calls {
    /// Finds a registry by name, login server or resource id. `None` if there is none.
    ///
    /// Raises:
    ///     ForbiddenError: If the caller may not read it.
    ///     InvalidInputError: If it is the login server of another cloud.
    #[pyo3(signature = (registry, *, deadline = None, on_progress = None))]
    fn registry(
        &self,
        py: Python<'_>,
        registry: Parsed<RegistryRef>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        Ok(Call::new::<Option<Registry>, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.registry(&registry.0, call).await
        }))
    }

    /// Makes a registry, unless there is one of that name in the group: that one is left as it is, and `differences` say in
    /// what it is not what was asked for.
    ///
    /// By default it is in the group's region, of the tier `Basic`, with permissions on the whole registry. `domain_name_label_scope`
    /// is what Azure puts behind the name in the login server. `register_providers` has the resource provider registered where the
    /// subscription has not done so. The deadline is 10 minutes by default.
    ///
    /// A name that is taken and a registry that is being deleted are both a `ConflictError`: the one has the `code`
    /// `RegistryNameAlreadyInUse` and wants another name, the other has no `code` and wants waiting. A quota that is used up has
    /// no class of its own: see `create_cluster`.
    ///
    /// Raises:
    ///     InvalidInputError: If the name cannot be one.
    ///     ConflictError: If the name is taken elsewhere in the cloud, or the registry is being deleted.
    ///     NotFoundError: If there is no such group.
    ///     NotRegisteredError: If the subscription has not registered the resource provider, and `register_providers` does not ask
    ///         for it.
    ///     ForbiddenError: If the caller may not.
    ///     OperationFailedError: If Azure could not.
    #[pyo3(signature = (group, name, *, location = None, sku = None, mode = None, domain_name_label_scope = None, register_providers = None,
        deadline = None, on_progress = None))]
    fn create_registry(
        &self,
        py: Python<'_>,
        group: String,
        name: String,
        location: Option<String>,
        sku: Option<Word<Sku>>,
        mode: Option<Word<RoleAssignmentMode>>,
        domain_name_label_scope: Option<Word<DomainNameLabelScope>>,
        register_providers: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = CreateRegistryOptions::default();
        options.location = location;
        set(&mut options.sku, sku.map(|Word(sku)| sku));
        set(&mut options.mode, mode.map(|Word(mode)| mode));
        options.domain_name_label_scope = domain_name_label_scope.map(|Word(label)| label);
        set(&mut options.register_providers, register_providers);
        Ok(Call::new::<CreatedRegistry, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.create_registry(&group, &name, options.with_call(call)).await
        }))
    }
}
