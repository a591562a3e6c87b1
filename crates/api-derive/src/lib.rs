//! `#[shape]`: one attribute makes a Rust type a Kubernetes API type.
//!
//! It adds what every such type has, so that a type file holds nothing but fields, their meaning and
//! their rules:
//!
//! - **serde** as Go's `encoding/json` treats API types: `camelCase` names, an absent or null field is
//!   the zero value, an absent `Option` is not written.
//! - **`Shape`** (in the crate `api`): the structural OpenAPI schema. A field that is not an `Option` is
//!   required; its doc comment is its description; keywords come from `#[shape(…)]` on the field.
//! - An **enum** of unit variants is a string; it gains the variant `Other(String)`, because a stored
//!   object may hold a word that a newer or older version knows.
//!
//! Keywords of a field: `name`, `pattern`, `format`, `int` (an integer without format), `default(…)`,
//! `one_of(…)`, `min_length`, `max_length`, `min_items`, `max_items`, `minimum`, `maximum`, `list_type`,
//! `list_map_keys(…)`, `map_type`, `rule("cel", "message")`, `items(…)`, `optional`.
//! Keywords of a struct: `rule`, `default`, `map_type`. Keyword of a variant: `name`.
//!
//! The generated code names `crate::schema`, so the attribute is for the crate `api` alone.

mod enumeration;
mod keywords;
mod structure;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Item, parse_macro_input};

/// See the crate's documentation.
#[proc_macro_attribute]
pub fn shape(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let keywords = parse_macro_input!(arguments as keywords::Keywords);
    let result = match parse_macro_input!(item as Item) {
        Item::Struct(item) => structure::expand(&keywords, item),
        Item::Enum(item) => enumeration::expand(item),
        other => Err(syn::Error::new_spanned(
            other,
            "#[shape] goes on a struct or an enum",
        )),
    };
    result
        .unwrap_or_else(|error| {
            let error = error.to_compile_error();
            quote!(#error)
        })
        .into()
}
