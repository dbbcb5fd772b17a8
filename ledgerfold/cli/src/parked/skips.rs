//! `ledgerfold parked skips`: lists the skipped events.

use std::process::ExitCode;

use clap::Args;
use ledgerfold::{
    StreamId, Version,
    ports::{Signature, Skip, SkipRecord},
};
use ledgerfold_dynamodb::{DynamoSkips, ScopedSkip};
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report, table},
    target::Target,
};

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Only this projection, such as `order-view`
    projection: Option<String>,
}

pub(super) async fn list(
    options: &ListOptions,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let projection = options.projection.as_deref();
    if let Some(projection) = projection {
        target.check_projection(projection)?;
    }
    let client = target.connection.dynamodb().await;
    let mut all = DynamoSkips::everything(&client, target.projection_states()?).await?;
    all.retain(|scoped| target.tenant.includes(&scoped.record.skip.stream));
    output.report(&Listed::of(all, projection))?;
    Ok(ExitCode::SUCCESS)
}

/// The recorded skips.
#[derive(Debug, Serialize)]
struct Listed {
    skips: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    projection: String,
    #[serde(flatten)]
    record: SkipRecord,
}

impl Listed {
    fn of(all: Vec<ScopedSkip>, projection: Option<&str>) -> Self {
        let is_wanted = |scoped: &ScopedSkip| projection.is_none_or(|it| it == scoped.projection);
        let mut skips: Vec<_> = all
            .into_iter()
            .filter(is_wanted)
            .map(|ScopedSkip { projection, record }| Entry { projection, record })
            .collect();
        skips.sort_by(|one, other| one.place().cmp(&other.place()));
        Self { skips }
    }
}

impl Entry {
    fn place(&self) -> (&str, &StreamId, Version) {
        let Skip { stream, version, .. } = &self.record.skip;
        (&self.projection, stream, *version)
    }
}

impl Report for Listed {
    fn text(&self) -> String {
        if self.skips.is_empty() {
            return "No event was skipped.\n".to_owned();
        }
        let rows = self.skips.iter().map(|Entry { projection, record }| {
            let SkipRecord { skip: Skip { stream, version, reason, by }, withdrawn } = record;
            [
                projection.clone(),
                stream.to_string(),
                version.to_string(),
                signed(by),
                withdrawn.as_ref().map_or_else(|| "-".to_owned(), signed),
                reason.to_string(),
            ]
        });
        table(["projection", "stream", "version", "skipped by", "withdrawn by", "reason"], rows)
    }
}

pub(crate) fn signed(Signature { actor, at }: &Signature) -> String {
    format!("{actor} at {at}")
}

#[cfg(test)]
mod tests {
    use ledgerfold::ports::SkipRecord;
    use ledgerfold_dynamodb::ScopedSkip;

    use super::Listed;
    use crate::{
        output::rendered,
        parked::skip::tests::{by, json, skip},
    };

    #[test]
    fn skips_are_listed_by_projection_stream_and_version() {
        let scoped = |projection: &str, version, withdrawn| ScopedSkip {
            projection: projection.to_owned(),
            record: SkipRecord { skip: skip(version), withdrawn },
        };
        let all = vec![
            scoped("totals", 3, None),
            scoped("statements", 10, Some(by("bob"))),
            scoped("statements", 9, None),
            scoped("statements-by-year", 1, None),
        ];
        let listed = Listed::of(all.clone(), None);
        let places: Vec<_> =
            listed.skips.iter().map(|it| (it.place().0, it.place().2.get())).collect();
        assert_eq!(
            places,
            [("statements", 9), ("statements", 10), ("statements-by-year", 1), ("totals", 3)]
        );

        let listed = Listed::of(all, Some("statements"));
        let text = rendered(&listed, false).expect("text");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("bob at 1970-01-01T00:00:00Z"), "{text}");
        let json = json(&rendered(&listed, true).expect("JSON"));
        assert_eq!(json["skips"][0]["version"], 9);
        assert_eq!(json["skips"][0]["reason"], "lent twice");
        assert_eq!(json["skips"][0]["actor"], "ada");
        assert_eq!(json["skips"][0]["withdrawn"], serde_json::Value::Null);
        assert_eq!(json["skips"][1]["withdrawn"]["actor"], "bob");
    }
}
