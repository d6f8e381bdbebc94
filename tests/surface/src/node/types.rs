//! Options, words and results as types of TypeScript.

use super::{Node, OTHERWISE, ask_name, name_of, prose::comment};
use crate::{
    ask::{Ask, Gives},
    prose::Idiom,
    source::{Field, Variant},
    surface::MAPPED,
};

impl Node<'_> {
    /// The options of every operation that has some, each type once.
    pub(super) fn option_types(&self) -> String {
        let (mut text, mut known) = (String::new(), Vec::new());
        for operation in &self.operations {
            let Some(name) = self.options_of(operation).filter(|name| !known.contains(name)) else { continue };
            let of = operation.options.as_deref().unwrap_or("PodSelection");
            let docs = comment(&self.paragraphs(self.docs_of(of), of), "");
            text += &format!("\n{docs}export interface {name} extends CallOptions {{\n");
            for given in self.given(operation) {
                text += &format!("{}  {}?: {};\n", comment(&given.docs, "  "), given.name, given.typescript);
            }
            text += "}\n";
            known.push(name);
        }
        text
    }

    /// An option that is an object of its own: its name is required.
    pub(super) fn mapped_type(&self) -> String {
        let of = &self.source.structs[MAPPED];
        let docs = comment(&self.paragraphs(&of.docs, MAPPED), "");
        let fields = of.fields.iter().map(|field| {
            let mark = if field.name == "name" { "" } else { "?" };
            let docs = comment(&self.said_of(field, MAPPED), "  ");
            format!("{docs}  {}{mark}: {};\n", name_of(field), self.typescript(&field.ty))
        });
        format!("\n{docs}export interface {MAPPED} {{\n{}}}\n", fields.collect::<String>())
    }

    /// The words that options and results have.
    pub(super) fn word_types(&self) -> String {
        let shown = self.words.iter().filter(|name| !OTHERWISE.contains(&&***name));
        let one = |name: &String| {
            let docs = comment(&self.paragraphs(self.docs_of(name), name), "");
            let variants = self.source.enums[name].iter().map(|variant| {
                format!("{}  | '{}'", comment(&self.paragraphs(&variant.docs, name), "  "), variant.word)
            });
            format!("\n{docs}export type {name} =\n{};\n", variants.collect::<Vec<_>>().join("\n"))
        };
        shown.map(one).collect()
    }

    pub(super) fn result_types(&self) -> String {
        self.results.iter().map(|name| self.result_type(name)).collect()
    }

    fn result_type(&self, name: &str) -> String {
        let docs = comment(&self.paragraphs(self.docs_of(name), name), "");
        let Some(variants) = self.source.enums.get(name) else {
            let fields: String =
                self.source.structs[name].fields.iter().map(|one| self.field(one, name, "  ")).collect();
            let is_plan = name.ends_with("Plan");
            let reader = if self.is_read_back(name) { reader(name) } else { String::new() };
            let more = if is_plan {
                "  /** The form that is stored, the same in every language. */\n  toJSON(): StoredPlan;\n"
            } else {
                ""
            };
            let asked = self.methods_of(name);
            return format!("\n{docs}export interface {name} {{\n{fields}{asked}{more}}}\n{reader}");
        };
        let forms: Vec<String> = variants.iter().map(|variant| self.form_type(variant, name)).collect();
        format!("\n{docs}export type {name} =\n{};\n", forms.join("\n"))
    }

    /// Whether its stored form can be read: a plan to be applied, or a result with methods.
    pub(super) fn is_read_back(&self, name: &str) -> bool {
        name.ends_with("Plan") || !self.source.asked_of(name).is_empty()
    }

    /// What it is asked for.
    fn methods_of(&self, name: &str) -> String {
        let one = |ask: Ask<'_>| {
            let mut docs = self.paragraphs(&ask.method.docs, name);
            docs.extend(
                self.faults(&ask.method.docs).into_iter().map(|text| format!("@throws {{AksAcrError}} {text}")),
            );
            let ty = match ask.gives {
                Gives::Nothing => "void",
                Gives::Same => name,
                Gives::Text => "string",
            };
            format!("{}  {}(): {ty};\n", comment(&docs, "  "), ask_name(ask.name))
        };
        self.source.asked_of(name).into_iter().map(one).collect()
    }

    fn form_type(&self, variant: &Variant, of: &str) -> String {
        let docs = comment(&self.paragraphs(&variant.docs, of), "      ");
        let fields: String = variant.fields.iter().map(|field| self.field(field, of, "      ")).collect();
        format!("  | {{\n{docs}      readonly kind: '{}';\n{fields}    }}", variant.word)
    }

    fn field(&self, field: &Field, of: &str, indent: &str) -> String {
        let docs = comment(&self.said_of(field, of), indent);
        format!("{docs}{indent}readonly {}: {};\n", name_of(field), self.typescript(&field.ty))
    }
}

/// What reads the stored form of a type.
fn reader(name: &str) -> String {
    let (docs, ty) = if name.ends_with("Plan") {
        let docs = [
            "Reads a stored plan, to review it: `String(plan)` shows what it would do.",
            "@throws {AksAcrError} `'invalid_input'` if it is not such a plan.",
        ];
        (docs, "StoredPlan")
    } else {
        let docs = [
            "Reads a stored result, as `JSON.parse` returns it: written by `JSON.stringify` here, or by core's JSON form in Rust or Python.",
            "@throws {AksAcrError} `'invalid_input'` if it is not such a result.",
        ];
        (docs, "object")
    };
    let docs = comment(&docs.map(str::to_owned), "  ");
    format!("\nexport declare const {name}: {{\n{docs}  fromJSON(stored: {ty}): {name};\n}};\n")
}
