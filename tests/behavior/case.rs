//! Cases and how they become trials: each has its own runtime, with a paused clock on the emulator.

use crate::{azure::LiveAzure, backend::Backend, emulator::Scene};
use aks_acr::{Error, ErrorKind};
use libtest_mimic::{Failed, Trial};
use std::{
    fmt::Debug,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
};
use tokio::runtime::Builder;

/// How a case ends: what fails in it besides its assertions is a failure too.
pub type Checked = Result<(), Failed>;

pub type Work<'a> = Pin<Box<dyn Future<Output = Checked> + 'a>>;

pub enum Run {
    Everywhere(for<'a> fn(&'a dyn Backend) -> Work<'a>),
    OnEmulator(fn() -> Work<'static>),
}

pub struct Case {
    pub noun: &'static str,
    pub name: &'static str,
    pub run: Run,
}

/// Lists the cases of a noun: those for every backend, then those for the emulator alone.
macro_rules! cases {
    ($noun:literal; everywhere: [$($any:ident),* $(,)?]; on_emulator: [$($own:ident),* $(,)?];) => {
        vec![
            $($crate::case::Case {
                noun: $noun,
                name: stringify!($any),
                run: $crate::case::Run::Everywhere(|backend| Box::pin($any(backend))),
            },)*
            $($crate::case::Case {
                noun: $noun,
                name: stringify!($own),
                run: $crate::case::Run::OnEmulator(|| Box::pin($own())),
            },)*
        ]
    };
}
pub(crate) use cases;

impl Case {
    pub fn into_trials(self) -> Vec<Trial> {
        let name = |backend: &str| format!("{backend}::{}::{}", self.noun, self.name);
        let (here, there) = (name("emulator"), name("azure"));
        match self.run {
            Run::OnEmulator(run) => vec![Trial::test(here, move || paused(async move { run().await }))],
            Run::Everywhere(run) => vec![
                Trial::test(here, move || paused(async move { run(&Scene::new()?).await })),
                Trial::test(there, move || live(run)).with_ignored_flag(!LiveAzure::is_wanted()),
            ],
        }
    }
}

/// On the emulator no wait takes real time: the clock jumps to the next thing that is to happen.
fn paused(work: impl Future<Output = Checked>) -> Checked {
    Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(work)
}

/// One at a time, since they share a registry. Cleans up whatever the case's end; a panic of the case is one of the trial, after
/// that.
fn live(run: for<'a> fn(&'a dyn Backend) -> Work<'a>) -> Checked {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let azure = LiveAzure::from_environment()?;
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run(&azure))));
    let cleaned = runtime.block_on(azure.clean_up());
    match ended {
        Ok(ended) => ended.and(cleaned),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The error that a call must have ended with.
pub fn refused<T: Debug>(result: aks_acr::Result<T>, kind: ErrorKind) -> Result<Error, Failed> {
    match result {
        Err(err) if err.kind() == kind => Ok(err),
        Err(err) => Err(format!("wanted {kind}, got {}: {err:#}", err.kind()).into()),
        Ok(value) => Err(format!("wanted {kind}, got {value:?}").into()),
    }
}

/// What must be there.
pub fn some<T>(value: Option<T>, what: &str) -> Result<T, Failed> {
    value.ok_or_else(|| format!("there is no {what}").into())
}
