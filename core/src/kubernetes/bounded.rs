//! A response body that ends with an error if it exceeds the limit of its kind. The bytes are counted as they are read, decoded.

use crate::http::{BodyKind, TooLarge, weight_of_part};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use kube::client::Body;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower::BoxError;

/// A `kube` body with a limit: for the whole body, or, for a watch, for each line.
pub(crate) struct Bounded {
    inner: Body,
    kind: BodyKind,
    length: usize,
    /// The memory of a parsed line of a watch.
    weight: usize,
}

impl Bounded {
    pub fn new(inner: Body, kind: BodyKind) -> Self {
        Self { inner, kind, length: 0, weight: 0 }
    }

    fn count(&mut self, part: &[u8]) -> Result<(), TooLarge> {
        if self.kind != BodyKind::KubernetesObject {
            return self.add(part.len(), 0);
        }
        for line in part.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n");
            self.add(text.unwrap_or(line).len(), weight_of_part(line))?;
            if text.is_some() {
                (self.length, self.weight) = (0, 0);
            }
        }
        Ok(())
    }

    fn add(&mut self, length: usize, weight: usize) -> Result<(), TooLarge> {
        self.length = self.length.saturating_add(length);
        self.weight = self.weight.saturating_add(weight);
        if self.length > self.kind.limit() {
            return Err(TooLarge::Long(self.kind));
        }
        match self.kind.weight() {
            Some(most) if self.weight > most => Err(TooLarge::Heavy(self.kind)),
            _ => Ok(()),
        }
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(err)) => return Poll::Ready(Some(Err(err.into()))),
            None => return Poll::Ready(None),
        };
        let counted = frame.data_ref().map_or(Ok(()), |part| self.count(part));
        Poll::Ready(Some(counted.map(|()| frame).map_err(Into::into)))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(kind: BodyKind, parts: &[Vec<u8>]) -> Result<(), TooLarge> {
        let mut body = Bounded::new(Body::empty(), kind);
        parts.iter().try_for_each(|part| body.count(part))
    }

    #[test]
    fn a_watch_goes_on_for_ever_and_none_of_its_lines_does() {
        let limit = BodyKind::KubernetesObject.limit();
        let mut line = vec![b'x'; limit];
        line.push(b'\n');
        assert!(counted(BodyKind::KubernetesObject, &[line.clone(), line.clone(), line.clone()]).is_ok());
        assert!(counted(BodyKind::KubernetesObject, &[line, vec![b'x'; limit], b"x".to_vec()]).is_err());
        let halves = [b"x\n".repeat(9), vec![b'x'; limit], b"\nx\n".to_vec(), vec![b'x'; limit]];
        assert!(counted(BodyKind::KubernetesObject, &halves).is_ok());
    }

    #[test]
    fn a_line_that_needs_much_memory_is_refused() {
        let maps = |count: usize| [b"[".to_vec(), b"{\"\":0},".repeat(count), b"0]\n".to_vec()].concat();
        let line = maps(10_000);
        assert_eq!(counted(BodyKind::KubernetesObject, &[line.clone(), line.clone(), line]), Ok(()));
        let heavy = Err(TooLarge::Heavy(BodyKind::KubernetesObject));
        assert_eq!(counted(BodyKind::KubernetesObject, &[maps(20_000)]), heavy);
        let parts: Vec<Vec<u8>> = maps(20_000).chunks(1000).map(<[u8]>::to_vec).collect();
        assert_eq!(counted(BodyKind::KubernetesObject, &parts), heavy);
    }

    #[test]
    fn another_answer_is_counted_as_a_whole() {
        let line = [vec![b'{'; 1 << 20], b"\n".to_vec()].concat();
        let most = BodyKind::KubernetesList.limit() / line.len();
        assert!(counted(BodyKind::KubernetesList, &vec![line.clone(); most]).is_ok());
        assert!(counted(BodyKind::KubernetesList, &vec![line; most + 1]).is_err());
    }
}
