//! The public API of the crate, as text: every exported name with what its users can see of it. It is checked in, so that a change of it
//! shows in a review.

use aks_acr_surface::table;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, Type, UseTree, Visibility};

const HEAD: &str =
    "# The public API of the crate aks-acr, as its source declares it. Made by a test, see CONTRIBUTING.\n";

/// What core's files declare.
#[derive(Default)]
struct Declared {
    /// The exported names, with those of other crates as they are written in `lib.rs`.
    exported: BTreeSet<String>,
    foreign: Vec<String>,
    /// By name, the head of a declaration and its lines.
    items: BTreeMap<String, (String, Vec<String>)>,
    /// Traits that users cannot name.
    private_traits: BTreeSet<String>,
    impls: Vec<ItemImpl>,
    /// Invocations of macros that declare items, without doc comments.
    macros: Vec<String>,
}

/// The whole text.
pub fn made() -> String {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src"));
    let mut declared = Declared::default();
    declared.exports(&parse(&source.join("lib.rs")));
    declared.exports(&exports_of_operations(source));
    declared.folder(source);
    for item in table::items(source) {
        declared.item(item);
    }
    declared.impls();
    declared.text()
}

/// Each line of a text with the item that it belongs to.
pub fn by_item(text: &str) -> BTreeSet<String> {
    let mut item = "";
    let lines = text.lines().map(|line| {
        if let Some(part) = line.strip_prefix("    ") {
            return format!("{item} > {part}");
        }
        item = line;
        line.to_owned()
    });
    lines.collect()
}

