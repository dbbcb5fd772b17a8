//! The rules of sealed values as plain values: nothing here has a keyring.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::*;
use crate::{Category, Command, CommandName, EncodeError, TenantId, vocabulary::Fingerprint};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
struct Name(String);

impl Personal for Name {
    const LABEL: Label = Label::from_static("name");
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Diagnosis(String);

impl Personal for Diagnosis {
    const LABEL: Label = Label::from_static("diagnosis");
}

/// A later release, which has changed the form of the type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LaterName {
    first: String,
}

impl Personal for LaterName {
    const LABEL: Label = Label::from_static("name");
}

fn subject(id: &str) -> DataSubject {
    DataSubject::new(id).expect("visible ASCII")
}

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).expect("a tenant")
}

fn version(version: u32) -> KeyVersion {
    KeyVersion::new(version).expect("not 0")
}

fn key(byte: u8) -> SubjectKey {
    SubjectKey::from_bytes(&[byte; 32]).expect("32 bytes")
}

fn active(number: u32, byte: u8) -> KeyState {
    KeyState::Active { version: version(number), key: key(byte) }
}

fn tenant_key(byte: u8) -> TenantKey {
    TenantKey::from_bytes(KeyVersion::FIRST, &[byte; 32]).expect("32 bytes")
}

/// The keys of a command in a tenant whose key has this byte.
fn keys(id: &str, byte: u8, seed: u8, subjects: &[(&str, KeyState)]) -> SealingKeys {
    let of_tenant = tenant_key(byte);
    let state =
        |(id, state): &(&str, KeyState)| (of_tenant.pseudonym(&subject(id)), Some(state.clone()));
    let open = OpenKeys::new(tenant(id), subjects.iter().map(state));
    let named: Vec<_> = subjects.iter().map(|(id, _)| subject(id)).collect();
    SealingKeys::new(open, of_tenant, &named, [seed; 32])
}

fn of_ada() -> SealingKeys {
    keys("acme", 1, 7, &[("ada", active(1, 11))])
}

fn name(text: &str) -> Plain<Name> {
    Plain::new(Name(text.to_owned()))
}

fn sealed(keys: &SealingKeys, text: &str) -> Sealed<Name> {
    keys.seal(&subject("ada"), &name(text)).expect("it can be sealed")
}

/// A value whose stored form was changed.
fn changed<T: DeserializeOwned>(
    value: &Sealed<Name>,
    change: impl FnOnce(&mut Value),
) -> Result<T, serde_json::Error> {
    let mut form = serde_json::to_value(value).expect("JSON");
    change(&mut form);
    serde_json::from_value(form)
}

// Guards: sealed-fields-are-stored-as-ciphertext
#[test]
fn a_sealed_value_comes_back_and_its_stored_form_says_nothing() {
    let keys = of_ada();
    let sealed = sealed(&keys, "Ada Lovelace");
    assert_eq!(keys.to_open().open(&sealed), Ok(Opened::Value(name("Ada Lovelace"))));

    let text = serde_json::to_string(&sealed).expect("JSON");
    let read: Sealed<Name> = serde_json::from_str(&text).expect("a sealed value");
    assert_eq!(read, sealed);
    assert_eq!(keys.to_open().open(&read), Ok(Opened::Value(name("Ada Lovelace"))));
    let form: Value = serde_json::from_str(&text).expect("JSON");
    let fields: Vec<_> = form.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(fields, ["c", "k", "s", "t"]);
    for shown in [text, format!("{sealed:?}"), format!("{keys:?}")] {
        assert!(!shown.contains("Ada") && !shown.contains("ada\""), "{shown}");
    }
}

