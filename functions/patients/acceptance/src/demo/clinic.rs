//! The day of a clinic.

use acceptance::unique;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledgerfold_testkit::http::{Answer, Request, Stack};
use serde_json::Value;

use super::DemoError;
use crate::client::{Caller, Client, created};

const PATIENTS: usize = 100;
const DOCTORS: usize = 4;
/// How many requests are on their way at once.
const AT_ONCE: usize = 8;
const KINDS: [&str; 5] = ["observation", "condition", "medication", "procedure", "note"];

/// The callers.
pub(super) struct Clinic {
    stack: Stack,
    tenant: String,
    registrar: Client,
    officer: Client,
    doctors: Vec<Client>,
}

/// A read of the demo.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) patient: usize,
    pub(super) reader: String,
    /// Whether the patient itself reads.
    pub(super) is_own: bool,
    pub(super) purpose: &'static str,
    /// Whether the reader may read.
    pub(super) allowed: bool,
    pub(super) emergency: bool,
    /// The status of the answer.
    pub(super) status: u16,
}

/// Everything that the demo did.
pub(super) struct Day {
    /// The ids of the patients.
    pub(super) patients: Vec<String>,
    /// The reads, in their order.
    pub(super) visits: Vec<Visit>,
    /// The patient of the emergency.
    pub(super) emergency: usize,
    /// The erased patient.
    pub(super) erased: usize,
}

fn doctor(number: usize) -> String {
    format!("dr-{}", number % DOCTORS)
}

impl Clinic {
    pub(super) fn open(stack: &Stack, tenant: &str) -> Result<Self, DemoError> {
        let of = |caller: Caller| caller.in_tenant(tenant);
        let registrar = Client::new(stack, &of(Caller::registrar()))?;
        let for_caller = |caller| registrar.for_caller(stack, &of(caller));
        Ok(Self {
            officer: for_caller(Caller::privacy_officer())?,
            doctors: (0..DOCTORS)
                .map(|number| for_caller(Caller::clinician(&doctor(number))))
                .collect::<Result<_, _>>()?,
            stack: stack.clone(),
            tenant: tenant.to_owned(),
            registrar,
        })
    }

    fn patient(&self, id: &str) -> Result<Client, DemoError> {
        let caller = Caller::patient(id).in_tenant(&self.tenant);
        Ok(self.registrar.for_caller(&self.stack, &caller)?)
    }

    /// Registers everybody, and reads. Each patient consents to its doctor, and the next doctor is refused.
    pub(super) async fn day(&self) -> Result<Day, DemoError> {
        let admitted = stream::iter(0..PATIENTS).map(|number| self.admit(number));
        let patients: Vec<String> = admitted.buffered(AT_ONCE).try_collect().await?;
        let emergency = 7;
        let seen = stream::iter(patients.iter().enumerate());
        let seen = seen.map(|(number, id)| self.visits(number, id, number == emergency));
        let visits: Vec<Vec<Visit>> = seen.buffered(AT_ONCE).try_collect().await?;
        let visits = visits.into_iter().flatten().collect();
        Ok(Day { patients, visits, emergency, erased: 42 })
    }

    /// Registers a patient with records and a consent.
    async fn admit(&self, number: usize) -> Result<String, DemoError> {
        let key = |what: &str| format!("{what}-{number}");
        let register = self.registrar.register(&key("register"), &name(number), &insurance(number));
        let id = created(register.send().await?)?;
        let doctor_of = &self.doctors[number % DOCTORS];
        for (at, kind) in KINDS.iter().enumerate().take(1 + number % KINDS.len()) {
            let record = format!("{}-{at}", key("record"));
            let add =
                doctor_of.add_record(&record, &id, kind, &format!("finding {at} of {number}"));
            let record_id = created(add.send().await?)?;
            if at == 0 && number.is_multiple_of(10) {
                let amend = doctor_of.amend_record(&key("amend"), &id, &record_id, "38.2 °C");
                amend.send().await?.expect_status(200)?;
            }
        }
        let patient = self.patient(&id)?;
        let grantee = doctor(number);
        let consent = key("consent");
        let consent = patient.give_consent(&consent, &id, &grantee, None, &["treatment"]);
        created(consent.send().await?)?;
        Ok(id)
    }

