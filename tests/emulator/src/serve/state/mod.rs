//! The state file: a journal of what was done to the world, done again at the next start.
//!
//! The world is not written down itself. It holds much that follows from what was done, and from when; and ids are the
//! same when the same is done again. Time that passes while no server runs does not count.

mod file;
mod journal;
mod line;
mod replay;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use uuid::Uuid;

use self::file::Found;
use self::journal::{Journal, Kept};
use self::line::{FORMAT, Header, Line};
use super::ServeError;
use super::authority::Authority;
use super::listener::Ports;
use super::scene_file::{Caller, Scene};
use crate::emulator::Emulator;

pub(super) use self::line::Authority as KeptAuthority;

/// The scene that the command line asks for.
pub(super) struct Wanted {
    /// `None` is the usual one, or the one that the file has.
    pub(super) scene: Option<Scene>,
    pub(super) callers: Vec<Caller>,
}

/// An open state file.
pub(super) struct State {
    path: PathBuf,
    kept: Kept,
    authority: Option<KeptAuthority>,
    ports: Option<Ports>,
    /// Whether the file was there before.
    pub(super) is_old: bool,
}

impl State {
    /// Opens a file, or makes it; the emulator is as it was, or as it is wanted.
    pub(super) fn open(path: &Path, wanted: Wanted) -> Result<(Emulator, Self), ServeError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match file::find(&path)? {
            Found::Nothing => Self::begin(path, None, wanted),
            Found::Empty(file) => Self::begin(path, Some(file), wanted),
            Found::State(state) => Self::resume(path, *state, &wanted),
        }
    }

    fn begin(path: PathBuf, file: Option<File>, wanted: Wanted) -> Result<(Emulator, Self), ServeError> {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let scene = wanted.scene.unwrap_or_else(Scene::usual);
        let header = Header {
            format: FORMAT,
            emulator: env!("CARGO_PKG_VERSION").to_owned(),
            root: Uuid::new_v4(),
            wall: journal::nanoseconds(wall),
            scene: value(&scene)?,
            callers: value(&wanted.callers)?,
        };
        // First the scene: one that cannot be set leaves no file behind.
        let emulator = set(&header, scene, wanted.callers)?;
        let file = match file {
            Some(file) => file,
            None => file::make(&path)?,
        };
        let mut journal = Journal::new(file, path.clone(), 0, Duration::ZERO);
        journal.add(&header).map_err(|fault| unwritten(&path, &fault))?;
        let kept = Kept(Arc::new(Mutex::new(journal)));
        let state = Self { path, kept, authority: None, ports: None, is_old: false };
        state.take_over(&emulator)?;
        Ok((emulator, state))
    }

    fn resume(path: PathBuf, mut state: file::State, wanted: &Wanted) -> Result<(Emulator, Self), ServeError> {
        let shown = path.display();
        let other = |option: &str| {
            ServeError::new(format!(
                "the state file {shown} was created with another {option}; omit the option, or use another file"
            ))
        };
        if let Some(scene) = &wanted.scene
            && value(scene)? != state.header.scene
        {
            return Err(other("--seed"));
        }
        if !wanted.callers.is_empty() && value(&wanted.callers)? != state.header.callers {
            return Err(other("--caller"));
        }
        if state.header.emulator != env!("CARGO_PKG_VERSION") {
            eprintln!(
                "aks-acr-emulator: the state file {shown} was created by version {}; its changes are replayed with the rules of \
                 this one",
                state.header.emulator
            );
        }
        let damaged = |fault| ServeError::new(format!("the state file {shown}: line 1 is damaged: {fault}"));
        let scene = serde_json::from_value(state.header.scene.clone()).map_err(damaged)?;
        let callers = serde_json::from_value(state.header.callers.clone()).map_err(damaged)?;
        let emulator = set(&state.header, scene, callers)?;
        let told = replay::replay(&emulator, &mut state, &path)?;
        let file = state.file.into_inner();
        file.set_len(told.length).map_err(|fault| unwritten(&path, &fault))?;
        let journal = Journal::new(file, path.clone(), told.length, told.seen);
        let kept = Kept(Arc::new(Mutex::new(journal)));
        let state = Self { path, kept, authority: told.authority, ports: told.ports, is_old: true };
        state.take_over(&emulator)?;
        Ok((emulator, state))
    }

    /// From here on, what changes the world is kept, and its clock goes.
    fn take_over(&self, emulator: &Emulator) -> Result<(), ServeError> {
        self.add(&Line::Start { process: std::process::id() })?;
        let mut world = emulator.shared.world();
        // The log is of one run: there was no request in this one yet.
        world.log = crate::log::Log::default();
        world.keeper = Some(Box::new(self.kept.clone()));
        world.clock.release();
        Ok(())
    }

    fn add(&self, line: &Line) -> Result<(), ServeError> {
        self.kept.with(|journal| journal.add(line)).map_err(|fault| unwritten(&self.path, &fault))
    }

    /// The authority that clients already trust; a new one if there is none or it is about to expire.
    pub(super) fn authority(&self, emulator: &Emulator) -> Result<Authority, ServeError> {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let enough = |known: &&KeptAuthority| known.until - now > 7 * 24 * 60 * 60;
        if let Some(known) = self.authority.as_ref().filter(enough) {
            return Authority::restore(known);
        }
        if self.authority.is_some() {
            eprintln!("aks-acr-emulator: the certificate expires soon: clients must trust a new one");
        }
        let authority = Authority::playing(emulator)?;
        self.add(&Line::Authority(authority.kept()))?;
        Ok(authority)
    }

    /// The ports of before, for those that may be any.
    pub(super) fn ports(&self) -> Ports {
        self.ports.unwrap_or_default()
    }

    /// Keeps where the server listens now.
    pub(super) fn serves_at(&self, ports: Ports) -> Result<(), ServeError> {
        if self.ports == Some(ports) {
            return Ok(());
        }
        self.add(&Line::Ports { listen: ports.listen, proxy: ports.proxy })
    }
}

fn value(part: &impl serde::Serialize) -> Result<Value, ServeError> {
    serde_json::to_value(part).map_err(|fault| ServeError::new(fault.to_string()))
}

fn unwritten(path: &Path, fault: &std::io::Error) -> ServeError {
    ServeError::io(&format!("the state file {} cannot be written", path.display()), fault)
}

/// The world before anything was done to it. Its clock is held.
fn set(header: &Header, scene: Scene, callers: Vec<Caller>) -> Result<Emulator, ServeError> {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_nanos(header.wall);
    let emulator = Emulator::rooted(header.root, wall);
    {
        let mut world = emulator.shared.world();
        let start = world.clock.start();
        world.clock.hold(start);
        world.signer.serves_locally = true;
    }
    let emulator = scene.set(emulator)?;
    callers.into_iter().try_fold(emulator, |emulator, caller| caller.enter(emulator))
}
