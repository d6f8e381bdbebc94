//! The log of requests as a file of JSON lines, written while the server runs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use super::ServeError;
use super::control::line;
use crate::emulator::Emulator;

/// How often the file is brought up to date.
const PACE: Duration = Duration::from_millis(100);

/// A log file, and how far it goes.
pub(super) struct LogFile {
    file: BufWriter<File>,
    emulator: Emulator,
    next: usize,
    /// Those before `next` that had not ended when they were looked at.
    open: BTreeSet<usize>,
}

impl LogFile {
    pub(super) fn create(path: &Path, emulator: &Emulator) -> Result<Self, ServeError> {
        let file = File::create(path).map_err(|fault| ServeError::io(&path.display().to_string(), &fault))?;
        Ok(Self { file: BufWriter::new(file), emulator: emulator.clone(), next: 0, open: BTreeSet::new() })
    }

    /// Never ends; a request is written when it has ended.
    pub(super) async fn keep(&mut self) {
        loop {
            self.write(false);
            tokio::time::sleep(PACE).await;
        }
    }

    /// Writes what has ended, or all that is left. A disk that is full does not end the server.
    pub(super) fn write(&mut self, all: bool) {
        let world = self.emulator.shared.world();
        let log = &world.log;
        self.open.extend(self.next..log.next());
        self.next = log.next();
        // One that is forgotten by now is ready, too: there is nothing more to wait for.
        let is_ready = |at: &usize| all || log.get(*at).is_none_or(|one| one.ended.is_some());
        let ready: Vec<usize> = self.open.iter().copied().filter(is_ready).collect();
        let lines: Vec<String> = ready.iter().filter_map(|at| log.get(*at)).map(|one| line(one).to_string()).collect();
        drop(world);
        for at in ready {
            self.open.remove(&at);
        }
        for line in lines {
            let _ = writeln!(self.file, "{line}");
        }
        let _ = self.file.flush();
    }
}
