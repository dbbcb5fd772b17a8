//! `ledgerfold costs`: what a log costs to use.

mod measure;
mod report;

use std::process::ExitCode;

use clap::Args;
use ledgerfold::{
    StreamId,
    ports::{Segment, Streams},
};
use ledgerfold_dynamodb::DynamoStreams;

use crate::{
    error::CliError,
    output::{Output, progress},
    target::Target,
};

use measure::{Measured, measure};
use report::{Costs, Prices};

/// USD per million on-demand request units in us-east-1, standard table class, since November 2024.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const WRITE_PRICE: f64 = 0.625;
const READ_PRICE: f64 = 0.125;

/// How many commits are looked through for new streams at a time.
const COMMITS_PER_PAGE: u16 = 500;

/// Reads streams and says what commands on them cost.
///
/// A cold load is measured: DynamoDB says what a read has taken. Of a stream with a snapshot it is worked out
/// from the items down to the newest one, as if that could be read. An append is worked out from the sizes of
/// the stored commits; one in a transaction costs twice as much. What functions remember is not known here:
/// a command on a stream that its function remembers is the append alone.
#[derive(Debug, Args)]
pub(crate) struct EstimateCosts {
    /// Only this stream; may be given again
    #[arg(long, value_name = "STREAM", conflicts_with_all = ["sample", "category"])]
    stream: Vec<StreamId>,
    /// How many streams to read, in DynamoDB's order, which has nothing to do with their age
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    sample: u16,
    /// Only streams of this category, as `order`
    #[arg(long)]
    category: Option<String>,
    /// What a million write units cost
    #[arg(long, value_name = "PRICE", default_value_t = WRITE_PRICE, value_parser = price)]
    write_price: f64,
    /// What a million read units cost; both defaults are on-demand prices of us-east-1, in USD
    #[arg(long, value_name = "PRICE", default_value_t = READ_PRICE, value_parser = price)]
    read_price: f64,
}

fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if price.is_finite() && price >= 0.0 => Ok(price),
        _ => Err("a price is a number, 0 or more".to_owned()),
    }
}

pub(crate) async fn run(
    command: &EstimateCosts,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let (client, table) = (target.connection.dynamodb().await, target.event_table()?);
    let index = DynamoStreams::new(client.clone(), table).in_pages_of(COMMITS_PER_PAGE);
    let streams = command.streams(&index).await?;
    let bar = progress("streams read");
    let mut measured: Vec<Measured> = Vec::new();
    for stream in &streams {
        measured.push(measure(&client, table, stream).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let prices = Prices { write: command.write_price, read: command.read_price };
    output.report(&Costs::of(measured, prices))?;
    Ok(ExitCode::SUCCESS)
}

impl EstimateCosts {
    /// Those that are named, or the first that are found.
    async fn streams(&self, index: &dyn Streams) -> Result<Vec<StreamId>, CliError> {
        let mut streams = self.stream.clone();
        let (mut place, wanted) = (None, usize::from(self.sample));
        while self.stream.is_empty() && streams.len() < wanted {
            let page = index.list(Segment::WHOLE, place.as_ref()).await?;
            let of_ours = page.streams.into_iter().filter(|stream| {
                self.category.as_ref().is_none_or(|name| stream.category().as_str() == name)
            });
            streams.extend(of_ours);
            place = page.next;
            if place.is_none() {
                break;
            }
        }
        streams.truncate(wanted.max(self.stream.len()));
        Ok(streams)
    }
}
