//! Values: read, set, merged.

mod coalesce;
mod convert;
mod options;
mod path;
mod schema;
mod strvals;

pub(crate) use coalesce::deep_copy_map;
pub use coalesce::{ChartValues, coalesce_tables, coalesce_values, merge_tables, merge_values};
pub use convert::{
    from_json, from_yaml, merge_maps, read_values, string_form, to_yaml, to_yaml_pretty,
};
pub(crate) use convert::{json_kind, read_json};
pub use options::{ValueOptions, ValuesError};
pub use path::{path_value, table};
pub use schema::{FetchSchema, check_schema, check_schemas};
pub use strvals::{ReadFile, SetError, SetKind, set};
