//! One read of a patient: the rule, the keys, and the record of the read.

use std::collections::BTreeSet;

use ledgerfold::{
    Decider, EntityId, StreamId, Version,
    context::{QueryPorts, Undeclared},
    query::{Fresh, Until},
    sealed::{OpenKeys, Opened, Personal, Sealed},
};
use ledgerfold_lambda::http::{
    EventLog, Instant, Models, Opener, Problem, QueryCall, Recorder, RequiredHeader, Rows,
    StatusCode,
};
use patients_events::{DataRead, Purpose, RecordKind};

use super::{erased, no_such_patient};
use crate::{
    domain::{
        AccessLogs, Patient, Patients, RecordRead, access,
        reading::{Reading, may_read, role_of},
    },
    read_models::{PatientRow, PatientViews},
};

/// The header with the purpose of a read.
pub(super) const PURPOSE: RequiredHeader = RequiredHeader {
    name: "Purpose-Of-Use",
    description: "Why the caller reads. The read is recorded with it.",
    values: &Purpose::NAMES,
};

/// Everything behind the queries of a patient.
pub struct Chart {
    views: Rows<PatientViews>,
    pub(super) log: EventLog,
    opener: Opener,
    recorder: Recorder<AccessLogs>,
}

impl Models for Chart {
    const OPENS: bool = true;
    const RECORDS: bool = true;

    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self {
            views: Models::open(ports)?,
            log: Models::open(ports)?,
            opener: Models::open(ports)?,
            recorder: Models::open(ports)?,
        })
    }
}

/// A read that is allowed, and not recorded yet. Only [`recorded`](Self::recorded) gives its answer away.
pub(super) struct Read<'a> {
    chart: &'a Chart,
    call: QueryCall<'a>,
    pub(super) stream: StreamId,
    /// The patient as the answer shows it.
    pub(super) shown: Fresh<PatientRow>,
    /// The kinds that the caller may read.
    pub(super) kinds: BTreeSet<RecordKind>,
    read: DataRead,
}

impl Chart {
    /// The patient for a read of its data, now or as it was. A refusal is recorded.
    ///
    /// The rule decides on the current state, also for a read of the past, and at the current time.
    pub(super) async fn read<'a>(
        &'a self,
        id: EntityId,
        at: Option<Instant>,
        call: QueryCall<'a>,
    ) -> Result<Read<'a>, Problem> {
        let (stream, current, read) = self.find(id, call).await?;
        let patient = &current.row.patient;
        if patient.is_erased {
            self.record(patient, read, call).await?;
            return Err(erased());
        }
        let (kinds, emergency) = match may_read(patient, call.caller(), read.purpose, call.now()) {
            Reading::Allowed { kinds, emergency } => (kinds, emergency),
            Reading::NoConsent => {
                self.record(patient, read, call).await?;
                return Err(no_consent());
            }
        };
        let shown = match at {
            None => current,
            Some(Instant(at)) => {
                let found = self.views.as_of(&stream, Until::Instant(at), call).await?;
                found.ok_or_else(no_such_patient)?
            }
        };
        let read = DataRead { allowed: true, emergency, ..read };
        Ok(Read { chart: self, call, stream, shown, kinds, read })
    }

    /// Records a read that needs no consent, because it shows no data of the patient: only the patient itself and privacy
    /// officers may see its access log and its erasure. The result is the version of the record.
    pub(super) async fn oversee(
        &self,
        id: EntityId,
        call: QueryCall<'_>,
    ) -> Result<(StreamId, Version), Problem> {
        let (stream, current, read) = self.find(id, call).await?;
        let patient = &current.row.patient;
        let caller = call.caller();
        let allowed = access::is_self(caller, patient) || caller.has_role(&access::PRIVACY_OFFICER);
        let version = self.record(patient, DataRead { allowed, ..read }, call).await?;
        if !allowed {
            return Err(Problem::forbidden("The caller may not see this."));
        }
        Ok((stream, version))
    }

    /// The current patient, and a refusal of the read as long as nobody allows it.
    async fn find(
        &self,
        id: EntityId,
        call: QueryCall<'_>,
    ) -> Result<(StreamId, Fresh<PatientRow>, DataRead), Problem> {
        let purpose = PURPOSE.read(call.request)?;
        let purpose: Purpose =
            serde_json::from_value(purpose.into()).map_err(|_| Problem::internal())?;
        let stream = call.stream(Patients::CATEGORY, id);
        let current = self.views.current(&stream, call).await?.ok_or_else(no_such_patient)?;
        let read = DataRead {
            subject: call.caller().subject.clone(),
            role: role_of(call.caller(), &current.row.patient).to_owned(),
            purpose,
            kinds: Vec::new(),
            allowed: false,
            emergency: false,
        };
        Ok((stream, current, read))
    }

    async fn record(
        &self,
        patient: &Patient,
        read: DataRead,
        call: QueryCall<'_>,
    ) -> Result<Version, Problem> {
        self.recorder.record(&patient.id, RecordRead(read), call).await
    }
}

impl Read<'_> {
    /// The log behind the read.
    pub(super) const fn log(&self) -> &EventLog {
        &self.chart.log
    }

    /// The keys that open the patient's data.
    pub(super) async fn keys(&self) -> Result<OpenKeys, Problem> {
        self.chart.opener.keys(&self.shown.row.demographics, self.call).await
    }

    /// Records the read with the kinds of records in the answer, and then gives the answer away.
    pub(super) async fn recorded<T>(
        self,
        kinds: impl IntoIterator<Item = RecordKind>,
        answer: T,
    ) -> Result<T, Problem> {
        let kinds: BTreeSet<_> = kinds.into_iter().collect();
        let read = DataRead { kinds: kinds.into_iter().collect(), ..self.read };
        self.chart.record(&self.shown.row.patient, read, self.call).await?;
        Ok(answer)
    }
}

/// The content of a value of this patient.
pub(super) fn content<T: Personal>(keys: &OpenKeys, sealed: &Sealed<T>) -> Result<T, Problem> {
    match keys.open(sealed)? {
        Opened::Value(content) => Ok(content.into_exposed()),
        // Between the end of the key and the event that records it.
        Opened::Erased => Err(erased()),
    }
}

fn no_consent() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "no-consent",
        "Nobody has consented to this",
        "No consent covers this caller and purpose. The refusal was recorded.",
    )
}
