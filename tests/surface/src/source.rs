//! What core's source says of itself: its operations, options and results, with their doc comments.

use crate::{core, table};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use syn::{
    Attribute, Fields, FnArg, GenericArgument, Ident, ImplItem, Item, LitStr, Meta, Pat, PathArguments, ReturnType,
    Token, Type, Visibility,
    parse::{Parse, ParseStream, Parser},
};

/// All of core, by the names of its types.
#[derive(Default)]
pub struct Source {
    pub structs: BTreeMap<String, Struct>,
    pub enums: BTreeMap<String, Vec<Variant>>,
    pub docs_of_enums: BTreeMap<String, String>,
    /// Enums that have a `kind` beside their fields in JSON.
    pub tagged: BTreeSet<String>,
    /// Types that have a text of their own: they implement `Display`.
    pub displayed: BTreeSet<String>,
    /// Methods by `Type::name`.
    pub methods: BTreeMap<String, Method>,
}

#[derive(Default)]
pub struct Struct {
    pub docs: String,
    pub fields: Vec<Field>,
}

pub struct Field {
    pub name: String,
    pub ty: Form,
    pub docs: String,
}

pub struct Variant {
    pub name: String,
    /// What stands for it in JSON, in Python and in JavaScript.
    pub word: String,
    pub docs: String,
    pub is_default: bool,
    pub fields: Vec<Field>,
}

pub struct Method {
    pub docs: String,
    /// Whether it is asked of a value.
    pub has_self: bool,
    /// Names and types, without `self`.
    pub arguments: Vec<(String, Form)>,
    pub result: Option<Form>,
}

/// A type's last name, and what stands in its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub name: String,
    pub inner: Vec<Form>,
}

impl Form {
    /// The same without what only says that it may be missing, or fail, or be many.
    pub fn core(&self) -> &Self {
        match (self.name.as_str(), self.inner.first()) {
            ("Option" | "Result" | "Vec" | "Box", Some(inner)) => inner.core(),
            _ => self,
        }
    }

    pub fn of(ty: &Type) -> Self {
        match ty {
            Type::Reference(inner) => Self::of(&inner.elem),
            // As it is in every other language.
            Type::Slice(inner) => Self { name: "Vec".to_owned(), inner: vec![Self::of(&inner.elem)] },
            Type::Path(path) => {
                let last = path.path.segments.last().expect("a name");
                let inner = match &last.arguments {
                    PathArguments::AngleBracketed(inner) => inner
                        .args
                        .iter()
                        .filter_map(|one| match one {
                            GenericArgument::Type(ty) => Some(Self::of(ty)),
                            _ => None,
                        })
                        .collect(),
                    _ => Vec::new(),
                };
                Self { name: last.ident.to_string(), inner }
            }
            _ => Self { name: "?".to_owned(), inner: Vec::new() },
        }
    }
}

impl Source {
    /// Reads every file below core's `src`.
    pub fn read() -> Self {
        let (mut source, core) = (Self::default(), core());
        source.folder(&core);
        for item in table::items(&core) {
            source.item(item);
        }
        source
    }

