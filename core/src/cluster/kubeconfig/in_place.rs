//! Writes a file in place if it cannot be replaced: a single mounted file, as in containers, or a file whose owner only its owner can
//! set. kubectl writes every file this way.
//!
//! The old text is kept in a copy next to it until the new one is written, and is restored if that fails. If the new text is longer,
//! its additional part is written first, behind the old text: if the disk is full, nothing else was changed.

use super::private_file::create_for_owner;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

/// How a failed write ended.
#[derive(Debug)]
pub(super) enum Broken {
    /// The file is unchanged.
    Unchanged(io::Error),
    /// The file is changed, and the old text is in the copy.
    Torn(io::Error),
}

/// The path of the copy with the old text.
pub(super) fn copy_of(target: &Path) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    target.with_file_name(format!(".{name}.aks-acr.before"))
}

/// Overwrites a file's text with another.
pub(super) fn overwrite(target: &Path, before: &[u8], text: &[u8]) -> Result<(), Broken> {
    let copy = copy_of(target);
    let written = keep(&copy, before).and_then(|()| OpenOptions::new().write(true).open(target));
    let result = match written {
        Ok(mut file) => exchange(&mut file, before, text),
        Err(err) => Err(Broken::Unchanged(err)),
    };
    if !matches!(result, Err(Broken::Torn(_))) {
        // If it cannot be removed, the next caller gets an error about it.
        drop(fs::remove_file(&copy));
    }
    result
}

fn keep(copy: &Path, before: &[u8]) -> io::Result<()> {
    let mut file = create_for_owner(copy)?;
    file.write_all(before)?;
    file.sync_all()
}

fn exchange(file: &mut File, before: &[u8], text: &[u8]) -> Result<(), Broken> {
    write(file, before.len(), text).map_err(|err| match put_back(file, before) {
        Ok(()) => Broken::Unchanged(err),
        Err(_) => Broken::Torn(err),
    })
}

fn write(file: &mut File, old: usize, text: &[u8]) -> io::Result<()> {
    let (front, rest) = text.split_at(old.min(text.len()));
    if !rest.is_empty() {
        file.seek(SeekFrom::Start(old as u64))?;
        file.write_all(rest)?;
        // Some file systems say only now that there is no room.
        file.sync_all()?;
    }
    file.seek(SeekFrom::Start(0))?;
    file.write_all(front)?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

fn put_back(file: &mut File, before: &[u8]) -> io::Result<()> {
    file.set_len(before.len() as u64)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(before)?;
    file.sync_all()
}
