//! Every Flux kind and version as types, the CRDs made from them, and conversions between versions.
//!
//! - The types lie in modules named like Flux's groups and versions: [`kustomize::v1::Kustomization`],
//!   [`source::v1beta1::GitRepository`]. What several of them share is in [`meta`].
//! - [`crds`] are the CustomResourceDefinitions made from the types.
//! - [`convert`] carries objects from old versions to current ones and back; [`stored`] says how objects
//!   of old versions live in a real API server without a conversion webhook.
//! - [`constants`] are the words that are API: condition types and reasons, annotations, finalizers.
//!
//! The crate is pure data: no I/O, no clock, no Kubernetes client.
//!
//! ```
//! use api::kustomize::v1::Kustomization;
//!
//! let object: Kustomization = serde_json::from_str(
//!     r#"{"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
//!         "spec": {"interval": "10m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "a"}}}"#,
//! )?;
//! assert_eq!(object.spec.interval.to_string(), "10m0s");
//! # Ok::<(), serde_json::Error>(())
//! ```

pub mod constants;
pub mod convert;
pub mod crd;
pub mod extensions;
pub mod helm;
pub mod image;
pub mod kind;
pub mod kustomize;
pub mod meta;
pub mod notification;
pub mod schema;
pub mod source;
pub mod stored;

pub use crd::{crds, current_crds, kinds};
pub use meta::Object;
