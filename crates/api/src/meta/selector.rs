//! Selection by labels, access lists, and metadata that is put on objects.

use std::collections::BTreeMap;

use api_derive::shape;

/// Selects objects by their labels: `metav1.LabelSelector`. All requirements have to hold.
#[shape(map_type = "atomic")]
pub struct LabelSelector {
    /// Requirements of the form key, operator, values.
    #[shape(list_type = "atomic")]
    pub match_expressions: Option<Vec<LabelSelectorRequirement>>,
    /// Labels that have to be there with these values.
    pub match_labels: Option<BTreeMap<String, String>>,
}

/// One requirement on a label.
#[shape]
pub struct LabelSelectorRequirement {
    /// The label's key.
    pub key: String,
    /// In, NotIn, Exists or DoesNotExist.
    pub operator: String,
    /// The values of In and NotIn; empty for the others.
    #[shape(list_type = "atomic")]
    pub values: Option<Vec<String>>,
}

/// Which other namespaces may refer to an object.
#[shape]
pub struct AccessFrom {
    /// Selectors of namespaces, of which one has to match.
    pub namespace_selectors: Vec<NamespaceSelector>,
}

/// Selects namespaces.
#[shape]
pub struct NamespaceSelector {
    /// Labels that the namespace has to have. An empty map selects every namespace.
    pub match_labels: Option<BTreeMap<String, String>>,
}

/// Labels and annotations that are put on objects.
#[shape]
pub struct CommonMetadata {
    /// The annotations.
    pub annotations: Option<BTreeMap<String, String>>,
    /// The labels.
    pub labels: Option<BTreeMap<String, String>>,
}
