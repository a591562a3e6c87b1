//! Structs: an object with properties.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Fields, ItemStruct, Type, parse_quote};

use crate::keywords::{Keywords, documentation};

/// Adds derives, serde attributes and the implementation of `Shape` to `item`.
pub(crate) fn expand(keywords: &Keywords, mut item: ItemStruct) -> syn::Result<TokenStream> {
    let name = item.ident.clone();
    let description = documentation(&item.attrs);
    let type_level = keywords.statements()?;
    let Fields::Named(fields) = &mut item.fields else {
        return Err(syn::Error::new_spanned(item, "fields need names"));
    };

    let mut statements = Vec::new();
    for field in &mut fields.named {
        let words = Keywords::take(&mut field.attrs)?;
        let ident = field
            .ident
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let key = match words.name()? {
            Some(key) => key,
            None => camel_case(&ident),
        };
        let is_option = is_option(&field.ty);
        let is_required = !is_option && !words.has("optional");
        field.attrs.push(if is_option {
            parse_quote!(#[serde(rename = #key, skip_serializing_if = "Option::is_none")])
        } else {
            parse_quote!(#[serde(rename = #key, deserialize_with = "crate::schema::null_as_default")])
        });
        let text = documentation(&field.attrs);
        let ty = &field.ty;
        let inner = words.statements()?;
        statements.push(quote! {
            object.property(#key, #is_required, {
                #[allow(unused_mut, reason = "types without attributes change nothing")]
                let mut schema = <#ty as crate::schema::Shape>::schema();
                schema.describe(#text);
                #(#inner)*
                schema
            });
        });
    }

    let (generics, type_generics, bounds) = item.generics.split_for_impl();
    Ok(quote! {
        #[derive(Clone, Debug, Default, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(default)]
        #item

        impl #generics crate::schema::Shape for #name #type_generics #bounds {
            fn schema() -> crate::schema::Schema {
                let mut object = crate::schema::Schema::object();
                #(#statements)*
                #[allow(unused_mut, reason = "types without attributes change nothing")]
                let mut schema = object;
                schema.describe(#description);
                #(#type_level)*
                schema
            }
        }
    })
}

/// Whether the type is written `Option<…>`.
fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == "Option"))
        && ty.to_token_stream().to_string().starts_with("Option")
}

/// `retry_interval` → `retryInterval`; `r#type` → `type`.
pub(crate) fn camel_case(ident: &str) -> String {
    let ident = ident.strip_prefix("r#").unwrap_or(ident);
    let mut name = String::with_capacity(ident.len());
    let mut is_upper = false;
    for character in ident.chars() {
        if character == '_' {
            is_upper = true;
        } else if is_upper {
            name.extend(character.to_uppercase());
            is_upper = false;
        } else {
            name.push(character);
        }
    }
    name
}
