//! All paths in the source of a crate, resolved to the file that defines what they name.
//!
//! Names are resolved as Rust does it, within a crate's own modules: through `use`, re-exports and globs. Paths are read in `use`,
//! types, expressions, patterns, attributes of macros and the tokens of macro calls. Left out: tests, and what only links from docs.

use proc_macro2::{TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use syn::{
    Attribute, Item, ItemMod, ItemUse, Macro, UseTree,
    visit::{self, Visit},
};

/// A module's path below the crate, such as `["cluster", "pods"]`; the crate's root is empty.
pub type Module = Vec<String>;

/// One path in the source that names something of another file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The file that holds the path, below `src`.
    pub from: String,
    /// The file that defines what the path names.
    pub to: String,
    /// The path as written, absolute within the crate.
    pub path: String,
}

/// A crate's modules and the names in them.
#[derive(Default)]
pub struct Crate {
    modules: BTreeMap<Module, Names>,
}

#[derive(Default)]
struct Names {
    file: String,
    defined: BTreeSet<String>,
    /// Names that `use` brings in, by the absolute path of what they stand for.
    imported: BTreeMap<String, Module>,
    globs: Vec<Module>,
    /// Paths in the source: absolute, and whether a `pub use` hands them on.
    paths: BTreeSet<(Module, bool)>,
    lines: usize,
}

impl Crate {
    /// Reads the crate whose root file is `root`, with all the files of its modules.
    pub fn read(root: &Path) -> Self {
        let mut all = Self::default();
        let folder = root.parent().expect("a folder");
        all.file(folder, root, &Module::new(), folder);
        all
    }

    /// Each file with its number of lines.
    pub fn files(&self) -> BTreeMap<&str, usize> {
        self.modules.values().map(|names| (names.file.as_str(), names.lines)).collect()
    }

    /// What each file names of other files. A re-export of a folder's own parts is none: it only hands them on.
    pub fn references(&self) -> BTreeSet<Reference> {
        let mut found = BTreeSet::new();
        for (module, names) in &self.modules {
            for (path, is_handed_on) in &names.paths {
                let Some(target) = self.resolve(path, 0) else { continue };
                let to = &self.modules[&target].file;
                let is_own_part = *is_handed_on && target.starts_with(module);
                if *to != names.file && !is_own_part {
                    found.insert(Reference { from: names.file.clone(), to: to.clone(), path: path.join("::") });
                }
            }
        }
        found
    }

    /// The module that defines what a path names; none for what is not of this crate.
    fn resolve(&self, path: &[String], depth: usize) -> Option<Module> {
        // Two globs that name each other would never end.
        if depth > 16 {
            return None;
        }
        let mut module = Module::new();
        for (at, name) in path.iter().enumerate() {
            let child: Module = module.iter().chain([name]).cloned().collect();
            if self.modules.contains_key(&child) {
                module = child;
                continue;
            }
            let names = &self.modules[&module];
            if names.defined.contains(name) {
                return Some(module);
            }
            let rest = &path[at + 1..];
            let through = |target: &Module| {
                let whole: Vec<String> = target.iter().chain(rest).cloned().collect();
                self.resolve(&whole, depth + 1)
            };
            if let Some(target) = names.imported.get(name) {
                return through(target);
            }
            return names.globs.iter().find_map(|glob| {
                let whole: Vec<String> = glob.iter().chain([name]).chain(rest).cloned().collect();
                self.resolve(&whole, depth + 1)
            });
        }
        Some(module)
    }

    fn file(&mut self, source: &Path, file: &Path, module: &Module, folder: &Path) {
        let text = fs::read_to_string(file).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
        let name = file.strip_prefix(source).expect("below the source").display().to_string();
        self.items(source, &name, module, folder, &parsed.items);
        self.modules.get_mut(module).expect("just read").lines = text.lines().count();
    }

    fn items(&mut self, source: &Path, file: &str, module: &Module, folder: &Path, items: &[Item]) {
        let mut names = Names { file: file.to_owned(), ..Names::default() };
        let children: BTreeSet<String> = items
            .iter()
            .filter_map(|item| match item {
                Item::Mod(item) => Some(item.ident.to_string()),
                _ => None,
            })
            .collect();
        let mut walk = Walk { module, children: &children, names: &mut names };
        for item in items {
            walk.visit_item(item);
        }
        self.modules.insert(module.clone(), names);
        for item in items {
            let Item::Mod(item) = item else { continue };
            if !is_left_out(&item.attrs) {
                self.child(source, file, module, folder, item);
            }
        }
    }