    async fn visits(
        &self,
        number: usize,
        id: &str,
        has_emergency: bool,
    ) -> Result<Vec<Visit>, DemoError> {
        let mut visits = Vec::new();
        let own = &self.doctors[number % DOCTORS];
        let other = &self.doctors[(number + 1) % DOCTORS];
        let visit = |reader: String, purpose, allowed, emergency, answer: &Answer| Visit {
            patient: number,
            is_own: reader == id,
            reader,
            purpose,
            allowed,
            emergency,
            status: answer.status(),
        };
        let records = own.read(id, "/records", "treatment").send().await?;
        visits.push(visit(doctor(number), "treatment", true, false, &records));
        let research = own.read(id, "/history", "research").send().await?;
        visits.push(visit(doctor(number), "research", false, false, &research));
        let refused = other.read(id, "", "treatment").send().await?;
        visits.push(visit(doctor(number + 1), "treatment", false, false, &refused));
        if has_emergency {
            other.take_access(&unique("emergency"), id).send().await?.expect_status(201)?;
            let read = other.read(id, "/records", "emergency").send().await?;
            visits.push(visit(doctor(number + 1), "emergency", true, true, &read));
        }
        let itself = self.patient(id)?.read(id, "", "patient-request").send().await?;
        visits.push(visit(id.to_owned(), "patient-request", true, false, &itself));
        Ok(visits)
    }

    /// The reads of a patient's data, newest first. The patient itself asks.
    pub(super) async fn accesses(&self, id: &str) -> Result<Vec<Value>, DemoError> {
        let patient = self.patient(id)?;
        let page = patient.read(id, "/accesses", "patient-request").query("limit", 100);
        let page: Value = page.send().await?.expect_status(200)?.json()?;
        Ok(page["items"].as_array().cloned().unwrap_or_default())
    }

    pub(super) async fn hold_and_erase(&self, id: &str) -> Result<(u16, String), DemoError> {
        self.officer.hold("hold", id).send().await?.expect_status(200)?;
        outcome(self.officer.erase("held", id)).await
    }

    pub(super) async fn lift_and_erase(&self, id: &str) -> Result<(), DemoError> {
        self.officer.lift("lift", id).send().await?.expect_status(200)?;
        self.officer.erase("erase", id).send().await?.expect_status(202)?;
        // Its repetition has the same answer.
        self.officer.erase("erase", id).send().await?.expect_status(202)?;
        Ok(())
    }

    /// The answers about an erased patient.
    pub(super) async fn after_erasure(
        &self,
        id: &str,
    ) -> Result<Vec<(&'static str, (u16, String))>, DemoError> {
        let patient = self.patient(id)?;
        let own = &self.doctors[42 % DOCTORS];
        Ok(vec![
            ("The patient reads itself", outcome(patient.read(id, "", "patient-request")).await?),
            ("Its doctor reads its records", outcome(own.read(id, "/records", "treatment")).await?),
            ("Its doctor reads its history", outcome(own.read(id, "/history", "treatment")).await?),
            ("Its doctor adds a record", outcome(own.add_record("late", id, "note", "x")).await?),
            ("A second erasure", outcome(self.officer.erase("again", id)).await?),
        ])
    }

    /// Registers the person again, under its old identifier.
    pub(super) async fn register_again(&self, number: usize) -> Result<String, DemoError> {
        let register = self.registrar.register("again", &name(number), &insurance(number));
        Ok(created(register.send().await?)?)
    }

    pub(super) async fn erasure(&self, id: &str) -> Result<Value, DemoError> {
        let read = self.officer.read(id, "/erasure", "operations");
        Ok(read.send().await?.expect_status(200)?.json()?)
    }
}

fn name(number: usize) -> String {
    format!("Patient {number}")
}

fn insurance(number: usize) -> String {
    format!("I-{number}")
}

async fn outcome(request: Request<'_>) -> Result<(u16, String), DemoError> {
    let answer = request.send().await?;
    let problem = answer.problem().map(|it| it.name().to_owned()).unwrap_or_default();
    Ok((answer.status(), problem))
}
