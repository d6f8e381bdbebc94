//! `index.d.ts`: a hand-written part, and what follows from core.

use super::{Node, fact_name, prose::comment, with_unit};
use crate::{
    examples,
    files::{HEAD, root},
    operations::Operation,
    prose::{Idiom, capital},
    source::camel_case,
    surface::is_optional,
};
use std::fs;

/// The part that is written by hand. A line `// @name` in it stands for what is generated.
const BY_HAND: &str = "bindings-node/index.d.ts.in";

impl Node<'_> {
    pub(super) fn declarations(&self) -> String {
        let by_hand = fs::read_to_string(root().join(BY_HAND)).unwrap_or_else(|err| panic!("{BY_HAND}: {err}"));
        let mut text = format!("// {HEAD}\n// What is not from core is written in {BY_HAND}.\n\n");
        for line in by_hand.lines() {
            match line.trim() {
                "// @operations" => text += &self.methods(),
                "// @facts" => text += &self.fact_fields(),
                "// @options" => text += (self.option_types() + &self.mapped_type()).trim_start(),
                "// @words" => text += self.word_types().trim_start(),
                "// @results" => text += self.result_types().trim_start(),
                _ => text += &format!("{line}\n"),
            }
        }
        text
    }

    fn methods(&self) -> String {
        self.operations.iter().map(|operation| self.method(operation)).collect::<Vec<_>>().join("\n")
    }

    fn method(&self, operation: &Operation<'_>) -> String {
        let name = camel_case(&operation.name);
        let mut docs = self.about_operation(operation);
        let mut taken = Vec::new();
        for (argument, ty) in &operation.arguments {
            if let Some(typescript) = self.argument(&ty.core().name) {
                docs.push(format!("@param {argument} {}", self.about_argument(argument, &ty.core().name)));
                let (mark, none) = if is_optional(&ty.core().name) { ("?", " | null") } else { ("", "") };
                taken.push(format!("{argument}{mark}: {typescript}{none}"));
            }
        }
        docs.push(format!("@param options The deadline is {} by default.", self.deadline(operation)));
        let options = self.options_of(operation).unwrap_or_else(|| "CallOptions".to_owned());
        taken.push(format!("options?: {options}"));
        for (kind, text) in self.errors(operation) {
            // A whole sentence names the kind itself.
            let kind = kind.filter(|_| !text.starts_with(char::is_uppercase));
            let text = kind.map_or_else(|| capital(&text), |kind| format!("`{kind}` {text}"));
            docs.push(format!("@throws {{AksAcrError}} {text}"));
        }
        docs.push(format!("@example\n```js\n{}\n```", examples::javascript(&operation.name).trim()));
        let result = self.typescript(&operation.result);
        let line = format!("  {name}({}): Promise<{result}>;\n", taken.join(", "));
        let signature = if line.chars().count() <= 121 {
            line
        } else {
            format!("  {name}(\n    {},\n  ): Promise<{result}>;\n", taken.join(",\n    "))
        };
        comment(&docs, "  ") + &signature
    }

    /// What an error carries.
    fn fact_fields(&self) -> String {
        let fields = self.facts().into_iter().map(|(name, method)| {
            let ty = method.result.as_ref().expect("a fact");
            let mut docs = self.paragraphs(&method.docs, "Error");
            if let ("Duration", Some(first)) = (&*ty.core().name, docs.first_mut()) {
                *first += " In milliseconds.";
            }
            // Of an error only what is known is a field.
            for text in &mut docs {
                *text = text.replace("`null`", "`undefined`");
            }
            let name = with_unit(fact_name(name), ty);
            let (mark, ty) = match ty.name.as_str() {
                "Option" => ("?", &ty.inner[0]),
                // An empty one is left out.
                "Vec" => ("?", ty),
                _ => ("", ty),
            };
            format!("{}  readonly {name}{mark}: {};\n", comment(&docs, "  "), self.typescript(ty))
        });
        fields.collect()
    }
}
