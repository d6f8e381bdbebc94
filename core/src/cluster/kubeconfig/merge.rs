//! Merges a kubeconfig's entries into a file that other programs use, too.

use super::{
    Kubeconfig, KubeconfigOptions,
    accept::check_entries,
    edit::{Edit, current, read, values},
    entries::{Entries, find},
    file::LockedFile,
    place::Places,
    write::{Change, unfit, write},
};
use crate::{
    call::CallOptions,
    cluster::Access,
    environment::Environment,
    error::{Error, ErrorKind, Result, words},
};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Longer than many concurrent processes need; each holds the lock for some milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// What a merge does with an existing entry that has the same name but different content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnExistingEntry {
    /// Keeps it and fails with [`Conflict`](ErrorKind::Conflict). An identical entry is not an error.
    #[default]
    Keep,
    /// Replaces it.
    Replace,
}

words!(OnExistingEntry, "on_existing_entry": Keep => "keep", Replace => "replace");

/// Options for merging a cluster's kubeconfig into a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MergeKubeconfigOptions {
    /// Options of the kubeconfig; deadline (2 minutes by default), cancellation, progress.
    /// [`Kubeconfig::merge`] ignores this.
    pub kubeconfig: KubeconfigOptions,
    /// The file. By default it is chosen as kubectl chooses it: the first file in `KUBECONFIG` that already has an entry with the name of
    /// the context, the cluster or the user, else the first that exists, else the last; without `KUBECONFIG`, `~/.kube/config`.
    pub file: Option<PathBuf>,
    /// What to do with existing entries that have the same names but different content. Kept by default.
    pub on_existing_entry: OnExistingEntry,
    /// Whether the context becomes the current one; on by default.
    pub set_current: bool,
    /// How long to wait for the file's lock; 10 seconds by default, and never beyond the call's deadline.
    pub lock_wait: Duration,
}

impl Default for MergeKubeconfigOptions {
    fn default() -> Self {
        Self {
            kubeconfig: KubeconfigOptions::default(),
            file: None,
            on_existing_entry: OnExistingEntry::default(),
            set_current: true,
            lock_wait: LOCK_WAIT,
        }
    }
}

impl MergeKubeconfigOptions {
    /// Sets the kind of access; see [`KubeconfigOptions::access`].
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.kubeconfig = self.kubeconfig.with_access(access);
        self
    }

    /// Sets whether a private cluster is addressed by its public name; see [`KubeconfigOptions::public_fqdn`].
    #[must_use]
    pub fn with_public_fqdn(mut self, public_fqdn: bool) -> Self {
        self.kubeconfig = self.kubeconfig.with_public_fqdn(public_fqdn);
        self
    }

    /// Sets the context's name; see [`KubeconfigOptions::context`].
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.kubeconfig = self.kubeconfig.with_context(context);
        self
    }

    /// Sets [`file`](Self::file).
    #[must_use]
    pub fn with_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Sets [`on_existing_entry`](Self::on_existing_entry).
    #[must_use]
    pub fn with_on_existing_entry(mut self, on_existing_entry: OnExistingEntry) -> Self {
        self.on_existing_entry = on_existing_entry;
        self
    }

    /// Sets [`set_current`](Self::set_current).
    #[must_use]
    pub fn with_set_current(mut self, set_current: bool) -> Self {
        self.set_current = set_current;
        self
    }

    /// Sets [`lock_wait`](Self::lock_wait).
    #[must_use]
    pub fn with_lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Sets the deadline (2 minutes by default), cancellation and progress.
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.kubeconfig = self.kubeconfig.with_call(call);
        self
    }
}

/// What a merge did with the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MergeOutcome {
    /// At least one entry was added, and none was replaced.
    Added,
    /// At least one entry was replaced.
    Replaced,
    /// All entries existed already.
    Unchanged,
}

words!(MergeOutcome, "outcome": Added => "added", Replaced => "replaced", Unchanged => "unchanged");

