//! The file before anything of it is used: is it one, is it whole, is it free?

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::line::{BEGINNING, FORMAT, Header, Line};
use crate::serve::ServeError;

/// What is at the path.
pub(super) enum Found {
    Nothing,
    /// A file that holds nothing yet, or only a part of its first line, and is ours.
    Empty(File),
    State(Box<State>),
}

/// A state file, locked, behind its first line.
pub(super) struct State {
    pub(super) file: BufReader<File>,
    pub(super) header: Header,
    /// How long the first line is.
    pub(super) begin: u64,
}

fn failed(path: &Path, fault: &std::io::Error) -> ServeError {
    ServeError::io(&format!("the state file {}", path.display()), fault)
}

fn refused(path: &Path, why: &str) -> ServeError {
    ServeError::new(format!("the state file {}: {why}", path.display()))
}

/// Looks at a path, and has the file for this process alone.
pub(super) fn find(path: &Path) -> Result<Found, ServeError> {
    match std::fs::symlink_metadata(path) {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(fault) => return Err(failed(path, &fault)),
        Ok(known) if known.is_symlink() => return Err(refused(path, "it is a symbolic link, which is not followed")),
        Ok(known) if !known.is_file() => return Err(refused(path, "it is not a file")),
        Ok(_) => {}
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(|fault| failed(path, &fault))?;
    let mut start = Vec::new();
    let begun = file.by_ref().take(BEGINNING.len() as u64).read_to_end(&mut start);
    let locked = lock(&file, path);
    if !(start.is_empty() || start.starts_with(BEGINNING)) {
        return Err(refused(path, "it is not a state file, and is not changed"));
    }
    locked?;
    begun.map_err(|fault| failed(path, &fault))?;
    narrow(&file).map_err(|fault| failed(path, &fault))?;
    file.seek(SeekFrom::Start(0)).map_err(|fault| failed(path, &fault))?;
    let mut file = BufReader::new(file);
    let Some(first) = line(&mut file).map_err(|fault| failed(path, &fault))?.filter(|first| first.ends_with(b"\n"))
    else {
        let file = file.into_inner();
        file.set_len(0).map_err(|fault| failed(path, &fault))?;
        return Ok(Found::Empty(file));
    };
    let header = header(&first).map_err(|why| refused(path, &why))?;
    Ok(Found::State(Box::new(State { file, header, begin: first.len() as u64 })))
}

/// Makes the file, for its owner only.
pub(super) fn make(path: &Path) -> Result<File, ServeError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|fault| failed(path, &fault))?;
    lock(&file, path)?;
    Ok(file)
}

/// It holds secrets.
#[cfg(unix)]
fn narrow(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode().trailing_zeros() >= 6 {
        return Ok(());
    }
    permissions.set_mode(0o600);
    file.set_permissions(permissions)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn narrow(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// The lock goes with the process, however it ends.
fn lock(file: &File, path: &Path) -> Result<(), ServeError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let holder = holder(path).map_or_else(|| String::from("another process"), |id| format!("process {id}"));
            Err(refused(path, &format!("{holder} is using it")))
        }
        Err(TryLockError::Error(fault)) => Err(failed(path, &fault)),
    }
}

/// The process that began last.
fn holder(path: &Path) -> Option<u32> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let mut holder = None;
    while let Ok(Some(text)) = line(&mut file) {
        if text.starts_with(b"{\"start\"")
            && let Ok(Line::Start { process }) = serde_json::from_slice(&text)
        {
            holder = Some(process);
        }
    }
    holder
}

/// The next line with its end; the last one may have none. `None` behind the last.
pub(super) fn line(file: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    Ok(Some(line).filter(|line| !line.is_empty()))
}

fn header(line: &[u8]) -> Result<Header, String> {
    let damaged = |fault: serde_json::Error| format!("line 1 is damaged: {fault}");
    let any: serde_json::Value = serde_json::from_slice(line).map_err(damaged)?;
    if any["aksAcrEmulatorState"] != FORMAT {
        return Err(format!("its format {} is unknown to this version", any["aksAcrEmulatorState"]));
    }
    serde_json::from_value(any).map_err(damaged)
}
