//! What a controller of a kind has to do.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use api::meta::Object;

use crate::{Context, Kind};

/// The work on one object of a kind.
pub trait Reconcile: Send + Sync + 'static {
    /// The kind.
    type Spec: Kind;

    /// Brings the world to what `object` asks for, and writes to its status what became of it.
    ///
    /// It is called with the latest known state of the object, also when the object is being deleted, and
    /// never twice at once for the same object.
    fn reconcile(
        &self,
        object: Arc<Object<Self::Spec>>,
        context: Context<Self::Spec>,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// Called when an object is gone, so that what is remembered of it can be dropped.
    fn forget(&self, _key: &crate::ObjectKey) {}
}

/// What comes after a reconciliation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing, until something changes.
    Settled,
    /// The next one after this time, or when something changes. It replaces an earlier timer.
    After(Duration),
    /// The next one at once, slowed down by the back-off when it comes in a row.
    Again,
}

/// Why a reconciliation did not end as it should.
#[derive(Debug)]
pub enum Failure {
    /// It is tried again, slowed down by the back-off.
    Retry(Box<dyn Error + Send + Sync>),
    /// It is not tried again until something changes.
    Terminal(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// A failure after which it is tried again.
    pub fn retry(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(error.into())
    }

    /// A failure that only a change can end.
    pub fn terminal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Terminal(error.into())
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}
