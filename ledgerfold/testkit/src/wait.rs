//! Waiting for a condition with a deadline.

use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(40);
const LONGEST_PAUSE: Duration = Duration::from_millis(640);

/// A condition that was not met before its deadline.
#[derive(Debug, thiserror::Error)]
#[error("not within {deadline:?}: {condition}; last result: {last}")]
pub struct NotInTime {
    /// The condition.
    pub condition: String,
    /// The deadline.
    pub deadline: Duration,
    /// The result of the last check.
    pub last: String,
}

/// Checks a condition until it is met, at intervals that grow to two thirds of a second.
///
/// A check returns `Ok` with a result, or `Err` with the reason why the condition is not met. The last reason becomes
/// part of the error, so a failed test shows how far things had come.
///
/// # Errors
/// If the deadline passes first. The condition is checked at least once.
pub async fn eventually<T, F>(
    condition: &str,
    deadline: Duration,
    mut check: F,
) -> Result<T, NotInTime>
where
    F: AsyncFnMut() -> Result<T, String>,
{
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let last = match check().await {
            Ok(found) => return Ok(found),
            Err(missing) => missing,
        };
        if started.elapsed() >= deadline {
            return Err(NotInTime { condition: condition.to_owned(), deadline, last });
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
    async fn a_condition_is_checked_until_it_is_met() {
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
    async fn the_error_includes_the_last_reason() {
        let missed = eventually("the impossible", Duration::ZERO, async || {
            Err::<(), _>("still impossible".to_owned())
        })
        .await
        .expect_err("it never holds");
        assert_eq!(missed.last, "still impossible");
        assert!(missed.to_string().contains("the impossible"));
    }
}
