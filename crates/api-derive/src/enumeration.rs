//! Enums of unit variants: a string out of a set.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, Ident, ItemEnum, Variant, parse_quote};

use crate::keywords::Keywords;

/// Adds the variant `Other`, the conversions from and to text, serde and `Shape` to `item`.
pub(crate) fn expand(mut item: ItemEnum) -> syn::Result<TokenStream> {
    let name = item.ident.clone();
    let mut variants: Vec<(Ident, String)> = Vec::new();
    for variant in &mut item.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(syn::Error::new_spanned(variant, "a word has no fields"));
        }
        let words = Keywords::take(&mut variant.attrs)?;
        let word = words.name()?.unwrap_or_else(|| variant.ident.to_string());
        variants.push((variant.ident.clone(), word));
    }
    let other: Variant = parse_quote! {
        /// A word that this version does not know; empty when the field is not set.
        Other(String)
    };
    item.variants.push(other);

    let idents: Vec<&Ident> = variants.iter().map(|(ident, _)| ident).collect();
    let words: Vec<&str> = variants.iter().map(|(_, word)| word.as_str()).collect();
    let implementations = implementations(&name, &idents, &words);
    Ok(quote! {
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #item
        #implementations
    })
}

fn implementations(name: &Ident, idents: &[&Ident], words: &[&str]) -> TokenStream {
    quote! {
        impl #name {
            /// The words of the schema, in its order.
            pub const WORDS: &'static [&'static str] = &[#(#words),*];

            /// The word as it is written in manifests.
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#idents => #words,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for #name {
            fn from(word: &str) -> Self {
                match word {
                    #(#words => Self::#idents,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl Default for #name {
            /// The zero value of a Go string: nothing chosen.
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        impl ::std::fmt::Display for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(word.as_ref()))
            }
        }

        impl crate::schema::Shape for #name {
            fn schema() -> crate::schema::Schema {
                let mut schema = <String as crate::schema::Shape>::schema();
                schema.set("enum", ::serde_json::json!(Self::WORDS));
                schema
            }
        }
    }
}
