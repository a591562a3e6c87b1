//! The words inside `#[shape(…)]`, and the schema keywords they stand for.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, LitStr, Token, parenthesized};

/// One word: `optional`, `pattern = EXPR` or `one_of("a", "b")`.
pub(crate) struct Keyword {
    pub(crate) word: Ident,
    pub(crate) value: Value,
}

/// What follows a word.
pub(crate) enum Value {
    None,
    Expr(Expr),
    Tokens(TokenStream),
}

/// The words of one attribute, or of all `shape` attributes of a field.
#[derive(Default)]
pub(crate) struct Keywords(pub(crate) Vec<Keyword>);

impl Parse for Keyword {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word: Ident = input.parse()?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Expr(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let inner;
            parenthesized!(inner in input);
            Value::Tokens(inner.parse()?)
        } else {
            Value::None
        };
        Ok(Self { word, value })
    }
}

impl Parse for Keywords {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let words = Punctuated::<Keyword, Token![,]>::parse_terminated(input)?;
        Ok(Self(words.into_iter().collect()))
    }
}

impl Keywords {
    /// Takes the `shape` attributes out of `attributes` and reads them.
    pub(crate) fn take(attributes: &mut Vec<Attribute>) -> syn::Result<Self> {
        let mut all = Self::default();
        let mut rest = Vec::with_capacity(attributes.len());
        for attribute in attributes.drain(..) {
            if attribute.path().is_ident("shape") {
                all.0.extend(attribute.parse_args::<Self>()?.0);
            } else {
                rest.push(attribute);
            }
        }
        *attributes = rest;
        Ok(all)
    }

    /// The value of `name = "…"`, if it is given.
    pub(crate) fn name(&self) -> syn::Result<Option<String>> {
        for keyword in &self.0 {
            if keyword.word == "name" {
                let Value::Expr(expr) = &keyword.value else {
                    return Err(syn::Error::new(keyword.word.span(), "name = \"…\""));
                };
                let text: LitStr = syn::parse2(quote!(#expr))?;
                return Ok(Some(text.value()));
            }
        }
        Ok(None)
    }

    /// Whether the bare word `word` is there.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|keyword| keyword.word == word)
    }

    /// Statements that put these keywords on the schema in the variable `schema`.
    pub(crate) fn statements(&self) -> syn::Result<Vec<TokenStream>> {
        self.0
            .iter()
            .filter_map(|k| statement(k).transpose())
            .collect()
    }
}

/// The statement for one keyword; `None` for the words that are not about the schema's content.
fn statement(keyword: &Keyword) -> syn::Result<Option<TokenStream>> {
    let word = keyword.word.to_string();
    let key = match word.as_str() {
        "name" | "optional" => return Ok(None),
        "int" => return Ok(Some(quote!(schema.remove("format");))),
        "pattern" => "pattern",
        "format" => "format",
        "min_length" => "minLength",
        "max_length" => "maxLength",
        "min_items" => "minItems",
        "max_items" => "maxItems",
        "minimum" => "minimum",
        "maximum" => "maximum",
        "list_type" => "x-kubernetes-list-type",
        "list_map_keys" => "x-kubernetes-list-map-keys",
        "map_type" => "x-kubernetes-map-type",
        "default" => "default",
        "one_of" => "enum",
        "rule" | "items" => {
            let Value::Tokens(tokens) = &keyword.value else {
                return Err(syn::Error::new(keyword.word.span(), "expected (…)"));
            };
            return Ok(Some(if word == "rule" {
                quote!(schema.rule(#tokens);)
            } else {
                let inner = syn::parse2::<Keywords>(tokens.clone())?.statements()?;
                quote!(schema.items(|schema| { #(#inner)* });)
            }));
        }
        _ => return Err(syn::Error::new(keyword.word.span(), "unknown keyword")),
    };
    let value = match &keyword.value {
        Value::Expr(expr) => quote!(#expr),
        Value::Tokens(tokens) if word == "default" => return Ok(Some(default(tokens))),
        Value::Tokens(tokens) => quote!([#tokens]),
        Value::None => return Err(syn::Error::new(keyword.word.span(), "expected a value")),
    };
    Ok(Some(quote!(schema.set(#key, ::serde_json::json!(#value));)))
}

/// `default(…)` takes JSON. A brace group is an object, everything else one expression.
fn default(tokens: &TokenStream) -> TokenStream {
    let first = tokens.clone().into_iter().next();
    debug_assert!(!matches!(first, Some(TokenTree::Punct(ref p)) if p.as_char() == '='));
    quote!(schema.set("default", ::serde_json::json!(#tokens));)
}

/// The text of the doc comments: lines of a paragraph joined by blanks, paragraphs by an empty line.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let mut paragraphs = vec![String::new()];
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        let syn::Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        let value = &pair.value;
        let Ok(line) = syn::parse2::<LitStr>(quote!(#value)) else {
            continue;
        };
        let line = line.value();
        let line = line.trim();
        match paragraphs.last_mut() {
            Some(paragraph) if !line.is_empty() => {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}