/// A tag authenticates all four. Whoever can write to a store must not be able to exchange them.
// Guards: a-sealed-value-opens-only-as-it-was-sealed
#[test]
fn a_value_is_bound_to_its_tenant_subject_version_and_type() {
    let keys = keys("acme", 1, 7, &[("ada", active(1, 11)), ("bob", active(1, 12))]);
    let open = keys.to_open();
    let ada = sealed(&keys, "Ada");
    let pseudonym = |id| keys.pseudonym(&subject(id));

    // Every character of the ciphertext.
    let length = serde_json::to_value(&ada).expect("JSON")["c"].as_str().expect("text").len();
    for at in 0..length {
        let tampered: Sealed<Name> = changed(&ada, |form| {
            let mut text = form["c"].as_str().expect("text").to_owned().into_bytes();
            // Another one that leaves unused bits at 0, should it be the last one.
            text[at] = if text[at] == b'A' { b'Q' } else { b'A' };
            form["c"] = String::from_utf8(text).expect("ASCII").into();
        })
        .expect("it has the form of a sealed value");
        assert_eq!(open.open(&tampered), Err(OpenError::Tampered), "character {at}");
    }
    // The ciphertext under the name of another subject.
    let bob = changed::<Sealed<Name>>(&ada, |form| form["s"] = json!(pseudonym("bob")));
    assert_eq!(open.open(&bob.expect("a sealed value")), Err(OpenError::Tampered));
    // The whole value in the place of another subject's.
    let expected = pseudonym("bob");
    let found = pseudonym("ada");
    let exchanged = open.open_of(&expected, &ada);
    assert_eq!(exchanged, Err(OpenError::OtherSubject { expected, found: found.clone() }));
    assert_eq!(open.open_of(&found, &ada), Ok(Opened::Value(name("Ada"))));
    // The value in a field of another type.
    let diagnosis: Sealed<Diagnosis> = changed(&ada, |_| {}).expect("a sealed value");
    let other = OpenError::OtherType { expected: Diagnosis::LABEL, found: "name".to_owned() };
    assert_eq!(open.open(&diagnosis), Err(other));
    // The same with the label of that type.
    let diagnosis = changed::<Sealed<Diagnosis>>(&ada, |form| form["t"] = json!("diagnosis"));
    assert_eq!(open.open(&diagnosis.expect("a sealed value")), Err(OpenError::Tampered));
    // A version that the key has not.
    let newer = changed::<Sealed<Name>>(&ada, |form| form["k"] = json!(2));
    let outdated = OpenError::Outdated { subject: found, version: version(2) };
    assert_eq!(open.open(&newer.expect("a sealed value")), Err(outdated));
}

// Guards: a-sealed-value-opens-only-as-it-was-sealed
#[test]
fn a_value_of_another_tenant_is_refused() {
    let ada = sealed(&of_ada(), "Ada");
    // The other tenant has other pseudonyms, so it does not know the subject.
    let other = keys("other", 2, 7, &[("ada", active(1, 11))]);
    let unknown = of_ada().pseudonym(&subject("ada"));
    let nothing = OpenKeys::new(tenant("other"), [(unknown.clone(), None)]);
    assert_eq!(nothing.open(&ada), Err(OpenError::UnknownSubject(unknown.clone())));
    assert_eq!(other.to_open().open(&ada), Err(OpenError::NotFetched(unknown)));
    // Even with equal keys, which no keyring has.
    let same = keys("other", 1, 7, &[("ada", active(1, 11))]);
    assert_eq!(same.to_open().open(&ada), Err(OpenError::Tampered));
}

/// Even if the keys were equal, which no keyring has.
// Guards: a-sealed-value-opens-only-as-it-was-sealed
#[test]
fn a_version_and_a_subject_are_bound_to_their_ciphertext() {
    let ada = sealed(&of_ada(), "Ada");
    let newer: Sealed<Name> = changed(&ada, |form| form["k"] = json!(2)).expect("a sealed value");
    let same_key = keys("acme", 1, 7, &[("ada", active(2, 11))]);
    assert_eq!(same_key.to_open().open(&newer), Err(OpenError::Tampered));

    let same_key = keys("acme", 1, 7, &[("bob", active(1, 11))]);
    let of_bob = json!(same_key.pseudonym(&subject("bob")));
    let bob: Sealed<Name> = changed(&ada, |form| form["s"] = of_bob).expect("a sealed value");
    assert_eq!(same_key.to_open().open(&bob), Err(OpenError::Tampered));
}

