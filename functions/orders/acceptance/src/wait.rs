//! Waiting on a condition with a deadline.

use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(40);
const LONGEST_PAUSE: Duration = Duration::from_millis(640);

/// A condition that did not hold before its deadline.
#[derive(Debug, thiserror::Error)]
#[error("not within {deadline:?}: {what}; the last look said: {last}")]
pub struct NotInTime {
    /// What was waited for.
    pub what: String,
    /// How long it was waited for.
    pub deadline: Duration,
    /// Why the condition did not hold when it was last looked at.
    pub last: String,
}

/// Looks again and again until the condition holds, at intervals that grow to two thirds of a second.
///
/// A look answers `Ok` with what it found, or `Err` with what is still missing; the last such
/// reason is part of the error, so that a test which fails says how far things had come.
///
/// # Errors
/// When the deadline passes first. The condition is looked at once at least.
pub async fn eventually<T, F>(
    what: &str,
    deadline: Duration,
    mut condition: F,
) -> Result<T, NotInTime>
where
    F: AsyncFnMut() -> Result<T, String>,
{
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let last = match condition().await {
            Ok(found) => return Ok(found),
            Err(missing) => missing,
        };
        if started.elapsed() >= deadline {
            return Err(NotInTime { what: what.to_owned(), deadline, last });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::eventually;
    use std::time::Duration;

    #[tokio::test]
    async fn a_condition_is_looked_at_until_it_holds() {
        let mut looks = 0;
        let found = eventually("three looks", Duration::from_secs(5), async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(format!("{looks} looks")) }
        })
        .await
        .expect("the third look holds");
        assert_eq!(found, 3);
    }

    #[tokio::test]
    async fn the_error_says_what_was_still_missing() {
        let missed = eventually("the impossible", Duration::ZERO, async || {
            Err::<(), _>("still impossible".to_owned())
        })
        .await
        .expect_err("it never holds");
        assert_eq!(missed.last, "still impossible");
        assert!(missed.to_string().contains("the impossible"));
    }
}
