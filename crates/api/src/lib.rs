//! Every Flux kind and version as types, the CRDs made from them, and conversions.
