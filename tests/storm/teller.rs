//! Makes the calls of a story, and looks at what each promises.

use crate::{
    dice,
    stage::{Play, Stage},
    story, wider,
};
use aks_acr::{CallOptions, Error};
use std::{fmt, time::Duration};
use tokio::time::Instant;

/// What a call may take longer than its deadline: the steps of the clock.
const TOLERANCE: Duration = Duration::from_secs(1);

/// How long the calls may take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    Long,
    /// Long, except for an occasional call, which has to be short.
    ByChance,
}

/// Why the story stopped before its end.
pub enum Stop {
    /// A call failed.
    Failed { step: &'static str, err: Box<Error> },
    /// A promise was broken.
    Broken { step: &'static str, why: String },
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { step, err } => write!(f, "{step}: {:?}: {err:#}", err.kind()),
            Self::Broken { step, why } => write!(f, "{step}: {why}"),
        }
    }
}

/// How long a call took, and how long it was allowed.
#[derive(Clone, Copy)]
pub struct Timed {
    pub step: &'static str,
    pub took: Duration,
    pub allowed: Duration,
}

/// What became of a telling.
pub struct Outcome {
    pub stopped: Option<Stop>,
    pub calls: Vec<Timed>,
}

/// Runs a story: makes its calls, and checks what each promises.
pub struct Teller<'a> {
    pub stage: &'a Stage,
    patience: Patience,
    calls: Vec<Timed>,
}

pub async fn tell(stage: &Stage, patience: Patience) -> Outcome {
    let mut teller = Teller { stage, patience, calls: Vec::new() };
    let stopped = match stage.play {
        Play::Documented => story::tell(&mut teller).await.err(),
        Play::Wider => wider::tell(&mut teller).await.err(),
    };
    Outcome { stopped, calls: teller.calls }
}

impl Teller<'_> {
    /// Makes a call with a deadline, and looks at what it promises whatever it ends as.
    pub async fn call<T>(
        &mut self,
        step: &'static str,
        minutes: u64,
        call: impl AsyncFnOnce(CallOptions) -> Result<T, Error>,
    ) -> Result<T, Stop> {
        let seed = self.stage.seed;
        let allowed = match dice::below(30, seed, step) {
            0 if self.patience == Patience::ByChance => {
                Duration::from_secs(1 + dice::below(90, seed, &format!("{step}?")))
            }
            _ => Duration::from_secs(minutes * 60),
        };
        let begun = Instant::now();
        let ended = call(CallOptions::default().with_deadline(allowed)).await;
        let took = begun.elapsed();
        self.calls.push(Timed { step, took, allowed });
        if took > allowed + TOLERANCE {
            return Err(broken(step, format!("it took {took:.1?}, and its deadline was {allowed:.1?}")));
        }
        self.promises(step)?;
        ended.map_err(|err| failed(step, err))
    }

    fn promises(&self, step: &'static str) -> Result<(), Stop> {
        if let Some((grant, times)) = self.stage.grants().into_iter().find(|(_, times)| *times > 1) {
            return Err(broken(step, format!("{times} grants of {grant}")));
        }
        for cluster in story::CLUSTERS {
            let made = self.stage.writes_of(cluster);
            if made > 1 {
                return Err(broken(step, format!("the cluster {cluster} was written {made} times")));
            }
        }
        story::damage(self.stage).map_or(Ok(()), |why| Err(broken(step, why)))
    }
}

pub fn failed(step: &'static str, err: Error) -> Stop {
    Stop::Failed { step, err: Box::new(err) }
}

pub fn broken(step: &'static str, why: impl Into<String>) -> Stop {
    Stop::Broken { step, why: why.into() }
}
