//! What becomes of events that are like earlier ones. Source: client-go, `tools/record/events_cache.go`.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::{Duration, Instant};

use api::meta::Time;
use serde_json::{Value, json};

use super::Event;

/// From so many different messages with one reason on, they are combined.
const MAX_SIMILAR: usize = 10;
/// Messages that lie further apart are not similar.
const SIMILAR_WITHIN: Duration = Duration::from_secs(600);
/// So many events of one object go out at once …
const BURST: f64 = 25.0;
/// … and then one in so many seconds.
const REFILL_SECONDS: f64 = 300.0;
/// How many events are remembered.
const REMEMBERED: usize = 4096;

/// What to send.
#[derive(Debug, PartialEq)]
pub(super) enum Send {
    Create(Value),
    /// An event of that name is already there; the value is what it becomes if it is not.
    Patch {
        name: String,
        patch: Value,
        otherwise: Value,
    },
    Nothing,
}

/// Remembers what was sent.
#[derive(Default)]
pub(super) struct Correlator {
    similar: HashMap<u64, Similar>,
    sent: HashMap<u64, Sent>,
    buckets: HashMap<u64, Bucket>,
}

struct Similar {
    messages: HashSet<u64>,
    last: Instant,
}

struct Sent {
    name: String,
    count: u64,
    first: Time,
    last: Instant,
}

