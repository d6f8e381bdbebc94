//! The Rust half's glue: it reads the arguments, makes core's options and the call.

use super::{Node, fact_name};
use crate::{
    files::{HEAD, formatted},
    operations::{Operation, is_given_by_fields},
    prose::Idiom,
    source::camel_case,
    surface::{is_list_of_outcomes, is_optional, is_parsed},
};

impl Node<'_> {
    pub(super) fn glue(&self) -> String {
        let (mut structs, mut known) = (String::new(), Vec::new());
        for operation in &self.operations {
            if let Some(name) = self.options_of(operation).filter(|name| !known.contains(name)) {
                structs += &self.options_struct(&name, operation);
                known.push(name);
            }
        }
        let methods: String = self.operations.iter().map(|operation| self.call(operation)).collect();
        let described = self.results.iter().map(String::as_str).chain(["ImportHandle"]);
        let described: String = described
            .filter(|name| self.source.displayed.contains(*name))
            .map(|name| {
                format!("{name:?} => serde_json::from_str::<aks_acr::{name}>(&json).map(|value| value.to_string()),\n")
            })
            .collect();
        formatted(&format!(
            "// {HEAD}\n//! The operations, and tables of core's names.\n\n\
             use crate::{{argument::{{self, Hidden, Millis, Text, set}}, call::Call, client::Client, \
              error::{{Fault, Result, asked, put}}, import, kubeconfig, registry}};\n\
             use aks_acr::CallOptions;\nuse napi::{{Env, Unknown, bindgen_prelude::PromiseRaw}};\nuse serde::Deserialize;\n\
             use serde_json::{{Map, Value}};\nuse std::path::PathBuf;\n\n\
             #[napi_derive::napi]\nimpl Client {{\n{methods}}}\n\n/// The options of an operation that has none of its own.\n#[derive(Deserialize, Default)]\n\
             #[serde(rename_all = \"camelCase\", deny_unknown_fields, default)]\npub struct CallOnly {{\npub deadline_ms: Option<Millis>,\n}}\n\n\
             {structs}{}{}/// The text of a value by the name of its type and its JSON form.\n#[napi_derive::napi]\n#[allow(clippy::needless_pass_by_value, clippy::too_many_lines, reason = \"napi passes text as it is owned; a line for each type\")]\n\
             pub fn describe(name: String, json: String) -> napi::Result<String> {{\nlet text = match &*name {{\n{}_ => Ok(name),\n}};\n\
             text.map_err(|err| napi::Error::from_reason(err.to_string()))\n}}\n\n\
             /// What a method of a result gives, as JSON: by the names of type and method, and the value's JSON form.\n\
             #[napi_derive::napi]\n#[allow(clippy::needless_pass_by_value, reason = \"napi passes text as it is owned\")]\n\
             pub fn ask(env: &Env, name: String, method: String, json: String) -> napi::Result<String> {{\n\
             let given = match (&*name, &*method) {{\n{}_ => Err(Fault::Argument(name)),\n}};\n\
             given.map_err(|fault| fault.into_js(env))\n}}\n",
            self.facts_of_errors(),
            self.names(),
            described,
            self.asked(),
        ))
    }

    /// What results are asked for.
    fn asked(&self) -> String {
        let mut text = String::new();
        for name in &self.results {
            for ask in self.source.asked_of(name) {
                let (method, mark) = (ask.name, if ask.can_fail { "?" } else { "" });
                text += &format!(
                    "({name:?}, {method:?}) => asked(&json, |value: &aks_acr::{name}| Ok(value.{method}(){mark})),\n"
                );
            }
        }
        text
    }

    /// The options as serde reads them from an object, and how they become core's.
    fn options_struct(&self, name: &str, operation: &Operation<'_>) -> String {
        let given = self.given(operation);
        let fields: String = given.iter().map(|one| format!("pub {}: Option<{}>,\n", one.field, one.rust)).collect();
        let mut text = format!(
            "/// What an object of options holds.\n#[derive(Deserialize, Default)]\n\
             #[serde(rename_all = \"camelCase\", deny_unknown_fields, default)]\n\
             pub struct {name} {{\n{fields}pub deadline_ms: Option<Millis>,\n}}\n\n"
        );
        if let Some(core) = &operation.options {
            text += &format!("impl {name} {{\n{}}}\n\n", self.conversion(core, operation));
        }
        // In a list each item has its own.
        if operation.name == "import_image" {
            text += &format!(
                "/// An item of a list: its source, and the options of its import.\n#[derive(Deserialize, Default)]\n\
                 #[serde(rename_all = \"camelCase\", deny_unknown_fields, default)]\n\
                 pub struct ImportItem {{\npub source: Option<Text<aks_acr::ImageReference>>,\n{fields}pub deadline_ms: Option<Millis>,\n}}\n\n\
                 impl ImportItem {{\n/// The options of one import.\npub fn options(self) -> {name} {{\n{name} {{ {} deadline_ms: self.deadline_ms }}\n}}\n}}\n\n",
                given.iter().map(|one| format!("{0}: self.{0}, ", one.field)).collect::<String>()
            );
        }
        text
    }

    fn conversion(&self, core: &str, operation: &Operation<'_>) -> String {
        let set = operation
            .choices
            .iter()
            .map(|choice| self.set(&format!("options.{}", choice.path.join(".")), choice.field));
        let set: String = set.collect::<String>().replace("given.", "self.");
        format!(
            "/// Core's options, with those of the call.\n\
             #[allow(clippy::unnecessary_wraps, reason = \"some options can be refused\")]\n\
             pub fn into_core(self, call: CallOptions) -> Result<aks_acr::{core}> {{\n\
             let mut options = aks_acr::{core}::default().with_call(call);\n{set}Ok(options)\n}}\n"
        )
    }

    fn call(&self, operation: &Operation<'_>) -> String {
        let name = &operation.name;
        let docs = self.about_operation(operation).into_iter().next().unwrap_or_default();
        let (mut taken, mut read, mut passed, mut parts) = (String::new(), String::new(), Vec::new(), String::new());
        for (argument, ty) in &operation.arguments {
            let core = &ty.core().name;
            for field in self.parts(core) {
                let set = self.set(&format!("{argument}.{}", field.name), field);
                // The others go on as a whole.
                parts += &set.replace(&format!("given.{}", field.name), &format!("given.{}.take()", field.name));
            }
            if self.argument(core).is_some() {
                taken += &format!("{argument}: Unknown<'_>,");
            }
            let (reading, pass) = self.argument_read(argument, core);
            read += &reading;
            passed.push(pass);
        }
        let options = self.options_of(operation);
        let (changed, given) = (if parts.is_empty() { "" } else { "mut " }, options.as_deref().unwrap_or("CallOnly"));
        read += &format!("let {changed}given: {given} = argument::options(given)?;\n{parts}");
        read += "let of_call = call.options(given.deadline_ms);\n";
        read += &match &operation.options {
            Some(_) if options.is_some() => "let options = given.into_core(of_call)?;\n".to_owned(),
            Some(core) => format!("let options = aks_acr::{core}::default().with_call(of_call);\n"),
            None => "let options = of_call;\n".to_owned(),
        };
        let call = format!("client.{name}({}, options).await", passed.join(", "));
        let (run, work, show) = match operation.result.core().name.as_str() {
            _ if is_list_of_outcomes(&operation.result) => ("run_with", call, ", import::outcomes"),
            "Kubeconfig" => ("run", format!("{call}.map(kubeconfig::Shown::from)"), ""),
            "RegistryToken" => ("run", format!("{call}.map(registry::Shown::from)"), ""),
            "StartedImport" => ("run", format!("{call}.map(import::Polled::started)"), ""),
            _ if passed[0] == "&mut handle" => {
                ("run", format!("let status = {call}?; Ok(import::Polled::new(status, Some(handle)))"), "")
            }
            _ => ("run", call, ""),
        };
        format!(
            "/// {docs}\n#[napi]\npub fn {name}<'env>(&self, env: &'env Env, call: &Call, {taken} given: Unknown<'_>) -> napi::Result<PromiseRaw<'env, Unknown<'env>>> {{\n\
             let read = |client: aks_acr::Client| {{\n{read}Ok(async move {{ {work} }})\n}};\n\
             self.{run}(env, call, read{show})\n}}\n\n"
        )
    }

    /// How an argument is read, and how it is passed.
    fn argument_read(&self, name: &str, ty: &str) -> (String, String) {
        let shown = camel_case(name);
        let has_parts = self.parts(ty).next().is_some();
        let (made, pass) = match ty {
            by_fields if is_given_by_fields(by_fields) => {
                (format!("let mut {name} = aks_acr::{ty}::default();\n"), format!("&{name}"))
            }
            "Manifest" => (
                format!("let {name} = aks_acr::Manifest::parse_all(&argument::text({shown:?}, {name})?)?;\n"),
                name.to_owned(),
            ),
            "ImportHandle" => (
                format!("let mut {name}: aks_acr::{ty} = argument::object({shown:?}, {name})?;\n"),
                format!("&mut {name}"),
            ),
            "RegistryCredential" => {
                (format!("let {name} = argument::registry_credentials({shown:?}, {name})?;\n"), name.to_owned())
            }
            "ImportItem" => (format!("let {name} = import::items({shown:?}, {name})?;\n"), name.to_owned()),
            "str" => (format!("let {name} = argument::text({shown:?}, {name})?;\n"), format!("&{name}")),
            plan if self.is_result(plan) && !is_parsed(plan) => {
                (format!("let {name}: aks_acr::{plan} = argument::object({shown:?}, {name})?;\n"), format!("&{name}"))
            }
            optional if is_optional(optional) => {
                let read = format!("let {name}: aks_acr::{ty} = argument::parse_or_default({shown:?}, {name})?;\n");
                (read, format!("&{name}"))
            }
            _ => {
                let changed = if has_parts { "mut " } else { "" };
                let read = format!("let {changed}{name}: aks_acr::{ty} = argument::parse({shown:?}, {name})?;\n");
                // A word is copied.
                (read, if self.is_word(ty) { name.to_owned() } else { format!("&{name}") })
            }
        };
        (made, pass)
    }

    /// The fields of an error.
    fn facts_of_errors(&self) -> String {
        let put = self.facts().into_iter().map(|(name, method)| {
            let ty = method.result.as_ref().expect("a fact");
            let shown = super::with_unit(fact_name(name), ty);
            let value = match ty.name.as_str() {
                "Option" if ty.core().name == "Duration" => {
                    format!("err.{name}().map(|time| time.as_secs_f64() * 1000.0)")
                }
                "Option" => format!("err.{name}()"),
                "Vec" => format!("Some(err.{name}()).filter(|all| !all.is_empty())"),
                "ErrorKind" => format!("Some(err.{name}().as_str())"),
                _ => format!("Some(err.{name}())"),
            };
            format!("put(&mut facts, {shown:?}, {value});\n")
        });
        let put: String = put.collect();
        format!(
            "/// What an error carries; what is unknown is left out.\n\
             pub fn facts(err: &aks_acr::Error) -> Map<String, Value> {{\nlet mut facts = Map::new();\n{put}facts\n}}\n\n"
        )
    }

    /// The options whose names are others than core's.
    fn names(&self) -> String {
        let mut options: Vec<String> = self
            .operations
            .iter()
            .flat_map(|operation| self.given(operation))
            .map(|given| given.field.trim_end_matches("_ms").to_owned())
            .filter(|name| name.contains('_'))
            .collect();
        options.sort();
        options.dedup();
        let choices = self.operations.iter().flat_map(|operation| &operation.choices);
        let times =
            choices.filter(|choice| choice.field.ty.core().name == "Duration").map(|choice| &*choice.field.name);
        let mut times: Vec<&str> = times.chain(["deadline"]).collect();
        times.sort_unstable();
        times.dedup();
        format!(
            "/// Options whose names have several words, which Node writes differently from core.\n\
             pub const OPTIONS: &[&str] = &{options:?};\n\n\
             /// Options whose names in Node end with the unit of their time.\npub const TIMES: &[&str] = &{times:?};\n\n"
        )
    }
}
