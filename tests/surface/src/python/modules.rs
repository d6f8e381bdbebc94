//! The modules in Python: words, the methods of the clients, exports.

use super::{Python, prose::quoted};
use crate::{files::HEAD, prose::Idiom, source::snake_case, surface::BY_HAND};
use std::fmt::Write as _;

/// What the package has besides words, results, and a class for each kind of error.
const BESIDES: [&str; 9] =
    ["AksAcrError", "Cloud", "Run", "custom_role_json", "required_rights", "Client", "Follow", "__version__", "aio"];

impl Python<'_> {
    pub(super) fn words_module(&self) -> String {
        let mut text = format!(
            "# {HEAD}\n\"\"\"Words: enums whose members are text, and that may be given as text.\"\"\"\n\nimport enum\n\n\n\
             class _Word(str, enum.Enum):\n    def __str__(self) -> str:\n        return str.__str__(self)\n"
        );
        for name in &self.words {
            let docs = quoted(&self.paragraphs(&self.source.docs_of_enums[name], name), "    ");
            write!(text, "\n\nclass {name}(_Word):\n{docs}\n").expect("text");
            for variant in &self.source.enums[name] {
                let member = snake_case(&variant.name).to_uppercase();
                let docs = quoted(&self.paragraphs(&variant.docs, name), "    ");
                write!(text, "    {member} = \"{}\"\n{docs}", variant.word).expect("text");
            }
        }
        text
    }

    /// The methods of the four ways to make a call.
    pub(super) fn operations_module(&self) -> String {
        let mut text = format!(
            "# {HEAD}\n\"\"\"The operations as methods of the clients.\"\"\"\n\nfrom __future__ import annotations\n\n\
             from ._face import awaitable, blocking, followed, followed_async\nfrom ._native import Calls\n"
        );
        let ways = [
            ("Blocking", "blocking", "Methods that block."),
            ("Awaitable", "awaitable", "Methods that are coroutines."),
            ("Followed", "followed", "Methods that give a run, to be iterated."),
            ("FollowedAsync", "followed_async", "Methods that give a run, to be iterated by coroutines."),
        ];
        for (class, way, docs) in ways {
            let made = match class {
                "Followed" | "FollowedAsync" => {
                    "    def __init__(self, calls: Calls) -> None:\n        self._calls = calls\n\n"
                }
                _ => "    _calls: Calls\n\n",
            };
            write!(text, "\n\nclass {class}:\n    \"\"\"{docs}\"\"\"\n\n{made}").expect("text");
            for operation in &self.operations {
                let (name, docs) = (&operation.name, &self.paragraphs(&operation.docs, "Client")[..1]);
                write!(text, "    {name} = {way}(Calls.{name})\n{}", quoted(docs, "    ")).expect("text");
            }
        }
        text
    }

    /// The package's exports.
    pub(super) fn exports(&self) -> String {
        let errors: Vec<String> =
            self.source.enums["ErrorKind"].iter().map(|kind| format!("{}Error", kind.name)).collect();
        let mut native: Vec<&str> = self.results.iter().map(String::as_str).chain(BY_HAND).collect();
        native.extend(errors.iter().map(String::as_str).chain(BESIDES[..5].iter().copied()));
        native.sort_unstable();
        let mut all: Vec<&str> = self.words.iter().map(String::as_str).chain(native.iter().copied()).collect();
        all.extend(&BESIDES[5..]);
        all.sort_unstable();
        let lines = |names: &[&str], mark: &str| -> String {
            names.iter().map(|name| format!("    {mark}{name}{mark},\n")).collect()
        };
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        format!(
            "# {HEAD}\n\
             \"\"\"Joins Azure Container Registry to Azure Kubernetes Service: attach, import, deploy, and say why a pull fails.\n\n\
             :class:`Client` blocks; :class:`aks_acr.aio.Client` has the same methods as coroutines.\n\"\"\"\n\n\
             import atexit\n\nfrom ._words import (\n{})\n\n# isort: split\nfrom . import _native, aio\nfrom ._client import Client, Follow\n\
             from ._native import (\n    VERSION as __version__,\n{})\n\n__all__ = [\n{}]\n\n\
             # Before the interpreter ends, so that no work of ours finds it gone.\natexit.register(_native.shut_down)\n",
            lines(&words, ""),
            lines(&native, ""),
            lines(&all, "\"")
        )
    }
}