struct Bucket {
    tokens: f64,
    last: Instant,
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Correlator {
    /// Decides about `event`, which comes at `now`, `nanoseconds` after 1970.
    pub(super) fn take(&mut self, event: &Event, now: Instant, nanoseconds: i128) -> Send {
        let involved = &event.involved;
        let source = (
            &event.component,
            &involved.kind,
            &involved.namespace,
            &involved.name,
            &involved.uid,
            &involved.api_version,
        );
        let group = digest(&(source, event.r#type.kubernetes(), &event.reason));
        let combined = self.is_one_of_many(group, digest(&event.message), now);
        let (key, message) = if combined {
            (
                group,
                format!("(combined from similar events): {}", event.message),
            )
        } else {
            (digest(&(group, &event.message)), event.message.clone())
        };
        let fresh = format!("{}.{nanoseconds:x}", involved.name);
        let (name, count, first) = match self.sent.get(&key) {
            Some(sent) => (sent.name.clone(), sent.count + 1, sent.first),
            None => (fresh.clone(), 1, event.at),
        };
        self.sent.insert(
            key,
            Sent {
                name: name.clone(),
                count,
                first,
                last: now,
            },
        );
        let has_tokens = self.spend(digest(&source), now);
        self.prune();
        if !has_tokens {
            return Send::Nothing;
        }
        let body = |name: &str, count: u64| body(event, combined, name, count, first, &message);
        if count == 1 {
            return Send::Create(body(&name, count));
        }
        let patch = json!({"count": count, "lastTimestamp": event.at, "message": message});
        let otherwise = body(&fresh, count);
        Send::Patch {
            name,
            patch,
            otherwise,
        }
    }

    fn is_one_of_many(&mut self, group: u64, message: u64, now: Instant) -> bool {
        let similar = self.similar.entry(group).or_insert_with(|| Similar {
            messages: HashSet::new(),
            last: now,
        });
        if now - similar.last > SIMILAR_WITHIN {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(message);
        if similar.messages.len() < MAX_SIMILAR {
            return false;
        }
        if let Some(any) = similar.messages.iter().next().copied() {
            similar.messages.remove(&any);
        }
        true
    }

    fn spend(&mut self, source: u64, now: Instant) -> bool {
        let bucket = self.buckets.entry(source).or_insert(Bucket {
            tokens: BURST,
            last: now,
        });
        bucket.tokens =
            (bucket.tokens + (now - bucket.last).as_secs_f64() / REFILL_SECONDS).min(BURST);
        bucket.last = now;
        let has = bucket.tokens >= 1.0;
        if has {
            bucket.tokens -= 1.0;
        }
        has
    }

    /// Forgets the older half once there is too much.
    fn prune(&mut self) {
        fn halve<T>(map: &mut HashMap<u64, T>, last: impl Fn(&T) -> Instant) {
            if map.len() <= REMEMBERED {
                return;
            }
            let mut times: Vec<Instant> = map.values().map(&last).collect();
            let (_, middle, _) = times.select_nth_unstable(REMEMBERED / 2);
            let middle = *middle;
            map.retain(|_, value| last(value) > middle);
        }
        halve(&mut self.similar, |similar| similar.last);
        halve(&mut self.sent, |sent| sent.last);
        halve(&mut self.buckets, |bucket| bucket.last);
    }
}

fn body(
    event: &Event,
    combined: bool,
    name: &str,
    count: u64,
    first: Time,
    message: &str,
) -> Value {
    let namespace = if event.involved.namespace.is_empty() {
        "default"
    } else {
        &event.involved.namespace
    };
    let mut metadata = json!({"name": name, "namespace": namespace});
    // client-go's combined events have neither annotations nor a reporting component.
    if !combined && !event.annotations.is_empty() {
        metadata["annotations"] = json!(event.annotations);
    }
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata,
        "involvedObject": event.involved,
        "reason": event.reason,
        "message": message,
        "source": {"component": event.component},
        "firstTimestamp": first,
        "lastTimestamp": event.at,
        "count": count,
        "type": event.r#type.kubernetes(),
        "eventTime": null,
        "reportingComponent": if combined { "" } else { &event.component },
        "reportingInstance": "",
    })
}

#[cfg(test)]
mod tests {
    use super::super::{EventType, Involved};
    use super::*;

    fn event(message: &str) -> Event {
        Event {
            involved: Involved {
                name: "app".to_owned(),
                namespace: "ns".to_owned(),
                ..Involved::default()
            },
            r#type: EventType::Normal,
            reason: "Progressing".to_owned(),
            message: message.to_owned(),
            annotations: [("a".to_owned(), "b".to_owned())].into(),
            component: "kustomize-controller".to_owned(),
            at: Time::from_unix(60),
        }
    }

    #[test]
    fn the_same_event_is_counted() {
        let mut correlator = Correlator::default();
        let now = Instant::now();
        let Send::Create(created) = correlator.take(&event("a"), now, 255) else {
            panic!("not created")
        };
        assert_eq!(created["metadata"]["name"], "app.ff");
        assert_eq!(created["metadata"]["annotations"]["a"], "b");
        let Send::Patch {
            name,
            patch,
            otherwise,
        } = correlator.take(&event("a"), now, 256)
        else {
            panic!("not patched")
        };
        assert_eq!((name.as_str(), &patch["count"]), ("app.ff", &json!(2)));
        assert_eq!(otherwise["metadata"]["name"], "app.100");
    }

    #[test]
    fn many_different_messages_are_combined() {
        let mut correlator = Correlator::default();
        let now = Instant::now();
        let mut sent = Vec::new();
        for n in 0..12_i128 {
            sent.push(match correlator.take(&event(&n.to_string()), now, n) {
                Send::Create(body) => body["message"].as_str().unwrap().to_owned(),
                Send::Patch { patch, .. } => {
                    format!("{} x{}", patch["message"].as_str().unwrap(), patch["count"])
                }
                Send::Nothing => "-".to_owned(),
            });
        }
        assert_eq!(
            sent[8..],
            [
                "8",
                "(combined from similar events): 9",
                "(combined from similar events): 10 x2",
                "(combined from similar events): 11 x3"
            ]
        );
    }

    #[test]
    fn a_flood_is_stemmed() {
        let mut correlator = Correlator::default();
        let now = Instant::now();
        let count = |correlator: &mut Correlator, at: Instant| {
            (0..100)
                .filter(|_| correlator.take(&event("a"), at, 0) != Send::Nothing)
                .count()
        };
        assert_eq!(count(&mut correlator, now), 25);
        assert_eq!(count(&mut correlator, now + Duration::from_secs(301)), 1);
    }
}
