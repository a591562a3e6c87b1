//! Conditions, and Flux's rules for setting them.

use std::cmp::Ordering;

use api_derive::shape;

use super::Time;
use crate::constants::conditions::{READY, RECONCILING, STALLED};

/// The longest message of a condition in bytes; longer ones end in `...`.
pub const MAX_MESSAGE_LENGTH: usize = 32768;

/// One aspect of an object's state: `metav1.Condition`.
#[shape]
pub struct Condition {
    /// When the condition last changed its status, reason or message.
    pub last_transition_time: Time,
    /// What happened, for people.
    #[shape(max_length = 32768)]
    pub message: String,
    /// The generation of the object that the condition was set for.
    #[shape(minimum = 0)]
    pub observed_generation: Option<i64>,
    /// Why the condition has its status, for programs: one word in CamelCase.
    #[shape(
        min_length = 1,
        max_length = 1024,
        pattern = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
    )]
    pub reason: String,
    /// Whether the condition holds.
    pub status: ConditionStatus,
    /// The aspect, in CamelCase.
    #[shape(
        max_length = 316,
        pattern = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
    )]
    pub r#type: String,
}

/// A condition of the first versions of 2020: the same without rules and generation.
#[shape]
pub struct EarlyCondition {
    /// When the condition last changed its status, reason or message.
    pub last_transition_time: Option<Time>,
    /// What happened, for people.
    pub message: Option<String>,
    /// Why the condition has its status, for programs: one word in CamelCase.
    pub reason: Option<String>,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The aspect, in CamelCase.
    pub r#type: String,
}

/// Whether a condition holds.
#[shape]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is not known.
    Unknown,
}

impl Condition {
    /// A condition for [`Conditions::set`], which fills in time and generation.
    pub fn new(r#type: &str, status: ConditionStatus, reason: &str, message: &str) -> Self {
        Self {
            r#type: r#type.to_owned(),
            status,
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..Self::default()
        }
    }

    /// Equal but for time and generation.
    fn has_same_state(&self, other: &Self) -> bool {
        self.r#type == other.r#type
            && self.status == other.status
            && self.reason == other.reason
            && self.message == other.message
    }
}