#[test]
fn what_is_no_sealed_value_is_refused_when_it_is_read() {
    let ada = sealed(&of_ada(), "Ada");
    let refused = |change: &dyn Fn(&mut Value)| {
        changed::<Sealed<Name>>(&ada, change).expect_err("it is no sealed value").to_string()
    };
    let truncated = refused(&|form| form["c"] = json!("A".repeat(36)));
    assert!(truncated.contains("truncated: it has 27 bytes"), "{truncated}");
    assert!(refused(&|form| form["c"] = json!("")).contains("it has 0 bytes"));
    assert!(refused(&|form| form["c"] = json!("?".repeat(40))).contains("base64url"));
    assert!(refused(&|form| form["s"] = json!("ada")).contains("pseudonym"));
    assert!(refused(&|form| form["t"] = json!("Name")).contains("label"));
    assert!(refused(&|form| form["k"] = json!(0)).contains("nonzero"));
    assert!(refused(&|form| form["x"] = json!(0)).contains("unknown field"));
    assert!(serde_json::from_value::<Sealed<Name>>(json!("Ada")).is_err());
}

/// `serde_json` quotes what it cannot read.
// Guards: plaintext-is-never-written
#[test]
fn an_error_about_a_content_of_another_form_shows_nothing_of_it() {
    let keys = of_ada();
    let ada: Sealed<LaterName> = changed(&sealed(&keys, "Lovelace"), |_| {}).expect("sealed");
    let error = keys.to_open().open(&ada).expect_err("the form is another one");
    assert_eq!(error, OpenError::Malformed(LaterName::LABEL));
    assert!(!format!("{error} {error:?}").contains("Lovelace"));
}

// Guards: an-erased-value-opens-to-erased
#[test]
fn what_was_sealed_before_an_erasure_opens_to_erased() {
    let ada = sealed(&of_ada(), "Ada");
    let erased = KeyState::Erased { through: version(1) };
    let keys = keys("acme", 1, 7, &[("ada", erased)]);
    assert_eq!(keys.to_open().open(&ada), Ok(Opened::Erased));
    assert_eq!(keys.is_erased(&subject("ada")), Ok(true));
    let refused = keys.seal(&subject("ada"), &name("Ada"));
    assert!(matches!(refused, Err(SealError::Erased(_))), "{refused:?}");
}

/// A subject that comes back gets a key of a higher version.
// Guards: an-erased-value-opens-to-erased
#[test]
fn an_erasure_covers_its_versions_and_no_later_ones() {
    let ada = sealed(&of_ada(), "Ada");
    let back = keys("acme", 1, 7, &[("ada", active(2, 13))]);
    assert_eq!(back.to_open().open(&ada), Ok(Opened::Erased));
    let again = sealed(&back, "Ada");
    assert_eq!(back.to_open().open(&again), Ok(Opened::Value(name("Ada"))));
    let late = keys("acme", 1, 7, &[("ada", KeyState::Erased { through: version(1) })]);
    let outdated = late.to_open().open(&again);
    assert!(matches!(outdated, Err(OpenError::Outdated { .. })), "{outdated:?}");
}

#[test]
fn a_key_that_was_not_fetched_is_an_error_and_not_an_erasure() {
    let keys = of_ada();
    let bob = subject("bob");
    assert!(matches!(keys.seal(&bob, &name("Bob")), Err(SealError::NotProvided(_))));
    assert!(matches!(keys.is_erased(&bob), Err(OpenError::NotFetched(_))));
}