/// The result of merging a kubeconfig into a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MergedKubeconfig {
    /// The file with the entries. If it is a link, the file that the link points to was written.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The name of the context.
    pub context: String,
    /// What was done with the entries.
    pub outcome: MergeOutcome,
    /// The previous current context, if there was one.
    pub previous_context: Option<String>,
    /// Whether the current context was changed.
    pub current_context_changed: bool,
    /// Whether the file's mode lets other users read or write the file, which contains keys.
    /// The file had this mode before the merge.
    pub is_open_to_others: bool,
}

/// A file name that is not UTF-8 must not make the JSON fail after the merge is done.
fn as_text<S: Serializer>(file: &Path, into: S) -> Result<S::Ok, S::Error> {
    into.serialize_str(&file.to_string_lossy())
}

impl Kubeconfig {
    /// Merges this kubeconfig's context, cluster and user into a file, keeping every other byte.
    ///
    /// It blocks. Without a file in the options it reads the process's `KUBECONFIG`.
    ///
    /// The file is replaced atomically, under the lock that kubectl takes. If it cannot be replaced, for example because it is a single
    /// file mounted into a container, it is written in place, as kubectl does, and the old text is restored if that fails. Links are
    /// followed; mode, owner and line endings are kept; a new file can be read and written by its owner only. If a context of that name
    /// differs only in its namespace, which a user may have set, it is left alone. An administrator's context ends in `-admin`, as with
    /// az.
    ///
    /// If the merge fails, no file is changed. The one exception is a merge that writes two files, because the current context and the
    /// entries are in different files of `KUBECONFIG`. Before the first file is replaced, both are locked and both new versions are written
    /// to temporary files. If replacing the second then fails, the error names the first as `already changed`: run the same merge again to
    /// complete it.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) if the file has different entries with these names and
    /// [`on_existing_entry`](MergeKubeconfigOptions::on_existing_entry) is [`keep`](OnExistingEntry::Keep), if the lock is not released
    /// in time (the error names it), or if a program that ignores the lock changed the file in the meantime;
    /// [`InvalidInput`](ErrorKind::InvalidInput) if an entry names a file, a user to impersonate, a proxy that you did not
    /// configure, or a program other than `kubelogin` (the error names the field), or if the file's layout does not allow
    /// changing only these entries (the error names the line); [`Forbidden`](ErrorKind::Forbidden) if the file is not writable;
    /// [`Unavailable`](ErrorKind::Unavailable) if the operating system reported an error, for example because the disk is full.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use aks_acr::{Kubeconfig, MergeKubeconfigOptions, MergeOutcome};
    ///
    /// # let folder = std::env::temp_dir().join(format!("aks-acr-merge-{}", std::process::id()));
    /// # let file = folder.join("config");
    /// let kubeconfig = Kubeconfig::parse(
    ///     "current-context: dev\n\
    ///      contexts: [{name: dev, context: {cluster: dev, user: me}}]\n\
    ///      clusters: [{name: dev, cluster: {server: 'https://dev.example'}}]\n\
    ///      users: [{name: me, user: {token: secret}}]",
    /// )?;
    /// let merged = kubeconfig.merge(&MergeKubeconfigOptions::default().with_file(&file))?;
    /// assert_eq!(merged.outcome, MergeOutcome::Added);
    /// assert_eq!(kubeconfig.merge(&MergeKubeconfigOptions::default().with_file(&file))?.outcome, MergeOutcome::Unchanged);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(()) }
    /// ```
    pub fn merge(&self, options: &MergeKubeconfigOptions) -> Result<MergedKubeconfig> {
        let places = Places::find(options.file.as_deref(), &Environment::default())?;
        self.merge_into(&places, options, &|| false)
    }

    /// The result of [`merge`](Self::merge) for a file's text; tests/fuzz calls it with generated input.
    ///
    /// # Errors
    /// Those of the text.
    #[cfg(fuzzing)]
    #[doc(hidden)]
    pub fn merge_text(&self, text: &str, existing: OnExistingEntry, set_current: bool) -> Result<String> {
        let entries = self.accepted_entries()?;
        let current = set_current.then_some(entries.context.as_str());
        let wanted = Edit { entries: Some(&entries), replace: existing == OnExistingEntry::Replace, current };
        let edited =
            super::edit::edit(text, wanted).map_err(|refusal| super::write::refused(Path::new("text"), refusal))?;
        Ok(edited.text.unwrap_or_else(|| text.to_owned()))
    }

