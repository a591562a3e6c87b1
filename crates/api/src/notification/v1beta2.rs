//! Version v1beta2, no longer current.

mod alert;
mod provider;
mod receiver;

pub use alert::{Alert, AlertSpec, AlertStatus};
pub use provider::{Provider, ProviderSpec, ProviderStatus};
pub use receiver::{Receiver, ReceiverSpec, ReceiverStatus};

use super::{ALERT, PROVIDER, RECEIVER};

crate::kind::specs! {
    AlertSpec => ALERT, "v1beta2", AlertStatus;
    ProviderSpec => PROVIDER, "v1beta2", ProviderStatus;
    ReceiverSpec => RECEIVER, "v1beta2", ReceiverStatus;
}
