//! Core's constants, evaluated: deadlines, and the rights that operations need.

use crate::source::{Field, Source};
use std::{collections::BTreeMap, fs, path::Path};
use syn::{Arm, BinOp, Expr, ExprStruct, ImplItem, Item, ItemImpl, Lit, Member, Pat, Stmt, Type, UseTree};

/// Constants by name, each with the file that has it, and what `use` calls by another name.
#[derive(Default)]
pub struct Consts {
    /// What `Default` gives a type's fields, where it is not derived.
    defaults: BTreeMap<String, ExprStruct>,
    /// The arms of the function that knows the smallest role of an action.
    roles: Vec<Arm>,
    values: BTreeMap<String, Vec<(String, Expr)>>,
    renames: BTreeMap<String, Vec<(String, [String; 2])>>,
}

/// A right, with the names of core's constants replaced by what they are.
#[derive(Default)]
pub struct Right {
    pub action: String,
    pub at: String,
    pub is_required: bool,
    pub is_data_action: bool,
    pub why: String,
    pub smallest_role: Option<String>,
}

impl Consts {
    /// Reads every file below core's `src`.
    pub fn read(core: &Path) -> Self {
        let mut consts = Self::default();
        consts.folder(core, core);
        consts
    }

    fn folder(&mut self, core: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).expect("core's source") {
            let path = entry.expect("core's source").path();
            if path.is_dir() {
                self.folder(core, &path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("core's source");
                let file = path.strip_prefix(core).expect("below it").to_string_lossy().replace('\\', "/");
                for item in syn::parse_file(&text).expect("Rust").items {
                    match item {
                        Item::Const(item) => {
                            self.values.entry(item.ident.to_string()).or_default().push((file.clone(), *item.expr));
                        }
                        Item::Impl(item) => self.defaults(&item),
                        Item::Fn(item) if item.sig.ident == "smallest_role" => self.roles = arms(item.block.stmts),
                        Item::Use(item) => self.renames(&file, "", &item.tree),
                        _ => {}
                    }
                }
            }
        }
    }

    fn defaults(&mut self, item: &ItemImpl) {
        let is_default = item.trait_.as_ref().is_some_and(|(_, path, _)| path.is_ident("Default"));
        let (true, Type::Path(of), Some(ImplItem::Fn(made))) = (is_default, &*item.self_ty, item.items.first()) else {
            return;
        };
        if let Some(Stmt::Expr(Expr::Struct(made), None)) = made.block.stmts.last() {
            self.defaults.insert(last(&of.path), made.clone());
        }
    }

    /// What an option is where a caller does not say, as text; nothing where it is left to Azure or empty.
    pub fn default_of(&self, source: &Source, of: &str, field: &Field) -> Option<String> {
        let made = self.defaults.get(of).and_then(|made| {
            made.fields.iter().find(|one| matches!(&one.member, Member::Named(name) if *name == field.name))
        });
        let of_type = match source.enums.get(&field.ty.name) {
            Some(variants) => variants.iter().find(|one| one.is_default).map(|one| one.word.clone()),
            None => (field.ty.name == "bool").then(|| "false".to_owned()),
        };
        let Some(made) = made else { return of_type };
        match &made.expr {
            Expr::Lit(lit) => Some(if is_true(&made.expr) { "true".to_owned() } else { literal(&lit.lit)? }),
            Expr::MethodCall(owned) => Some(self.text(&owned.receiver)),
            Expr::Path(path) if path.path.is_ident("None") => None,
            Expr::Path(path) if field.ty.name == "Duration" => {
                Some(format!("{} seconds", self.seconds(self.of_path(&path.path))))
            }
            Expr::Path(path) => Some(self.seconds(self.of_path(&path.path)).to_string()),
            _ => of_type,
        }
    }

    /// The smallest built-in role that has an action, where one is known.
    pub fn smallest_role(&self, right: &Right) -> Option<String> {
        let has_it = |arm: &&Arm| match (&arm.pat, &arm.guard) {
            (Pat::Ident(_), Some((_, guard))) => match &**guard {
                Expr::MethodCall(call) => right.action.ends_with(&self.text(&call.args[0])),
                _ => false,
            },
            (Pat::Ident(one), None) => self.text(self.find("", &one.ident.to_string())) == right.action,
            (Pat::Or(all), None) => all.cases.iter().any(|one| match one {
                Pat::Ident(one) => self.text(self.find("", &one.ident.to_string())) == right.action,
                _ => false,
            }),
            _ => false,
        };
        let known = self.roles.iter().find(has_it).map(|arm| self.text(&arm.body));
        right.smallest_role.clone().or(known)
    }

