//! The arguments and options of an operation in TypeScript and in the glue.

use super::{Node, name_of};
use crate::{
    operations::{Operation, is_given_by_fields},
    prose::Idiom,
    source::Field,
    surface::{MAPPED, is_list, is_parsed, map},
};

/// An option, as the object of options has it.
pub(super) struct Given {
    /// In JavaScript, and in the glue.
    pub name: String,
    pub field: String,
    pub typescript: String,
    pub rust: String,
    pub docs: Vec<String>,
}

impl Node<'_> {
    /// An argument's type in TypeScript; none for what is given as options.
    pub(super) fn argument(&self, ty: &str) -> Option<String> {
        Some(match ty {
            by_fields if is_given_by_fields(by_fields) => return None,
            "ImportHandle" => {
                "ImportHandle | StoredImportHandle | Extract<StartedImport, { readonly kind: 'started' }>".to_owned()
            }
            "RegistryCredential" => "readonly RegistryCredential[]".to_owned(),
            "ImportItem" => "readonly (string | ImportItem)[]".to_owned(),
            plan if self.is_result(plan) && !is_parsed(plan) => format!("{plan} | StoredPlan"),
            word if self.is_word(word) => word.to_owned(),
            _ => "string".to_owned(),
        })
    }

    /// The options of an operation besides those of every call, those that core has as parts of arguments first.
    pub(super) fn given(&self, operation: &Operation<'_>) -> Vec<Given> {
        let parts = operation.arguments.iter().flat_map(|(_, ty)| self.parts(&ty.name).map(|field| (&*ty.name, field)));
        let choices = operation.choices.iter().map(|choice| (choice.of, choice.field));
        parts.chain(choices).flat_map(|(of, field)| self.spread(of, field)).collect()
    }

    /// A field as one option, or two.
    fn spread(&self, of: &str, field: &Field) -> Vec<Given> {
        let mut docs = self.said_of(field, of);
        if let Some(last) = docs.last_mut() {
            *last = self.with_choices(last, field);
        }
        let ty = field.ty.core();
        let two = |names: [&str; 2], rust: [&str; 2], docs: [String; 2]| {
            let both = names.into_iter().zip(rust).zip(docs);
            both.map(|((name, rust), docs)| Given {
                name: crate::source::camel_case(name),
                field: name.to_owned(),
                typescript: "string".to_owned(),
                rust: rust.to_owned(),
                docs: vec![docs],
            })
            .collect()
        };
        if ty.name == "SshKey" {
            let variants = &self.source.enums[&ty.name];
            let of = |name: &str| {
                let found = variants.iter().find(|one| one.name == name).expect("a form of a key");
                self.paragraphs(&found.docs, &ty.name).join(" ")
            };
            let key = format!("{} {}", docs.join(" "), of("Public"));
            return two(["ssh_key", "ssh_key_file"], ["String", "PathBuf"], [key, of("Pair")]);
        }
        if ty.name == "ImportCredentials" {
            let parts = &self.source.structs[&ty.name].fields;
            let part = |at: usize| self.paragraphs(&parts[at].docs, &ty.name).join(" ");
            let password = format!("{} {}", part(1), docs.join(" "));
            return two(["username", "password"], ["String", "Hidden"], [part(0), password]);
        }
        let one = match ty.name.as_str() {
            "Duration" => "Millis".to_owned(),
            "BTreeMap" => map(ty),
            "u32" | "usize" | "bool" | "PathBuf" => ty.name.clone(),
            MAPPED => format!("aks_acr::{MAPPED}"),
            name if is_parsed(name) || self.is_word(name) => format!("Text<aks_acr::{name}>"),
            _ => "String".to_owned(),
        };
        let rust = if is_list(&field.ty) { format!("Vec<{one}>") } else { one };
        let typescript = match field.ty.name.as_str() {
            // Given as text, though it may also be a result.
            _ if is_parsed(&ty.name) && !is_list(&field.ty) => "string".to_owned(),
            "Option" => self.typescript(&field.ty.inner[0]),
            _ => self.typescript(&field.ty),
        };
        let name = name_of(field);
        let field = if ty.name == "Duration" { format!("{}_ms", field.name) } else { field.name.clone() };
        vec![Given { name, field, typescript, rust, docs }]
    }

    /// The statement that sets an option of core's from the one that was given.
    pub(super) fn set(&self, target: &str, field: &Field) -> String {
        let (name, ty) = (&field.name, field.ty.core());
        let value = match ty.name.as_str() {
            "SshKey" => return format!("set(&mut {target}, argument::ssh_key(given.ssh_key, given.ssh_key_file)?);\n"),
            "ImportCredentials" => {
                return format!("{target} = argument::credentials(given.username, given.password)?;\n");
            }
            "Duration" => format!("given.{name}_ms.map(|millis| millis.0)"),
            one if (is_parsed(one) || self.is_word(one)) && field.ty.name == "Vec" => {
                format!("given.{name}.map(|all| all.into_iter().map(|one| one.0).collect())")
            }
            one if is_parsed(one) || self.is_word(one) => format!("given.{name}.map(|one| one.0)"),
            _ => format!("given.{name}"),
        };
        if field.ty.name == "Option" {
            format!("{target} = {value};\n")
        } else {
            format!("set(&mut {target}, {value});\n")
        }
    }
}
