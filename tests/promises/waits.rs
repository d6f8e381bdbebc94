//! Every `.await` of core ends with its call: it is within `call.run`, `call.poll_until` or another of those that end at the deadline
//! and when the call is cancelled, or it hands the call on to what does so. What is neither stands in a list, with a reason.

use std::{collections::BTreeSet, fs, path::Path};
use syn::{
    Expr, ExprAwait, ExprMethodCall, ImplItemFn, ItemFn, ItemMod, Local, Macro, Pat, TraitItemFn,
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// What ends the work in its arguments when the call is over.
const BOUNDING: [&str; 6] = ["run", "poll_until", "retry", "step", "operation", "sleep"];

/// Files, or functions of them, that wait without the call, and why that is right.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("operation/eligible.rs: naming_eligible_roles", "the work of an operation, which the client wraps in its call"),
    ("call/", "these are what ends waits"),
    ("cluster/create/ssh.rs", "given to `call.run` by the creation of a cluster"),
    ("credential/", "asked for a token within the call that needs it"),
    ("http/authorize.rs", "a policy of a request, which is within the call"),
    ("http/deadline.rs", "a policy of a request, which is within the call"),
    ("http/exchange.rs", "a policy of a request, which is within the call"),
    ("http/guard.rs", "a policy of a request, which is within the call"),
    ("http/throttle.rs", "waited for by a policy of a request, which is within the call"),
    ("http/read_body.rs", "a part of a request, which is within the call"),
    ("http/token.rs", "asked for a token within the call that needs it"),
    ("http/token_transport.rs", "the transport of a credential, which is asked within the call"),
    ("cluster/kubernetes/rollout/mod.rs: changes", "each watch is opened with the call"),
    ("cluster/kubernetes/rollout/mod.rs: within", "the read that it is given has the call"),
    ("operation/rollout/run.rs: unless_ended", "both the reads and the wait have the call"),
    ("operation/rollout/run.rs: wait_for_rollout", "both the watch and its judge have the call"),
    ("operation/kubelet_identity/run.rs: carry_out", "each of the parts that are created has the call"),
    ("identity/directory.rs: ask_for", "each request has the call"),
    ("operation/check/gather.rs: gather", "each of the parts has the call, and one waits for two others"),
    ("operation/explain/gather.rs: read_images", "each of the images is read with the call"),
    ("operation/prove_pull/judge.rs: wait", "both of what it selects from have the call"),
    ("operation/import/mod.rs: import_into", "the job has the call"),
    ("operation/import/mod.rs: start", "the job has the call"),
    ("operation/import/many.rs: import_many", "each of the imports has the call"),
    ("operation/import/referrers.rs: import", "each of the imports has the call"),
    ("operation/import/run.rs: prepare", "the registry, which it is given, is looked for with the call"),
    ("cluster/kubernetes/watch.rs: until_silent", "read by `next`, within `call.run`"),
    ("kubernetes/send.rs: within_a_try", "given to `call.run` by its callers"),
    ("cluster/kubernetes/session.rs", "a request of `kube`'s client, sent within the call"),
    ("kubernetes/service.rs: over_http", "the transport of a request, which is within the call"),
    ("kubernetes/trace.rs", "a layer of a request, which is within the call"),
    ("network/every_header.rs", "the transport of a request, which is within the call"),
    ("role/group_access.rs: known", "what it is given has the call"),
    ("http/trace.rs", "within a request"),
    ("operation/span.rs", "around an operation, which is within its call"),
];

struct Waits<'a> {
    file: &'a str,
    functions: Vec<String>,
    /// How many calls to what ends the work are around.
    bounds: usize,
    /// Local names of work that is given to what ends it.
    given: BTreeSet<String>,
    /// Local names of work that has the call.
    carried: BTreeSet<String>,
    /// Types with the call in them.
    holders: BTreeSet<String>,
    /// Whether the methods that are looked at are of one of those.
    self_has_call: bool,
    found: Vec<String>,
}

impl Waits<'_> {
    fn note(&mut self) {
        let function = self.functions.last().cloned().unwrap_or_default();
        self.found.push(format!("{}: {function}", self.file));
    }

    /// Notes what a function is given: arguments with the call in them.
    fn enter(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.given = given(block);
        self.carried.clear();
        for argument in &signature.inputs {
            if let syn::FnArg::Typed(typed) = argument
                && self.holders.contains(&last_name(&typed.ty))
            {
                self.carried.extend(name_of(&typed.pat));
            }
        }
    }

    /// Whether work gets the call, or is of such parts.
    fn has_call(&self, work: &Expr) -> bool {
        match work {
            Expr::Call(call) => call.args.iter().any(|one| is_call(one) || self.has_call(one)),
            Expr::MethodCall(call) => {
                is_call(&call.receiver)
                    || (self.self_has_call && is_self(&call.receiver))
                    || call.args.iter().any(|one| is_call(one) || self.has_call(one))
                    || self.has_call(&call.receiver)
            }
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| self.carried.contains(&name.to_string())),
            // What waits within it is found where it stands.
            Expr::Async(_) => true,
            Expr::Struct(made) => made.fields.iter().any(|field| is_call(&field.expr)),
            Expr::Macro(one) => one.mac.path.is_ident("operation"),
            Expr::Closure(closure) => self.has_call(&closure.body),
            Expr::Reference(one) => self.has_call(&one.expr),
            Expr::Paren(one) => self.has_call(&one.expr),
            Expr::Try(one) => self.has_call(&one.expr),
            Expr::Block(block) => {
                block.block.stmts.iter().any(|one| matches!(one, syn::Stmt::Expr(last, None) if self.has_call(last)))
            }
            _ => false,
        }
    }
}

