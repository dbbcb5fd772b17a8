//! `ledgerfold costs`: estimates the cost of using a log.

mod measure;
mod report;

use std::process::ExitCode;

use clap::Args;
use ledgerfold::{
    StreamId,
    ports::{PageWalk, Segment, Streams},
};
use ledgerfold_dynamodb::DynamoStreams;

use crate::{
    error::CliError,
    output::{Output, progress},
    stream_name::{Included, StreamName},
    target::Target,
};

use measure::{Measured, measure};
use report::{Costs, Prices};

/// USD per million on-demand request units in us-east-1, standard table class, since November 2024.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const WRITE_PRICE: f64 = 0.625;
const READ_PRICE: f64 = 0.125;

/// How many commits a page covers in the search for streams.
const COMMITS_PER_PAGE: u16 = 500;

/// Reads streams and estimates the cost of commands on them.
///
/// The cost of a cold load is measured: DynamoDB reports the units of each read. For a stream with a
/// snapshot it is computed from the sizes of the items back to the snapshot. The cost of an append is
/// computed from the sizes of the stored commits; an append in a transaction costs twice as much.
///
/// The state caches of functions are not included: a command on a cached stream costs the append alone.
#[derive(Debug, Args)]
pub(crate) struct EstimateCosts {
    /// Only this stream; may be repeated
    #[arg(long, value_name = "STREAM", conflicts_with_all = ["sample", "category"])]
    stream: Vec<StreamName>,
    /// How many streams to read, in DynamoDB's order, which is not their age
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    sample: u16,
    /// Only streams of this category, for example `order`
    #[arg(long)]
    category: Option<String>,
    /// The price of a million write units
    #[arg(long, value_name = "PRICE", default_value_t = WRITE_PRICE, value_parser = price)]
    write_price: f64,
    /// The price of a million read units; both defaults are on-demand prices of us-east-1, in USD
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
    let client = target.connection.dynamodb().await;
    let table = target.event_table()?;
    let index = DynamoStreams::new(client.clone(), table).in_pages_of(COMMITS_PER_PAGE);
    let named = target.tenant.streams(&command.stream);
    let streams = if named.is_empty() {
        command.sample(&Included { index, tenant: target.tenant.clone() }).await?
    } else {
        named
    };
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
    /// The first streams found.
    async fn sample(&self, index: &dyn Streams) -> Result<Vec<StreamId>, CliError> {
        let mut streams = Vec::new();
        let wanted = usize::from(self.sample);
        let mut walk = PageWalk::start();
        while streams.len() < wanted
            && let Some(from) = walk.next_place()
        {
            let page = walk.turn(index.list(Segment::WHOLE, from.as_ref()).await?);
            streams.extend(page.into_iter().filter(|stream| {
                self.category.as_ref().is_none_or(|name| stream.category().as_str() == name)
            }));
        }
        streams.truncate(wanted);
        Ok(streams)
    }
}
