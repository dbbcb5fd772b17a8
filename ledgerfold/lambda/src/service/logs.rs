//! The log of a function, as the template's settings for it say.

use std::env;

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Writes the log to standard output, from where Lambda takes it. Lambda sets the format and the level
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>). `RUST_LOG` may set another
/// level for each module.
pub(super) fn start() {
    let variable = |name| env::var(name).unwrap_or_default();
    let is_json = variable("AWS_LAMBDA_LOG_FORMAT").eq_ignore_ascii_case("json");
    let levels = levels(&variable("RUST_LOG"), &variable("AWS_LAMBDA_LOG_LEVEL"));
    // Lambda adds the time. A second start would keep the first log.
    let lines = fmt::layer().with_target(false).without_time();
    let log = tracing_subscriber::registry().with(levels);
    let _ = if is_json { log.with(lines.json()).try_init() } else { log.with(lines).try_init() };
}

/// The levels of modules, or one level for all. An invalid setting counts as missing.
fn levels(modules: &str, all: &str) -> Targets {
    let is_set = !modules.is_empty();
    let modules = is_set.then(|| modules.parse().ok()).flatten();
    modules.unwrap_or_else(|| {
        let level = Some(all).filter(|level| !level.is_empty());
        let level = level.and_then(|level| level.parse().ok());
        Targets::new().with_default(level.unwrap_or(LevelFilter::INFO))
    })
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::{LevelFilter, levels};

    #[test]
    fn modules_come_first_then_the_level_of_lambda_and_an_invalid_setting_counts_as_missing() {
        let default = |modules, all| levels(modules, all).default_level();
        assert_eq!(default("", ""), Some(LevelFilter::INFO));
        assert_eq!(default("", "DEBUG"), Some(LevelFilter::DEBUG));
        assert_eq!(default("", "loud"), Some(LevelFilter::INFO));
        assert_eq!(default("a=b=c", "WARN"), Some(LevelFilter::WARN));
        let modules = levels("ledgerfold=debug,warn", "INFO");
        assert!(modules.would_enable("ledgerfold::relay", &Level::DEBUG));
        assert!(!modules.would_enable("hyper", &Level::INFO));
    }
}
