//! The demo: a hundred patients with records and consents, reads that are allowed and refused, an emergency, an erasure
//! with its certificate, and a manual change of history that `verify-chain` finds.
//!
//! It compares everything that the service says with its own account of the day, and reports each difference.

mod clinic;
mod programs;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use acceptance::report::{closing, heading, table};
use acceptance::unique;
use ledgerfold_testkit::eventually;
use ledgerfold_testkit::http::{ClientError, Stack, StackError};
use serde_json::Value;

use clinic::{Clinic, Visit};
use programs::Programs;

use crate::tables::{EventTable, TableError};

/// The longest time until the certificate of an erasure: the time for which functions cache keys, and a margin.
const CERTIFIED: Duration = Duration::from_secs(60);

/// The reason why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The service does not answer as its contract says.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The event table refuses.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The report cannot be written, or a program does not run.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Something did not happen in time.
    #[error("{0}")]
    Late(String),
}

/// Runs the demo. The result is whether everything was as expected.
///
/// # Errors
/// [`DemoError`].
pub async fn run(out: &mut impl Write) -> Result<bool, DemoError> {
    let stack = Stack::find()?;
    let tenant = unique("demo");
    let mut differences = Vec::new();
    let clinic = Clinic::open(&stack, &tenant)?;
    let mut day = clinic.day().await?;
    reads(out, &day.visits, &mut differences)?;
    accesses(out, &clinic, &day, &mut differences).await?;
    let programs = Programs::new(&tenant)?;
    let certificate = erasure(out, &clinic, &mut day, &mut differences).await?;
    verify_certificate(out, &programs, &certificate, &mut differences)?;
    chains(out, &stack, &programs, &day, &mut differences).await?;
    closing(out, "Everything is as expected.", &differences)?;
    Ok(differences.is_empty())
}

/// The answers to reads.
fn reads(out: &mut impl Write, visits: &[Visit], differences: &mut Vec<String>) -> io::Result<()> {
    heading(out, "Reads and their answers")?;
    let mut rows = table(&["reader", "purpose", "allowed", "refused", "by emergency"]);
    let mut counts = BTreeMap::<_, [usize; 3]>::new();
    for visit in visits {
        let reader = if visit.is_own { "patients themselves" } else { &visit.reader };
        let [allowed, refused, emergencies] = counts.entry((reader, visit.purpose)).or_default();
        *allowed += usize::from(visit.status == 200);
        *refused += usize::from(visit.status == 403);
        *emergencies += usize::from(visit.emergency);
    }
    for ((reader, purpose), counts) in counts {
        let [allowed, refused, emergencies] = counts.map(|it| it.to_string());
        rows.add_row([reader.to_owned(), purpose.to_owned(), allowed, refused, emergencies]);
    }
    writeln!(out, "{rows}")?;
    let wrong = visits.iter().filter(|it| it.status != if it.allowed { 200 } else { 403 });
    differences.extend(wrong.map(|it| format!("a read was answered wrongly: {it:?}")));
    Ok(())
}

/// The access logs, as patients see them.
async fn accesses(
    out: &mut impl Write,
    clinic: &Clinic,
    day: &clinic::Day,
    differences: &mut Vec<String>,
) -> Result<(), DemoError> {
    heading(out, "Who saw the patient of the emergency")?;
    let mut rows = table(&["subject", "role", "purpose", "kinds", "allowed", "emergency"]);
    for patient in [day.emergency, day.erased, 0] {
        let id = &day.patients[patient];
        let seen = clinic.accesses(id).await?;
        if patient == day.emergency {
            for access in seen.iter().rev() {
                let kinds = access["kinds"].as_array().into_iter().flatten();
                let kinds: Vec<_> = kinds.filter_map(Value::as_str).collect();
                rows.add_row([
                    text(&access["subject"]),
                    text(&access["role"]),
                    text(&access["purpose"]),
                    kinds.join(", "),
                    access["allowed"].to_string(),
                    access["emergency"].to_string(),
                ]);
            }
        }
        let expected: Vec<_> = day.visits.iter().filter(|it| it.patient == patient).collect();
        let found = seen.iter().rev();
        // The list shows itself last.
        if seen.len() != expected.len() + 1 {
            differences.push(format!(
                "{} reads of {id} are recorded, not {}",
                seen.len(),
                expected.len() + 1
            ));
        }
        for (found, expected) in found.zip(&expected) {
            let is_same = found["subject"] == expected.reader
                && found["purpose"] == expected.purpose
                && found["allowed"] == expected.allowed
                && found["emergency"] == expected.emergency;
            if !is_same {
                differences.push(format!("{id}: {found} is recorded for {expected:?}"));
            }
        }
    }
    writeln!(out, "{rows}")?;
    Ok(())
}

