//! Breaks every rule, and sees it fail.

mod breaks;
mod contexts;

use breaks::{Break, breaks};
use contexts::{maximal, minimal};
use ledgerfold_infra::{Changes, Model, RULES, platform, template};
use ledgerfold_testkit::clinic;

#[test]
fn the_smallest_and_the_largest_context_keep_all_rules() {
    for context in [minimal(), maximal(), clinic::context()] {
        let kept = template(&context, &Changes::none()).map(|_| ());
        assert!(kept.is_ok(), "{}: {kept:?}", context.name());
    }
}

#[test]
fn every_rule_refuses_what_it_is_there_for() {
    let context = maximal();
    let whole = template(&context, &Changes::none()).expect("the context is sound");
    let sound = Model::of(&context, &whole);
    for (name, rule) in RULES {
        assert_eq!(rule(&sound), Vec::<String>::new(), "{name}");
        let breaks = breaks(name);
        assert!(!breaks.is_empty(), "{name} is never broken");
        for broken in breaks {
            let mut model = sound.clone();
            broken.apply(&mut model.template);
            assert_ne!(
                rule(&model),
                Vec::<String>::new(),
                "{name} accepts a changed {}",
                broken.path()
            );
        }
    }
}

#[test]
fn everything_that_the_platform_stores_takes_the_key() {
    let context = minimal();
    let mut model = Model::of(&context, &platform());
    let (_, rule) =
        RULES.iter().find(|(name, _)| *name == "stored_data_takes_the_key").expect("it");
    assert_eq!(rule(&model), Vec::<String>::new());
    let places = ["Bus/KmsKeyIdentifier", "Archive/KmsKeyIdentifier", "Topic/KmsMasterKeyId"];
    for place in places.map(Break::Drop) {
        place.apply(&mut model.template);
    }
    assert_eq!(rule(&model).len(), places.len());
}

#[test]
fn only_a_context_that_seals_has_anything_of_keys() {
    let yaml = |context| template(&context, &Changes::none()).expect("it is sound").to_yaml();
    let words = ["KeyTable", "WrappingKey", "KEY_TABLE", "WRAPPING_KEY", "KeyFailures"];
    for word in words {
        assert!(yaml(clinic::context()).contains(word), "{word}");
        assert!(!yaml(minimal()).contains(word), "{word}");
    }
    let seals = clinic::context();
    let key_table = template(&seals, &Changes::none()).expect("it is sound");
    let minimal = minimal();
    let model = Model::of(&minimal, &key_table);
    let (_, rule) = RULES
        .iter()
        .find(|(name, _)| *name == "destroyed_keys_are_gone_and_others_stay")
        .expect("it is a rule");
    assert_eq!(rule(&model), ["nobody needs a table of keys"]);
}

#[test]
fn only_a_context_with_a_transparency_log_has_a_sealer() {
    let yaml = |context| template(&context, &Changes::none()).expect("it is sound").to_yaml();
    for word in ["LogBucket", "LOG_BUCKET", "SigningKey", "SIGNING_KEY", "Sealer", "SealEvery"] {
        assert!(!yaml(minimal()).contains(word), "{word}");
        assert!(yaml(minimal().transparent()).contains(word), "{word}");
    }
}

#[test]
fn an_id_that_occurs_twice_is_refused() {
    let context = ledgerfold::context::Context::new("bank")
        .decider::<contexts::Notes>()
        .tally::<ledgerfold_testkit::bank::Totals>("event");
    let refusal =
        template(&context, &Changes::none()).expect_err("EventTable occurs twice").to_string();
    assert!(refusal.contains("EventTable occurs twice: rename the projection"), "{refusal}");
}
