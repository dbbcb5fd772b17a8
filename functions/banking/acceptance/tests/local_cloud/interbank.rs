//! Transfers between banks, which are tenants.

use acceptance::checks::refused;
use banking_acceptance::eventually;
use banking_acceptance::model::{ShownTransfer, TransferState, TrialBalance};

use crate::world::{PROJECTED, TestAccount, World, answered, moved, unique};

/// Two banks, if the stack tells tenants apart.
fn banks() -> Option<(World, World)> {
    Some((World::with_callers()?, World::with_callers()?))
}

/// Sends an amount to an account of another bank. Returns the transfer.
async fn send(here: &World, from: &TestAccount, to: (&World, &str), amount: i64) -> String {
    let (there, to) = to;
    let to = TestAccount { id: to.to_owned(), ..from.clone() };
    let body = from.transfer(&to, amount).to_bank(&there.tenant);
    let key = unique("send");
    let first = moved(&answered(here.bank.transfer(&key, &body), 201).await);
    let again = moved(&answered(here.bank.transfer(&key, &body), 201).await);
    assert_eq!(first, again, "the same key has the same answer");
    assert_eq!(first.legs.iter().map(|leg| &leg.account).collect::<Vec<_>>(), [&from.id]);
    first.id
}

/// Waits until the other bank has answered.
async fn concluded(world: &World, transfer: &str) -> ShownTransfer {
    eventually("the other bank answers", PROJECTED, async || {
        let shown = world.shown_transfer(transfer).await;
        match shown.state {
            TransferState::Pending => Err(format!("{shown:?}")),
            TransferState::Settled | TransferState::Refused => Ok(shown),
        }
    })
    .await
    .expect("a transfer does not stay pending")
}

/// Waits until the trial balance of a bank has this sum of customers, and zero as its difference.
async fn balanced(world: &World, customers: i64) {
    eventually("the trial balance is right", PROJECTED, async || {
        let answer = world.bank.trial_balance().send().await.map_err(|error| error.to_string())?;
        let found: TrialBalance = answer.json().map_err(|error| error.to_string())?;
        let euros = found.of("EUR");
        let sums = (euros.customers, euros.settlement, euros.difference);
        if sums == (customers, -customers, 0) { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await
    .expect("everything is projected");
}

// Guards: money-between-banks-moves-once
#[tokio::test]
async fn money_reaches_an_account_of_another_bank_and_comes_back() {
    let Some((here, there)) = banks() else { return };
    let mine = here.euros(100).await;
    let theirs = there.euros(0).await;
    let sent = send(&here, &mine, (&there, &theirs.id), 30).await;
    let shown = concluded(&here, &sent).await;
    assert_eq!(shown.state, TransferState::Settled);
    assert_eq!((&shown.from, &shown.to), (&mine.id, &theirs.id));
    assert_eq!((shown.from_bank, shown.to_bank), (None, Some(there.tenant.clone())));
    let account = here.shown(&mine).await;
    assert_eq!((account.posted, account.held, account.available), (70, 0, 70));
    assert_eq!(there.balance(&theirs).await, 30);
    let [entry] = there.entries(&theirs).await.try_into().expect("one entry");
    assert!(entry.counterparty.starts_with("settlement#interbank.EUR."), "{entry:?}");
    let received = there.shown_transfer(&entry.transaction).await;
    assert_eq!(received.state, TransferState::Settled);
    assert_eq!((&received.from, received.from_bank), (&mine.id, Some(here.tenant.clone())));
    balanced(&here, 70).await;
    balanced(&there, 30).await;

    let reverse = here.impatient();
    refused(reverse.reverse(&unique("key"), &sent), 409, "the sender cannot reverse").await;
    let back = answered(there.bank.reverse(&unique("key"), &entry.transaction), 201).await;
    let back = concluded(&there, &moved(&back).id).await;
    assert_eq!((back.state, back.reverses), (TransferState::Settled, Some(entry.transaction)));
    assert_eq!((here.balance(&mine).await, there.balance(&theirs).await), (100, 0));
    balanced(&here, 100).await;
    balanced(&there, 0).await;
}

// Guards: money-between-banks-moves-once
#[tokio::test]
async fn a_transfer_that_another_bank_refuses_gives_the_money_back() {
    let Some((here, there)) = banks() else { return };
    let mine = here.euros(100).await;
    let closed = there.euros(0).await;
    answered(there.bank.close(&unique("close"), &closed.id), 200).await;
    let yen = there.account(0, "JPY").await;
    let cases = [
        ("missing", "not-found"),
        (closed.id.as_str(), "account-closed"),
        (yen.id.as_str(), "currency-mismatch"),
    ];
    for (account, rule) in cases {
        let sent = send(&here, &mine, (&there, account), 30).await;
        let shown = concluded(&here, &sent).await;
        assert_eq!(
            (shown.state, shown.refused_by.as_deref()),
            (TransferState::Refused, Some(rule))
        );
        let account = here.shown(&mine).await;
        assert_eq!((account.posted, account.held, account.available), (100, 0, 100));
    }
    assert!(here.entries(&mine).await.len() == 1, "nothing but the deposit");
    balanced(&here, 100).await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_at_once() {
    let Some((here, there)) = banks() else { return };
    let mine = here.euros(100).await;
    let theirs = there.euros(0).await;
    let client = here.impatient();
    let own = mine.transfer(&theirs, 10).to_bank(&here.tenant);
    refused(client.transfer(&unique("key"), &own), 400, "its own bank").await;
    let bad = mine.transfer(&theirs, 10).to_bank("a/b");
    refused(client.transfer(&unique("key"), &bad), 400, "no name of a bank").await;
    let much = mine.transfer(&theirs, 101).to_bank(&there.tenant);
    refused(client.transfer(&unique("key"), &much), 409, "more than is available").await;
    let theirs_to_mine = theirs.transfer(&mine, 1).to_bank(&there.tenant);
    refused(client.transfer(&unique("key"), &theirs_to_mine), 404, "another bank's account").await;
    assert_eq!(here.shown(&mine).await.available, 100);
}
