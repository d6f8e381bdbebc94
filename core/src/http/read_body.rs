//! Reads the body of a response up to a limit. The limit counts decoded bytes, so neither compression nor a missing length avoids it. A
//! second limit counts the memory of the parsed body.

use super::weight;
use crate::error::{Error, ErrorKind};
use azure_core::{
    error::ErrorKind as Azure,
    http::{AsyncRawResponse, headers::CONTENT_LENGTH},
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use std::fmt;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What a body contains, which decides how long it may be.
///
/// Each limit is several times the largest known body of its kind: Entra ID's tokens reach some 20 KB, Resource Manager's objects some
/// 100 KB and its pages about 2 MB, a registry accepts manifests up to 4 MiB, and etcd objects up to 1.5 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// A token of Entra ID, a machine or a registry.
    Token,
    /// The body of an error status, from any service.
    Error,
    /// An object of Resource Manager, or the state of an operation.
    Object,
    /// A page of a list.
    ListPage,
    /// A registry's manifest.
    Manifest,
    /// A cluster's credentials, with a kubeconfig of some 10 KB.
    Credentials,
    /// An object of Kubernetes, also a single event of a watch.
    #[cfg_attr(not(any(feature = "kubernetes", test)), expect(dead_code, reason = "only clusters have these"))]
    KubernetesObject,
    /// An applied object: it may be as big as its manifest, and little of it is parsed.
    #[cfg_attr(not(any(feature = "kubernetes", test)), expect(dead_code, reason = "only clusters have these"))]
    KubernetesApplied,
    /// The kinds of one version of a group.
    #[cfg_attr(not(any(feature = "kubernetes", test)), expect(dead_code, reason = "only clusters have these"))]
    KubernetesKinds,
    /// A page of a list of Kubernetes.
    #[cfg_attr(not(any(feature = "kubernetes", test)), expect(dead_code, reason = "only clusters have these"))]
    KubernetesList,
}

impl BodyKind {
    /// The maximum number of bytes read.
    pub const fn limit(self) -> usize {
        match self {
            Self::Token | Self::Credentials => 256 * KIB,
            Self::Error => 512 * KIB,
            Self::KubernetesKinds => MIB,
            Self::Object | Self::Manifest | Self::KubernetesObject | Self::KubernetesApplied => 4 * MIB,
            Self::ListPage | Self::KubernetesList => 8 * MIB,
        }
    }

    /// The maximum memory for the parsed body.
    /// Lists are parsed item by item, and some bodies are not kept at all.
    pub const fn weight(self) -> Option<usize> {
        match self {
            Self::Token => Some(2 * MIB),
            Self::Error => Some(4 * MIB),
            Self::Object | Self::Credentials => Some(12 * MIB),
            Self::KubernetesObject => Some(8 * MIB),
            Self::ListPage
            | Self::Manifest
            | Self::KubernetesApplied
            | Self::KubernetesKinds
            | Self::KubernetesList => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Token => "a token",
            Self::Error => "an error",
            Self::Object => "a resource",
            Self::ListPage => "a page of a list",
            Self::Manifest => "a manifest",
            Self::Credentials => "a cluster's credentials",
            Self::KubernetesObject => "a Kubernetes object",
            Self::KubernetesApplied => "an applied object",
            Self::KubernetesKinds => "the kinds of a Kubernetes API",
            Self::KubernetesList => "a page of a Kubernetes list",
        }
    }
}

/// The maximum memory of a list item while it is parsed.
const HEAVIEST_ITEM: usize = 4 * MIB;
/// The maximum memory of everything that is kept of a list.
const HEAVIEST_LIST: usize = 12 * MIB;
/// Pages contain hundreds of items: no real list has so many pages. A list that always names a new page never ends.
pub(crate) const MOST_PAGES: usize = 1000;

/// A body, or its parsed form, exceeds the limit of its kind. Reading ended there; a retry would end the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooLarge {
    /// It has more bytes.
    Long(BodyKind),
    /// It is short, but would need too much memory.
    Heavy(BodyKind),
    /// The same for an item of a list.
    Item,
    /// The same for everything that is kept of a list.
    List,
    /// A list has too many pages.
    Pages,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heavy = |f: &mut fmt::Formatter<'_>, bytes: usize, name: &str| {
            write!(f, "needs more than {} MiB in memory, the limit for {name}", bytes / MIB)
        };
        match self {
            Self::Long(kind) => match (kind.limit() / MIB, kind.limit() / KIB) {
                (0, kib) => write!(f, "longer than {kib} KiB, the limit for {}", kind.name()),
                (mib, _) => write!(f, "longer than {mib} MiB, the limit for {}", kind.name()),
            },
            Self::Heavy(kind) => heavy(f, kind.weight().unwrap_or(0), kind.name()),
            Self::Item => heavy(f, HEAVIEST_ITEM, "an item of a list"),
            Self::List => heavy(f, HEAVIEST_LIST, "a list"),
            Self::Pages => write!(f, "more than {MOST_PAGES}, the limit for a list"),
        }
    }
}

