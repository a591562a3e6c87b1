//! What all controllers share: queues, conditions, events, metrics, leader election.
