//! `notification.toolkit.fluxcd.io`: telling others, and being told.

use crate::kind::{AGE, Kind, Names, READY, STATUS, Version};

pub mod v1;
pub mod v1alpha1;
pub mod v1beta1;
pub mod v1beta2;
pub mod v1beta3;

/// The API group.
pub const GROUP: &str = "notification.toolkit.fluxcd.io";

/// The names of [`v1beta3::Alert`].
pub const ALERT: Names = names("Alert", "alerts");
/// The names of [`v1beta3::Provider`].
pub const PROVIDER: Names = names("Provider", "providers");
/// The names of [`v1::Receiver`].
pub const RECEIVER: Names = names("Receiver", "receivers");

const fn names(kind: &'static str, plural: &'static str) -> Names {
    Names {
        group: GROUP,
        kind,
        plural,
        short_names: &[],
        categories: &["all", "fluxcd", "fluxcd-notifications"],
    }
}

/// The kinds of the group.
pub const KINDS: &[Kind] = &[
    Kind {
        names: &ALERT,
        versions: &[
            Version::of::<v1beta3::AlertSpec>(&[AGE]),
            Version::of::<v1beta2::AlertSpec>(&[AGE, READY, STATUS]),
            Version::of::<v1beta1::AlertSpec>(&[AGE, READY, STATUS]),
            Version::of::<v1alpha1::AlertSpec>(&[READY, STATUS, AGE]),
        ],
    },
    Kind {
        names: &PROVIDER,
        versions: &[
            Version::of::<v1beta3::ProviderSpec>(&[AGE]),
            Version::of::<v1beta2::ProviderSpec>(&[AGE, READY, STATUS]),
            Version::of::<v1beta1::ProviderSpec>(&[AGE, READY, STATUS]),
            Version::of::<v1alpha1::ProviderSpec>(&[READY, STATUS, AGE]),
        ],
    },
    Kind {
        names: &RECEIVER,
        versions: &[
            Version::of::<v1::ReceiverSpec>(&[AGE, READY, STATUS]),
            Version::of::<v1beta2::ReceiverSpec>(&[AGE, READY, STATUS]),
            Version::of::<v1beta1::ReceiverSpec>(&[AGE, READY, STATUS]),
            Version::of::<v1alpha1::ReceiverSpec>(&[READY, STATUS, AGE]),
        ],
    },
];