fn name_of(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(name) => Some(name.ident.to_string()),
        Pat::Type(typed) => name_of(&typed.pat),
        _ => None,
    }
}

fn is_self(value: &Expr) -> bool {
    matches!(value, Expr::Path(path) if path.path.is_ident("self"))
}

fn last_name(ty: &syn::Type) -> String {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        syn::Type::Reference(inner) => last_name(&inner.elem),
        _ => String::new(),
    }
}

/// Whether this is the call itself, or a shorter one made of it.
fn is_call(value: &Expr) -> bool {
    match value {
        Expr::Path(path) => path.path.get_ident().is_some_and(|name| name == "call"),
        Expr::Field(field) => matches!(&field.member, syn::Member::Named(name) if name == "call"),
        Expr::Reference(one) => is_call(&one.expr),
        Expr::Paren(one) => is_call(&one.expr),
        Expr::MethodCall(call) => is_call(&call.receiver) && (call.method == "at_most" || call.method == "clone"),
        _ => false,
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|one| one.path().is_ident("cfg") && one.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
}

impl<'ast> Visit<'ast> for Waits<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.self_has_call = self.holders.contains(&last_name(&item.self_ty));
        visit::visit_item_impl(self, item);
        self.self_has_call = false;
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.functions.push(item.sig.ident.to_string());
        self.enter(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.functions.push(item.sig.ident.to_string());
        self.enter(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.functions.push(item.sig.ident.to_string());
        visit::visit_trait_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_local(&mut self, local: &'ast Local) {
        let name = name_of(&local.pat);
        let is_given = name.as_ref().is_some_and(|name| self.given.contains(name));
        self.bounds += usize::from(is_given);
        visit::visit_local(self, local);
        self.bounds -= usize::from(is_given);
        if let (Some(name), Some(init)) = (name, &local.init)
            && self.has_call(&init.expr)
        {
            self.carried.insert(name);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let is_bound = is_call(&call.receiver) && BOUNDING.iter().any(|name| call.method == name);
        self.visit_expr(&call.receiver);
        self.bounds += usize::from(is_bound);
        call.args.iter().for_each(|one| self.visit_expr(one));
        self.bounds -= usize::from(is_bound);
    }

    fn visit_expr_await(&mut self, wait: &'ast ExprAwait) {
        if self.bounds == 0 && !self.has_call(&wait.base) {
            self.note();
        }
        visit::visit_expr_await(self, wait);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if !is_test(&item.attrs) {
            visit::visit_item_const(self, item);
        }
    }

    /// The macros that wait for several at once are waits themselves.
    fn visit_macro(&mut self, one: &'ast Macro) {
        let name = one.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        if name == "select" && self.bounds == 0 {
            self.note();
        }
        let Ok(parts) = one.parse_body_with(Punctuated::<Expr, syn::Token![,]>::parse_terminated) else { return };
        if matches!(name.as_str(), "try_join" | "join")
            && self.bounds == 0
            && !parts.iter().all(|part| self.has_call(part))
        {
            self.note();
        }
        let mut within = Waits {
            functions: self.functions.clone(),
            given: self.given.clone(),
            carried: self.carried.clone(),
            holders: self.holders.clone(),
            found: Vec::new(),
            ..*self
        };
        parts.iter().for_each(|part| within.visit_expr(part));
        self.found.extend(within.found);
    }
}

/// Local names in the arguments of what ends work.
fn given(block: &syn::Block) -> BTreeSet<String> {
    #[derive(Default)]
    struct Given {
        names: BTreeSet<String>,
        bounds: usize,
    }
    impl<'ast> Visit<'ast> for Given {
        fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
            let is_bound = is_call(&call.receiver) && BOUNDING.iter().any(|name| call.method == name);
            self.visit_expr(&call.receiver);
            self.bounds += usize::from(is_bound);
            call.args.iter().for_each(|one| self.visit_expr(one));
            self.bounds -= usize::from(is_bound);
        }

        fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
            if let Some(name) = path.path.get_ident().filter(|_| self.bounds > 0) {
                self.names.insert(name.to_string());
            }
        }
    }
    let mut given = Given::default();
    given.visit_block(block);
    given.names
}

/// The types with the call in them, whose methods have it.
fn holders(parsed: &syn::File) -> BTreeSet<String> {
    #[derive(Default)]
    struct Holders(BTreeSet<String>);
    impl<'ast> Visit<'ast> for Holders {
        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            if item.fields.iter().any(|one| last_name(&one.ty) == "Call") {
                self.0.insert(item.ident.to_string());
            }
        }
    }
    let mut holders = Holders::default();
    holders.visit_file(parsed);
    holders.0
}