/// A decision is repeated after a conflict, and must be the same each time.
#[test]
fn sealing_is_repeatable_within_a_command_and_only_there() {
    let keys = of_ada();
    let ada = sealed(&keys, "Ada");
    assert_eq!(ada, sealed(&of_ada(), "Ada"));
    let next_command = self::keys("acme", 1, 8, &[("ada", active(1, 11))]);
    let other = sealed(&next_command, "Ada");
    assert_ne!((ada.nonce, &ada.ciphertext), (other.nonce, &other.ciphertext));
    // A repeated nonce would reveal both contents.
    let nonces: std::collections::BTreeSet<_> =
        (0..1_000).map(|number| sealed(&keys, &number.to_string()).nonce).collect();
    assert_eq!(nonces.len(), 1_000);
    let diagnosis = keys.seal(&subject("ada"), &Plain::new(Diagnosis("Ada".to_owned())));
    assert_ne!(diagnosis.expect("it can be sealed").nonce, ada.nonce);
}

// Guards: plaintext-is-never-written
#[test]
fn plaintext_is_written_nowhere() {
    let plain = name("Ada");
    assert!(serde_json::to_string(&plain).is_err());
    assert!(serde_json::to_value(&plain).is_err());
    let kept = Opened::Value(plain);
    assert_eq!(format!("{kept:?}"), "Value(Plain(..))");
    for shown in [
        format!("{:?}", key(65)),
        format!("{:?}", tenant_key(65)),
        format!("{:?}", tenant_key(65).fingerprint_key()),
        format!("{:?}", active(1, 65)),
    ] {
        assert!(!shown.contains("65") && !shown.contains("AAA"), "{shown}");
    }
}

#[test]
fn the_subjects_of_all_sealed_values_are_found() {
    let keys = keys("acme", 1, 7, &[("ada", active(1, 11)), ("bob", active(1, 12))]);
    let of = |id: &str| keys.seal(&subject(id), &name("x")).expect("it can be sealed");
    let row = json!({"plain": 1, "people": []});
    assert_eq!(sealed_subjects(&row).expect("JSON"), [].into());
    let rows = vec![Some((of("ada"), "text")), None, Some((of("bob"), "")), Some((of("ada"), ""))];
    let pseudonym = |id| keys.pseudonym(&subject(id));
    let found = sealed_subjects(&rows).expect("JSON");
    assert_eq!(found, [pseudonym("ada"), pseudonym("bob")].into());
    assert!(sealed_subjects(&(of("ada"), name("Ada"))).is_err(), "plaintext is not for rows");
}

#[test]
fn pseudonyms_and_hashes_depend_on_the_tenant_the_kind_and_the_value() {
    const EMAIL: Category = Category::from_static("email");
    const PHONE: Category = Category::from_static("phone");
    let one = tenant_key(1);
    let other = tenant_key(2);
    assert_eq!(one.pseudonym(&subject("ada")), one.pseudonym(&subject("ada")));
    assert_ne!(one.pseudonym(&subject("ada")), one.pseudonym(&subject("bob")));
    assert_ne!(one.pseudonym(&subject("ada")), other.pseudonym(&subject("ada")));
    let hash = one.hash(&EMAIL, "ada@example.org");
    assert_eq!(hash, one.hash(&EMAIL, "ada@example.org"));
    for another in [
        one.hash(&EMAIL, "bob@example.org"),
        one.hash(&PHONE, "ada@example.org"),
        other.hash(&EMAIL, "ada@example.org"),
    ] {
        assert_ne!(hash, another);
    }
    assert!(hash.as_str().starts_with("h1.t1."), "{hash}");
    assert_eq!(KeyedHash::new(hash.as_str()), Ok(hash.clone()));
    for bad in ["", "ada@example.org", "h1.t0.AAAAAAAAAAAAAAAAAAAAAA", "h1.t1.AAA"] {
        assert!(KeyedHash::new(bad).is_err(), "{bad:?}");
    }
    assert!(crate::UniqueKey::keyed(EMAIL, &hash).is_keyed());
    let plain = crate::UniqueKey::new(EMAIL, "ada@example.org").expect("short");
    assert!(!plain.is_keyed());
}

