//! Imported images.

use crate::{
    argument::{Parsed, Span, set},
    error::{invalid, to_py},
    value::{Several, methods, name_of, through_json, value, variants},
    word::Word,
};
use aks_acr::{ImageReference, ImportCredentials, ImportItem, ImportOptions, OnExistingTag, RegistryRef};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyBytes, PyList, PyMapping, PyString},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

value! {
    /// An image that is in the registry now.
    pub struct Import {
        /// The source, completed as Docker completes it.
        source: String,
        /// The image in the registry: by its tag, or by its digest where it has none there.
        target: String,
        /// Its further names there.
        additional_tags: Several<String>,
        /// `False`: an equal image was there, and nothing was copied.
        is_new: bool,
        /// How sure it is that the two are the same.
        proof: ImportProof,
        /// By this Azure's activity log knows the write. `None` where nothing was copied, or where its answer was lost.
        correlation_id: Option<String>,
    }
}

variants! {
    /// How sure it is that an imported image is its source. `str()` is a line for a reader.
    pub enum ImportProof {
        /// The target's digest equals the one that the source had before the import.
        SourceMatched { digest: String },
        /// The target's digest is known, the source's is not; `reason` says why.
        TargetOnly { digest: String, reason: String },
        /// Azure says that the import succeeded; `reason` says why the target could not be looked at.
        Unproven { reason: String },
    }
}

variants! {
    /// How `start_import` ended.
    pub enum StartedImport {
        /// Every target has the image already: nothing was begun.
        AlreadyThere {
            #[serde(rename = "import")]
            import_: Import
        },
        /// Azure copies.
        Started { handle: ImportHandle },
    }
}

impl StartedImport {
    /// The JSON form of a handle does not have all of it.
    pub fn from_core(started: aks_acr::StartedImport) -> PyResult<Self> {
        match started {
            aks_acr::StartedImport::Started { handle } => Ok(Self::Started { handle: handle.into() }),
            other => through_json(&other),
        }
    }
}

variants! {
    /// How far an import is.
    pub enum ImportStatus {
        /// Azure is at work. The states are its own words, by `repository:tag`.
        Running { tags: BTreeMap<String, String> },
        /// All is copied.
        Succeeded {},
    }
}

/// An import that Azure works on. It can be stored and looked at later, also by another process.
///
/// The link in it is signed by Azure: whoever has it can follow the import, so keep its JSON form as a secret. Each look gives it a
/// new link; copies of it within the process are one.
#[pyclass(frozen, eq, hash, from_py_object, module = "aks_acr")]
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "aks_acr::ImportHandle", into = "aks_acr::ImportHandle")]
pub struct ImportHandle(Arc<Mutex<aks_acr::ImportHandle>>);

impl ImportHandle {
    pub fn present(&self) -> aks_acr::ImportHandle {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn take_over(&self, newer: aks_acr::ImportHandle) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = newer;
    }
}

impl From<aks_acr::ImportHandle> for ImportHandle {
    fn from(handle: aks_acr::ImportHandle) -> Self {
        Self(Arc::new(Mutex::new(handle)))
    }
}

impl From<ImportHandle> for aks_acr::ImportHandle {
    fn from(handle: ImportHandle) -> Self {
        handle.present()
    }
}

/// By the stored form: how long Azure asked to wait is not part of it.
impl PartialEq for ImportHandle {
    fn eq(&self, other: &Self) -> bool {
        serde_json::to_value(self.present()).ok() == serde_json::to_value(other.present()).ok()
    }
}

impl Eq for ImportHandle {}

/// By what does not change with a look.
impl Hash for ImportHandle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let present = self.present();
        present.registry.as_str().hash(state);
        present.targets.hash(state);
    }
}

methods! { ImportHandle;
    #[classattr]
    fn __match_args__() -> (name_of!(registry), name_of!(targets)) {
        ("registry", "targets")
    }

    /// Resource id of the registry that is imported into.
    #[getter]
    fn registry(&self) -> String {
        self.present().registry.to_string()
    }

    /// `repository:tag` of each target, or the repository of one without a tag.
    #[getter]
    fn targets(&self) -> Several<String> {
        Several(self.present().targets)
    }

    /// By this Azure's activity log knows the request that began it.
    #[getter]
    fn correlation_id(&self) -> Option<String> {
        self.present().correlation_id
    }

    /// How long Azure asked to wait before the next look, if it did.
    #[getter]
    fn asked_wait(&self) -> Option<Duration> {
        self.present().asked_wait()
    }
}