/// Erases a patient, and returns the certificate.
async fn erasure(
    out: &mut impl Write,
    clinic: &Clinic,
    day: &mut clinic::Day,
    differences: &mut Vec<String>,
) -> Result<Value, DemoError> {
    heading(out, "The erasure")?;
    let id = day.patients[day.erased].clone();
    let held = clinic.hold_and_erase(&id).await?;
    writeln!(out, "Under a legal hold: {} {}", held.0, held.1)?;
    if held != (409, "legal-hold".to_owned()) {
        differences.push(format!("the legal hold answered {held:?}"));
    }
    clinic.lift_and_erase(&id).await?;
    for (what, (status, problem)) in clinic.after_erasure(&id).await? {
        writeln!(out, "{what}: {status} {problem}")?;
        if (status, problem.as_str()) != (410, "erased") {
            differences.push(format!("{what} was answered with {status} {problem}"));
        }
    }
    let again = clinic.register_again(day.erased).await?;
    writeln!(out, "Registered again, with the same identifier, as another patient: {again}")?;
    day.patients.push(again);
    let certified = eventually("the erasure is certified", CERTIFIED, async || {
        let erasure = clinic.erasure(&id).await.map_err(|error| error.to_string())?;
        match &erasure["certificate"] {
            Value::Null => Err(erasure.to_string()),
            certificate => Ok((erasure["status"].clone(), certificate.clone())),
        }
    })
    .await;
    let (status, certificate) = certified.map_err(|late| DemoError::Late(late.to_string()))?;
    if status != "certified" {
        differences.push(format!("the erasure is {status}"));
    }
    let says = |field: &str| text(&certificate["certificate"][field]);
    writeln!(out, "Unreadable since {}", says("unreadableSince"))?;
    writeln!(out, "Irrecoverable since {}", says("irrecoverableSince"))?;
    for checked in certificate["certificate"]["checked"].as_array().into_iter().flatten() {
        writeln!(out, "{:>5} {}", checked["count"], text(&checked["what"]))?;
    }
    Ok(certificate)
}

fn verify_certificate(
    out: &mut impl Write,
    programs: &Programs,
    certificate: &Value,
    differences: &mut Vec<String>,
) -> Result<(), DemoError> {
    let (holds, said) = programs.verify_certificate(certificate)?;
    writeln!(out, "{said}")?;
    if !holds {
        differences.push("the certificate does not hold".to_owned());
    }
    let mut forged = certificate.clone();
    forged["certificate"]["erasedAt"] = "2020-01-01T00:00:00Z".into();
    let (holds, said) = programs.verify_certificate(&forged)?;
    writeln!(out, "With another date: {said}")?;
    if holds {
        differences.push("a forged certificate holds".to_owned());
    }
    Ok(())
}

/// Verifies the history, changes it by hand, and verifies it again.
async fn chains(
    out: &mut impl Write,
    stack: &Stack,
    programs: &Programs,
    day: &clinic::Day,
    differences: &mut Vec<String>,
) -> Result<(), DemoError> {
    heading(out, "The history")?;
    let clean = programs.verify_chain()?;
    writeln!(out, "{}", clean.text)?;
    if !clean.is_clean {
        differences.push("the history does not verify".to_owned());
    }
    let stream = format!("{}/patient#{}", programs.tenant(), day.patients[0]);
    writeln!(out, "Somebody changes the kind of the first record of {stream} in the table.")?;
    let table = EventTable::new(stack)?;
    let original = table.change(&stream, 2, ("\"observation\"", "\"procedure\"")).await?;
    let changed = programs.verify_chain();
    table.restore(original).await?;
    let changed = changed?;
    writeln!(out, "{}", changed.text)?;
    let is_named = changed.text.contains(&format!("patient#{}", day.patients[0]));
    if changed.is_clean || !is_named || !changed.text.contains("edited") {
        differences.push("verify-chain does not name the changed record".to_owned());
    }
    let restored = programs.verify_chain()?;
    if !restored.is_clean {
        differences.push("the restored history does not verify".to_owned());
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