fn parse(path: &Path) -> Vec<Item> {
    let text = fs::read_to_string(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    syn::parse_file(&text).expect("Rust").items
}

/// `lib.rs` exports this module as it is, so that an operation's names are in one place.
fn exports_of_operations(source: &Path) -> Vec<Item> {
    let items = parse(&source.join("operation/mod.rs"));
    let module = items.into_iter().find_map(|item| match item {
        Item::Mod(item) if item.ident == "exports" => item.content,
        _ => None,
    });
    module.expect("the exports of the operations").1
}

impl Declared {
    fn exports(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Use(item) if is_public(&item.vis) && !is_left_out(&item.attrs) => {
                    let mut names = Vec::new();
                    leaves(&item.tree, "", &mut names);
                    for (path, name) in names {
                        let is_foreign =
                            ["async_trait", "azure_core", "serde_json", "uuid"].iter().any(|one| path.starts_with(one));
                        if is_foreign {
                            self.foreign.push(format!("pub use {path}"));
                        } else {
                            assert!(self.exported.insert(name), "two of a name");
                        }
                    }
                }
                Item::Mod(item) if is_public(&item.vis) => self.foreign.push(format!("pub mod {}", item.ident)),
                _ => {}
            }
        }
    }

    fn folder(&mut self, folder: &Path) {
        let mut paths: Vec<_> =
            fs::read_dir(folder).expect("core's source").map(|one| one.expect("a file").path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.folder(&path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && path.file_stem().is_some_and(|name| name != "tests")
            {
                for item in parse(&path) {
                    self.item(item);
                }
            }
        }
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Struct(item) if self.is_exported(&item.vis, &item.ident) => {
                let head = head("struct", &item.ident, &item.generics, &item.attrs);
                self.add(&item.ident, head, shown(&item.fields, false));
            }
            Item::Enum(item) if self.is_exported(&item.vis, &item.ident) => {
                let head = head("enum", &item.ident, &item.generics, &item.attrs);
                let variant = |one: &syn::Variant| {
                    let fields = shown(&one.fields, true).join(", ");
                    let braces = if fields.is_empty() { String::new() } else { format!(" {{ {fields} }}") };
                    format!("{}{braces}", one.ident)
                };
                self.add(&item.ident, head, item.variants.iter().map(variant).collect());
            }
            Item::Trait(item) if self.is_exported(&item.vis, &item.ident) => {
                let bounds = tidy(item.supertraits.to_token_stream());
                let head = format!("{}: {bounds}", head("trait", &item.ident, &item.generics, &item.attrs));
                let lines = item.items.iter().map(|one| match one {
                    TraitItem::Fn(one) => {
                        let default = if one.default.is_some() { " { … }" } else { "" };
                        format!("{}{default}", tidy(one.sig.to_token_stream()))
                    }
                    other => tidy(other.to_token_stream()),
                });
                self.add(&item.ident, head, lines.collect());
            }
            Item::Trait(item) => drop(self.private_traits.insert(item.ident.to_string())),
            Item::Fn(item) if self.is_exported(&item.vis, &item.sig.ident) => {
                self.add(&item.sig.ident, tidy(item.sig.to_token_stream()), Vec::new());
            }
            Item::Type(item) if self.is_exported(&item.vis, &item.ident) => {
                let text = format!("type {} = {}", item.ident, tidy(item.ty.to_token_stream()));
                self.add(&item.ident, text, Vec::new());
            }
            Item::Impl(item) if !is_left_out(&item.attrs) => self.impls.push(item),
            Item::Macro(item) if item.ident.is_none() => {
                let name = tidy(item.mac.path.to_token_stream());
                // What these declare is for the crate alone.
                if !["imports", "operations", "plain", "thread_local"].contains(&name.as_str()) {
                    self.macros.push(format!("{name}!({})", tidy(item.mac.tokens)));
                }
            }
            _ => {}
        }
    }

    fn is_exported(&self, visibility: &Visibility, name: &syn::Ident) -> bool {
        is_public(visibility) && self.exported.contains(&name.to_string())
    }

    fn add(&mut self, name: &syn::Ident, head: String, lines: Vec<String>) {
        let before = self.items.insert(name.to_string(), (head, lines));
        assert!(before.is_none(), "{name} is declared twice: this test cannot tell which is exported");
    }

    /// Adds what is implemented to the types.
    fn impls(&mut self) {
        for item in std::mem::take(&mut self.impls) {
            let Some(name) = last_name(&item.self_ty) else { continue };
            if !self.exported.contains(&name) {
                continue;
            }
            let mut lines = Vec::new();
            match &item.trait_ {
                Some((_, path, _)) => {
                    let last = path.segments.last().expect("a name").ident.to_string();
                    if !self.private_traits.contains(&last) {
                        lines.push(format!(
                            "impl {} for {}",
                            tidy(path.to_token_stream()),
                            tidy(item.self_ty.to_token_stream())
                        ));
                    }
                }
                None => lines.extend(item.items.iter().filter_map(member)),
            }
            self.items
                .entry(name.clone())
                .or_insert_with(|| (format!("declared by a macro: {name}"), Vec::new()))
                .1
                .extend(lines);
        }
    }

    fn text(mut self) -> String {
        self.macros.sort();
        let mut text = HEAD.to_owned();
        for line in &self.foreign {
            writeln!(text, "{line}").expect("a text takes all");
        }
        for (head, lines) in self.items.values_mut() {
            // Fields and variants keep their order, which counts; methods and impls do not.
            let first =
                lines.iter().position(|line| line.contains("fn ") || line.starts_with("impl ")).unwrap_or(lines.len());
            if !head.starts_with("trait") {
                lines[first..].sort();
            }
            writeln!(text, "{head}").expect("a text takes all");
            for line in lines {
                writeln!(text, "    {line}").expect("a text takes all");
            }
        }
        for line in self.macros {
            writeln!(text, "{line}").expect("a text takes all");
        }
        text
    }
}

/// A public method or constant.
fn member(item: &ImplItem) -> Option<String> {
    match item {
        ImplItem::Fn(one) if is_public(&one.vis) && !is_left_out(&one.attrs) => {
            Some(format!("{}{}", condition(&one.attrs), tidy(one.sig.to_token_stream())))
        }
        ImplItem::Const(one) if is_public(&one.vis) && !is_left_out(&one.attrs) => {
            Some(format!("const {}: {}", one.ident, tidy(one.ty.to_token_stream())))
        }
        _ => None,
    }
}