fn waits_of(file: &str, parsed: &syn::File, holders: BTreeSet<String>) -> Vec<String> {
    let mut waits = Waits {
        file,
        functions: Vec::new(),
        bounds: 0,
        given: BTreeSet::new(),
        carried: BTreeSet::new(),
        holders,
        self_has_call: false,
        found: Vec::new(),
    };
    waits.visit_file(parsed);
    waits.found
}

fn waits(root: &Path) -> BTreeSet<String> {
    let (mut parsed, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|end| end == "rs") {
                let file = entry.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                parsed.push((file, syn::parse_file(&fs::read_to_string(&entry).unwrap()).unwrap()));
            }
        }
    }
    let holders: BTreeSet<String> = parsed.iter().flat_map(|(_, parsed)| holders(parsed)).collect();
    parsed.iter().flat_map(|(file, parsed)| waits_of(file, parsed, holders.clone())).collect()
}

#[test]
fn every_wait_ends_with_its_call() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("core/src");
    let found = waits(&root);
    let is_of = |place: &str, known: &str| place == known || (!known.contains(": ") && place.starts_with(known));
    let new: Vec<&String> =
        found.iter().filter(|place| !EXCEPTIONS.iter().any(|(known, _)| is_of(place, known))).collect();
    let idle: Vec<&str> = EXCEPTIONS
        .iter()
        .map(|(known, _)| *known)
        .filter(|known| !found.iter().any(|place| is_of(place, known)))
        .collect();
    assert!(new.is_empty(), "these wait without the call: {new:#?}");
    assert!(idle.is_empty(), "these are excused and wait no more: {idle:#?}");
}

/// The client wraps the work of each operation in its call: that ends what is excused above, too.
#[test]
fn every_operation_is_within_its_call() {
    struct Operations(Vec<String>);
    impl<'ast> Visit<'ast> for Operations {
        fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
            struct HasMacro(bool);
            impl<'ast> Visit<'ast> for HasMacro {
                fn visit_macro(&mut self, one: &'ast Macro) {
                    self.0 |= one.path.is_ident("operation");
                }
            }
            let mut has_macro = HasMacro(false);
            has_macro.visit_block(&item.block);
            let is_public = matches!(item.vis, syn::Visibility::Public(_));
            if is_public && item.sig.asyncness.is_some() && !has_macro.0 {
                self.0.push(item.sig.ident.to_string());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("core/src");
    let mut operations = Operations(Vec::new());
    for entry in fs::read_dir(root.join("client")).unwrap().map(|entry| entry.unwrap().path()) {
        operations.visit_file(&syn::parse_file(&fs::read_to_string(entry).unwrap()).unwrap());
    }
    assert!(operations.0.is_empty(), "these are in no span and no call: {:?}", operations.0);
}

#[test]
fn a_wait_without_the_call_is_found() {
    let found = |text: &str| waits_of("x", &syn::parse_str(text).unwrap(), BTreeSet::new()).len();
    for good in [
        "async fn a(call: &Call) { b(call).await; }",
        "async fn a(&self) { self.b(self.call).await.map(c) }",
        "async fn a(call: &Call) { call.run(\"x\", async { b().await }).await; }",
        "async fn a(call: &Call) { let b = c(&call.at_most(D)); let d = async { b.await }; d.await; }",
        "async fn a(call: &Call) { try_join_all(all.iter().map(|one| b(one, call))).await; }",
        "#[cfg(test)] mod tests { async fn a() { b().await; } }",
    ] {
        assert_eq!(found(good), 0, "{good}");
    }
    for wrong in [
        "async fn a(call: &Call) { b().await; }",
        "async fn a(call: &Call) { let b = c(); b.await; }",
        "async fn a(call: &Call) { let d = async { b.lock().await }; d.await; }",
        "async fn a(call: &Call) { self.forget(cluster).await; }",
        "async fn a(call: &Call) { other.run(\"x\", async { b().await }).await; }",
        "async fn a(call: &Call) { tokio::time::sleep(D).await; }",
        "async fn a(call: &Call) { tokio::join!(b(), c(call)); }",
    ] {
        assert_eq!(found(wrong), 1, "{wrong}");
    }
}
