//! Contracts that the code of one day has stored and the code of the next day checks.

use ledgerfold_testkit::schemas::{KeptError, check};

use crate::folder::{ABOUT, Folder};

/// Declares the events of one day in their own module.
macro_rules! day {
    ($module:ident: $($events:tt)*) => {
        mod $module {
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            day!(@ $($events)*);
        }
    };
    (@ struct $name:ident { $($(#[$of:meta])* $field:ident: $type:ty),* } $($rest:tt)*) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(super) struct $name { $($(#[$of])* pub(super) $field: $type),* }
        day!(@ $($rest)*);
    };
    (@ $($events:tt)+) => {
        ledgerfold::events! { $($events)+ }
    };
}

day! { first:
    struct Paid { cents: u32, by: String }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 1, Noted: 1 }
}

fn paid() -> first::Event {
    first::Paid { cents: 900, by: "card".to_owned() }.into()
}

fn noted() -> first::Event {
    first::Noted { text: "it rains".to_owned() }.into()
}

fn first_day() -> Folder {
    Folder::of(&[paid(), noted()])
}

const ASYNCAPI: &str = "asyncapi.json is missing or outdated; UPDATE_SCHEMAS=1 writes it.";

#[test]
fn new_versions_are_reported_and_stored() {
    let folder = Folder::empty();
    let of = |name: &str| {
        [
            format!("{name}.v1: its schema is not stored yet; UPDATE_SCHEMAS=1 stores it."),
            format!("{name}.v1: it has no golden file yet; UPDATE_SCHEMAS=1 stores the sample."),
        ]
    };
    let ([paid_schema, paid_golden], [noted_schema, noted_golden]) = (of("Paid"), of("Noted"));
    let expected = [paid_schema, noted_schema, paid_golden, noted_golden, ASYNCAPI.to_owned()];
    let samples = [paid(), noted()];
    assert_eq!(folder.sentences(&samples), expected);
    folder.update(&samples);
    assert_eq!(folder.sentences(&samples), [""; 0]);
    assert_eq!(folder.text("golden/Paid.v1.json"), "{\"cents\":900,\"by\":\"card\"}\n");
    check(&ABOUT, &folder.0, &samples);
}

#[test]
fn a_version_without_a_golden_file_needs_a_sample() {
    let folder = first_day();
    folder.remove("golden/Noted.v1.json");
    assert_eq!(
        folder.sentences(&[paid()]),
        ["Noted.v1: it has no golden file; pass a sample of it to the check."]
    );
}

day! { with_a_note:
    struct Paid { cents: u32, by: String, #[serde(skip_serializing_if = "Option::is_none")] note: Option<String> }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 1, Noted: 1 }
}

#[test]
fn a_compatible_change_is_stored_and_golden_files_stay() {
    let folder = first_day();
    let note = Some("thanks".to_owned());
    let sample = [with_a_note::Paid { cents: 1, by: "cash".to_owned(), note }.into()];
    let added = "Paid.v1: the optional field `note` was added: older events and older readers work \
        without it; UPDATE_SCHEMAS=1 stores the new schema.";
    assert_eq!(folder.sentences::<with_a_note::Event>(&sample), [added, ASYNCAPI]);
    folder.update::<with_a_note::Event>(&sample);
    assert_eq!(folder.sentences::<with_a_note::Event>(&sample), [""; 0]);
    assert_eq!(folder.text("golden/Paid.v1.json"), "{\"cents\":900,\"by\":\"card\"}\n");
}

day! { without_by:
    struct Paid { cents: u32, note: Option<String> }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 1, Noted: 1 }
}

// Guards: a-published-contract-is-never-overwritten
#[test]
fn an_incompatible_change_is_never_stored() {
    let folder = first_day();
    let before = (folder.text("schemas/Paid.v1.json"), folder.text("asyncapi.json"));
    let expected = [
        "Paid.v1: the field `by` was removed: its content in older events would be lost, and older \
         readers rely on it; make it version 2 and write an upcaster from version 1.",
        "Paid.v1: the optional field `note` was added: older events and older readers work \
         without it; UPDATE_SCHEMAS=1 stores the new schema.",
        ASYNCAPI,
    ];
    assert_eq!(folder.sentences::<without_by::Event>(&[]), expected);
    folder.update::<without_by::Event>(&[]);
    assert_eq!(folder.sentences::<without_by::Event>(&[]), expected);
    assert_eq!((folder.text("schemas/Paid.v1.json"), folder.text("asyncapi.json")), before);
}

#[test]
#[should_panic(expected = "the field `by` was removed")]
fn the_check_fails_with_its_sentences() {
    check::<without_by::Event>(&ABOUT, &first_day().0, &[]);
}

day! { raised:
    struct Paid { cents: u64 }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 2, Noted: 1 }
}

#[test]
fn a_raised_version_needs_an_upcaster() {
    let folder = first_day();
    let sample = [raised::Paid { cents: 900 }.into()];
    let said = folder.sentences::<raised::Event>(&sample);
    assert_eq!(
        said[1],
        "Paid.v1: the version was raised to 2, and events of version 1 cannot be read; add \
         `Paid: 1` to `upcast`, or to `retired` if they have no meaning any more."
    );
    assert_eq!(said[3], "golden/Paid.v1.json cannot be read any more: no type reads Paid.v1.");
    folder.update::<raised::Event>(&sample);
    assert_eq!(folder.sentences::<raised::Event>(&sample), said, "an update is not an upcaster");
}

day! { upcast:
    struct PaidV1 { cents: u32, by: String }
    struct Paid { cents: u64 }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 2, Noted: 1 }
    upcast {
        Paid: 1 as PaidV1 => |old| [
            Paid { cents: old.cents.into() }.into(),
            Noted { text: format!("paid by {}", old.by) }.into(),
        ],
    }
}

