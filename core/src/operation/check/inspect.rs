//! Reads why a registry does not serve images, in one step of requests in parallel, and only if it does not.

use super::ended::unless_ended;
use crate::{
    action::{PULL, READ_DELETED, READ_METADATA},
    call::Call,
    diagnosis::{
        facts::{ImageFacts, Inspection, Read},
        unserved::is_upstreams,
    },
    error::Result,
    operation::Parts,
    registry::RegistrySettings,
    role::RoleAssignmentMode,
};
use futures::{StreamExt as _, TryStreamExt as _, stream, try_join};
use std::time::Duration;

/// How long the requests may take together: the answer is optional.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many images are read at the same time.
const AT_ONCE: usize = 8;

/// What can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Manifests,
    Switches,
    Deleted,
    CacheRules,
    Replicas,
}

/// What is to be read of an image: at most five requests. `is_missing`: a node did not find it.
fn wanted(image: &ImageFacts, is_missing: bool, settings: &RegistrySettings) -> Vec<Part> {
    let may_lag = settings.registry.is_premium();
    match &image.details {
        Some(Ok(Some(_))) if is_missing && may_lag => vec![Part::Manifests, Part::Replicas],
        Some(Ok(None)) => {
            let mut parts = vec![Part::Manifests, Part::CacheRules];
            parts.extend((settings.soft_delete == Some(true)).then_some(Part::Deleted));
            parts.extend(may_lag.then_some(Part::Replicas));
            parts
        }
        Some(Err(unread)) if unread.status == Some(405) => vec![Part::Manifests, Part::Switches],
        Some(Err(unread)) if is_upstreams(unread) => vec![Part::CacheRules],
        _ => Vec::new(),
    }
}

/// Reads what explains that the images are not served. `true`: a node did not find the image. What is known of the registry itself is read
/// once for all of them.
pub(crate) async fn inspect(
    parts: &Parts,
    images: Vec<(ImageFacts, bool)>,
    settings: &RegistrySettings,
    whole: &Call,
) -> Result<Vec<ImageFacts>> {
    let all: Vec<Vec<Part>> = images.iter().map(|(image, is_missing)| wanted(image, *is_missing, settings)).collect();
    let registry = &settings.registry.id;
    let call = &whole.at_most(TIMEOUT).with_registry_timeout(TIMEOUT);
    let importer = parts.registry_importer();
    let any = |part: Part| all.iter().any(|parts| parts.contains(&part));
    let cache_rules = async {
        if any(Part::CacheRules) { optional(importer.cache_rules(registry, call).await, whole) } else { Ok(None) }
    };
    let replicas =
        async { if any(Part::Replicas) { optional(importer.replicas(registry, call).await, whole) } else { Ok(None) } };
    let of_images: Vec<_> = images
        .into_iter()
        .zip(&all)
        .map(|((image, _), wanted)| read_image(parts, image, wanted, (settings, whole), call))
        .collect();
    let of_images = stream::iter(of_images).buffered(AT_ONCE).try_collect::<Vec<ImageFacts>>();
    let (mut images, cache_rules, replicas) = try_join!(of_images, cache_rules, replicas)?;
    for (image, wanted) in images.iter_mut().zip(&all) {
        image.inspection.cache_rules = cache_rules.clone().filter(|_| wanted.contains(&Part::CacheRules));
        image.inspection.replicas = replicas.clone().filter(|_| wanted.contains(&Part::Replicas));
    }
    Ok(images)
}

async fn read_image(
    parts: &Parts,
    mut image: ImageFacts,
    wanted: &[Part],
    (settings, whole): (&RegistrySettings, &Call),
    call: &Call,
) -> Result<ImageFacts> {
    let (reference, importer) = (&image.reference, parts.registry_importer());
    let has = |part: Part| wanted.contains(&part);
    let manifests = async {
        if has(Part::Manifests) { optional(importer.manifests(reference, call).await, whole) } else { Ok(None) }
    };
    let switches = async {
        if has(Part::Switches) { optional(importer.read_switches(reference, call).await, whole) } else { Ok(None) }
    };
    let deleted =
        async { if has(Part::Deleted) { optional(importer.deleted(reference, call).await, whole) } else { Ok(None) } };
    let (manifests, switches, deleted) = try_join!(manifests, switches, deleted)?;
    let metadata = match settings.registry.mode {
        RoleAssignmentMode::LegacyRegistryPermissions => PULL,
        RoleAssignmentMode::AbacRepositoryPermissions => READ_METADATA,
    };
    image.inspection = Inspection {
        manifests: needing(manifests, metadata, settings),
        switches: needing(switches, metadata, settings),
        deleted: needing(deleted, READ_DELETED, settings),
        ..Inspection::default()
    };
    Ok(image)
}

/// A request that may fail.
fn optional<T>(result: Result<T>, call: &Call) -> Result<Option<Read<T>>> {
    unless_ended(result, call).map(Some)
}

/// A registry refuses a caller without a role with 401, and does not name the action.
fn needing<T>(mut read: Option<Read<T>>, action: &str, settings: &RegistrySettings) -> Option<Read<T>> {
    if let Some(Err(unread)) = &mut read
        && matches!(unread.status, Some(401 | 403))
    {
        unread.name_action(action, Some(&settings.registry.id));
    }
    read
}
