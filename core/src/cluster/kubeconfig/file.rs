//! A file that is replaced atomically, by one process at a time.

use super::{
    in_place::{Broken, copy_of, overwrite},
    private_file::create_for_owner,
};
use crate::error::{Error, ErrorKind, Result};
use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// The interval between tries to take the lock. Its holder writes one small file.
const LOCK_POLL: Duration = Duration::from_millis(10);
/// The maximum number of links in a row; Linux has the same limit.
const LINKS: usize = 40;

/// Converts an operating-system error to this crate's error.
fn failed(what: &str, file: &Path, err: io::Error) -> Error {
    let kind = match err.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Forbidden,
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
            ErrorKind::InvalidInput
        }
        _ => ErrorKind::Unavailable,
    };
    let is_read_only = err.kind() == io::ErrorKind::ReadOnlyFilesystem;
    let error = Error::new(kind, format!("could not {what}")).with_context("file", file.display().to_string());
    let error = if is_read_only { error.with_context("why", "it is on a read-only mount") } else { error };
    error.with_transient(false).with_source(err)
}

fn refused(why: &str, file: &Path) -> Error {
    Error::invalid(format!("the kubeconfig file {why}; nothing was changed"), "file", file.display().to_string())
}

/// A kubeconfig file, locked against other writers until it is dropped.
pub(super) struct LockedFile {
    /// After following all links.
    target: PathBuf,
    before: Option<(Vec<u8>, Metadata)>,
    /// Released in reverse order.
    _locks: Vec<Lock>,
}

impl LockedFile {
    /// Locks the file, waiting up to `timeout` for other holders of the lock.
    /// A missing folder is created, for its owner only.
    pub fn take(file: &Path, timeout: Duration, stop: &dyn Fn() -> bool) -> Result<Self> {
        let target = behind_links(file)?;
        let until = Instant::now().checked_add(timeout);
        make_folder(file)?;
        make_folder(&target)?;
        // kubectl locks next to the name that it was given, and other programs may use another link. So both places are locked,
        // the name first, which is the order of every program.
        let mut locks = vec![Lock::take(file, until, stop)?];
        if !is_same(file, &target) {
            locks.push(Lock::take(&target, until, stop)?);
        }
        let before = read(&target)?;
        check_whole(&target)?;
        Ok(Self { target, before, _locks: locks })
    }

    /// The file's content; empty if the file does not exist.
    pub fn text(&self) -> Result<&str> {
        let bytes = self.before.as_ref().map_or(&[][..], |(bytes, _)| bytes);
        std::str::from_utf8(bytes).map_err(|_| refused("is not UTF-8", &self.target))
    }

    /// Whether the file's mode lets other users read or write it.
    pub fn is_open_to_others(&self) -> bool {
        #[cfg(unix)]
        let open = {
            use std::os::unix::fs::PermissionsExt as _;
            self.before.as_ref().is_some_and(|(_, data)| data.permissions().mode() & 0o077 != 0)
        };
        #[cfg(not(unix))]
        let open = false;
        open
    }

    /// Writes text to a draft next to the file, with the file's mode and owner; a new file is for its owner only.
    pub fn draft(&self, text: &str) -> Result<Draft> {
        let name = self.target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Only the holder of the lock writes here, so leftovers of a killed process do not accumulate.
        let mut draft = Draft {
            path: self.target.with_file_name(format!(".{name}.aks-acr")),
            text: text.to_owned(),
            can_replace: true,
        };
        let could_not = |err| self.could_not_write(err);
        draft.clear().map_err(could_not)?;
        let mut file = create_for_owner(&draft.path).map_err(could_not)?;
        file.write_all(text.as_bytes()).map_err(could_not)?;
        if let Some((_, old)) = &self.before {
            match keep_owner_and_mode(&file, old) {
                // A file of another owner keeps its owner only if it is written in place.
                Err(err) if err.kind() == io::ErrorKind::PermissionDenied => draft.can_replace = false,
                kept => kept.map_err(could_not)?,
            }
        }
        file.sync_all().map_err(could_not)?;
        Ok(draft)
    }

    /// Fails if the file has changed since it was read: an editor takes no lock.
    pub fn check_unchanged(&self) -> Result<()> {
        let now = read(&self.target)?;
        if now.map(|(bytes, _)| bytes) != self.before.as_ref().map(|(bytes, _)| bytes.clone()) {
            let text = "the kubeconfig file was changed in the meantime; nothing was written";
            let err = Error::new(ErrorKind::Conflict, text).with_context("file", self.target.display().to_string());
            return Err(err.with_transient(true));
        }
        Ok(())
    }

    /// Replaces the file with its draft.
    /// A reader sees either the old or the new text; it can see a partial text only if the file must be written in place.
    pub fn replace(&self, draft: &Draft) -> Result<()> {
        if !draft.can_replace {
            return self.overwrite(draft);
        }
        match fs::rename(&draft.path, &self.target) {
            Err(err) if is_mount(&err) => return self.overwrite(draft),
            renamed => renamed.map_err(|err| self.could_not_write(err))?,
        }
        #[cfg(unix)]
        if let Some(folder) = self.target.parent() {
            // The name is there; that it outlives a power cut is the file system's to grant.
            drop(File::open(within(folder)).and_then(|folder| folder.sync_all()));
        }
        Ok(())
    }