#[test]
fn the_schema_of_a_sealed_value_is_that_of_its_form() {
    let schema = schemars::schema_for!(Sealed<Name>).to_value();
    let schema = jsonschema::validator_for(&schema).expect("a valid JSON Schema");
    let form = serde_json::to_value(sealed(&of_ada(), "")).expect("JSON");
    assert!(schema.is_valid(&form));
    for (field, value) in [
        ("s", json!("ada")),
        ("k", json!(0)),
        ("t", json!("diagnosis")),
        ("c", json!("A".repeat(37))),
        ("x", json!(1)),
    ] {
        let mut bad = form.clone();
        bad[field] = value;
        assert!(!schema.is_valid(&bad), "{field}");
    }
    assert_eq!(schemars::schema_for!(Plain<Name>), schemars::schema_for!(Name));
}

#[derive(Clone, Debug, Serialize)]
struct Register {
    name: Plain<Name>,
    note: Option<String>,
}

impl Command for Register {
    fn name(&self) -> CommandName {
        CommandName::from_static("Register")
    }
}

fn register(text: &str) -> Register {
    Register { name: name(text), note: None }
}

fn fingerprint(keys: SealingKeys, text: &str) -> Fingerprint {
    let stream = "default/patient#ada".parse().expect("a stream");
    Fingerprint::of(&Keyed::new(register(text), keys), &[stream]).expect("it has a key")
}

// Guards: fingerprints-of-personal-data-are-keyed
#[test]
fn a_command_with_personal_data_has_no_unkeyed_fingerprint() {
    #[derive(Clone, Debug, Serialize)]
    struct Declared;
    impl Command for Declared {
        const SEALS: bool = true;
        fn name(&self) -> CommandName {
            CommandName::from_static("Declared")
        }
    }
    let unkeyed = Fingerprint::of(&register("Ada"), &[]);
    assert!(matches!(unkeyed, Err(EncodeError::Unwritable(_))), "{unkeyed:?}");
    let unkeyed = Fingerprint::of(&Declared, &[]);
    assert!(matches!(unkeyed, Err(EncodeError::Unkeyed)), "{unkeyed:?}");
    // The permission ends with the keyed one.
    fingerprint(of_ada(), "Ada");
    assert!(serde_json::to_string(&name("Ada")).is_err());
}

// Guards: fingerprints-of-personal-data-are-keyed
#[test]
fn a_keyed_fingerprint_depends_on_the_content_and_the_key() {
    let ada = fingerprint(of_ada(), "Ada");
    assert!(ada.as_str().starts_with("k1.s1."), "{ada}");
    assert_eq!(ada.as_str().len(), 27);
    let repeated = keys("acme", 1, 99, &[("ada", active(1, 11))]);
    assert_eq!(ada, fingerprint(repeated, "Ada"), "another seed");
    assert!(!ada.agrees_with(&fingerprint(of_ada(), "Bob")));
    let other_key = keys("acme", 1, 7, &[("ada", active(1, 12))]);
    assert_ne!(ada, fingerprint(other_key, "Ada"));
}

/// A repetition must never count as another request.
#[test]
fn fingerprints_of_different_keys_or_versions_agree() {
    let ada = fingerprint(of_ada(), "Ada");
    let erased = keys("acme", 1, 7, &[("ada", KeyState::Erased { through: version(1) })]);
    let after = fingerprint(erased, "Ada");
    assert!(after.as_str().starts_with("k1.t1."), "{after}");
    assert!(after.agrees_with(&ada) && ada.agrees_with(&after));
    let back = fingerprint(keys("acme", 1, 7, &[("ada", active(2, 13))]), "Bob");
    assert!(back.agrees_with(&ada));
    let unkeyed = Fingerprint::restore("1AAAAAAAAAAAAAAAAAAAAA");
    assert!(unkeyed.agrees_with(&ada) && ada.agrees_with(&unkeyed));
    let algorithm = Fingerprint::restore(ada.as_str().replacen("k1", "k2", 1));
    assert!(algorithm.agrees_with(&ada));
}