/// A handle, or the start that gave it.
pub struct Followed(pub ImportHandle);

impl FromPyObject<'_, '_> for Followed {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        match given.extract::<StartedImport>() {
            Ok(StartedImport::Started { handle }) => Ok(Self(handle)),
            Ok(StartedImport::AlreadyThere { .. }) => {
                Err(PyValueError::new_err("the image was there already: no import was begun"))
            }
            Err(_) => Ok(Self(given.extract()?)),
        }
    }
}

/// The options of an import as they are given.
#[derive(Default)]
pub struct ImportArguments {
    pub target: Option<String>,
    pub additional_tags: Option<Vec<String>>,
    pub untagged_repositories: Option<Vec<String>>,
    pub on_existing_tag: Option<Word<OnExistingTag>>,
    pub source_registry: Option<Parsed<RegistryRef>>,
    pub username: Option<String>,
    pub password: Option<String>,
}

impl ImportArguments {
    pub fn options(self) -> PyResult<ImportOptions> {
        let mut options = ImportOptions::default();
        options.target = self.target;
        set(&mut options.additional_tags, self.additional_tags);
        set(&mut options.untagged_repositories, self.untagged_repositories);
        set(&mut options.on_existing_tag, self.on_existing_tag.map(|Word(existing)| existing));
        options.source_registry = self.source_registry.map(|Parsed(registry)| registry);
        options.credentials = match (self.username, self.password) {
            (Some(username), Some(password)) => Some(ImportCredentials::user(username, password.into())),
            (None, Some(token)) => Some(ImportCredentials::token(token.into())),
            (Some(_), None) => return Err(PyTypeError::new_err("a username needs a password")),
            (None, None) => None,
        };
        Ok(options)
    }
}

/// An image of a list: its source, or a mapping with the source and options.
pub struct Item(pub ImportItem);

impl FromPyObject<'_, '_> for Item {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyString>() {
            let Parsed(source) = given.extract()?;
            return Ok(Self(ImportItem::new(source, ImportOptions::default())));
        }
        let (mut source, mut deadline) = (None, None);
        let mut options = ImportArguments::default();
        for pair in given.cast::<PyMapping>()?.items()? {
            let (name, value): (String, Bound<'_, PyAny>) = pair.extract()?;
            match &*name {
                "source" => source = Some(value.extract::<Parsed<ImageReference>>()?.0),
                "target" => options.target = value.extract()?,
                "additional_tags" => options.additional_tags = value.extract()?,
                "untagged_repositories" => options.untagged_repositories = value.extract()?,
                "on_existing_tag" => options.on_existing_tag = value.extract()?,
                "source_registry" => options.source_registry = value.extract()?,
                "username" => options.username = value.extract()?,
                "password" => options.password = value.extract()?,
                "deadline" => deadline = value.extract::<Option<Span>>()?,
                other => return Err(PyTypeError::new_err(format!("an image of a list has no option '{other}'"))),
            }
        }
        let source = source.ok_or_else(|| PyTypeError::new_err("an image of a list has a 'source'"))?;
        let mut options = options.options()?;
        options.call.deadline = Span::named(deadline, given.py(), "deadline")?;
        Ok(Self(ImportItem::new(source, options)))
    }
}

/// A list of images. One name is no list of names, nor is an image with its options one of images.
pub struct Items(pub Vec<ImportItem>);

impl FromPyObject<'_, '_> for Items {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>() || given.cast::<PyMapping>().is_ok()
        {
            let class = given.get_type().qualname()?;
            return Err(invalid(given.py(), format!("images: wanted a list of images, and not one {class}")));
        }
        let Several(items) = given.extract::<Several<Item>>()?;
        Ok(Self(items.into_iter().map(|Item(image)| image).collect()))
    }
}

/// What became of each image of a list: the import, or the exception.
#[derive(Clone)]
pub struct Outcomes(Arc<Vec<aks_acr::Result<aks_acr::Import>>>);

impl From<Vec<aks_acr::Result<aks_acr::Import>>> for Outcomes {
    fn from(results: Vec<aks_acr::Result<aks_acr::Import>>) -> Self {
        Self(Arc::new(results))
    }
}

impl<'py> IntoPyObject<'py> for Outcomes {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let list = PyList::empty(py);
        for result in self.0.iter() {
            match result {
                Ok(import) => list.append(through_json::<Import>(import)?)?,
                Err(err) => list.append(to_py(py, err).into_value(py))?,
            }
        }
        Ok(list)
    }
}
