//! What copies images: one and waiting for it, one and looking later, many.

use super::Client;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::{
    call::CallOptions,
    error::Result,
    image::ImageReference,
    operation::{
        import::{self, Import, ImportItem, ImportManyOptions, ImportOptions, StartedImport},
        span::{About, operation},
    },
    registry::{ImportHandle, ImportStatus, RegistryRef},
};

impl Client {
    /// Copies an image into a registry: Azure does it, and what arrived is compared with the source.
    ///
    /// The source's digest is read first, where it can be, and it is what is imported. A second run with an equal image copies
    /// nothing and succeeds. The source may be public, a registry of Azure that the caller may pull from, or one that asks for
    /// credentials, which Azure then uses; it arrives under one name or several, or without a tag. With credentials a second run of a
    /// source that is named by its tag is a [`Conflict`](ErrorKind::Conflict): there is nothing to compare with.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a target that cannot be one or a source in another cloud;
    /// [`NotFound`](ErrorKind::NotFound) if the registry or the source does not exist; [`Conflict`](ErrorKind::Conflict) if the
    /// tag has another image; [`Forbidden`](ErrorKind::Forbidden) if the caller may not import or the source may not be read;
    /// [`RateLimited`](ErrorKind::RateLimited) if the source throttles; [`OperationFailed`](ErrorKind::OperationFailed) if Azure
    /// could not copy it. [`blame`](crate::Error::blame) says on which side the fault lies, where that is known.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{Client, ImportOptions, ImportProof};
    /// # let azure = aks_acr_emulator::Emulator::new()
    /// #     .with_registry("group", "myregistry").with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # tokio::time::pause();
    /// let options = ImportOptions::default().with_target("nginx:v1");
    /// let import = client.import_image(&"myregistry".parse()?, &"nginx".parse()?, options).await?;
    /// assert!(matches!(import.proof, ImportProof::SourceMatched { .. }));
    /// # Ok(()) }
    /// ```
    pub async fn import_image(
        &self,
        registry: &RegistryRef,
        source: &ImageReference,
        options: ImportOptions,
    ) -> Result<Import> {
        operation!(
            "import_image",
            self.parts,
            About::registry(registry),
            options.call.start(import::DEADLINE),
            import::import(&self.parts, registry, source, &options)
        )
        .await
    }

    /// Copies many images into a registry, [`concurrency`](ImportManyOptions::concurrency) of them at a time. Each has a result of its
    /// own, in the order of the list: one that fails does not stop the others, and one that is there already is not copied. The end of
    /// each is told by [`Event::ItemEnded`](crate::Event::ItemEnded) when it comes.
    ///
    /// Cancelled or past the deadline, it ends with all results that there are by then: images that were not done have that error. A
    /// future that is dropped loses them, though not what Azure has begun.
    ///
    /// # Errors
    /// Those of the list itself: [`InvalidInput`](ErrorKind::InvalidInput), before the first request, for two images with the same
    /// target or an image with options that cannot be; [`NotFound`](ErrorKind::NotFound) if the registry does not exist;
    /// [`Forbidden`](ErrorKind::Forbidden) if the caller may not read it. Each result has those of
    /// [`import_image`](Self::import_image).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{Client, ErrorKind, ImportItem, ImportManyOptions, ImportOptions};
    /// # let azure = aks_acr_emulator::Emulator::new()
    /// #     .with_registry("group", "myregistry").with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # tokio::time::pause();
    /// let item = |name: &str| Ok(ImportItem::new(name.parse()?, ImportOptions::default()));
    /// let images = vec![item("nginx")?, item("nosuch/image")?];
    /// let results = client.import_images(&"myregistry".parse()?, images, ImportManyOptions::default()).await?;
    /// assert!(results[0].as_ref().is_ok_and(|import| import.is_new));
    /// assert!(results[1].as_ref().is_err_and(|err| err.kind() == ErrorKind::NotFound));
    /// # aks_acr::Result::Ok(()) }
    /// ```
    pub async fn import_images(
        &self,
        registry: &RegistryRef,
        images: Vec<ImportItem>,
        options: ImportManyOptions,
    ) -> Result<Vec<Result<Import>>> {
        operation!(
            "import_images",
            self.parts,
            About::registry(registry),
            options.call.start(import::LIST_DEADLINE),
            import::import_many(&self.parts, registry, &images, &options)
        )
        .await
    }

    /// Begins an import and does not wait for it: the handle can be stored, and looked at later, also by another process.
    ///
    /// # Errors
    /// Those of [`import_image`](Self::import_image) that show before Azure has accepted it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{CallOptions, Client, ImportOptions, ImportStatus, StartedImport};
    /// # let azure = aks_acr_emulator::Emulator::new()
    /// #     .with_registry("group", "myregistry").with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # tokio::time::pause();
    /// let options = ImportOptions::default().with_target("nginx:v1");
    /// let started = client.start_import(&"myregistry".parse()?, &"nginx".parse()?, options).await?;
    /// let StartedImport::Started { mut handle } = started else { panic!("it was there") };
    /// # tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    /// assert_eq!(client.poll_import(&mut handle, CallOptions::default()).await?, ImportStatus::Succeeded);
    /// # Ok(()) }
    /// ```
    pub async fn start_import(
        &self,
        registry: &RegistryRef,
        source: &ImageReference,
        options: ImportOptions,
    ) -> Result<StartedImport> {
        operation!(
            "start_import",
            self.parts,
            About::registry(registry),
            options.call.start(import::DEADLINE),
            import::start(&self.parts, registry, source, &options)
        )
        .await
    }

    /// How far an import is, by one look. Azure names a new link each time, which the handle takes over.
    ///
    /// # Errors
    /// An import that has failed is an error with the kind [`OperationFailed`](ErrorKind::OperationFailed), as is one that Azure has
    /// forgotten, or one whose [`blame`](crate::Error::blame) is known. Every other error is that of the look, such as
    /// [`Unavailable`](ErrorKind::Unavailable): the import goes on, and the handle can be looked at again.
    ///
    /// Where Azure does not let the caller follow the import, its targets are looked at: it has succeeded when they have the image, and is
    /// running, with no tags told, until then. Where they cannot be looked at either, that is [`Forbidden`](ErrorKind::Forbidden).
    ///
    /// # Examples
    /// See [`start_import`](Self::start_import).
    pub async fn poll_import(&self, handle: &mut ImportHandle, call: CallOptions) -> Result<ImportStatus> {
        let registry = handle.registry.clone();
        operation!(
            "poll_import",
            self.parts,
            About::registry(&registry),
            call.start(import::POLL_DEADLINE),
            import::poll(&self.parts, handle, &call)
        )
        .await
    }
}