/// A list of conditions with Flux's rules. Source: fluxcd/pkg `runtime/conditions`.
pub trait Conditions {
    /// The condition of the given type.
    fn condition(&self, r#type: &str) -> Option<&Condition>;

    /// Sets a condition: the time moves to `now` only when status, reason or message change, the
    /// generation is always noted, and the list is put in order: Stalled, Reconciling, Ready, then
    /// the ones of the highest generation, by type.
    fn set(&mut self, condition: Condition, generation: i64, now: Time);

    /// Removes the condition of the given type.
    fn delete(&mut self, r#type: &str);

    /// Sets `Reconciling` to true and removes `Stalled`.
    fn mark_reconciling(&mut self, reason: &str, message: &str, generation: i64, now: Time) {
        self.delete(STALLED);
        self.set(
            Condition::new(RECONCILING, ConditionStatus::True, reason, message),
            generation,
            now,
        );
    }

    /// Sets `Stalled` to true and removes `Reconciling`.
    fn mark_stalled(&mut self, reason: &str, message: &str, generation: i64, now: Time) {
        self.delete(RECONCILING);
        self.set(
            Condition::new(STALLED, ConditionStatus::True, reason, message),
            generation,
            now,
        );
    }

    /// Whether the condition is there and true.
    fn is_true(&self, r#type: &str) -> bool {
        self.condition(r#type)
            .is_some_and(|c| c.status == ConditionStatus::True)
    }

    /// Whether the condition is there and false.
    fn is_false(&self, r#type: &str) -> bool {
        self.condition(r#type)
            .is_some_and(|c| c.status == ConditionStatus::False)
    }

    /// Whether the condition is unknown, or not there.
    fn is_unknown(&self, r#type: &str) -> bool {
        self.condition(r#type)
            .is_none_or(|c| c.status == ConditionStatus::Unknown)
    }

    /// Whether the object is stalled, and not reconciling as well.
    fn is_stalled(&self) -> bool {
        !self.is_true(RECONCILING) && self.is_true(STALLED)
    }

    /// Whether the object is reconciling, and not stalled as well.
    fn is_reconciling(&self) -> bool {
        !self.is_true(STALLED) && self.is_true(RECONCILING)
    }

    /// Whether the object is ready, and neither stalled nor reconciling.
    fn is_ready(&self) -> bool {
        !self.is_stalled() && !self.is_reconciling() && self.is_true(READY)
    }
}

impl Conditions for Vec<Condition> {
    fn condition(&self, r#type: &str) -> Option<&Condition> {
        self.iter().find(|condition| condition.r#type == r#type)
    }

    fn set(&mut self, mut condition: Condition, generation: i64, now: Time) {
        condition.observed_generation = Some(generation).filter(|g| *g != 0);
        condition.message = trimmed(condition.message);
        match self
            .iter_mut()
            .find(|existing| existing.r#type == condition.r#type)
        {
            Some(existing) => {
                condition.last_transition_time = if existing.has_same_state(&condition) {
                    existing.last_transition_time
                } else {
                    now
                };
                *existing = condition;
            }
            None => {
                if condition.last_transition_time == Time::default() {
                    condition.last_transition_time = now;
                }
                self.push(condition);
            }
        }
        self.sort_by(order);
    }

    fn delete(&mut self, r#type: &str) {
        self.retain(|condition| condition.r#type != r#type);
    }
}

fn order(a: &Condition, b: &Condition) -> Ordering {
    let weight = |condition: &Condition| match condition.r#type.as_str() {
        STALLED => 0,
        RECONCILING => 1,
        READY => 2,
        _ => 3,
    };
    let by_weight = weight(a).cmp(&weight(b));
    if weight(a).min(weight(b)) < 3 {
        return by_weight;
    }
    b.observed_generation
        .unwrap_or(0)
        .cmp(&a.observed_generation.unwrap_or(0))
        .then_with(|| a.r#type.cmp(&b.r#type))
}

/// The message, cut at the limit. Go cuts between bytes; this one never inside a character.
fn trimmed(mut message: String) -> String {
    if message.len() > MAX_MESSAGE_LENGTH {
        let mut end = MAX_MESSAGE_LENGTH - 3;
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push_str("...");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConditionStatus::{False, True, Unknown};

    fn at(seconds: i64) -> Time {
        Time::from_unix(seconds)
    }

    #[test]
    fn the_time_moves_only_with_the_state() {
        let mut conditions = Vec::new();
        let ready = |status, message: &str| Condition::new(READY, status, "Why", message);
        conditions.set(ready(False, "a"), 1, at(1));
        conditions.set(ready(False, "a"), 2, at(2));
        let condition = conditions.condition(READY).unwrap();
        assert_eq!(condition.last_transition_time, at(1));
        assert_eq!(condition.observed_generation, Some(2));
        for (status, message, second) in [(False, "b", 3), (Unknown, "b", 4), (True, "b", 5)] {
            conditions.set(ready(status, message), 2, at(second));
            assert_eq!(
                conditions.condition(READY).unwrap().last_transition_time,
                at(second)
            );
        }
        assert_eq!(conditions.len(), 1);
    }

    #[test]
    fn the_list_is_in_order() {
        let mut conditions = Vec::new();
        for (name, generation) in [
            ("B", 1),
            ("C", 2),
            (READY, 1),
            ("A", 1),
            (RECONCILING, 1),
            (STALLED, 1),
        ] {
            conditions.set(Condition::new(name, True, "Why", ""), generation, at(1));
        }
        let names: Vec<_> = conditions.iter().map(|c| c.r#type.as_str()).collect();
        assert_eq!(names, [STALLED, RECONCILING, READY, "C", "A", "B"]);
    }

    #[test]
    fn stalled_and_reconciling_exclude_each_other() {
        let mut conditions = vec![Condition::new(READY, True, "Succeeded", "")];
        assert!(conditions.is_ready());
        conditions.mark_reconciling("Progressing", "on it", 1, at(1));
        assert!(conditions.is_reconciling() && !conditions.is_ready());
        conditions.mark_stalled("InvalidURL", "no", 1, at(2));
        assert!(conditions.is_stalled() && conditions.condition(RECONCILING).is_none());
        assert!(conditions.is_unknown("Healthy") && !conditions.is_false("Healthy"));
    }

    #[test]
    fn long_messages_are_cut() {
        let mut conditions = Vec::new();
        let message = "ä".repeat(MAX_MESSAGE_LENGTH);
        conditions.set(Condition::new(READY, False, "Failed", &message), 1, at(1));
        let written = &conditions[0].message;
        assert!(written.len() <= MAX_MESSAGE_LENGTH && written.ends_with("ä..."));
    }
}
