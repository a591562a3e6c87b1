//! Waiting for what happens by itself.

use std::time::{Duration, Instant};

/// How long a test waits for anything: generous, since it is only ever used up by a failure.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Asks `condition` again and again until it gives a value; `Err` holds what was last seen, and is shown
/// when `deadline` has passed.
///
/// # Panics
/// When the deadline passes, with the last `Err`.
#[track_caller]
pub fn eventually<T>(deadline: Duration, mut condition: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + deadline;
    loop {
        match condition() {
            Ok(value) => return value,
            Err(seen) if Instant::now() > end => {
                panic!("not within {} s; last seen: {seen}", deadline.as_secs())
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
