//! Version v1beta1, no longer current.

mod alert;
mod provider;
mod receiver;

pub use alert::{Alert, AlertSpec, AlertStatus, EventSource};
pub use provider::{Provider, ProviderSpec, ProviderStatus};
pub use receiver::{Receiver, ReceiverSpec, ReceiverStatus};

use super::{ALERT, PROVIDER, RECEIVER};

crate::kind::specs! {
    AlertSpec => ALERT, "v1beta1", AlertStatus;
    ProviderSpec => PROVIDER, "v1beta1", ProviderStatus;
    ReceiverSpec => RECEIVER, "v1beta1", ReceiverStatus;
}