fn head(what: &str, name: &syn::Ident, generics: &syn::Generics, attributes: &[Attribute]) -> String {
    let mut marks = Vec::new();
    for one in attributes {
        if one.path().is_ident("non_exhaustive") {
            marks.push("non_exhaustive".to_owned());
        } else if one.path().is_ident("derive") {
            marks.extend(one.meta.require_list().map(|list| tidy(list.tokens.clone())));
        }
    }
    let (generics, bounds) = (tidy(generics.to_token_stream()), tidy(generics.where_clause.to_token_stream()));
    let marks = if marks.is_empty() { String::new() } else { format!(" [{}]", marks.join(", ")) };
    format!("{}{what} {name}{generics}{bounds}{marks}", condition(attributes))
}

/// The feature without which it is not there.
fn condition(attributes: &[Attribute]) -> String {
    let conditions = attributes.iter().filter(|one| one.path().is_ident("cfg"));
    conditions.map(|one| ["#[", &tidy(one.meta.to_token_stream()), "] "].concat()).collect()
}

/// What only tests or fuzz targets use, or what nothing should use.
fn is_left_out(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| {
        let text = tidy(one.meta.to_token_stream());
        text == "cfg(test)" || text == "cfg(fuzzing)" || text == "doc(hidden)"
    })
}

fn shown(fields: &Fields, all: bool) -> Vec<String> {
    let shown = fields.iter().filter(|field| all || is_public(&field.vis));
    let field = |field: &syn::Field| {
        let name = field.ident.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        format!("{}{name}{}", condition(&field.attrs), tidy(field.ty.to_token_stream()))
    };
    let mut lines: Vec<String> = shown.map(field).collect();
    if !all && fields.iter().any(|field| !is_public(&field.vis)) {
        lines.push("..".to_owned());
    }
    lines
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn last_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        Type::Reference(inner) => last_name(&inner.elem),
        _ => None,
    }
}

/// Paths and names that a `use` brings.
fn leaves(tree: &UseTree, before: &str, found: &mut Vec<(String, String)>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &format!("{before}{}::", path.ident), found),
        UseTree::Group(group) => group.items.iter().for_each(|one| leaves(one, before, found)),
        UseTree::Name(name) => found.push((format!("{before}{}", name.ident), name.ident.to_string())),
        UseTree::Rename(name) => {
            found.push((format!("{before}{} as {}", name.ident, name.rename), name.rename.to_string()));
        }
        UseTree::Glob(_) if before == "operation::exports::" => {}
        UseTree::Glob(_) => panic!("a glob hides what is exported: {before}*"),
    }
}

/// A piece of source on one line, without attributes: `#` and what is in its brackets.
fn tidy(tokens: TokenStream) -> String {
    let mut text = plain(tokens).to_string();
    let closer = [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" :", ":"),
        (" ;", ";"),
        (" [", "["),
        ("[ ", "["),
        (" ]", "]"),
        ("\n", " "),
    ];
    for (wide, close) in closer {
        text = text.replace(wide, close);
    }
    for (close, wide) in [("->(", "-> ("), ("->[", "-> ["), (":(", ": ("), ("=(", "= (")] {
        text = text.replace(close, wide);
    }
    text.strip_suffix(',').unwrap_or(&text).to_owned()
}

fn plain(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(one) = tokens.next() {
        match one {
            TokenTree::Punct(mark) if mark.as_char() == '#' && matches!(tokens.peek(), Some(TokenTree::Group(_))) => {
                drop(tokens.next());
            }
            TokenTree::Group(group) => {
                let inner = proc_macro2::Group::new(group.delimiter(), plain(group.stream()));
                kept.push(TokenTree::Group(inner));
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}