    fn renames(&mut self, file: &str, of: &str, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.renames(file, &path.ident.to_string(), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.renames(file, of, tree)),
            UseTree::Rename(rename) => {
                let from = [of.to_owned(), rename.ident.to_string()];
                self.renames.entry(rename.rename.to_string()).or_default().push((file.to_owned(), from));
            }
            _ => {}
        }
    }

    /// The constant of a name, in the module of a name if there are several.
    fn find(&self, module: &str, name: &str) -> &Expr {
        let is_there = |file: &str| {
            module.is_empty() || file.contains(&format!("/{module}/")) || file.ends_with(&format!("/{module}.rs"))
        };
        if let Some((_, [of, name])) =
            self.renames.get(name).and_then(|all| all.iter().find(|(file, _)| is_there(file)))
        {
            return self.find(of, name);
        }
        let all = self.values.get(name).unwrap_or_else(|| panic!("core has no constant {name}"));
        // One of the operation's own files before those below it that have one of the same name.
        let here = all.iter().filter(|(file, _)| is_there(file)).min_by_key(|(file, _)| {
            (!file.ends_with(&format!("/{module}/mod.rs")), !file.ends_with("run.rs"), file.clone())
        });
        &here.unwrap_or_else(|| panic!("{module} of core has no constant {name}")).1
    }

    fn of_path(&self, path: &syn::Path) -> &Expr {
        let names: Vec<String> = path.segments.iter().map(|one| one.ident.to_string()).collect();
        match &names[..] {
            [.., module, name] => self.find(module, name),
            [name] => self.find("", name),
            [] => panic!("a path without a name"),
        }
    }

    /// The seconds of a duration.
    pub fn seconds(&self, expr: &Expr) -> u64 {
        match expr {
            Expr::Path(path) => self.seconds(self.of_path(&path.path)),
            Expr::Call(call) => call.args.iter().map(|one| self.seconds(one)).sum(),
            Expr::Lit(lit) => match &lit.lit {
                Lit::Int(int) => int.base10_parse().expect("a number"),
                _ => panic!("no number of seconds"),
            },
            Expr::Binary(both) if matches!(both.op, BinOp::Mul(_)) => {
                self.seconds(&both.left) * self.seconds(&both.right)
            }
            _ => panic!("no duration that this tool can read"),
        }
    }

    fn text(&self, expr: &Expr) -> String {
        match expr {
            Expr::Path(path) => self.text(self.of_path(&path.path)),
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => text.value(),
                _ => panic!("no text"),
            },
            // A long arm of a match.
            Expr::Block(block) => match &block.block.stmts[..] {
                [Stmt::Expr(expr, None)] => self.text(expr),
                _ => panic!("no text that this tool can read"),
            },
            _ => panic!("no text that this tool can read"),
        }
    }

    /// The rights of a list.
    pub fn rights(&self, expr: &Expr) -> Vec<Right> {
        match expr {
            Expr::Path(path) => self.rights(self.of_path(&path.path)),
            Expr::Reference(inner) => self.rights(&inner.expr),
            Expr::Array(array) => array.elems.iter().flat_map(|one| self.rights(one)).collect(),
            Expr::Call(call) => {
                let Expr::Path(made) = &*call.func else { panic!("a right is made by a function") };
                let made = last(&made.path);
                let Expr::Path(at) = &call.args[1] else { panic!("a right is needed at a scope") };
                vec![Right {
                    action: self.text(&call.args[0]),
                    at: last(&at.path),
                    is_required: made == "needed",
                    is_data_action: false,
                    why: self.text(&call.args[2]),
                    smallest_role: None,
                }]
            }
            // One with other values for some fields, or with all of them.
            Expr::Struct(made) => {
                let mut right = made.rest.as_ref().map_or_else(Right::default, |rest| self.rights(rest).remove(0));
                for field in &made.fields {
                    let syn::Member::Named(name) = &field.member else { panic!("a field has a name") };
                    match (name.to_string().as_str(), &field.expr) {
                        ("action", value) => right.action = self.text(value),
                        ("why", value) => right.why = self.text(value),
                        ("at", Expr::Path(at)) => right.at = last(&at.path),
                        ("smallest_role", Expr::Call(some)) => right.smallest_role = Some(self.text(&some.args[0])),
                        ("is_required", value) => right.is_required = is_true(value),
                        ("is_data_action", value) => right.is_data_action = is_true(value),
                        _ => {}
                    }
                }
                vec![right]
            }
            _ => panic!("no list of rights that this tool can read"),
        }
    }
}

/// The arms of the first `match` that is bound by a `let`.
fn arms(statements: Vec<Stmt>) -> Vec<Arm> {
    let bound = statements.into_iter().find_map(|one| match one {
        Stmt::Local(local) => local.init.map(|init| *init.expr),
        _ => None,
    });
    match bound {
        Some(Expr::Match(matched)) => matched.arms,
        _ => panic!("core's smallest_role has another form than this tool can read"),
    }
}

fn literal(lit: &Lit) -> Option<String> {
    match lit {
        Lit::Bool(value) => Some(value.value.to_string()),
        Lit::Int(value) => Some(value.base10_digits().to_owned()),
        _ => None,
    }
}

fn last(path: &syn::Path) -> String {
    path.segments.last().expect("a name").ident.to_string()
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(lit) if matches!(&lit.lit, Lit::Bool(value) if value.value))
}
