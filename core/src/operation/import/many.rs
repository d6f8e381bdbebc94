//! Imports many images, a limited number at the same time.

use super::{ImportOptions, result::Import, run::Checked, source::Sources};
use crate::{
    call::{Call, CallOptions, Event},
    error::{Error, Result},
    image::ImageReference,
    operation::{Parts, span::Outcome},
    registry::RegistryRef,
};
use futures::{StreamExt, stream};
use std::{collections::HashSet, future::ready, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60 * 60);
/// Azure copies each image itself; a higher concurrency mostly waits for the same source.
const CONCURRENCY: usize = 4;

/// One image in a list, with its options.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportItem {
    /// The source image.
    pub source: ImageReference,
    /// The options of a single import.
    /// Of its call options only the deadline is used, and only if it is earlier than the list's.
    pub options: ImportOptions,
}

impl ImportItem {
    /// An image with its options.
    #[must_use]
    pub fn new(source: ImageReference, options: ImportOptions) -> Self {
        Self { source, options }
    }
}

/// Options for importing a list of images.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportManyOptions {
    /// The number of concurrent imports; 4 by default.
    pub concurrency: usize,
    /// Deadline of the whole list (2 hours by default), cancellation, progress.
    pub call: CallOptions,
}

impl Default for ImportManyOptions {
    fn default() -> Self {
        Self { concurrency: CONCURRENCY, call: CallOptions::default() }
    }
}

impl ImportManyOptions {
    /// Sets [`concurrency`](Self::concurrency).
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

pub(crate) async fn import_many(
    parts: &Parts,
    registry: &RegistryRef,
    items: &[ImportItem],
    options: &ImportManyOptions,
    call: &Call,
) -> Result<Vec<Result<Import>>> {
    let checked = check(parts, items, options)?;
    registry.check_cloud(parts.cloud())?;
    let registry = super::find_target(parts, registry, call).await?;
    let sources = Sources::default();
    // A loop, because the compiler cannot prove that the futures of a closure over borrowed items are Send.
    let mut imports = Vec::with_capacity(items.len());
    for ((index, item), checked) in (0u32..).zip(items).zip(checked) {
        let (list, registry, sources) = (call, &registry, &sources);
        imports.push(async move {
            let call = list;
            let call = item.options.call.deadline.map_or_else(|| call.clone(), |deadline| call.at_most(deadline));
            let ended = super::import_into(parts, ready(Ok(registry.clone())), checked, sources, &call).await;
            list.report(event(index, item, &ended));
            (index, ended)
        });
    }
    // Each one that ends starts the next, even if an earlier one of the list is still running.
    let mut ended: Vec<(u32, Result<Import>)> =
        stream::iter(imports).buffer_unordered(options.concurrency).collect().await;
    ended.sort_unstable_by_key(|(index, _)| *index);
    Ok(ended.into_iter().map(|(_, import)| import).collect())
}

fn event(index: u32, item: &ImportItem, ended: &Result<Import>) -> Event {
    Event::ItemEnded {
        index,
        source: item.source.to_string(),
        is_new: ended.as_ref().is_ok_and(|import| import.is_new),
        error: ended.as_ref().err().map(ToString::to_string),
    }
}

/// Two images with the same target are an error: which of them the target ends up with would be random.
fn check<'a>(parts: &Parts, items: &'a [ImportItem], options: &ImportManyOptions) -> Result<Vec<Checked<'a>>> {
    if options.concurrency == 0 {
        return Err(Error::invalid("expected a concurrency of at least 1", "concurrency", "0"));
    }
    let mut taken = HashSet::new();
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let named = |err: Error| err.with_context("image of the list", item.source.to_string());
        let checked = Checked::new(parts, &item.source, &item.options).map_err(named)?;
        for place in checked.targets.places() {
            if !taken.insert(place.clone()) {
                return Err(named(Error::invalid("two images of the list have the same target", "target", place)));
            }
        }
        all.push(checked);
    }
    Ok(all)
}

/// Compiles only if the future of a list can move between threads.
#[cfg(test)]
const _: fn(crate::Client, RegistryRef, Vec<ImportItem>) -> Box<dyn Send> = |client, registry, items| {
    Box::new(async move { client.import_images(&registry, items, ImportManyOptions::default()).await })
};

impl Outcome for Vec<Result<Import>> {
    fn outcome(&self) -> &'static str {
        if self.iter().all(Result::is_ok) { "done" } else { "some_failed" }
    }

    fn failure(&self) -> Option<String> {
        let mut failed = self.iter().filter_map(|one| one.as_ref().err());
        let first = failed.next()?;
        Some(format!("{} of {} failed, the first: {first}", failed.count() + 1, self.len()))
    }
}
