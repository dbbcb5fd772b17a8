//! Tests of the audit's report.

use ledgerfold::{
    Timestamp, Version, claims,
    ports::{Signature, Skip},
    process::DeadlineFault,
    project::{Comparison, Extent, Verdict},
    reconcile::Finding,
};

use super::{Audit, Unpublished};
use crate::admin::deadlines::tests::wrong;
use crate::output::{Report as _, rendered};

fn finding(projection: &'static str, verdict: Verdict) -> Finding {
    let stream = "default/account#1".parse().expect("a stream");
    let stored = (verdict != Verdict::Lost).then_some(Version::new(1));
    let head = Version::new(3);
    let (waiting_since, counted, skipped) = (None, None, Vec::new());
    let extent = Extent::Whole;
    let comparison = Comparison { stored, head, waiting_since, verdict, extent, counted, skipped };
    Finding { projection, stream, comparison }
}

#[test]
fn a_current_row_makes_no_line() {
    let mut audit = Audit { streams: 1, ..Audit::default() };
    audit.add(&finding("statements", Verdict::Current));
    assert!(audit.is_clean());
    assert_eq!(
        rendered(&audit, false).expect("text"),
        "lost=0 diverged=0 parked=0 behind=0 ahead=0 unreadable=0 skipped=0 counters=0 streams=1\n"
    );
}

#[test]
fn a_skip_is_listed_with_its_reason_and_is_no_fault() {
    let mut audit = Audit { streams: 1, ..Audit::default() };
    let mut finding = finding("statements", Verdict::Current);
    finding.comparison.skipped.push(Skip {
        stream: finding.stream.clone(),
        version: Version::new(2),
        reason: "lent twice".parse().expect("one line"),
        by: Signature { actor: "ada".parse().expect("visible ASCII"), at: Timestamp::UNIX_EPOCH },
    });
    audit.add(&finding);
    assert!(audit.is_clean());
    let text = rendered(&audit, false).expect("text");
    assert!(text.contains("ada at 1970-01-01T00:00:00Z") && text.contains("lent twice"), "{text}");
    assert!(text.contains(" skipped=1 "), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&rendered(&audit, true).expect("JSON")).expect("JSON");
    assert_eq!(json["totals"]["skipped"], 1);
    assert_eq!(json["projections"]["statements"]["skipped"], 1);
    let skipped = &json["skipped"][0];
    assert_eq!((&skipped["projection"], &skipped["version"]), (&"statements".into(), &2.into()));
    assert_eq!((&skipped["actor"], &skipped["reason"]), (&"ada".into(), &"lent twice".into()));
}

#[test]
fn unpublished_commits_are_counted_when_the_bus_was_checked() {
    let mut audit = Audit { streams: 1, ..Audit::default() };
    audit.totals.unpublished = Some(0);
    assert!(audit.is_clean());
    assert!(audit.text().ends_with(" counters=0 unpublished=0 streams=1\n"));
    audit.unpublished.push(Unpublished {
        stream: "default/account#1".parse().expect("a stream"),
        from: Version::new(2),
        to: Version::new(3),
        recorded_at: Timestamp::UNIX_EPOCH,
    });
    assert!(!audit.is_clean());
    assert!(audit.text().contains("2-3"), "{}", audit.text());
}

#[test]
fn faults_of_reservations_are_counted_when_they_were_checked() {
    let mut audit = Audit { claims: Some(Vec::new()), ..Audit::default() };
    assert!(audit.is_clean());
    assert!(audit.text().ends_with(" counters=0 claims=0 streams=0\n"), "{}", audit.text());
    let stream = "default/account#1".parse().expect("a stream");
    let unreadable = claims::Finding::Unreadable { stream, reason: "a hole".to_owned() };
    audit.claims = Some(vec![super::claims::ReservationFault::from(&unreadable)]);
    assert!(!audit.is_clean());
    assert!(audit.text().contains("a hole"), "{}", audit.text());
}

#[test]
fn deadlines_are_counted_when_they_were_compared() {
    let mut audit = Audit { streams: 1, ..Audit::default() };
    audit.misses(vec![]);
    assert!(audit.is_clean());
    assert!(audit.text().ends_with(" counters=0 deadlines=0 streams=1\n"));
    audit.misses(vec![wrong(DeadlineFault::Missing)]);
    assert!(!audit.is_clean());
    assert!(audit.text().contains("missing"), "{}", audit.text());
    assert!(audit.text().ends_with(" counters=0 deadlines=1 streams=1\n"));
}

#[test]
fn findings_are_listed_and_counted() {
    let mut audit = Audit { streams: 2, ..Audit::default() };
    audit.add(&finding("statements", Verdict::Behind));
    audit.add(&finding("statements", Verdict::Lost));
    audit.add(&finding("statements", Verdict::Unreadable("no account".to_owned())));
    audit.add(&finding("statements", Verdict::Parked("no totals".to_owned())));
    assert!(!audit.is_clean());
    let text = rendered(&audit, false).expect("text");
    let last = text.lines().last().expect("a line");
    let expected =
        "lost=1 diverged=0 parked=1 behind=1 ahead=0 unreadable=1 skipped=0 counters=0 streams=2";
    assert_eq!(last, expected);
    assert_eq!(text.lines().count(), 6, "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&rendered(&audit, true).expect("JSON")).expect("JSON");
    assert_eq!(json["totals"]["lost"], 1);
    assert_eq!(json["projections"]["statements"]["behind"], 1);
    assert_eq!(json["findings"][0]["missing"], 2);
    assert_eq!(json["findings"][2]["reason"], "no account");
    assert_eq!(json["totals"]["parked"], 1);
    assert_eq!(json["findings"][3]["reason"], "no totals");
}