    fn child(&mut self, source: &Path, file: &str, module: &Module, folder: &Path, item: &ItemMod) {
        let name = item.ident.to_string();
        let child: Module = module.iter().chain([&name]).cloned().collect();
        let below = folder.join(&name);
        if let Some((_, items)) = &item.content {
            return self.items(source, file, &child, &below, items);
        }
        let (beside, inside) = (folder.join(format!("{name}.rs")), below.join("mod.rs"));
        self.file(source, if beside.exists() { &beside } else { &inside }, &child, &below);
    }
}

/// Tests, and imports that only documentation uses.
fn is_left_out(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|one| one.path().is_ident("cfg")).any(|one| {
        let condition = one.parse_args::<syn::Path>();
        condition.is_ok_and(|path| path.is_ident("test") || path.is_ident("doc"))
    })
}

/// The attributes of an item, if this kind of item has any.
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

struct Walk<'a> {
    module: &'a Module,
    children: &'a BTreeSet<String>,
    names: &'a mut Names,
}

impl Walk<'_> {
    /// A path within the crate, absolute; none for one of another crate or of a local name.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut base = self.module.clone();
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some(base.into_iter().chain(rest.iter().cloned()).collect()),
            "super" => {
                let ups = path.iter().take_while(|one| *one == "super").count();
                base.truncate(base.len().checked_sub(ups)?);
                Some(base.into_iter().chain(path[ups..].iter().cloned()).collect())
            }
            name if self.children.contains(name) => Some(base.into_iter().chain(path.iter().cloned()).collect()),
            _ => None,
        }
    }

    fn note(&mut self, path: &[String]) {
        if let Some(path) = self.absolute(path) {
            self.names.paths.insert((path, false));
        }
    }

    fn import(&mut self, prefix: &[String], tree: &UseTree, is_handed_on: bool) {
        let with = |name: &syn::Ident| -> Vec<String> {
            prefix.iter().cloned().chain([name.to_string()]).filter(|one| one != "self" || prefix.is_empty()).collect()
        };
        match tree {
            UseTree::Path(path) => self.import(&with(&path.ident), &path.tree, is_handed_on),
            UseTree::Name(name) => self.bring(&with(&name.ident), None, is_handed_on),
            UseTree::Rename(name) => self.bring(&with(&name.ident), Some(name.rename.to_string()), is_handed_on),
            UseTree::Glob(_) => {
                if let Some(path) = self.absolute(prefix) {
                    self.names.globs.push(path.clone());
                    self.names.paths.insert((path, is_handed_on));
                }
            }
            UseTree::Group(group) => group.items.iter().for_each(|one| self.import(prefix, one, is_handed_on)),
        }
    }

    fn bring(&mut self, path: &[String], name: Option<String>, is_handed_on: bool) {
        let Some(path) = self.absolute(path) else { return };
        if let Some(name) = name.or_else(|| path.last().cloned()) {
            self.names.imported.insert(name, path.clone());
        }
        self.names.paths.insert((path, is_handed_on));
    }

    /// Paths in tokens, which have not been parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    colons = 0;
                    self.tokens(group.stream());
                }
                _ => {
                    self.end(&mut path);
                    colons = 0;
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        if path.len() > 1 {
            self.note(path);
        }
        path.clear();
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Macro(item) if item.ident.is_some() => item.ident.as_ref().expect("just seen"),
            _ => return,
        };
        self.names.defined.insert(name.to_string());
    }
}

impl Visit<'_> for Walk<'_> {
    fn visit_item(&mut self, item: &Item) {
        if is_left_out(attributes(item)) {
            return;
        }
        match item {
            // Read as modules of their own.
            Item::Mod(_) => {}
            Item::Use(ItemUse { vis, tree, .. }) => {
                self.import(&[], tree, !matches!(vis, syn::Visibility::Inherited));
            }
            item => {
                self.define(item);
                visit::visit_item(self, item);
            }
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|one| one.ident.to_string()).collect();
        if names.len() > 1 {
            self.note(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }
}
