//! Writes, and the hook that approves them.

use crate::{
    answer::{Answer, Said},
    interrupt,
    runtime::attached,
    value::through_json,
    values::Write,
};
use aks_acr::WriteHook;
use pyo3::prelude::*;
use tokio::task::block_in_place;

/// The caller's hook.
pub struct Hook(pub Py<PyAny>);

impl WriteHook for Hook {
    /// Runs in a Python thread. One of our threads waits for it; its other work moves to another thread.
    fn before(&self, write: &aks_acr::Write) -> Result<(), String> {
        let (answer, asking) = Answer::new();
        let said = block_in_place(|| {
            attached(|py| self.begin(py, write, answer).map_err(|err| err.to_string())).transpose()?;
            Ok::<_, String>(asking.wait())
        });
        match said? {
            Some(Said::Allowed) => Ok(()),
            Some(Said::Refused(why)) => Err(why),
            Some(Said::Raised(err, _)) => {
                interrupt::pass_on(&err);
                Err("it ended the call".to_owned())
            }
            _ => Err("it could not be called: the interpreter is shutting down".to_owned()),
        }
    }
}

impl Hook {
    fn begin(&self, py: Python<'_>, write: &aks_acr::Write, answer: Answer) -> PyResult<()> {
        let begin = py.import("aks_acr._ask")?.getattr("begin_hook")?;
        begin.call1((&self.0, through_json::<Write>(write)?, answer)).map(|_| ())
    }
}
