//! Core's errors as exceptions: a class for each kind, under one base class.

use crate::{interrupt::is_interrupt, values, word::Word};
use aks_acr::{Error, ErrorKind};
use pyo3::{
    create_exception,
    exceptions::{PyException, PyTimeoutError, PyValueError},
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple, PyType},
};
use std::error::Error as _;

create_exception!(
    aks_acr,
    AksAcrError,
    PyException,
    "What went wrong, with the facts that a caller needs to act. Each kind of error has its own subclass."
);

/// The class of each kind, created once.
static CLASSES: PyOnceLock<Vec<(ErrorKind, Py<PyType>)>> = PyOnceLock::new();

fn class_of(py: Python<'_>, kind: ErrorKind) -> Bound<'_, PyType> {
    let known = CLASSES.get(py).and_then(|classes| classes.iter().find(|(of, _)| *of == kind));
    known.map_or_else(|| py.get_type::<AksAcrError>(), |(_, class)| class.bind(py).clone())
}

/// A subclass of ours and of Python's own class for the same error, if it has one.
fn make(py: Python<'_>, kind: ErrorKind, name: &str, doc: &str) -> PyResult<Py<PyType>> {
    let base = py.get_type::<AksAcrError>();
    let bases = match kind {
        ErrorKind::InvalidInput => (base, py.get_type::<PyValueError>()).into_pyobject(py)?,
        ErrorKind::DeadlineExceeded => (base, py.get_type::<PyTimeoutError>()).into_pyobject(py)?,
        _ => (base,).into_pyobject(py)?,
    };
    let own = PyDict::new(py);
    own.set_item("__doc__", doc)?;
    own.set_item("__module__", "aks_acr")?;
    own.set_item("kind", Word(kind))?;
    own.set_item("is_transient", kind.is_transient())?;
    Ok(py.get_type::<PyType>().call1((name, bases, own))?.cast_into::<PyType>()?.unbind())
}

/// Adds a class for each kind to the module. An exception that a caller's test constructs has the same attributes, all `None`.
pub fn register(module: &Bound<'_, PyModule>, kinds: &[(ErrorKind, &str, &str)]) -> PyResult<()> {
    let py = module.py();
    let base = py.get_type::<AksAcrError>();
    for fact in values::FACTS {
        base.setattr(fact, py.None())?;
    }
    base.setattr("policies", PyTuple::empty(py))?;
    base.setattr("eligible_roles", PyTuple::empty(py))?;
    base.setattr("is_transient", false)?;
    base.setattr("kind", Word(ErrorKind::Unexpected))?;
    module.add(stringify!(AksAcrError), base)?;
    let made = |&(kind, name, doc)| PyResult::Ok((kind, make(py, kind, name, doc)?));
    for (_, class) in CLASSES.get_or_try_init(py, || kinds.iter().map(made).collect::<PyResult<Vec<_>>>())? {
        module.add(class.bind(py).name()?, class)?;
    }
    Ok(())
}

/// The exception for an invalid argument that core has no type for.
pub fn invalid(py: Python<'_>, text: String) -> PyErr {
    PyErr::from_type(class_of(py, ErrorKind::InvalidInput), text)
}

/// The exception for an error, with the credential's exception as its cause. `KeyboardInterrupt` and the like pass through.
pub fn to_py(py: Python<'_>, err: &Error) -> PyErr {
    let cause = python_cause(py, err);
    if let Some(interrupt) = cause.as_ref().filter(|cause| is_interrupt(py, cause)) {
        return interrupt.clone_ref(py);
    }
    let exception = PyErr::from_type(class_of(py, err.kind()), format!("{err:#}"));
    if let Err(failed) = values::set_facts(exception.value(py), err) {
        return failed;
    }
    exception.set_cause(py, cause);
    exception
}

/// The exception that the caller's credential raised, if that caused the error.
fn python_cause(py: Python<'_>, err: &Error) -> Option<PyErr> {
    let mut source = err.source();
    while let Some(err) = source {
        if let Some(cause) = err.downcast_ref::<PyErr>() {
            return Some(cause.clone_ref(py));
        }
        source = err.source();
    }
    None
}
