//! The faults that can be planted. The code of each fault stays with the part that has it.

/// A fault that is planted on purpose, to prove that the checker finds it. Each is a known defect of real systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// None.
    None,
    /// A commit is put without a condition.
    PutWithoutCondition,
    /// A version conflict is answered as a success.
    ConflictIsSuccess,
    /// A transaction that met another one is answered as a success.
    BusyIsSuccess,
    /// A transaction that met another one is taken for a version conflict.
    BusyIsConflict,
    /// A transaction is applied commit by commit, so that another one can come in between.
    TransactionTorn,
    /// A transaction does not watch the streams that were only read.
    ReadsUnwatched,
    /// The newest command ids do not travel with a snapshot.
    WindowLost,
    /// A snapshot is of an older state than its commit's.
    SnapshotSkewed,
    /// Unique keys and commands that are never to be repeated are not reserved.
    NothingReserved,
    /// The log is read eventually consistent.
    StaleReads,
    /// The change stream's mapping forgets one half of a halved batch.
    HalfBisected,
    /// The change stream goes on behind the record that failed, not with it.
    FailedRecordSkipped,
    /// A batch of the change stream is acknowledged before it is published.
    AcknowledgedFirst,
    /// The relay keeps records in memory, to publish them with the next batch.
    RelayBuffers,
    /// The relay looks at the result of only one of its concurrent calls.
    OneCallObserved,
    /// The relay reports the last record that it could not publish, not the first.
    LastFailureReported,
    /// The relay does not look at the answers of the entries.
    FailedEntriesIgnored,
    /// The relay does not look at the answers of the entries with public events.
    FailedPublicEntriesIgnored,
    /// The projectors of another context do not read missing events from the log.
    ForeignGapsIgnored,
    /// A message is deleted when it is received, not when it is applied.
    DeletedOnReceipt,
    /// Projectors do not read missing events from the log.
    GapsIgnored,
    /// A read row is written without a condition on its version.
    RowsUnconditional,
    /// A removed row leaves no version behind.
    NoTombstone,
    /// Counters are written without a condition on the memo.
    CountedUnconditionally,
    /// Of the streams that are counted in one transaction, only one is added.
    SumOfOneStream,
    /// Streams that are counted in one transaction are done, although another one of them was overtaken.
    NeighboursUncounted,
    /// A list shows the rows of the other tenant.
    TenantsShareLists,
    /// A query of counters without a token shows those of the other tenant.
    TenantsShareCounters,
    /// Counters and their memo are read one after the other, as if no transaction were under way.
    ReadApart,
    /// A repair overwrites a row without a condition.
    RepairOverwrites,
    /// A repair counts on from an old memo without a condition.
    RepairCountsTwice,
    /// A repair takes the first page of streams for all.
    RepairStopsEarly,
    /// A stream is parked without an entry, and its messages are done.
    ParkedWithoutEntry,
    /// A parked stream is released without a condition on its debt.
    DebtForgotten,
    /// A rebuild switches before it has filled all streams.
    SwitchedUnfilled,
    /// A rebuild switches without verifying, and ignores missed events.
    SwitchedUnverified,
    /// Projectors update the live generation, and not the building one.
    BuildingNotKept,
    /// A change of the generations writes the record and does not mark its copies.
    MarksLost,
    /// A change of the generations marks the copies after it has written the record.
    MarkedAfterwards,
    /// A copy of the record is replaced without a condition, so a delayed function puts an old record into it.
    CopiesUnconditional,
    /// The process does not see which messages come from a replay.
    ReplayFlagLost,
    /// A process's message is done before anything has followed from it.
    ProcessAcknowledgesFirst,
    /// A sweep removes the deadlines that it sends.
    SweepRemovesFirst,
    /// A sweep remembers a deadline as sent although the queue did not take it.
    FailedSendRemembered,
    /// A sweep does not send a deadline again whose message may be lost.
    LostMessageNotSentAgain,
    /// A worker removes a deadline before its command has taken effect.
    WorkerRemovesFirst,
    /// A worker fires the deadline of a message without looking at the stored one, which may not be due.
    WorkerTrustsMessage,
}

impl Plant {
    /// All faults that can be planted.
    pub const FAULTS: [Self; 47] = [
        Self::PutWithoutCondition,
        Self::ConflictIsSuccess,
        Self::BusyIsSuccess,
        Self::BusyIsConflict,
        Self::TransactionTorn,
        Self::ReadsUnwatched,
        Self::WindowLost,
        Self::SnapshotSkewed,
        Self::NothingReserved,
        Self::StaleReads,
        Self::HalfBisected,
        Self::FailedRecordSkipped,
        Self::AcknowledgedFirst,
        Self::RelayBuffers,
        Self::OneCallObserved,
        Self::LastFailureReported,
        Self::FailedEntriesIgnored,
        Self::FailedPublicEntriesIgnored,
        Self::ForeignGapsIgnored,
        Self::DeletedOnReceipt,
        Self::GapsIgnored,
        Self::RowsUnconditional,
        Self::NoTombstone,
        Self::CountedUnconditionally,
        Self::SumOfOneStream,
        Self::NeighboursUncounted,
        Self::TenantsShareLists,
        Self::TenantsShareCounters,
        Self::ReadApart,
        Self::RepairOverwrites,
        Self::RepairCountsTwice,
        Self::RepairStopsEarly,
        Self::ParkedWithoutEntry,
        Self::DebtForgotten,
        Self::SwitchedUnfilled,
        Self::SwitchedUnverified,
        Self::BuildingNotKept,
        Self::MarksLost,
        Self::MarkedAfterwards,
        Self::CopiesUnconditional,
        Self::ReplayFlagLost,
        Self::ProcessAcknowledgesFirst,
        Self::SweepRemovesFirst,
        Self::FailedSendRemembered,
        Self::LostMessageNotSentAgain,
        Self::WorkerRemovesFirst,
        Self::WorkerTrustsMessage,
    ];
}
