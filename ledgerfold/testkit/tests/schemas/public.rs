//! The contract of the bank's public events.

use std::panic::catch_unwind;

use ledgerfold_testkit::{
    bank::{AccountClosed, AccountOpened, MoneyMoved, PublicAccountEvent, PublicAccounts},
    schemas::{About, check_public},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/public_accounts");

fn about(context: &str) -> About<'_> {
    About { context, version: "1.0.0", description: "The public events of accounts." }
}

fn samples() -> [PublicAccountEvent; 3] {
    [AccountOpened {}.into(), MoneyMoved { amount: -900 }.into(), AccountClosed {}.into()]
}

#[test]
fn the_public_events_match_their_contract() {
    check_public::<PublicAccounts>(&about("bank"), FOLDER, &samples());
}

#[test]
fn public_events_of_another_context_are_refused() {
    let refused = catch_unwind(|| {
        check_public::<PublicAccounts>(&about("loyalty"), FOLDER, &samples());
    });
    let reason = refused.expect_err("the mapping belongs to the bank");
    let reason = reason.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(reason.contains("belong to another context"), "{reason}");
}
