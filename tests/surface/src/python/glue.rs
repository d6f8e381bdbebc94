//! The glue of each operation: it reads the arguments, makes core's options and the call.

use super::Python;
use crate::{
    files::{HEAD, formatted},
    operations::{Operation, is_given_by_fields},
    surface::{is_list_of_outcomes, is_optional, is_parsed},
};

impl Python<'_> {
    pub(super) fn glue(&self) -> String {
        let methods: Vec<String> = self.operations.iter().map(|operation| self.method(operation)).collect();
        let items: String = self.operations.iter().filter_map(|operation| self.item_of(operation)).collect();
        formatted(&format!(
            "// {HEAD}\n//! The operations, each as a call that has not started.\n\n\
             use super::Calls;\n\
             use crate::{{argument::{{self, Count, Listening, NodePools, Parsed, RegistryCredentials, Span, set}}, call::Call, cluster, error::to_py, \
             import::{{Followed, Items, Outcomes}}, registry, value::through_json, values, word::Word}};\n\
             use pyo3::{{exceptions::PyTypeError, prelude::*, types::PyMapping}};\nuse std::path::PathBuf;\n\n\
             #[pymethods]\nimpl Calls {{\n{}}}\n\n{items}",
            methods.join("\n")
        ))
    }

    fn method(&self, operation: &Operation<'_>) -> String {
        let (name, parameters) = (&operation.name, self.parameters(operation));
        let docs: String =
            self.docstring(operation).iter().map(|line| format!("/// {line}").trim_end().to_owned() + "\n").collect();
        let (mut signature, mut taken) = (String::new(), String::new());
        for one in &parameters {
            if one.is_keyword && !signature.contains('*') {
                signature += "*, ";
            }
            let default = if one.is_optional { " = None" } else { "" };
            signature += &format!("{}{default}, ", one.name);
            taken += &format!("{}: {}, ", one.name, one.rust);
        }
        let signature = signature.trim_end_matches(", ");
        let (mut before, mut passed) = (String::new(), Vec::new());
        for (argument, ty) in &operation.arguments {
            let (statements, pass) = self.pass(argument, &ty.core().name);
            before += &statements;
            passed.push(pass);
        }
        let options = match &operation.options {
            Some(ty) => {
                before += &self.make_options(ty, &operation.choices);
                "options.with_call(call)"
            }
            None => "call",
        };
        passed.push(options.to_owned());
        let mut work = format!("client.{name}({}).await", passed.join(", "));
        // The handle takes over the new link of each look.
        if passed[0] == "&mut present" {
            work =
                format!("let mut present = handle.0.present(); let done = {work}; handle.0.take_over(present); done");
        }
        let work = format!(
            "let manner = self.0.manner(py, deadline, on_progress)?;\nlet work = move |call| async move {{ {work} }};\n"
        );
        let result = &operation.result;
        let call = match result.core().name.as_str() {
            _ if is_list_of_outcomes(result) => {
                "converting(manner, work, |results| Ok(Outcomes::from(results)))".to_owned()
            }
            "Kubeconfig" => "converting(manner, work, |made| Ok(cluster::Kubeconfig::from(made)))".to_owned(),
            "RegistryToken" => "converting(manner, work, |made| Ok(registry::RegistryToken::from(made)))".to_owned(),
            "StartedImport" => "converting(manner, work, values::StartedImport::from_core)".to_owned(),
            one => {
                let one = format!("values::{one}");
                let whole = if result.name == result.core().name { one } else { format!("{}<{one}>", result.name) };
                format!("new::<{whole}, _, _>(manner, work)")
            }
        };
        format!(
            "{docs}#[pyo3(signature = ({signature}))]\nfn {name}(&self, py: Python<'_>, {taken}) -> PyResult<Call> {{\n\
             let client = self.0.client()?;\n{before}{work}Ok(Call::{call})\n}}\n"
        )
    }

    /// What is done with an argument before the call, and how it is passed.
    fn pass(&self, name: &str, ty: &str) -> (String, String) {
        let parts = |target: &str| -> String {
            self.parts(ty).map(|field| self.set(&format!("{target}.{}", field.name), field)).collect()
        };
        match ty {
            by_fields if is_given_by_fields(by_fields) => {
                let made = format!("let mut {name} = aks_acr::{ty}::default();\n{}", parts(name));
                (made, format!("&{name}"))
            }
            "WorkloadRef" => (format!("let Parsed(mut {name}) = {name};\n{}", parts(name)), format!("&{name}")),
            "Manifest" => {
                let parsed =
                    format!("let {name} = aks_acr::Manifest::parse_all({name}).map_err(|err| to_py(py, &err))?;\n");
                (parsed, name.to_owned())
            }
            "ImportHandle" => (String::new(), "&mut present".to_owned()),
            "ImportItem" | "RegistryCredential" => (String::new(), format!("{name}.0")),
            "str" => (String::new(), format!("&{name}")),
            plan if self.is_result(plan) && !is_parsed(plan) => {
                (format!("let {name}: aks_acr::{plan} = through_json({name}.get())?;\n"), format!("&{name}"))
            }
            // A word is copied.
            word if self.is_word(word) => (String::new(), format!("{name}.0")),
            optional if is_optional(optional) => {
                (format!("let {name} = {name}.map(|Parsed(one)| one).unwrap_or_default();\n"), format!("&{name}"))
            }
            _ => (String::new(), format!("&{name}.0")),
        }
    }

    /// An item of a list, from a mapping.
    fn item_of(&self, operation: &Operation<'_>) -> Option<String> {
        let (_, ty) = operation.arguments.iter().find(|(_, ty)| ty.core().name == "ImportItem")?;
        let (item, single) = (&ty.core().name, self.operations.iter().find(|one| one.name == "import_image")?);
        let (mut declared, mut arms) = (String::new(), String::new());
        for one in self.parameters(single).iter().filter(|one| one.is_keyword && one.name != "on_progress") {
            declared += &format!("let mut {}: {} = None;\n", one.name, one.rust);
            arms += &format!("{:?} => {} = value.extract()?,\n", one.name, one.name);
        }
        let options = self.make_options(single.options.as_ref()?, &single.choices);
        Some(format!(
            "/// An image in a list: a mapping with its source and options.\n\
             pub fn import_item(given: &Bound<'_, PyMapping>) -> PyResult<aks_acr::{item}> {{\n\
             let py = given.py();\nlet mut source: Option<Parsed<aks_acr::ImageReference>> = None;\n{declared}\
             for pair in given.items()? {{\n\
             let (name, value): (String, Bound<'_, PyAny>) = pair.extract()?;\n\
             match &*name {{\n\"source\" => source = value.extract()?,\n{arms}\
             other => return Err(PyTypeError::new_err(format!(\"images: unknown option '{{other}}'\"))),\n}}\n}}\n\
             let Parsed(source) = source.ok_or_else(|| PyTypeError::new_err(\"images: each needs a 'source'\"))?;\n\
             {options}options.call.deadline = Span::named(deadline, py, \"deadline\")?;\n\
             Ok(aks_acr::{item}::new(source, options))\n}}\n"
        ))
    }
}