impl std::error::Error for TooLarge {}

impl TooLarge {
    /// The error for the caller.
    pub fn error(self, step: &str) -> Error {
        let (sentence, name) = match self {
            Self::Long(_) => ("the response body is too long and was not read", "body"),
            Self::Heavy(_) | Self::Item => ("the response body is too large and was not read", "body"),
            Self::List => ("the list is too long and was not read to its end", "list"),
            Self::Pages => ("the list has too many pages", "pages"),
        };
        Error::new(ErrorKind::Unexpected, sentence).with_context("while", step).with_context(name, self.to_string())
    }

    fn in_pipeline(self) -> azure_core::Error {
        azure_core::Error::new(Azure::Other, self)
    }

    /// Rejects a body that would need too much memory.
    fn check_weight(kind: BodyKind, body: &[u8]) -> Result<(), Self> {
        let is_within =
            kind.weight().is_none_or(|most| body.len() * HEAVIEST_BYTE <= most || weight::is_within(body, most));
        if is_within { Ok(()) } else { Err(Self::Heavy(kind)) }
    }

    /// Checks an item of a list.
    pub fn check_item(item: &[u8]) -> Result<(), Self> {
        if weight::is_within(item, HEAVIEST_ITEM) { Ok(()) } else { Err(Self::Item) }
    }
}

/// No byte of JSON needs more memory than this.
const HEAVIEST_BYTE: usize = 128;

/// What is kept of a list or a watch, all pages and events together.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: usize,
}

impl Kept {
    pub fn add(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > HEAVIEST_LIST { Err(TooLarge::List) } else { Ok(()) }
    }

