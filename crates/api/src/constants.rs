//! The words that are API: what users, tools and dashboards already read and write.
//!
//! Source: the API packages of Flux's controllers, fluxcd/pkg, and the conditions and events that the controllers
//! were seen to set.

pub mod annotations;
pub mod conditions;
pub mod events;
pub mod finalizers;
pub mod keys;
pub mod labels;
pub mod managers;
pub mod media_types;
pub mod reasons;
