//! What a patch has to know about a type.

use super::StrategicError;
use super::directive::{MERGE, REPLACE, RETAIN_KEYS_STRATEGY};

/// A type: its kind, and for each field how it is patched and which type it has.
///
/// The type is a small handle that is copied freely; lookups are expected to cost no more than one in
/// a hash map.
pub trait PatchSchema: Copy {
    /// The kind of the Go type: `struct`, `map`, `slice`, `string`, `int32` and so on.
    fn kind(&self) -> &'static str;

    /// The name of the Go type, for errors; empty if it has none.
    fn type_name(&self) -> &str;

    /// A field of a `struct`.
    fn field(&self, name: &str) -> Option<PatchField<'_, Self>>;

    /// The type of the items of a `slice`.
    fn element(&self) -> Option<Self>;
}

/// How a field is patched.
#[derive(Debug, Clone, Copy)]
pub struct PatchField<'a, S> {
    /// `patchStrategy`: `merge`, `replace`, `retainKeys`, or two of them with a comma between.
    pub strategies: &'a str,
    /// `patchMergeKey`: the field by which the items of a list are told apart; may be empty.
    pub merge_key: &'a str,
    /// The type of the field.
    pub schema: S,
}

/// What the strategies of a field amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strategy {
    pub(super) is_merge: bool,
    pub(super) is_replace: bool,
    pub(super) retain_keys: bool,
}

impl<S> PatchField<'_, S> {
    pub(super) fn strategy(&self) -> Result<Strategy, StrategicError> {
        let mut names = self.strategies.split(',');
        let (first, second, third) = (names.next().unwrap_or(""), names.next(), names.next());
        let (retain_keys, name) = match (first, second, third) {
            (RETAIN_KEYS_STRATEGY, None, _) => (true, ""),
            (name, None, _) => (false, name),
            (RETAIN_KEYS_STRATEGY, Some(name), None) | (name, Some(RETAIN_KEYS_STRATEGY), None) => {
                (true, name)
            }
            _ => return Err(StrategicError::Strategy(self.strategies.replace(',', " "))),
        };
        Ok(Strategy {
            is_merge: name == MERGE,
            is_replace: name == REPLACE,
            retain_keys,
        })
    }
}

/// A field whose value is a map.
pub(super) fn struct_field<'a, S: PatchSchema>(
    schema: &'a S,
    name: &str,
) -> Result<PatchField<'a, S>, StrategicError> {
    if schema.kind() != "struct" {
        return Err(StrategicError::NotStruct(schema.kind()));
    }
    schema
        .field(name)
        .ok_or_else(|| StrategicError::UnknownField {
            type_name: schema.type_name().to_owned(),
            field: name.to_owned(),
        })
}

/// A field whose value is a list; the type is that of the items.
pub(super) fn slice_field<'a, S: PatchSchema>(
    schema: &'a S,
    name: &str,
) -> Result<PatchField<'a, S>, StrategicError> {
    let field = struct_field(schema, name)?;
    let element = match field.schema.kind() {
        "slice" => field.schema.element().unwrap_or(field.schema),
        // In Go a pointer to a struct is taken for a list of it. A schema does not tell pointers.
        "struct" => field.schema,
        _ => return Err(StrategicError::NotSlice(schema.kind())),
    };
    if field.schema.kind() == "slice" && element.kind() == "slice" {
        return Err(StrategicError::SliceOfSlices);
    }
    Ok(PatchField {
        schema: element,
        ..field
    })
}
