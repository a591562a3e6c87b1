//! The built-in Kubernetes kinds, without a server: what is known of them ([`facts`]), how their
//! objects are decoded, defaulted, validated and printed.
//!
//! Everything here is a function of its inputs. Source of the behaviour: Kubernetes v1.35.

pub mod convert;
pub mod cron;
pub mod decode;
pub mod definitions;
pub mod facts;
mod go_json;
pub mod openapi;
pub mod prose;
pub mod protobuf;
pub mod strategy;
pub mod table;
