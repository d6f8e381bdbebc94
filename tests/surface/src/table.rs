//! Core's table of operations, as the items that its macros make of it.

use crate::source::docs;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use std::{fs, path::Path};
use syn::{
    Attribute, Expr, FnArg, Ident, Item, ItemEnum, Token, Type, braced, parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

/// A row of the table.
pub struct Row {
    /// The name in `Operation`.
    pub operation: Ident,
    /// The method's name.
    pub name: Ident,
    /// The method's arguments, without `self`.
    pub arguments: Punctuated<FnArg, Token![,]>,
    /// What it gives, without the `Result` around it.
    pub result: Type,
    /// The deadline where the caller sets none, and the rights: names in core.
    pub deadline: Expr,
    pub rights: Expr,
    /// The method's doc comment: that of its row, or the file of its name.
    pub docs: String,
}

impl Parse for Row {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let docs = docs(&input.call(Attribute::parse_outer)?);
        let (operation, name) = (input.parse()?, input.parse()?);
        let inside;
        parenthesized!(inside in input);
        let arguments = Punctuated::parse_terminated(&inside)?;
        input.parse::<Token![->]>()?;
        let result = input.parse()?;
        let fields;
        braced!(fields in input);
        let field = |wanted: &str| -> syn::Result<Expr> {
            let name: Ident = fields.parse()?;
            if name != wanted {
                return Err(syn::Error::new(name.span(), format!("wanted {wanted}")));
            }
            fields.parse::<Token![:]>()?;
            let value = fields.parse()?;
            fields.parse::<Token![,]>()?;
            Ok(value)
        };
        field("about")?;
        field("call")?;
        let (deadline, rights) = (field("deadline")?, field("rights")?);
        field("run")?;
        Ok(Self { operation, name, arguments, result, deadline, rights, docs })
    }
}

/// Reads the table below core's `src`.
pub fn read(source: &Path) -> Vec<Row> {
    let file = source.join("operation/table.rs");
    let text = fs::read_to_string(&file).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
    let items = syn::parse_file(&text).expect("Rust").items;
    let table = items.into_iter().find_map(|item| match item {
        Item::Macro(item) if item.ident.as_ref().is_some_and(|name| name == "operations") => Some(item.mac.tokens),
        _ => None,
    });
    // `($make:ident) => { $make! { rows } }`
    let rows = last_group(last_group(table.expect("the table")));
    let parse = |input: ParseStream<'_>| {
        let mut rows = Vec::new();
        while !input.is_empty() {
            rows.push(input.parse::<Row>()?);
        }
        Ok(rows)
    };
    let mut rows = parse.parse2(rows).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
    for row in rows.iter_mut().filter(|row| row.docs.is_empty()) {
        let file = source.join(format!("operation/docs/{}.md", row.name));
        row.docs = fs::read_to_string(&file).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
    }
    rows
}

/// The doc comment of an enum that a macro makes.
pub fn docs_of_enum(tokens: TokenStream, name: &str) -> String {
    let item = last_group(tokens);
    let end = item.clone().into_iter().position(|token| matches!(token, TokenTree::Ident(one) if one == name));
    // From the doc comment to `pub enum Name`.
    let head = item.into_iter().take(end.expect("the enum") + 1);
    let head: TokenStream = head.chain(quote! { {} }).collect();
    docs(&syn::parse2::<ItemEnum>(head).expect("an enum").attrs)
}

fn last_group(tokens: TokenStream) -> TokenStream {
    let groups = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    });
    groups.last().as_ref().map(Group::stream).expect("a group")
}

/// What the table declares: the methods of `Client`, and `Operation`.
pub fn items(source: &Path) -> Vec<Item> {
    let rows = read(source);
    let methods = rows.iter().map(|Row { name, arguments, result, docs, .. }| {
        let docs = docs.lines().map(|line| format!(" {line}"));
        quote! { #(#[doc = #docs])* pub async fn #name(&self, #arguments) -> Result<#result> {} }
    });
    let client = quote! { impl Client { #(#methods)* } };
    let operations = rows.iter().map(|row| &row.operation);
    let operation = quote! {
        /// An operation of [`Client`](crate::Client), by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Operation { #(#operations,)* }
    };
    [client, operation].map(|tokens| syn::parse2(tokens).expect("Rust")).into()
}