    fn overwrite(&self, draft: &Draft) -> Result<()> {
        let before = self.before.as_ref().map_or(&[][..], |(bytes, _)| bytes);
        overwrite(&self.target, before, draft.text.as_bytes()).map_err(|broken| match broken {
            Broken::Unchanged(err) => self.could_not_write(err),
            Broken::Torn(err) => failed("write the whole kubeconfig file, nor restore its old text", &self.target, err)
                .with_context("copy of the old text", copy_of(&self.target).display().to_string()),
        })
    }

    fn could_not_write(&self, err: io::Error) -> Error {
        failed("write the kubeconfig file", &self.target, err)
    }
}

pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "cancelled by the caller").with_context("while", "merging the kubeconfig")
}

/// A file that is itself a mount point can be written, but not replaced.
fn is_mount(err: &io::Error) -> bool {
    matches!(err.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
}

/// Refuses to use a file whose in-place write was interrupted.
fn check_whole(target: &Path) -> Result<()> {
    let copy = copy_of(target);
    if !copy.exists() {
        return Ok(());
    }
    let text = "an earlier write of the kubeconfig file was interrupted; restore the copy of the old text, or remove \
        it";
    let err = Error::new(ErrorKind::Conflict, text).with_context("file", target.display().to_string());
    Err(err.with_context("copy of the old text", copy.display().to_string()))
}

/// Where a path leads after all links: to a file, or to a place for one.
fn behind_links(file: &Path) -> Result<PathBuf> {
    let mut place = file.to_owned();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&place) {
            Ok(data) if data.is_symlink() => {
                let next = fs::read_link(&place).map_err(|err| failed("follow the link", &place, err))?;
                place = place.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
            }
            Ok(_) => return Ok(place),
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(place),
            Err(err) => return Err(failed("inspect the kubeconfig file", &place, err)),
        }
    }
    Err(refused("is behind a loop of links", file))
}

/// Whether two paths name the same entry of the same folder.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |file: &Path| Some((fs::canonicalize(within(file.parent()?)).ok()?, file.file_name()?.to_owned()));
    one == other || real(one).is_some_and(|place| Some(place) == real(other))
}

/// A path's folder, also for a plain file name.
fn within(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn make_folder(file: &Path) -> Result<()> {
    let folder = file.parent().map_or(Path::new("."), within);
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|err| failed("create the folder of the kubeconfig file", folder, err))
}

/// Reads a file that can be replaced.
fn read(target: &Path) -> Result<Option<(Vec<u8>, Metadata)>> {
    let data = match fs::metadata(target) {
        Ok(data) => data,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(failed("inspect the kubeconfig file", target, err)),
    };
    if !data.is_file() {
        return Err(refused("is not a regular file", target));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&data) > 1 {
        // Replaced, it would be another file than the one of the other names.
        return Err(refused("has more than one hard link", target));
    }
    let could_not = |err| failed("read the kubeconfig file", target, err);
    let bytes = fs::read(target).map_err(could_not)?;
    // The folder's rights would let us replace what its owner protected from being written.
    OpenOptions::new().write(true).open(target).map_err(|err| failed("write the kubeconfig file", target, err))?;
    Ok(Some((bytes, data)))
}

#[cfg(unix)]
fn keep_owner_and_mode(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let new = file.metadata()?;
    let owner = (new.uid() != old.uid()).then_some(old.uid());
    let group = (new.gid() != old.gid()).then_some(old.gid());
    // With another owner or group the same mode would let others in, or the owner out.
    if owner.is_some() || group.is_some() {
        fchown(file, owner, group)?;
    }
    file.set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(file: &File, old: &Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

/// The new file before it is renamed. It is removed when dropped.
pub(super) struct Draft {
    path: PathBuf,
    text: String,
    /// Whether it can replace the file: it has the same owner and mode.
    can_replace: bool,
}

impl Draft {
    fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
            _ => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Renamed, it is gone already.
        drop(self.clear());
    }
}

/// The lock that kubectl uses, too: a file next to the other that only one process can create.
struct Lock(PathBuf);

impl Lock {
    fn take(file: &Path, until: Option<Instant>, stop: &dyn Fn() -> bool) -> Result<Self> {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        loop {
            match create_for_owner(&lock) {
                Ok(_) => return Ok(Self(lock)),
                Err(err) if is_taken(&err) => {}
                Err(err) => {
                    let hint = "the lock is a file next to it, so its folder must be writable";
                    return Err(failed("lock the kubeconfig file", &lock, err).with_context("hint", hint));
                }
            }
            if stop() {
                return Err(stopped());
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(held(&lock));
            }
            thread::sleep(LOCK_POLL);
        }
    }
}

/// Windows rejects the name of a file that is about to be deleted.
fn is_taken(err: &io::Error) -> bool {
    err.kind() == io::ErrorKind::AlreadyExists || cfg!(windows) && err.kind() == io::ErrorKind::PermissionDenied
}

fn held(lock: &Path) -> Error {
    let text = "another program holds the lock of the kubeconfig file; if no such program is running, remove the \
        lock";
    let err =
        Error::new(ErrorKind::Conflict, text).with_context("lock", lock.display().to_string()).with_transient(true);
    let age = fs::metadata(lock).and_then(|data| data.modified()).ok().and_then(|made| made.elapsed().ok());
    age.into_iter().fold(err, |err, age| err.with_context("age", format!("{} s", age.as_secs())))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If it cannot be removed, the next caller gets an error about it.
        drop(fs::remove_file(&self.0));
    }
}