    /// The entries to merge. A client that uses the file would run, read and contact what they name.
    fn accepted_entries(&self) -> Result<Entries> {
        let entries = self.entries()?;
        let is_own = |proxy: &str| self.proxies.iter().any(|own| own == proxy);
        check_entries(&entries, &is_own).map_err(|unaccepted| unaccepted.error(ErrorKind::InvalidInput))?;
        Ok(entries.with_admin_suffix())
    }

    pub(crate) fn merge_into(
        &self,
        places: &Places,
        options: &MergeKubeconfigOptions,
        stop: &dyn Fn() -> bool,
    ) -> Result<MergedKubeconfig> {
        let entries = self.accepted_entries()?;
        let chosen = Chosen::among(places, &entries, options, stop)?;
        let current = options.set_current.then_some(entries.context.as_str());
        let in_one = chosen.current == chosen.entries;
        let replace = options.on_existing_entry == OnExistingEntry::Replace;
        let first = Edit { entries: Some(&entries), replace, current: current.filter(|_| in_one) };
        let mut changes: Vec<Change<'_>> = vec![(&chosen.entries, first)];
        if !in_one {
            // Another file of the list says first what the current context is.
            changes.push((&chosen.current, Edit { entries: None, replace: false, current }));
        }
        let mut written = write(&changes, options.lock_wait, stop)?.into_iter();
        let missing = || Error::new(ErrorKind::Unexpected, "the merge wrote no file");
        let done = written.next().ok_or_else(missing)?;
        let context_changed = done.edited.context_changed || written.any(|one| one.edited.context_changed);
        let outcome = match (done.edited.replaced, done.edited.added) {
            (true, _) => MergeOutcome::Replaced,
            (false, true) => MergeOutcome::Added,
            (false, false) => MergeOutcome::Unchanged,
        };
        Ok(MergedKubeconfig {
            file: chosen.entries,
            context: entries.context,
            outcome,
            previous_context: chosen.previous,
            current_context_changed: context_changed,
            is_open_to_others: done.is_open_to_others,
        })
    }
}

/// The files to write.
struct Chosen {
    entries: PathBuf,
    current: PathBuf,
    previous: Option<String>,
}

impl Chosen {
    /// The first file with an entry of one of the names hides those of the others; so does the first with a current context.
    fn among(
        places: &Places,
        entries: &Entries,
        options: &MergeKubeconfigOptions,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self> {
        let (mut with_entries, mut with_current) = (None, None);
        for file in places.all() {
            let Some(values) = read_values(file, options, stop)? else { continue };
            let has_one = entries.all.iter().any(|entry| find(&values, entry.list, &entry.name).is_some());
            if has_one && with_entries.is_none() {
                with_entries = Some(file.clone());
            }
            if let (None, Some(name)) = (&with_current, current(&values)) {
                with_current = Some((file.clone(), name.to_owned()));
            }
        }
        let entries = with_entries.unwrap_or_else(|| places.default().to_owned());
        let (current, previous) = with_current.map_or((None, None), |(file, name)| (Some(file), Some(name)));
        let current = current.filter(|_| options.set_current).unwrap_or_else(|| entries.clone());
        Ok(Self { entries, current, previous })
    }
}

/// The values of a file. Decisions based on them are checked again under the lock.
fn read_values(
    file: &Path,
    options: &MergeKubeconfigOptions,
    stop: &dyn Fn() -> bool,
) -> Result<Option<serde_json::Value>> {
    // A path that is not a file, or not readable, is rejected when it has to be written. Reading a pipe would consume its data.
    if !fs::metadata(file).is_ok_and(|data| data.is_file()) {
        return Ok(None);
    }
    let Ok(bytes) = fs::read(file) else { return Ok(None) };
    if let Ok(Ok(values)) = std::str::from_utf8(&bytes).map(values) {
        return Ok(Some(values));
    }
    // kubectl writes files in place, under the lock: it may have been half way.
    let held = LockedFile::take(file, options.lock_wait, stop)?;
    read(held.text()?).map(Some).map_err(|fault| unfit(file, &fault))
}
