//! How a simulated container behaves.
//!
//! A pod is told by the annotation `simulator.sluice.dev/behaviour` (on the pod, so in the template of a
//! workload), or a container by its image: any image whose name is `simulate-<behaviour>`, such as
//! `example.com/simulate-crash-loop:1.0`.
//!
//! | behaviour | what is seen |
//! |---|---|
//! | `healthy` | runs and is ready (the default); in a Job it succeeds |
//! | `hang` | stays in `ContainerCreating` |
//! | `not-ready` | runs and never becomes ready; in a Job it never ends |
//! | `crash-loop` | ends with an error again and again: `CrashLoopBackOff`; in a Job it fails |
//! | `fail` | the same as `crash-loop`, but a pod that is not restarted fails at once |
//! | `image-pull-error` | stays in `ImagePullBackOff` |

use object::{Value, meta};

/// The annotation.
const ANNOTATION: &str = "simulator.sluice.dev/behaviour";

/// A behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Behaviour {
    Healthy,
    NotReady,
    Fail,
    ImagePullError,
    Hang,
}

impl Behaviour {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "healthy" => Self::Healthy,
            "hang" => Self::Hang,
            "not-ready" => Self::NotReady,
            "crash-loop" | "fail" => Self::Fail,
            "image-pull-error" => Self::ImagePullError,
            _ => return None,
        })
    }

    /// How a container of a pod behaves.
    pub(super) fn of(pod: &Value, container: &Value) -> Self {
        let told = meta::annotation(pod, ANNOTATION).and_then(Self::named);
        told.or_else(|| Self::of_image(container["image"].as_str().unwrap_or_default()))
            .unwrap_or(Self::Healthy)
    }

    fn of_image(image: &str) -> Option<Self> {
        let name = image.rsplit('/').next()?.split(['@', ':']).next()?;
        Self::named(name.strip_prefix("simulate-")?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_and_annotations_tell() {
        let pod = json!({"metadata": {}});
        for (image, expected) in [
            ("nginx", Behaviour::Healthy),
            (
                "localhost:5000/x/simulate-hang:1.0@sha256:abc",
                Behaviour::Hang,
            ),
            ("simulate-crash-loop", Behaviour::Fail),
            ("simulate-nothing", Behaviour::Healthy),
        ] {
            assert_eq!(
                Behaviour::of(&pod, &json!({"image": image})),
                expected,
                "{image}"
            );
        }
        let told = json!({"metadata": {"annotations": {ANNOTATION: "not-ready"}}});
        assert_eq!(
            Behaviour::of(&told, &json!({"image": "simulate-hang"})),
            Behaviour::NotReady
        );
    }
}
