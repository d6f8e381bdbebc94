//! Core's records in Python's `logging`, under loggers named after the part that speaks, such as `aks_acr.http`.

use crate::runtime::attached;
use log::{Log, Metadata, Record};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use pyo3_log::{Caching, Logger};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether they are sent there already.
static SENT: AtomicBool = AtomicBool::new(false);

/// Sends records there, once in a process. Levels are asked for at each record, so that a change of them counts at once; those of
/// other crates are left out before Python is asked, since they may show more than is good.
pub fn send_to_logging(py: Python<'_>) -> PyResult<()> {
    if SENT.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let logger = Logger::new(py, Caching::Loggers)?
        .filter(log::LevelFilter::Off)
        .filter_target("aks_acr".to_owned(), log::LevelFilter::Debug)
        // Spans are no records: how each ends is told by one of its own.
        .filter_target(aks_acr::telemetry::OPERATION.to_owned(), log::LevelFilter::Off);
    log::set_boxed_logger(Box::new(UntilTheEnd(logger))).map_err(|err| PyRuntimeError::new_err(err.to_string()))?;
    log::set_max_level(log::LevelFilter::Debug);
    Ok(())
}

/// Sends records for as long as the interpreter is there to take them.
struct UntilTheEnd(Logger);

impl Log for UntilTheEnd {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        // Most are for nobody, and need no interpreter.
        if self.enabled(record.metadata()) {
            attached(|_| self.0.log(record));
        }
    }

    fn flush(&self) {}
}
