//! The stub of the native module: a hand-written part, and what follows from core.

use super::{
    Python,
    prose::{quoted, quoted_lines},
    python_name,
};
use crate::{
    ask::{Ask, Gives},
    files::{HEAD, root},
    operations::Operation,
    prose::Idiom,
    source::{Field, Form},
    surface::{MAPPED, is_list_of_outcomes},
};
use std::{fmt::Write as _, fs};

/// The part that is written by hand. It ends within the class of the operations.
const BY_HAND: &str = "bindings-python/native.pyi.in";

/// What some results have besides their fields.
const MORE: [(&str, &str); 1] = [(
    "Pods",
    "    def __len__(self) -> int: ...\n    def __iter__(self) -> Iterator[Pod]: ...\n    @overload\n    \
         def __getitem__(self, key: SupportsIndex, /) -> Pod: ...\n    @overload\n    \
         def __getitem__(self, key: slice, /) -> tuple[Pod, ...]: ...\n    def _repr_html_(self) -> str: ...\n",
)];

impl Python<'_> {
    pub(super) fn stub(&self) -> String {
        let by_hand = fs::read_to_string(root().join(BY_HAND)).unwrap_or_else(|err| panic!("{BY_HAND}: {err}"));
        let imported: String = self.words.iter().map(|name| format!("    {name},\n")).collect();
        let by_hand = by_hand.replacen("from ._words import *\n", &format!("from ._words import (\n{imported})\n"), 1);
        let mut text = format!("# {HEAD}\n# What is not from core is written in {BY_HAND}.\n{by_hand}");
        for operation in &self.operations {
            write!(text, "\n{}", self.signature(operation)).expect("text");
        }
        text.push('\n');
        for name in self.words.iter().chain(self.results.iter().filter(|name| self.has_forms(name))) {
            let forms = self.source.enums[name].iter();
            let alias = if self.is_word(name) {
                let words: Vec<String> = forms.map(|form| format!("\"{}\"", form.word)).collect();
                format!("{name} | Literal[{}]", words.join(", "))
            } else {
                forms.map(|form| format!("{name}.{}", form.name)).collect::<Vec<_>>().join(" | ")
            };
            writeln!(text, "_{name}: TypeAlias = {alias}").expect("text");
        }
        text += &(self.mapped() + &self.item());
        for name in &self.results {
            text.push('\n');
            text += &if self.has_forms(name) { self.forms(name) } else { self.value(name) };
        }
        text += "\nclass AksAcrError(Exception):\n    \"\"\"What went wrong, with the facts that a caller needs to act. Each kind of error has its own subclass.\"\"\"\n\n";
        for (name, method) in self.facts() {
            let ty = method.result.as_ref().map(|ty| self.returned(ty)).unwrap_or_default();
            let docs = quoted(&self.paragraphs(&method.docs, "Error"), "    ");
            write!(text, "    {name}: {ty}\n{docs}").expect("text");
        }
        for kind in &self.source.enums["ErrorKind"] {
            let base = match kind.name.as_str() {
                "InvalidInput" => ", ValueError",
                "DeadlineExceeded" => ", TimeoutError",
                _ => "",
            };
            let docs = quoted(&[self.about_error(kind)], "    ");
            write!(text, "\nclass {}Error(AksAcrError{base}):\n{docs}", kind.name).expect("text");
        }
        text
    }

    /// An item of a list, as a mapping.
    fn item(&self) -> String {
        let mut text = String::from(
            "\n@type_check_only\nclass RegistryCredential(TypedDict):\n    \"\"\"A user name and a password for a registry, as part of an image pull secret.\"\"\"\n\n    registry: str\n    \"\"\"Host of the registry, such as `ghcr.io`; `docker.io` for Docker Hub.\"\"\"\n\n    username: str\n    password: str\n\n@type_check_only\nclass ImportItem(TypedDict):\n    \"\"\"An image in a list, with its import options.\"\"\"\n\n    source: str\n",
        );
        let single = self.operations.iter().find(|one| one.name == "import_image").expect("the import of one image");
        for one in self.parameters(single).iter().filter(|one| one.is_keyword && one.name != "on_progress") {
            // Lists are never missing there.
            let python = if one.rust.contains("Vec<") || one.rust.contains("Word<") {
                one.python.trim_end_matches(" | None")
            } else {
                &one.python
            };
            write!(
                text,
                "    {}: NotRequired[{python}]\n{}",
                one.name,
                quoted(std::slice::from_ref(&one.docs), "    ")
            )
            .expect("text");
        }
        text
    }

    /// An option as a mapping: its name is required.
    fn mapped(&self) -> String {
        let of = &self.source.structs[MAPPED];
        let docs = quoted(&self.paragraphs(&of.docs, MAPPED), "    ");
        let mut text = format!("\n@type_check_only\nclass {MAPPED}(TypedDict):\n{docs}\n    name: str\n");
        for field in &of.fields {
            let docs = quoted(&self.paragraphs(&field.docs, MAPPED), "    ");
            let ty = self.given(&field.ty, "Sequence");
            let line =
                if field.name == "name" { String::new() } else { format!("    {}: NotRequired[{ty}]\n", field.name) };
            text += &(line + &docs);
        }
        text
    }

    fn signature(&self, operation: &Operation<'_>) -> String {
        let mut lines = vec!["self".to_owned()];
        for one in self.parameters(operation) {
            if one.is_keyword && !lines.contains(&"*".to_owned()) {
                lines.push("*".to_owned());
            }
            lines.push(format!("{}: {}{}", one.name, one.python, if one.is_optional { " = None" } else { "" }));
        }
        let result = self.result(&operation.result);
        let lines: String = lines.iter().map(|line| format!("        {line},\n")).collect();
        let docs = quoted_lines(&self.docstring(operation), "        ");
        format!("    def {}(\n{lines}    ) -> Call[{result}]:\n{docs}", operation.name)
    }

    fn result(&self, ty: &Form) -> String {
        if is_list_of_outcomes(ty) {
            return format!("list[{} | AksAcrError]", self.returned(ty.core()));
        }
        match ty.name.as_str() {
            "Vec" => format!("list[{}]", self.returned(&ty.inner[0])),
            _ => self.returned(ty),
        }
    }

    fn value(&self, name: &str) -> String {
        let of = &self.source.structs[name];
        let docs = quoted(&self.paragraphs(&of.docs, name), "    ");
        let names: Vec<String> = of.fields.iter().map(|field| format!("\"{}\"", python_name(&field.name))).collect();
        let names = names.join(", ") + if names.len() == 1 { "," } else { "" };
        let mut text = format!(
            "@final\nclass {name}(Result):\n{docs}\n    __match_args__ = ({names})\n    def __new__(\n        cls,\n        *,\n"
        );
        for field in &of.fields {
            writeln!(text, "        {}: {},", python_name(&field.name), self.given(&field.ty, "Iterable"))
                .expect("text");
        }
        writeln!(text, "    ) -> {name}: ...").expect("text");
        // Within the class a field of that name stands in the way of the decorator, so it comes last.
        let (last, first): (Vec<&Field>, Vec<_>) = of.fields.iter().partition(|field| field.name == "property");
        first.into_iter().chain(last).for_each(|field| text += &self.property(field, name, "    "));
        text + &self.methods_of_stub(name) + more(name)
    }

    /// What it is asked for.
    fn methods_of_stub(&self, name: &str) -> String {
        let one = |ask: Ask<'_>| {
            let ty = match ask.gives {
                Gives::Nothing => "None",
                Gives::Same => name,
                Gives::Text => "str",
            };
            let docs = quoted(&self.about_ask(&ask, name), "        ");
            let shown = if ask.name == "to_html" {
                "    def _repr_html_(self) -> str:\n        \"\"\"What a notebook shows.\"\"\"\n\n"
            } else {
                ""
            };
            format!("    def {}(self) -> {ty}:\n{docs}\n{shown}", ask.name)
        };
        self.source.asked_of(name).into_iter().map(one).collect()
    }

    fn property(&self, field: &Field, of: &str, indent: &str) -> String {
        let (name, ty) = (python_name(&field.name), self.returned(&field.ty));
        let docs = quoted(&self.about_field(field, of), &format!("{indent}    "));
        format!("{indent}@property\n{indent}def {name}(self) -> {ty}:\n{docs}\n")
    }

    fn forms(&self, name: &str) -> String {
        let docs = quoted(&self.paragraphs(&self.source.docs_of_enums[name], name), "    ");
        let mut text = format!(
            "@disjoint_base\nclass {name}(Result):\n{docs}\n    @property\n    def kind(self) -> str:\n        \
             \"\"\"The name of this variant, the same word in every language.\"\"\"\n\n{}",
            more(name)
        );
        for form in &self.source.enums[name] {
            let docs = quoted(&self.paragraphs(&form.docs, name), "        ");
            let fields = form.fields.iter().map(|field| python_name(&field.name));
            let names: String = fields.map(|field| format!("\"{field}\", ")).collect();
            let names = if form.fields.len() == 1 { names.trim_end() } else { names.trim_end_matches(", ") };
            let given = form.fields.iter().map(|field| {
                let ty = self.given(&field.ty, "Iterable").replacen("dict[", "Mapping[", 1);
                format!(", {}: {ty}", python_name(&field.name))
            });
            let (form_name, word, given) = (&form.name, &form.word, given.collect::<String>());
            write!(
                text,
                "    @final\n    class {form_name}({name}):\n{docs}\n        __match_args__ = ({names})\n        \
                 def __new__(cls{given}) -> {name}.{form_name}: ...\n        @property\n        \
                 def kind(self) -> Literal[\"{word}\"]: ...\n"
            )
            .expect("text");
            for field in &form.fields {
                text += &self.property(field, name, "        ");
            }
            text.push('\n');
        }
        text
    }
}

fn more(name: &str) -> &'static str {
    MORE.iter().find(|(of, _)| *of == name).map_or("", |(_, more)| more)
}
