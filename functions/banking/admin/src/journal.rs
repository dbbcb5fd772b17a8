//! `banking-admin journal`: the books as a journal for hledger or beancount.

use std::io::Write;

use async_trait::async_trait;
use banking::{
    domain::{Accounts, Settlements, Transfers},
    journal::{Format, Journal},
};
use banking_events::{AccountEvent, SettlementEvent, TransferEvent};
use clap::{Args, ValueEnum};
use ledgerfold::{Category, Decider, StreamId};
use ledgerfold_cli::{LogReport, Outcome, ReportError, ReportLog};

/// Options of the journal.
#[derive(Debug, Args)]
pub(crate) struct ExportJournal {
    /// The program that will read the journal
    #[arg(long, value_enum)]
    format: JournalFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum JournalFormat {
    Hledger,
    Beancount,
}

impl From<JournalFormat> for Format {
    fn from(format: JournalFormat) -> Self {
        match format {
            JournalFormat::Hledger => Self::Hledger,
            JournalFormat::Beancount => Self::Beancount,
        }
    }
}

/// The streams of a category of the report's tenant. The books of two tenants never meet, so a journal has one tenant.
async fn streams(log: &ReportLog, category: Category) -> Result<Vec<StreamId>, ReportError> {
    let tenant = log.tenant();
    let mut walk = log.streams_of(category);
    let mut streams = Vec::new();
    while let Some(stream) = walk.next().await? {
        streams.extend((*stream.tenant() == tenant).then_some(stream));
    }
    streams.sort();
    Ok(streams)
}

#[async_trait]
impl LogReport for ExportJournal {
    const NAME: &'static str = "journal";
    const ABOUT: &'static str =
        "Export the books of a tenant with the balance of each day, for hledger or beancount";

    async fn write(
        self,
        log: &ReportLog,
        out: &mut (dyn Write + Send),
    ) -> Result<Outcome, ReportError> {
        // The directives are in the order of the ids, so two exports of the same books are equal.
        let mut journal = Journal::begin(self.format.into(), out)?;
        for stream in streams(log, Transfers::CATEGORY).await? {
            let mut events = log.events_of::<TransferEvent>(&stream);
            while let Some(event) = events.next().await? {
                if let TransferEvent::TransferMade(made) = &event.event {
                    journal.transfer(stream.id(), made)?;
                }
            }
        }
        for stream in streams(log, Accounts::CATEGORY).await? {
            let mut events = log.events_of::<AccountEvent>(&stream);
            let mut account = journal.account(stream.id());
            while let Some(event) = events.next().await? {
                account.event(&event.event)?;
            }
            account.end()?;
        }
        for stream in streams(log, Settlements::CATEGORY).await? {
            let mut events = log.events_of::<SettlementEvent>(&stream);
            let mut settlement = journal.settlement(stream.id());
            while let Some(event) = events.next().await? {
                settlement.event(&event.event)?;
            }
            settlement.end()?;
        }
        journal.end()?;
        Ok(Outcome::Fine)
    }
}
