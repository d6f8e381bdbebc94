//! Images that are copied.

use super::Calls;
use crate::{
    argument::{Count, Listening, Parsed, Span, set},
    call::Call,
    import::{Followed, Import, ImportArguments, ImportStatus, Items, Outcomes, StartedImport},
    word::Word,
};
use aks_acr::{ImageReference, ImportManyOptions, OnExistingTag, RegistryRef};
use pyo3::prelude::*;

#[pymethods]
impl Calls {
    /// Copies an image into a registry: Azure does it, and what arrived is compared with the source.
    ///
    /// The source's digest is read first, where it can be, and it is what is imported. A second run with an equal image
    /// copies nothing and succeeds. `target` is `repository:tag`, by default the source's own as Docker completes them: `nginx`
    /// arrives as `library/nginx:latest`, `ghcr.io/a/b:v1` as `a/b:v1`; a source with a digest and no tag needs one. `additional_tags` are
    /// further names, and `untagged_repositories` repositories that get the image without a tag. `on_existing_tag` says what happens to a tag that
    /// exists.
    ///
    /// `source_registry` names the registry of Azure that has the source, where its host does not: one of another
    /// subscription, by its resource id. A source that lets nobody pull without a name takes `username` and `password`, or a
    /// token for the registry as `password` alone. Azure alone uses them: the source is not looked at, and nothing is compared
    /// unless it is named by its digest. A tag that exists is then a conflict also the second time, and `untagged_repositories` needs such a
    /// source. The deadline is 30 minutes by default.
    ///
    /// Raises:
    ///     InvalidInputError: If the target cannot be one, or the source is in another cloud.
    ///     NotFoundError: If the registry or the source does not exist; `failed_side` says which.
    ///     ConflictError: If the tag has another image.
    ///     ForbiddenError: If the caller may not import, or the source may not be read.
    ///     RateLimitedError: If the source throttles.
    ///     OperationFailedError: If Azure could not copy it.
    #[pyo3(signature = (registry, source, *, target = None, additional_tags = None, untagged_repositories = None, on_existing_tag = None,
        source_registry = None, username = None, password = None, deadline = None, on_progress = None))]
    fn import_image(
        &self,
        py: Python<'_>,
        registry: Parsed<RegistryRef>,
        source: Parsed<ImageReference>,
        target: Option<String>,
        additional_tags: Option<Vec<String>>,
        untagged_repositories: Option<Vec<String>>,
        on_existing_tag: Option<Word<OnExistingTag>>,
        source_registry: Option<Parsed<RegistryRef>>,
        username: Option<String>,
        password: Option<String>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let given = ImportArguments {
            target,
            additional_tags,
            untagged_repositories,
            on_existing_tag,
            source_registry,
            username,
            password,
        };
        let options = given.options()?;
        Ok(Call::new::<Import, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.import_image(&registry.0, &source.0, options.with_call(call)).await
        }))
    }

    /// Copies many images into a registry, `concurrency` of them at a time. Each has a result of its own, in the order of the
    /// list: an `Import`, or the exception that a call for this image alone would have raised. One that fails does not stop the
    /// others. Past the deadline, or stopped by `Run.cancel()`, it ends with all results that there are by then: images that were
    /// not done have that exception. Ctrl-C and a cancelled task lose the results, though not what Azure has begun.
    ///
    /// Each image is a source, or a mapping with `source` and any of the options of `import_image`, such as `{"source":
    /// "nginx", "target": "nginx:v1"}`. `concurrency` is how many are under way at a time, 4 by default. The deadline of the
    /// whole is 2 hours by default.
    ///
    /// Raises:
    ///     InvalidInputError: If two images have the same target, or one has options that cannot be. So is one image that is in no
    ///         list: text, bytes or a mapping.
    ///     NotFoundError: If the registry does not exist.
    ///     ForbiddenError: If the caller may not read it.
    #[pyo3(signature = (registry, images, *, concurrency = None, deadline = None, on_progress = None))]
    fn import_images(
        &self,
        py: Python<'_>,
        registry: Parsed<RegistryRef>,
        images: Items,
        concurrency: Option<Count>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = ImportManyOptions::default();
        let concurrency = Count::named(concurrency, py, "concurrency")?;
        set(&mut options.concurrency, concurrency.and_then(|count| count.try_into().ok()));
        let work =
            move |call| async move { client.import_images(&registry.0, images.0, options.with_call(call)).await };
        Ok(Call::converting(self.0.manner(py, deadline, on_progress)?, work, |results| Ok(Outcomes::from(results))))
    }

    /// Begins an import and does not wait for it: the handle can be stored, and looked at later, also by another process.
    ///
    /// Its arguments are those of `import_image`.
    ///
    /// Raises:
    ///     AksAcrError: Those of `import_image` that show before Azure has accepted it.
    #[pyo3(signature = (registry, source, *, target = None, additional_tags = None, untagged_repositories = None, on_existing_tag = None,
        source_registry = None, username = None, password = None, deadline = None, on_progress = None))]
    fn start_import(
        &self,
        py: Python<'_>,
        registry: Parsed<RegistryRef>,
        source: Parsed<ImageReference>,
        target: Option<String>,
        additional_tags: Option<Vec<String>>,
        untagged_repositories: Option<Vec<String>>,
        on_existing_tag: Option<Word<OnExistingTag>>,
        source_registry: Option<Parsed<RegistryRef>>,
        username: Option<String>,
        password: Option<String>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let given = ImportArguments {
            target,
            additional_tags,
            untagged_repositories,
            on_existing_tag,
            source_registry,
            username,
            password,
        };
        let options = given.options()?;
        let work =
            move |call| async move { client.start_import(&registry.0, &source.0, options.with_call(call)).await };
        Ok(Call::converting(self.0.manner(py, deadline, on_progress)?, work, StartedImport::from_core))
    }

    /// How far an import is, by one look. Azure names a new link each time, which the handle takes over.
    ///
    /// `handle` is what `start_import` gave, or the handle in it.
    ///
    /// Raises:
    ///     OperationFailedError: If the import has failed, or Azure has forgotten it.
    ///     AksAcrError: With `failed_side`, if the import has failed. Without it, every other exception is that of the look, such as
    ///         `UnavailableError`: the import goes on, and the handle can be looked at again.
    #[pyo3(signature = (handle, *, deadline = None, on_progress = None))]
    fn poll_import(
        &self,
        py: Python<'_>,
        handle: Followed,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let (client, Followed(handle)) = (self.0.client()?, handle);
        Ok(Call::new::<ImportStatus, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            let mut present = handle.present();
            let status = client.poll_import(&mut present, call).await;
            handle.take_over(present);
            status
        }))
    }
}
