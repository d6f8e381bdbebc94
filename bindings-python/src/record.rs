//! Sends core's log records to Python's `logging`, to loggers named after the module, such as `aks_acr.http`.

use crate::runtime::attached;
use log::{Log, Metadata, Record};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use pyo3_log::{Caching, Logger};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether records are being sent.
static SENT: AtomicBool = AtomicBool::new(false);

/// Starts sending records, once in a process. Levels are read for each record, so a change takes effect at once. Records of
/// other crates are dropped first, since they may contain secrets.
pub fn send_to_logging(py: Python<'_>) -> PyResult<()> {
    if SENT.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    // As libraries do: without a handler of the program's own, nothing is printed.
    let logging = py.import("logging")?;
    let nowhere = logging.call_method0("NullHandler")?;
    logging.call_method1("getLogger", ("aks_acr",))?.call_method1("addHandler", (nowhere,))?;
    let logger = Logger::new(py, Caching::Loggers)?
        .filter(log::LevelFilter::Off)
        .filter_target("aks_acr".to_owned(), log::LevelFilter::Debug)
        // Spans are not records: the end of each is logged separately.
        .filter_target(aks_acr::telemetry::OPERATION.to_owned(), log::LevelFilter::Off);
    log::set_boxed_logger(Box::new(UntilTheEnd(logger))).map_err(|err| PyRuntimeError::new_err(err.to_string()))?;
    log::set_max_level(log::LevelFilter::Debug);
    Ok(())
}

/// Sends records until the interpreter shuts down.
struct UntilTheEnd(Logger);

impl Log for UntilTheEnd {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        // No logger takes most records; those need no interpreter.
        if self.enabled(record.metadata()) {
            attached(|_| self.0.log(record));
        }
    }

    fn flush(&self) {}
}
