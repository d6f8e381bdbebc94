//! The file while it is written.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::line::Line;
use crate::keeper::{Change, Keeper};

/// The journal. Every line is with the operating system before what it says is done: it survives the end of this process,
/// however sudden. It is not forced onto the disk, so it may not survive the end of the machine.
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    /// Where the next line begins.
    end: u64,
    /// Where the last line begins, if it contains a time: the next time is written over it.
    time: Option<u64>,
    seen: u64,
    /// Where the line of the change begins that is being made, and what `time` was before it.
    open: Option<(u64, Option<u64>)>,
    has_complained: bool,
}

impl Journal {
    /// Continues at `end`.
    pub(super) fn new(file: File, path: PathBuf, end: u64, seen: Duration) -> Self {
        Self { file, path, end, time: None, seen: nanoseconds(seen), open: None, has_complained: false }
    }

    /// Adds a line: all of it, or nothing.
    pub(super) fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.write(self.end, &text)?;
        (self.end, self.time) = (self.end + text.len() as u64, None);
        Ok(())
    }

    fn write(&mut self, at: u64, text: &[u8]) -> io::Result<()> {
        let written = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(text));
        if written.is_err() {
            // What was written of it. If this fails too, the next run finds a line that was cut off.
            let _ = self.file.set_len(self.end);
        }
        written
    }

    /// Says once that something is wrong, until it was right again.
    fn complain(&mut self, fault: &io::Error) {
        if !std::mem::replace(&mut self.has_complained, true) {
            let path = self.path.display();
            eprintln!("aks-acr-emulator: {path} cannot be written: {fault}; changes are rejected until it can");
        }
    }
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The journal as the world and the server share it.
#[derive(Clone)]
pub(super) struct Kept(pub(super) Arc<Mutex<Journal>>);

impl Kept {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Journal) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keeper for Kept {
    fn keep(&mut self, at: Duration, change: &Change<'_>) -> Result<Uuid, String> {
        self.with(|journal| {
            let (before, salt) = ((journal.end, journal.time), Uuid::new_v4());
            match journal.add(&Line::of(nanoseconds(at), salt, change)) {
                Ok(()) => {
                    (journal.open, journal.has_complained) = (Some(before), false);
                    journal.seen = journal.seen.max(nanoseconds(at));
                    Ok(salt)
                }
                Err(fault) => {
                    journal.complain(&fault);
                    let path = journal.path.display();
                    Err(format!("The change was not made, because {path} could not be written: {fault}."))
                }
            }
        })
    }

    fn kept(&mut self, lasting: bool) {
        self.with(|journal| {
            let Some((begin, time)) = journal.open.take().filter(|_| !lasting) else {
                return;
            };
            // If it stays, it comes to nothing once more.
            if journal.file.set_len(begin).is_ok() {
                (journal.end, journal.time) = (begin, time);
            }
        });
    }

    fn seen(&mut self, at: Duration) {
        self.with(|journal| {
            let at = nanoseconds(at);
            if at <= journal.seen || journal.open.is_some() {
                return;
            }
            let place = journal.time.unwrap_or(journal.end);
            let Ok(mut text) = serde_json::to_vec(&Line::seen(at)) else {
                return;
            };
            text.push(b'\n');
            match journal.write(place, &text) {
                Ok(()) => {
                    (journal.seen, journal.time) = (at, Some(place));
                    journal.end = place + text.len() as u64;
                }
                // A reader need not be refused: at worst the next run begins a little earlier than this one ended.
                Err(fault) => journal.complain(&fault),
            }
        });
    }
}
