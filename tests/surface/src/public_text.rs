//! Text in core's source that users read: doc comments of public items, and string literals, which end up in errors and events.

use crate::core;
use proc_macro2::{TokenStream, TokenTree};
use std::{fs, path::Path};
use syn::{
    Attribute, Expr, Lit, LitStr, Meta, Visibility,
    visit::{self, Visit},
};

/// The doc comments of public items, each with its file. Everything in a macro call counts as public.
pub fn public_docs() -> Vec<(String, String)> {
    let mut found = Vec::new();
    each_file(|file, parsed| {
        let mut docs = Docs { texts: Vec::new() };
        // Of the files' own docs only those of public modules are shown.
        if file == "telemetry.rs" || file == "lib.rs" {
            docs.add(&parsed.attrs);
        }
        docs.visit_file(parsed);
        found.extend(docs.texts.into_iter().map(|text| (file.to_owned(), text)));
    });
    found
}

/// The string literals outside of tests, docs and attributes, each with its file.
pub fn error_literals() -> Vec<(String, String)> {
    let mut found = Vec::new();
    each_file(|file, parsed| {
        let mut literals = Literals { texts: Vec::new() };
        literals.visit_file(parsed);
        found.extend(literals.texts.into_iter().map(|text| (file.to_owned(), text)));
    });
    found
}

fn each_file(mut take: impl FnMut(&str, &syn::File)) {
    let source = core();
    let mut files = Vec::new();
    collect(&source, &mut files);
    files.sort();
    for path in files {
        let text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        take(&path.strip_prefix(&source).expect("below the source").display().to_string(), &parsed);
    }
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|err| panic!("{}: {err}", folder.display())) {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| {
        one.path().is_ident("test")
            || one.path().is_ident("cfg") && one.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

struct Docs {
    texts: Vec<String>,
}

impl Docs {
    fn add(&mut self, attributes: &[Attribute]) {
        let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
        if !lines.is_empty() {
            self.texts.push(lines.join("\n"));
        }
    }

    fn add_public(&mut self, visibility: &Visibility, attributes: &[Attribute]) -> bool {
        let is_public = matches!(visibility, Visibility::Public(_));
        if is_public {
            self.add(attributes);
        }
        is_public
    }

    /// The docs in a macro call, as attributes in its tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut lines = Vec::new();
        for token in tokens {
            let TokenTree::Group(group) = token else { continue };
            let mut inner = group.stream().into_iter();
            let is_doc = matches!(inner.next(), Some(TokenTree::Ident(name)) if name == "doc");
            if let (true, Some(TokenTree::Literal(text))) = (is_doc, inner.nth(1)) {
                lines.extend(syn::parse_str::<LitStr>(&text.to_string()).map(|text| text.value()));
            } else {
                self.tokens(group.stream());
            }
        }
        if !lines.is_empty() {
            self.texts.push(lines.join("\n"));
        }
    }
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(literal) = &pair.value else { return None };
    match &literal.lit {
        Lit::Str(text) if attribute.path().is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

impl Visit<'_> for Docs {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if !is_test(&item.attrs) {
            self.add_public(&item.vis, &item.attrs);
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_const(&mut self, item: &syn::ItemConst) {
        self.add_public(&item.vis, &item.attrs);
    }

    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        self.add_public(&item.vis, &item.attrs);
    }

    fn visit_item_type(&mut self, item: &syn::ItemType) {
        self.add_public(&item.vis, &item.attrs);
    }

    fn visit_item_struct(&mut self, item: &syn::ItemStruct) {
        self.add_public(&item.vis, &item.attrs);
        visit::visit_item_struct(self, item);
    }

    fn visit_field(&mut self, field: &syn::Field) {
        self.add_public(&field.vis, &field.attrs);
    }

    fn visit_item_enum(&mut self, item: &syn::ItemEnum) {
        if self.add_public(&item.vis, &item.attrs) {
            for variant in &item.variants {
                self.add(&variant.attrs);
                variant.fields.iter().for_each(|field| self.add(&field.attrs));
            }
        }
    }

    fn visit_item_trait(&mut self, item: &syn::ItemTrait) {
        if self.add_public(&item.vis, &item.attrs) {
            for one in &item.items {
                if let syn::TraitItem::Fn(one) = one {
                    self.add(&one.attrs);
                }
            }
        }
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        self.add_public(&item.vis, &item.attrs);
    }

    fn visit_item_macro(&mut self, item: &syn::ItemMacro) {
        self.tokens(item.mac.tokens.clone());
    }
}

struct Literals {
    texts: Vec<String>,
}

impl Literals {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let mut inner = group.stream().into_iter();
                    if !matches!(inner.next(), Some(TokenTree::Ident(name)) if name == "doc") {
                        self.tokens(group.stream());
                    }
                }
                TokenTree::Literal(text) => {
                    self.texts.extend(syn::parse_str::<LitStr>(&text.to_string()).map(|text| text.value()));
                }
                _ => {}
            }
        }
    }
}

impl Visit<'_> for Literals {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_attribute(&mut self, _: &Attribute) {}

    fn visit_lit_str(&mut self, text: &LitStr) {
        self.texts.push(text.value());
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.tokens(call.tokens.clone());
    }
}