#[test]
fn a_raised_version_with_an_upcaster_and_a_golden_file_is_stored() {
    let folder = first_day();
    let sample = [upcast::Paid { cents: 900 }.into()];
    let expected = [
        "Paid.v2: its schema is not stored yet; UPDATE_SCHEMAS=1 stores it.",
        "Paid.v2: it has no golden file yet; UPDATE_SCHEMAS=1 stores the sample.",
        ASYNCAPI,
    ];
    assert_eq!(folder.sentences::<upcast::Event>(&sample), expected);
    folder.remove("golden/Paid.v1.json");
    assert_eq!(
        folder.sentences::<upcast::Event>(&sample)[2],
        "Paid.v1: its golden file is missing; restore golden/Paid.v1.json from the time when \
         version 1 was written."
    );
    folder.put("golden/Paid.v1.json", r#"{"cents": 900, "by": "card"}"#);
    folder.update::<upcast::Event>(&sample);
    assert_eq!(folder.sentences::<upcast::Event>(&sample), [""; 0]);
    assert!(folder.text("asyncapi.json").contains("Paid.v1"), "replays contain old versions");
}

day! { rewritten:
    struct PaidV1 { cents: u32, by: Option<String> }
    struct Paid { cents: u64 }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 2, Noted: 1 }
    upcast { Paid: 1 as PaidV1 => |old| [Paid { cents: old.cents.into() }.into()] }
}

// Guards: a-published-contract-is-never-overwritten
#[test]
fn an_old_version_is_not_changed() {
    let folder = first_day();
    let sample = [upcast::Paid { cents: 900 }.into()];
    folder.update::<upcast::Event>(&sample);
    let said = folder.sentences::<rewritten::Event>(&[]);
    let history = "version 1 is not written any more: restore the old shape of its type.";
    assert_eq!(
        said[..2],
        [
            format!("Paid.v1: `by` may be null now: older readers do not expect it; {history}"),
            format!("Paid.v1: the field `by` became optional: older readers rely on it; {history}"),
        ]
    );
    assert_eq!(said[2..], [ASYNCAPI]);
}

#[test]
fn a_version_is_never_withdrawn() {
    let folder = first_day();
    folder.update::<upcast::Event>(&[upcast::Paid { cents: 900 }.into()]);
    assert!(folder.sentences(&[paid(), noted()]).iter().any(|said| said
        == "Paid.v2: the version was lowered to 1, but the log may have events of version 2; \
                a version cannot be withdrawn: make it 3 and write an upcaster from version 2."));
}

day! { without_notes:
    struct Paid { cents: u32, by: String }
    pub(super) enum Event { Paid: 1 }
}