    #[cfg(feature = "kubernetes")]
    pub fn remove(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// The part of a body received so far.
#[derive(Debug)]
pub(crate) struct BodyReader {
    kind: BodyKind,
    body: Vec<u8>,
}

impl BodyReader {
    pub fn new(kind: BodyKind) -> Self {
        Self { kind, body: Vec::new() }
    }

    /// Rejects a body by its announced length, before any of it is read.
    pub fn check_length(&self, announced: Option<u64>) -> Result<(), TooLarge> {
        let limit = self.kind.limit() as u64;
        if announced.is_some_and(|length| length > limit) { Err(TooLarge::Long(self.kind)) } else { Ok(()) }
    }

    /// Adds the next part. Bytes over the limit are not kept.
    pub fn push(&mut self, part: &[u8]) -> Result<(), TooLarge> {
        if self.body.len().saturating_add(part.len()) > self.kind.limit() {
            return Err(TooLarge::Long(self.kind));
        }
        self.body.extend_from_slice(part);
        Ok(())
    }

    /// The whole body, if parsing it stays within its memory limit.
    pub fn finish(self) -> Result<Bytes, TooLarge> {
        TooLarge::check_weight(self.kind, &self.body)?;
        Ok(self.body.into())
    }
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadError<E> {
    TooLarge(TooLarge),
    /// The connection was lost.
    Broken(E),
}

/// Reads a body to its end.
pub(crate) async fn read_body<E>(
    mut parts: impl Stream<Item = Result<Bytes, E>> + Unpin,
    kind: BodyKind,
) -> Result<Bytes, ReadError<E>> {
    let mut reader = BodyReader::new(kind);
    while let Some(part) = parts.next().await {
        reader.push(&part.map_err(ReadError::Broken)?).map_err(ReadError::TooLarge)?;
    }
    reader.finish().map_err(ReadError::TooLarge)
}

/// The same for a body from `kube`.
#[cfg(feature = "kubernetes")]
pub(crate) async fn read_http_body<B>(mut body: B, kind: BodyKind) -> Result<Bytes, ReadError<B::Error>>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let data = futures::stream::poll_fn(move |context| {
        std::pin::Pin::new(&mut body).poll_frame(context).map_ok(|frame| frame.into_data().unwrap_or_default()) // Trailers hold nothing of the body.
    });
    read_body(data, kind).await
}

/// Reads the response of a transport. An incomplete body is a lost connection, which the retry policy retries.
pub(super) async fn read_response(
    response: AsyncRawResponse,
    kind: BodyKind,
) -> azure_core::Result<(AsyncRawResponse, Bytes)> {
    let (status, headers, body) = response.deconstruct();
    let kind = if status.is_success() { kind } else { BodyKind::Error };
    // The length of a compressed body says less than what it becomes, never more.
    let announced = headers.get_optional_str(&CONTENT_LENGTH).and_then(|text| text.trim().parse().ok());
    BodyReader::new(kind).check_length(announced).map_err(TooLarge::in_pipeline)?;
    let body = read_body(body, kind).await.map_err(|err| match err {
        ReadError::TooLarge(err) => err.in_pipeline(),
        ReadError::Broken(err) => azure_core::Error::with_error(Azure::Io, err, "the response body ended early"),
    })?;
    Ok((AsyncRawResponse::from_bytes(status, headers, body.clone()), body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::{StatusCode, headers::Headers};
    use futures::stream;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    const ALL: [BodyKind; 10] = [
        BodyKind::Token,
        BodyKind::Error,
        BodyKind::Object,
        BodyKind::ListPage,
        BodyKind::Manifest,
        BodyKind::Credentials,
        BodyKind::KubernetesObject,
        BodyKind::KubernetesApplied,
        BodyKind::KubernetesKinds,
        BodyKind::KubernetesList,
    ];

    fn endless(part: usize, taken: &Arc<AtomicUsize>) -> AsyncRawResponse {
        let taken = taken.clone();
        let parts = stream::repeat_with(move || {
            taken.fetch_add(part, Ordering::Relaxed);
            Ok(Bytes::from(vec![b' '; part]))
        });
        AsyncRawResponse::new(StatusCode::Ok, Headers::new(), Box::pin(parts))
    }

    #[tokio::test]
    async fn a_body_without_end_is_read_up_to_its_limit_and_no_further() {
        for kind in ALL {
            let taken = Arc::default();
            let err = read_response(endless(64 * KIB, &taken), kind).await.unwrap_err();
            assert!(err.to_string().contains("limit for"), "{err}");
            assert!(taken.load(Ordering::Relaxed) <= kind.limit() + 128 * KIB, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn a_body_of_just_the_limit_is_whole() {
        for kind in ALL {
            let half = Bytes::from(vec![b'x'; kind.limit() / 2]);
            let whole = stream::iter([Ok::<_, ()>(half.clone()), Ok(half.clone())]);
            assert_eq!(read_body(whole, kind).await.unwrap().len(), kind.limit());
            let more = stream::iter([Ok::<_, ()>(half.clone()), Ok(half), Ok(Bytes::from_static(b"x"))]);
            assert!(
                matches!(read_body(more, kind).await, Err(ReadError::TooLarge(TooLarge::Long(named))) if named == kind)
            );
        }
    }

    #[tokio::test]
    async fn an_announced_length_over_the_limit_is_refused_before_a_byte_is_read() {
        let taken: Arc<AtomicUsize> = Arc::default();
        let (status, mut headers, body) = endless(1, &taken).deconstruct();
        headers.insert("content-length", "10737418240");
        let response = AsyncRawResponse::new(status, headers, Box::pin(body));
        assert!(read_response(response, BodyKind::Object).await.is_err());
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn an_error_status_has_a_limit_of_its_own() {
        let taken = Arc::default();
        let (_, headers, body) = endless(64 * KIB, &taken).deconstruct();
        let response = AsyncRawResponse::new(StatusCode::BadGateway, headers, Box::pin(body));
        let err = read_response(response, BodyKind::ListPage).await.unwrap_err();
        assert!(err.to_string().contains("512 KiB, the limit for an error"), "{err}");
    }

    #[tokio::test]
    async fn a_body_that_is_small_and_needs_much_memory_is_refused() {
        for kind in ALL {
            let maps = format!("[{}0]", "{\"\":0},".repeat(kind.limit() / 7 - 1));
            let read = read_body(stream::iter([Ok::<_, ()>(Bytes::from(maps))]), kind).await;
            match kind.weight() {
                None => assert!(read.is_ok(), "{kind:?}"),
                Some(_) => assert!(
                    matches!(read, Err(ReadError::TooLarge(TooLarge::Heavy(named))) if named == kind),
                    "{kind:?}"
                ),
            }
        }
        let err = TooLarge::Heavy(BodyKind::Object).error("reading the registry").to_string();
        assert!(
            err.contains("12 MiB in memory, the limit for a resource") && err.contains("reading the registry"),
            "{err}"
        );
    }

    #[test]
    fn a_list_keeps_so_much_and_no_more() {
        let mut kept = Kept::default();
        assert_eq!(kept.add(HEAVIEST_LIST), Ok(()));
        assert_eq!(kept.add(1), Err(TooLarge::List));
        assert!(TooLarge::List.error("listing").to_string().contains("12 MiB in memory, the limit for a list"));
        assert_eq!(TooLarge::check_item(b"{}"), Ok(()));
        assert_eq!(TooLarge::check_item(format!("[{}0]", "0,".repeat(1 << 17)).as_bytes()), Err(TooLarge::Item));
    }

    #[test]
    fn the_error_names_the_limit() {
        let err = TooLarge::Long(BodyKind::Token).error("signing in");
        assert_eq!(err.kind(), ErrorKind::Unexpected);
        assert!(err.to_string().contains("256 KiB, the limit for a token"), "{err}");
    }
}
