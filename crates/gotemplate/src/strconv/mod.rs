//! Go's `strconv`: quoting, and numbers to and from text.

mod float;
mod integer;
mod quote;

pub use float::{FloatFormat, append_float, parse_float};
pub use integer::{ParseNumberError, parse_int, parse_uint};
pub use quote::{
    Unquoted, append_quote, append_quote_rune, can_backquote, quote, unquote, unquote_char,
};
