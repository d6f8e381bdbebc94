//! No call outlives its deadline, or its cancellation, whatever it waits for: a token, an answer, a body, a watch, a pause that a
//! service asks for, a poll, and so at each request of each case.

use crate::{
    case::Case,
    line::{Cut, Line, Stall, Way},
    scene::Scene,
};
use aks_acr::{CallOptions, CancellationToken, Client, ErrorKind};
use aks_acr_emulator::Timing;
use libtest_mimic::Failed;
use std::time::Duration;
use tokio::time::Instant;

/// How late a call may end: the clock of the runtime goes in steps of a millisecond, and a call has 5 of them to say what it waited for.
const TICK: Duration = Duration::from_millis(10);
/// So long after the stall begins the call is over.
const LEFT: Duration = Duration::from_secs(10);
/// Longer than any call.
const NEVER: Duration = Duration::from_secs(24 * 3600);
const ENDLESS: [Duration; 3] = [Duration::from_millis(1500), Duration::from_secs(40), Duration::from_secs(400)];

#[derive(Clone, Copy, Debug)]
enum Bound {
    Deadline(Duration),
    /// Cancelled after so long.
    Cancel(Duration),
}

impl Case {
    /// Stalls it at each request in each way, with a deadline and with a cancellation.
    pub async fn check_stalls(&self) -> Result<(), Failed> {
        let (scene, line) = ((self.set)().await, Line::new(None));
        let begun = Instant::now();
        (self.run)(&line.client(&scene.azure), &scene).await.map_err(|err| format!("uncut: {err:#}"))?;
        for (at, sent) in line.times().into_iter().enumerate() {
            for stall in [Stall::Answer, Stall::Body, Stall::Throttle] {
                let end = sent - begun + LEFT;
                for bound in [Bound::Deadline(end), Bound::Cancel(end)] {
                    let line = Line::new(Some(Cut { way: Way::Stalls(stall), at, after_effect: false }));
                    let scene = (self.set)().await;
                    let client = line.client(&scene.azure);
                    let ended = self.bounded(&client, &scene, bound).await;
                    let met = line.met().ok_or_else(|| format!("request {at} was not met"))?;
                    ended.map_err(|err| format!("{stall:?} at {met}, {bound:?}: {err}"))?;
                }
            }
        }
        Ok(())
    }

    /// Lets what Azure takes time for never end.
    pub async fn check_endless(&self) -> Result<(), Failed> {
        // Here the case itself waits between its calls, each of which ends at once.
        if self.before.contains("followed to the end") || self.before.contains("until it is done") {
            return Ok(());
        }
        for after in ENDLESS {
            for bound in [Bound::Deadline(after), Bound::Cancel(after)] {
                let scene = (self.set)().await;
                let timing = Timing::none().with_import(NEVER).with_registry(NEVER).with_cluster_creation(NEVER);
                let timing = timing.with_kubelet_identity(NEVER).with_registration(NEVER).with_propagation(NEVER);
                scene.azure.set_timing(timing);
                let ended = self.bounded(&scene.client(), &scene, bound).await;
                ended.map_err(|err| format!("without end, {bound:?}: {err}"))?;
            }
        }
        Ok(())
    }

    /// Runs it, and says what is wrong with its end.
    async fn bounded(&self, client: &Client, scene: &Scene, bound: Bound) -> Result<(), String> {
        let cancel = CancellationToken::new();
        let call = CallOptions::default().with_cancel(cancel.clone());
        scene.bound(match bound {
            Bound::Deadline(deadline) => call.with_deadline(deadline),
            Bound::Cancel(_) => call.with_deadline(Duration::MAX),
        });
        let begun = Instant::now();
        let run = async {
            let ended = tokio::time::timeout(2 * NEVER, self.operate(client, scene)).await;
            (ended, Instant::now())
        };
        let stop = async {
            if let Bound::Cancel(after) = bound {
                tokio::time::sleep(after).await;
                cancel.cancel();
            }
        };
        let ((ended, at), ()) = tokio::join!(run, stop);
        let outcome = ended.map_err(|_| "it has no end")?.map_err(|flaw| format!("{flaw:?}"))?;
        let (late, wanted) = match bound {
            Bound::Deadline(deadline) => {
                (at.saturating_duration_since(scene.called() + deadline), ErrorKind::DeadlineExceeded)
            }
            Bound::Cancel(after) => (at.saturating_duration_since(begun + after), ErrorKind::Cancelled),
        };
        if late > TICK {
            return Err(format!("{late:?} late: {outcome:?}"));
        }
        match outcome {
            Err(err) if err.kind() != wanted && !is_early(&err, bound) => Err(format!("another error: {err:#}")),
            _ => Ok(()),
        }
    }
}

/// A wait that the service asks for, or that is the error's own reason, ends the call before a deadline that comes sooner; and an import
/// without a tag is refused where its source is not shown in time.
fn is_early(err: &aks_acr::Error, bound: Bound) -> bool {
    let is_untagged =
        err.kind() == ErrorKind::InvalidInput && err.context().any(|(name, _)| name == "untagged_repositories");
    let is_own = err.kind() == ErrorKind::RateLimited || err.code() == Some("PrincipalNotFound");
    is_untagged || (is_own && matches!(bound, Bound::Deadline(_)))
}
