//! The source of an image: its name, and its registry in Azure.

use super::{
    ImportOptions,
    reach::{ProbeResult, Reach},
};
use crate::{
    call::Call,
    error::{Error, ErrorKind, ImportSide, Result},
    id::ResourceId,
    image::ImageReference,
    operation::Parts,
    registry::{Registry, RegistryRef},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// Placeholder for the registry of a source without a host, until its login server is known.
const UNKNOWN: &str = "source.invalid";
const UNCOMPARED: &str = "only Azure uses the source's credentials";
const UNSEEN: &str = "the caller lacks the permission to read the source registry, so its login server is unknown";
const STEP: &str = "searching the source registry";

/// The source image, determined before anything is sent.
pub(super) struct NamedSource {
    pub image: ImageReference,
    /// Its registry by login server, if that is an Azure registry.
    registry: Option<RegistryRef>,
}

impl NamedSource {
    /// In a given source registry, a source without a host is the repository as typed, without Docker's additions. A host of this cloud
    /// must be one that a registry can have; a regional host stands for the registry's own.
    pub fn new(parts: &Parts, source: &ImageReference, options: &ImportOptions) -> Result<Self> {
        let (cloud, host) = (parts.cloud(), source.registry());
        let wrong = |text: &str| Err(Error::invalid(text, "image", source.to_string()));
        if let Some(registry) = &options.source_registry {
            registry.check_cloud(cloud)?;
            if let Some(image) = source.as_typed_in(UNKNOWN) {
                return Ok(Self { image, registry: None });
            }
        }
        cloud.check_registry_host(host, "image")?;
        if cloud.has_registry(host) {
            let with_image = |err: Error| err.with_context("image", source.to_string());
            let registry: RegistryRef = host.parse().map_err(with_image)?;
            // It would be read in the one and imported from the other.
            if options.source_registry.as_ref().is_some_and(|named| !named.may_have_host(registry.as_str())) {
                return wrong("the source's host and the source registry are different registries: give one of them");
            }
            return Ok(Self { image: source.in_registry(registry.as_str()), registry: Some(registry) });
        }
        if options.source_registry.is_some() {
            return wrong(
                "the source's host is not an Azure registry, but a source registry is given: give one of them",
            );
        }
        // A port is not part of the name. No address in brackets has a dot either.
        if !host.split(':').next().unwrap_or_default().contains('.') {
            return wrong("Azure pulls the image, and cannot reach a host without a dot in its name");
        }
        Ok(Self { image: source.clone(), registry: None })
    }
}

/// The result of one search for a registry.
type Once = Arc<OnceCell<Option<Registry>>>;

/// What the images in a list share: the registries of the sources, each searched once, and the unreachable hosts.
#[derive(Default)]
pub(super) struct Sources {
    /// Registries named by the caller, which must exist, separately from those of a host, which need not.
    registries: Mutex<HashMap<(RegistryRef, bool), Once>>,
    pub reach: Reach,
}

impl Sources {
    fn once(&self, registry: RegistryRef, is_named: bool) -> Once {
        let mut all = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((registry, is_named)).or_default().clone()
    }

    async fn get(
        &self,
        (registry, is_named): (&RegistryRef, bool),
        probe: impl Future<Output = Result<Option<Registry>>> + Send,
        call: &Call,
    ) -> Result<Option<Registry>> {
        let once = self.once(registry.clone(), is_named);
        call.run(STEP, async { once.get_or_try_init(|| probe).await.cloned() }).await
    }

    /// The registry named by the caller. A missing one is an error.
    async fn named(&self, parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>> {
        let probe = async { parts.find_registry(registry, call).await.map(Some) };
        self.get((registry, true), probe, call).await.map_err(|err| err.with_failed_side(ImportSide::Source))
    }

    /// The registry with a login server, if the caller can read one.
    async fn with_host(&self, parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<Option<Registry>> {
        let probe = async {
            match parts.registry_importer().find(registry, call).await {
                Err(err) if err.kind() == ErrorKind::Forbidden => Ok(None),
                found => found,
            }
        };
        self.get((registry, false), probe, call).await
    }
}

/// A source that was looked up.
pub(super) struct ResolvedSource {
    /// The image, with the registry's login server if it is known.
    pub image: ImageReference,
    /// The registry, if it is an Azure registry that the caller can name.
    pub registry: Option<ResourceId>,
    pub seen: ProbeResult,
}

impl ResolvedSource {
    /// Looks up the registry and reads the image: at once, if the image names its registry.
    pub async fn find(
        parts: &Parts,
        NamedSource { image, registry }: NamedSource,
        options: &ImportOptions,
        sources: &Sources,
        call: &Call,
    ) -> Result<Self> {
        if image.registry() != UNKNOWN {
            let (seen, registry) = futures::try_join!(
                probe(parts, &image, options, sources, call),
                find_registry(parts, registry.as_ref(), options, sources, call)
            )?;
            return Ok(Self { image, registry, seen });
        }
        let Some(registry) = &options.source_registry else {
            return Err(Error::invalid("expected the registry that has it", "image", image.to_string()));
        };
        let found = match (sources.named(parts, registry, call).await, registry.id()) {
            // Azure may have rights that the caller has not: the id is all that it needs.
            (Err(err), Some(id)) if err.kind() == ErrorKind::Forbidden => {
                let image = image.in_registry(&parts.cloud().plain_login_server(id.name()));
                return Ok(Self {
                    image,
                    registry: Some(id.clone()),
                    seen: ProbeResult::Hidden { reason: UNSEEN.to_owned(), passes: false, is_refused: true },
                });
            }
            (found, _) => found?,
        };
        let image = found.as_ref().map_or_else(|| image.clone(), |found| image.in_registry(&found.login_server));
        let seen = probe(parts, &image, options, sources, call).await?;
        Ok(Self { image, registry: found.map(|found| found.id), seen })
    }
}

async fn probe(
    parts: &Parts,
    image: &ImageReference,
    options: &ImportOptions,
    sources: &Sources,
    call: &Call,
) -> Result<ProbeResult> {
    // The credentials are the source's and Azure's affair; without them reading would show nothing of a private image.
    if options.credentials.is_some() {
        Ok(ProbeResult::Hidden { reason: UNCOMPARED.to_owned(), passes: false, is_refused: false })
    } else {
        sources.reach.probe(parts, image, ImportSide::Source, call).await
    }
}

/// An Azure registry is named by its ID if the caller can read it: then Azure pulls with the caller's permissions on that
/// registry. Otherwise Azure pulls anonymously. A registry named by the caller is used as it is, and a missing one is an error.
async fn find_registry(
    parts: &Parts,
    of_host: Option<&RegistryRef>,
    options: &ImportOptions,
    sources: &Sources,
    call: &Call,
) -> Result<Option<ResourceId>> {
    let found = match (&options.source_registry, of_host) {
        (Some(registry), _) => match registry.id() {
            Some(id) => return Ok(Some(id.clone())),
            None => sources.named(parts, registry, call).await?,
        },
        (None, Some(registry)) if options.credentials.is_none() => sources.with_host(parts, registry, call).await?,
        (None, _) => None,
    };
    Ok(found.map(|registry| registry.id))
}
