//! `ledgerfold streams`: lists streams.

use std::process::ExitCode;

use clap::Args;
use ledgerfold::{
    StreamId,
    ports::{Resume, Segment, Streams},
};
use ledgerfold_dynamodb::DynamoStreams;
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report, more_from, progress},
    stream_name::Included,
    target::Target,
};

/// Lists streams.
#[derive(Debug, Args)]
pub(crate) struct ListStreams {
    /// Only streams of this category, for example `order`
    #[arg(long)]
    category: Option<String>,
    /// Stop after the page that reaches this many streams
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Continue where an earlier list ended
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
}

#[derive(Debug, Serialize)]
struct Listed {
    streams: Vec<StreamId>,
    /// The value for `--from`, if there are more.
    next: Option<Resume>,
}

pub(crate) async fn run(
    command: &ListStreams,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let table = target.event_table()?;
    let index = DynamoStreams::new(target.connection.dynamodb().await, table);
    let index = index.in_pages_of(command.limit);
    let listed = list(command, &Included { index, tenant: target.tenant.clone() }).await?;
    output.report(&listed)?;
    Ok(ExitCode::SUCCESS)
}

async fn list(command: &ListStreams, index: &dyn Streams) -> Result<Listed, CliError> {
    let bar = progress("streams");
    let mut streams = Vec::new();
    let mut from = command.from.clone().map(Resume);
    loop {
        let page = index.list(Segment::WHOLE, from.as_ref()).await?;
        streams.extend(page.items.into_iter().filter(|stream| {
            command.category.as_ref().is_none_or(|wanted| stream.category().as_str() == wanted)
        }));
        bar.set_position(u64::try_from(streams.len()).unwrap_or(u64::MAX));
        from = page.next;
        if from.is_none() || streams.len() >= usize::from(command.limit) {
            bar.finish_and_clear();
            return Ok(Listed { streams, next: from });
        }
    }
}

impl Report for Listed {
    fn text(&self) -> String {
        self.streams.iter().map(|stream| format!("{stream}\n")).collect()
    }

    fn hint(&self) -> Option<String> {
        self.next.as_ref().map(|Resume(place)| more_from(place))
    }
}

#[cfg(test)]
mod tests {
    use super::Listed;
    use crate::output::rendered;

    #[test]
    fn a_list_is_rendered_in_both_forms() {
        let streams = vec!["default/order#1".parse().expect("a stream")];
        let listed = Listed { streams, next: Some(ledgerfold::ports::Resume("abc".to_owned())) };
        assert_eq!(rendered(&listed, false).expect("text"), "default/order#1\n");
        let hint = crate::output::Report::hint(&listed);
        assert_eq!(hint.as_deref(), Some("There are more: --from abc"));
        let json = rendered(&listed, true).expect("JSON");
        assert_eq!(json, "{\"streams\":[\"default/order#1\"],\"next\":\"abc\"}\n");
    }
}
