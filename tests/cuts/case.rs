//! One case: an operation and what there is before, run in every way.

use crate::{
    end::{self, End, Of},
    line::{Cut, Line, Way},
    progress, result,
    scene::Scene,
};
use aks_acr::{Client, Error, ErrorKind};
use futures::future::BoxFuture;
use libtest_mimic::Failed;
use serde_json::Value;
use std::time::Duration;

/// What an operation gave, as JSON.
pub type Outcome = Result<Value, Error>;
pub type Set = fn() -> BoxFuture<'static, Scene>;
pub type Run = for<'a> fn(&'a Client, &'a Scene) -> BoxFuture<'a, Outcome>;

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Case {
    /// As `tests/contract/operations.json` calls it.
    pub operation: &'static str,
    /// What exists before the run, in a few words.
    pub before: &'static str,
    pub set: Set,
    pub run: Run,
}

/// A row: the operation, what exists before, how that is created, how the operation is called.
macro_rules! case {
    ($operation:literal, $before:literal, $set:expr, |$client:ident, $scene:ident| $run:block) => {
        $crate::case::Case {
            operation: $operation,
            before: $before,
            set: || Box::pin(async { $set }),
            run: |$client, $scene| {
                let _ = $scene;
                Box::pin(async move {
                    let done: Result<_, aks_acr::Error> = async { $run }.await;
                    done.map(|value| serde_json::json!(value))
                })
            },
        }
    };
}
pub(crate) use case;

/// What a case came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests of the uncut run.
    pub requests: usize,
    /// Runs in which the caller ended.
    pub ended: usize,
    /// Runs in which the connection was lost and the operation came to its end all the same.
    pub went_on: usize,
    /// Those in which it returned an error, and was run again.
    pub told: usize,
}

/// The second run starts a little later, while Azure may still be working, or long after it has finished.
const LATER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5 * 60)];

/// What is wanted of every run of a case.
struct Wanted {
    end: End,
    /// What the first run gave, and what a second one gave at either time after it.
    results: Vec<Value>,
}

impl Case {
    pub fn name(&self) -> String {
        format!("{}: {}", self.operation, self.before)
    }

    /// Runs it uncut, twice in a row, then cut at each request in each way and again.
    pub async fn check(&self) -> Result<Count, Failed> {
        let (wanted, requests) = self.uncut().await?;
        let mut count = Count { requests, ..Count::default() };
        for at in 0..requests {
            for after_effect in [false, true] {
                for later in LATER {
                    self.ended(Cut { way: Way::CallerEnds, at, after_effect }, later, &wanted).await?;
                    count.ended += 1;
                }
                let went_on = self.lost(Cut { way: Way::ConnectionLost, at, after_effect }, &wanted).await?;
                count.went_on += usize::from(went_on);
                count.told += usize::from(!went_on);
            }
        }
        Ok(count)
    }

    async fn uncut(&self) -> Result<(Wanted, usize), Failed> {
        let (scene, line) = ((self.set)().await, Line::new(None));
        let first = self.operate(&line.client(&scene.azure), &scene).await?;
        let first = first.map_err(|err| format!("uncut: {err:#}"))?;
        let end = End::of(&scene).await;
        let mut wanted = Wanted { end, results: vec![first] };
        for later in LATER {
            let scene = (self.set)().await;
            self.operate(&scene.client(), &scene).await??;
            let again = self.again(&scene, later).await?.map_err(|err| format!("a second time: {err:#}"))?;
            wanted.results.push(again);
            self.no_difference(&End::of(&scene).await, &wanted, &[], None, "run twice")?;
        }
        Ok((wanted, line.sent()))
    }

    async fn again(&self, scene: &Scene, later: Duration) -> Result<Outcome, Failed> {
        tokio::time::sleep(later).await;
        self.operate(&scene.client(), scene).await
    }

    /// Runs it, and holds the steps that were heard against each other.
    pub async fn operate(&self, client: &Client, scene: &Scene) -> Result<Outcome, Failed> {
        scene.heard();
        let outcome = (self.run)(client, scene).await;
        match progress::flaw(&scene.heard(), outcome.is_ok()) {
            Some(flaw) => Err(flaw.into()),
            None => Ok(outcome),
        }
    }

    /// The caller ends at the cut, and another one runs it again.
    async fn ended(&self, cut: Cut, later: Duration, wanted: &Wanted) -> Result<(), Failed> {
        let (scene, line) = ((self.set)().await, Line::new(Some(cut)));
        let (client, before) = (line.client(&scene.azure), end::files(&scene));
        tokio::select! {
            biased;
            () = line.is_cut() => {}
            ended = (self.run)(&client, &scene) => return Err(format!("{cut:?} was not met: {ended:?}").into()),
        }
        drop(client);
        let files = end::files(&scene);
        if files != before && files != *wanted.end.files() {
            return Err(format!("{cut:?} leaves neither the old files nor the new ones: {files}").into());
        }
        let what = format!("{cut:?}, {}, {later:?} later", line.met().unwrap_or_default());
        let again = self.again(&scene, later).await?.map_err(|err| format!("{what}: {err:#}"))?;
        self.no_difference(&End::of(&scene).await, wanted, &[again], Some(cut.way), &what)
    }

    /// The connection is lost at the cut. Whether the operation came to its end all the same.
    async fn lost(&self, cut: Cut, wanted: &Wanted) -> Result<bool, Failed> {
        let (scene, line) = ((self.set)().await, Line::new(Some(cut)));
        let ended = self.operate(&line.client(&scene.azure), &scene).await?;
        let what = format!("{cut:?}, {}", line.met().ok_or_else(|| format!("{cut:?} was not met"))?);
        let (went_on, result) = match ended {
            Ok(result) => (true, result),
            Err(err) if is_clear(&err) => {
                let again = self.again(&scene, LATER[0]).await?.map_err(|err| format!("{what}, again: {err:#}"))?;
                (false, again)
            }
            Err(err) => return Err(format!("{what}: not a clear error: {}: {err:#}", err.kind()).into()),
        };
        self.no_difference(&End::of(&scene).await, wanted, &[result], Some(cut.way), &what)?;
        Ok(went_on)
    }

    fn no_difference(
        &self,
        end: &End,
        wanted: &Wanted,
        results: &[Value],
        way: Option<Way>,
        what: &str,
    ) -> Result<(), Failed> {
        let mut found = end.differences(&wanted.end, Of { case: &self.name(), way });
        found.extend(results.iter().flat_map(|result| result::differences(result, &wanted.results, way)));
        if found.is_empty() { Ok(()) } else { Err(format!("{what}:\n{}", found.join("\n")).into()) }
    }
}

/// Whether a caller knows by it that the connection was lost, be it on the way to a token.
fn is_clear(err: &Error) -> bool {
    err.kind() == ErrorKind::Unavailable && err.is_transient() && format!("{err:#}").contains("reset")
}