    fn folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("core's source") {
            let path = entry.expect("core's source").path();
            if path.is_dir() {
                self.folder(&path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("core's source");
                syn::parse_file(&text).expect("Rust").items.into_iter().for_each(|item| self.item(item));
            }
        }
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Struct(item) if is_public(&item.vis) => {
                // Its fields are read by methods in Rust, and are its JSON form.
                let is_read_by_methods = item.ident == "ClusterRef";
                let (docs, fields) = (docs(&item.attrs), fields(&item.fields, is_read_by_methods));
                self.structs.insert(item.ident.to_string(), Struct { docs, fields });
            }
            Item::Enum(item) if is_public(&item.vis) => {
                let snake = item.attrs.iter().any(|one| says(one, "serde", "snake_case"));
                let variants = item.variants.iter().map(|variant| Variant {
                    name: variant.ident.to_string(),
                    word: renamed(&variant.attrs).unwrap_or_else(|| {
                        let name = variant.ident.to_string();
                        if snake { snake_case(&name) } else { name }
                    }),
                    docs: docs(&variant.attrs),
                    is_default: variant.attrs.iter().any(|one| one.path().is_ident("default")),
                    fields: fields(&variant.fields, true),
                });
                self.enums.insert(item.ident.to_string(), variants.collect());
                if item.attrs.iter().any(|one| says(one, "serde", "tag =")) {
                    self.tagged.insert(item.ident.to_string());
                }
                self.docs_of_enums.insert(item.ident.to_string(), docs(&item.attrs));
            }
            // The enum of the kinds of errors is made by its own macro.
            Item::Macro(item) if item.mac.path.is_ident("kinds") => {
                let kinds = Kinds::parse.parse2(item.mac.tokens).expect("kinds with their words");
                self.enums.insert("ErrorKind".to_owned(), kinds.0);
            }
            // And its own doc comment is in that macro.
            Item::Macro(item) if item.ident.as_ref().is_some_and(|name| name == "kinds") => {
                let docs = table::docs_of_enum(item.mac.tokens, "ErrorKind");
                self.docs_of_enums.insert("ErrorKind".to_owned(), docs);
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let of = Form::of(&item.self_ty).name;
                for inner in item.items {
                    let ImplItem::Fn(method) = inner else { continue };
                    if !is_public(&method.vis) {
                        continue;
                    }
                    let arguments = method.sig.inputs.iter().filter_map(|one| match one {
                        FnArg::Typed(one) => match &*one.pat {
                            Pat::Ident(name) => Some((name.ident.to_string(), Form::of(&one.ty))),
                            _ => None,
                        },
                        FnArg::Receiver(_) => None,
                    });
                    let result = match &method.sig.output {
                        ReturnType::Type(_, ty) => Some(Form::of(ty)),
                        ReturnType::Default => None,
                    };
                    let name = format!("{of}::{}", method.sig.ident);
                    let (docs, arguments) = (docs(&method.attrs), arguments.collect());
                    let has_self = method.sig.receiver().is_some();
                    self.methods.insert(name, Method { docs, has_self, arguments, result });
                }
            }
            Item::Impl(item) => {
                let of = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
                if of.is_some_and(|of| of.ident == "Display") {
                    self.displayed.insert(Form::of(&item.self_ty).name);
                }
            }
            _ => {}
        }
    }
}

/// `NotFound => "not_found",` and so on, each with its doc comment.
struct Kinds(Vec<Variant>);

impl Parse for Kinds {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut kinds = Vec::new();
        while !input.is_empty() {
            let docs = docs(&input.call(Attribute::parse_outer)?);
            let name = input.parse::<Ident>()?.to_string();
            input.parse::<Token![=>]>()?;
            let word = input.parse::<LitStr>()?.value();
            input.parse::<Token![,]>()?;
            kinds.push(Variant { name, word, docs, is_default: false, fields: Vec::new() });
        }
        Ok(Self(kinds))
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn fields(fields: &Fields, all: bool) -> Vec<Field> {
    let shown = fields.iter().filter(|field| all || is_public(&field.vis));
    let field = |field: &syn::Field| Field {
        name: field.ident.as_ref().map_or_else(|| "value".to_owned(), ToString::to_string),
        ty: Form::of(&field.ty),
        docs: docs(&field.attrs),
    };
    shown.map(field).collect()
}

/// A doc comment's text, line by line.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|one| match &one.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(text) => Some(text.value().strip_prefix(' ').map_or_else(|| text.value(), str::to_owned)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn says(attribute: &Attribute, name: &str, word: &str) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident(name) && list.tokens.to_string().contains(word)
}

/// The word that `#[serde(rename = "…")]` gives.
fn renamed(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|one| {
        let Meta::List(list) = &one.meta else { return None };
        let text = list.path.is_ident("serde").then(|| list.tokens.to_string())?;
        Some(text.strip_prefix("rename = \"")?.strip_suffix('"')?.to_owned())
    })
}

pub fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

pub fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (head, tail) = part.split_at(part.len().min(1));
        text + &head.to_uppercase() + tail
    })
}