#[test]
fn a_removed_type_is_reported() {
    let folder = first_day();
    let expected = [
        "Noted.v1: the type was removed, and its events cannot be read; add `Noted: 1` to `upcast`, \
         or to `retired` if they have no meaning any more.",
        "golden/Noted.v1.json cannot be read any more: no type reads Noted.v1.",
        ASYNCAPI,
    ];
    assert_eq!(folder.sentences::<without_notes::Event>(&[]), expected);
}

day! { retired:
    struct Paid { cents: u32, by: String }
    pub(super) enum Event { Paid: 1 }
    retired { Noted: 1 }
}

#[test]
fn a_retired_type_keeps_its_schema_and_its_golden_file() {
    let folder = first_day();
    assert_eq!(folder.sentences::<retired::Event>(&[]), [ASYNCAPI]);
    folder.update::<retired::Event>(&[]);
    assert_eq!(folder.sentences::<retired::Event>(&[]), [""; 0]);
    folder.put("golden/Noted.v1.short.json", r#"{"txt": "it rains"}"#);
    assert_eq!(
        folder.sentences::<retired::Event>(&[]),
        ["golden/Noted.v1.short.json does not fit the schema of Noted.v1: \"text\" is a required \
          property."]
    );
    folder.remove("golden/Noted.v1.short.json");
    folder.remove("schemas/Noted.v1.json");
    assert_eq!(
        folder.sentences::<retired::Event>(&[])[0],
        "Noted.v1: its events were written, but its schema is missing; restore \
         schemas/Noted.v1.json."
    );
}

#[test]
fn a_lost_schema_is_not_generated_again() {
    let folder = first_day();
    folder.remove("schemas/Paid.v1.json");
    let lost = "Paid.v1: its events were written, but its schema is missing; restore \
        schemas/Paid.v1.json.";
    folder.update(&[paid()]);
    assert_eq!(folder.sentences(&[paid()]), [lost]);
}

#[test]
fn a_golden_file_must_fit_and_be_read() {
    let folder = first_day();
    folder.put("golden/Paid.v1.odd.json", r#"{"cents": -1, "by": "card"}"#);
    let said = folder.sentences(&[paid()]);
    assert_eq!(
        said[0],
        "golden/Paid.v1.odd.json does not fit the schema of Paid.v1: -1 is less than the minimum of \
         0 at /cents."
    );
    assert!(
        said[1]
            .starts_with("golden/Paid.v1.odd.json cannot be read any more: content does not have"),
        "{said:?}"
    );
}

day! { forgetful:
    struct Paid { cents: u32, #[serde(skip_serializing, default)] by: String }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 1, Noted: 1 }
}

#[test]
fn an_event_must_be_read_back_equal() {
    let folder = first_day();
    let sample = [forgetful::Paid { cents: 1, by: "card".to_owned() }.into()];
    let said = folder.sentences::<forgetful::Event>(&sample);
    let unfaithful = "golden/Paid.v1.json changes when its event is written and read again: \
        the JSON of the value is read back as another value.";
    assert!(said.iter().any(|said| said == unfaithful), "{said:#?}");
}

day! { stricter:
    struct Paid { #[schemars(range(max = 100))] cents: u32, by: String }
    struct Noted { text: String }
    pub(super) enum Event { Paid: 1, Noted: 1 }
}

#[test]
fn a_sample_must_fit_its_schema() {
    let folder = Folder::empty();
    let sample = [stricter::Paid { cents: 900, by: "card".to_owned() }.into()];
    let said = folder.sentences::<stricter::Event>(&sample);
    let misfit = "the sample, as it is written today, does not fit the schema of Paid.v1: 900 is \
        greater than the maximum of 100 at /cents.";
    assert!(said.iter().any(|said| said == misfit), "{said:#?}");
}

#[test]
fn files_with_invalid_names_or_content_are_errors() {
    for (file, text) in [
        ("schemas/Paid.json", "{}"),
        ("schemas/Paid.v1.short.json", "{}"),
        ("golden/Paid.1.json", "{}"),
        ("golden/Paid.v1.json.bak", "{}"),
    ] {
        let folder = first_day();
        folder.put(file, text);
        assert!(matches!(folder.kept(), Err(KeptError::Name(name)) if name == file), "{file}");
    }
    for file in ["schemas/Paid.v1.json", "golden/Paid.v1.json", "asyncapi.json"] {
        let folder = first_day();
        folder.put(file, "{");
        assert!(matches!(folder.kept(), Err(KeptError::NotJson { .. })), "{file}");
    }
}
