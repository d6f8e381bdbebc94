//! What an API server does not answer itself, but has the kubelet of a pod do.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use super::super::logs;
use super::super::object::text;
use super::super::refusal::Refusal;
use super::super::request::{Query, Target};
use super::super::store::Key;
use super::Remote;

impl Remote {
    /// The answer of a kubelet, where one answers. No program runs on emulated nodes.
    pub(crate) fn on_node(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let target = Target::parse(request.uri().path()).filter(|target| target.group.is_empty())?;
        let key = Key::new(&target.plural, &target.namespace, &target.name);
        let is_real = |pod: &Value| {
            let node = text(pod, "/spec/nodeName");
            !node.is_empty() && self.workers.worker(node).is_none()
        };
        let on_real = self.known.get(&key).is_some_and(is_real);
        match (target.plural.as_str(), target.subresource.as_str()) {
            ("pods", "log") if on_real => None,
            ("pods", what @ ("exec" | "attach" | "portforward")) if on_real => {
                let text = format!("{what} is not possible: the emulator does not forward this kind of connection");
                Some(Refusal::bad_request(text).response())
            }
            ("pods", "log") => {
                let pod = self.known.get(&key).map(|pod| self.as_written(pod))?;
                let answer = logs::of_pod(&pod, &Query::of(request));
                Some(answer.unwrap_or_else(|refusal| refusal.response()))
            }
            ("pods", what @ ("exec" | "attach" | "portforward")) => {
                self.known.get(&key)?;
                let text = format!("{what} is not possible: the emulator's nodes run no programs");
                Some(Refusal::bad_request(text).response())
            }
            _ => None,
        }
    }
}
