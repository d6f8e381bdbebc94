//! Writes the edits: all files are locked, edited and drafted before the first of them is replaced.

use super::{
    edit::{Edit, Edited, Refusal, edit},
    file::{LockedFile, stopped},
    layout::Fault,
};
use crate::error::{Error, ErrorKind, Result};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// The edit of one file.
pub(super) type Change<'a> = (&'a Path, Edit<'a>);

/// The result of one file.
pub(super) struct Written {
    pub edited: Edited,
    pub is_open_to_others: bool,
}

/// Makes all changes in order, or none. Two files cannot be replaced atomically: if replacing the second fails although all was ready,
/// the error names what is already changed.
pub(super) fn write(changes: &[Change<'_>], lock_wait: Duration, stop: &dyn Fn() -> bool) -> Result<Vec<Written>> {
    let held = hold(changes, lock_wait, stop)?;
    let (mut written, mut drafts) = (Vec::new(), Vec::new());
    for ((file, wanted), held) in changes.iter().zip(&held) {
        let edited = edit(held.text()?, *wanted).map_err(|refusal| refused(file, refusal))?;
        if let Some(text) = &edited.text {
            drafts.push((file, held, held.draft(text)?));
        }
        written.push(Written { is_open_to_others: held.is_open_to_others(), edited });
    }
    drafts.iter().try_for_each(|(_, held, _)| held.check_unchanged())?;
    if !drafts.is_empty() && stop() {
        return Err(stopped());
    }
    let mut before = None;
    for (file, held, draft) in &drafts {
        held.replace(draft).map_err(|err| half_done(err, before))?;
        before = Some(**file);
    }
    Ok(written)
}

/// Takes the locks in kubectl's order, so that no two processes wait for each other.
fn hold(changes: &[Change<'_>], lock_wait: Duration, stop: &dyn Fn() -> bool) -> Result<Vec<LockedFile>> {
    let begun = Instant::now();
    let mut order: Vec<(usize, &Path)> = changes.iter().map(|(file, _)| *file).enumerate().collect();
    order.sort_by_key(|(_, file)| file.as_os_str());
    let take = |(at, file)| Ok((at, LockedFile::take(file, lock_wait.saturating_sub(begun.elapsed()), stop)?));
    let mut held: Vec<(usize, LockedFile)> = order.into_iter().map(take).collect::<Result<_>>()?;
    held.sort_by_key(|(at, _)| *at);
    Ok(held.into_iter().map(|(_, held)| held).collect())
}

fn half_done(err: Error, before: Option<&Path>) -> Error {
    let Some(file) = before else { return err };
    err.with_context("already changed", file.display().to_string())
        .with_context("hint", "merge again to complete the change")
}

pub(super) fn refused(file: &Path, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Form(fault) => unfit(file, &fault),
        Refusal::Taken(list, name) => {
            let text = "the kubeconfig file has a different entry of that name";
            let err = Error::new(ErrorKind::Conflict, text).with_context("file", file.display().to_string());
            let hint = "to replace it, set on_existing_entry to replace, or choose another context";
            err.with_context("list", list).with_context("name", name).with_context("hint", hint)
        }
        Refusal::Unwritable => Error::new(ErrorKind::Unexpected, "the kubeconfig's entries cannot be written as YAML"),
    }
}

pub(super) fn unfit(file: &Path, fault: &Fault) -> Error {
    let text = format!("the kubeconfig file cannot be edited safely: {}; nothing was changed", fault.why);
    let err = Error::invalid(text, "file", file.display().to_string());
    fault.line.into_iter().fold(err, |err, line| err.with_context("line", line.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn pointing_at(context: &str) -> Edit<'_> {
        Edit { entries: None, replace: false, current: Some(context) }
    }

    /// The caller is asked whether to stop when both files are ready to be replaced, so the test acts between the two
    /// replacements.
    #[test]
    fn a_failed_second_file_is_reported_with_the_replaced_first_one() {
        let folder = std::env::temp_dir().join(format!("aks-acr-write-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let (one, two) = (folder.join("one"), folder.join("two"));
        fs::write(&one, "").unwrap();
        fs::write(&two, "").unwrap();
        let spoil = || {
            fs::remove_file(&two).unwrap();
            fs::create_dir_all(two.join("in the way")).unwrap();
            false
        };
        let changes = [(one.as_path(), pointing_at("dev")), (two.as_path(), pointing_at("dev"))];
        let err = write(&changes, Duration::ZERO, &spoil).err().unwrap();
        let facts: Vec<_> = err.context().map(|(name, value)| (name, value.to_owned())).collect();
        assert!(facts.contains(&("already changed", one.display().to_string())), "{err}");
        assert!(facts.contains(&("file", two.display().to_string())), "{err}");
        assert!(fs::read_to_string(&one).unwrap().contains("current-context: dev\n"));
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "neither locks nor drafts: {left:?}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
