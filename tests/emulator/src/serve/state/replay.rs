//! Doing again what was done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use super::file::{State, line};
use super::line::{Authority, Line, method, uri};
use crate::door;
use crate::emulator::Emulator;
use crate::log::From;
use crate::serve::ServeError;
use crate::serve::control;
use crate::serve::listener::Ports;

/// What a file contains besides the world.
#[derive(Default)]
pub(super) struct Told {
    pub(super) authority: Option<Authority>,
    pub(super) ports: Option<Ports>,
    /// How long the part of the file is that is whole.
    pub(super) length: u64,
    /// The latest time that was seen.
    pub(super) seen: Duration,
}

/// Does again what the lines of a file say. The clock is held, and stays so.
pub(super) fn replay(emulator: &Emulator, state: &mut State, path: &Path) -> Result<Told, ServeError> {
    let mut told = Told { length: state.begin, ..Told::default() };
    let refused = |why: String| ServeError::new(format!("the state file {}: {why}", path.display()));
    for number in 2.. {
        let Some(text) = line(&mut state.file).map_err(|fault| refused(fault.to_string()))? else {
            break;
        };
        if !text.ends_with(b"\n") {
            eprintln!(
                "aks-acr-emulator: the state file {}: its last line is truncated, and is skipped",
                path.display()
            );
            break;
        }
        let line = serde_json::from_slice(&text).map_err(|fault| fault.to_string());
        let done = line.and_then(|line| again(emulator, line, &mut told));
        done.map_err(|why| refused(format!("line {number} is damaged: {why}")))?;
        told.length += text.len() as u64;
    }
    show(emulator, told.seen);
    emulator.act(|_| ());
    Ok(told)
}

fn again(emulator: &Emulator, line: Line, told: &mut Told) -> Result<(), String> {
    match line {
        Line::Start { .. } => {}
        Line::Ports { listen, proxy } => told.ports = Some(Ports { listen, proxy }),
        Line::Authority(authority) => told.authority = Some(authority),
        Line::Seen(at) => see(told, at.parse().map_err(|_| String::from("a time is not a number"))?),
        Line::Fault { method: name, uri: text } => {
            let (method, uri) = (method(&name)?, uri(&text)?);
            let mut world = emulator.shared.world();
            let service = world.service(uri.host().unwrap_or_default());
            world.faults.take(service, From::Client, &method, &uri);
        }
        Line::Request(asked) => {
            let request = asked.request()?;
            see(told, asked.at);
            show(emulator, told.seen);
            emulator.shared.world().ids.salt(asked.salt);
            whole(|| drop(door::serve(&emulator.shared, &request)))?;
        }
        Line::Order { at, salt, name, body } => {
            see(told, at);
            show(emulator, told.seen);
            emulator.shared.world().ids.salt(salt);
            whole(|| drop(control::carry_out(emulator, &name, body)))?;
            // An order may put the clock forward.
            told.seen = told.seen.max(passed(emulator));
        }
    }
    Ok(())
}

fn passed(emulator: &Emulator) -> Duration {
    let clock = emulator.shared.world().clock;
    clock.since_start(clock.now())
}

fn see(told: &mut Told, at: u64) {
    told.seen = told.seen.max(Duration::from_nanos(at));
}

/// Lets the clock show a time.
fn show(emulator: &Emulator, seen: Duration) {
    let clock = &mut emulator.shared.world().clock;
    clock.hold(clock.start() + seen);
}

/// What broke a rule was not kept, so that nothing breaks here but by another version or a hand in the file.
fn whole(act: impl FnOnce()) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|_| String::from("it cannot be replayed"))
}
