//! Tests of claims that a domain gets or changes when it already has streams.
//!
//! Guards: claims-cover-older-streams

mod bank;
mod schedules;

use std::sync::Arc;

use ledgerfold::{
    Caller, Claim, CommandId, Decider, DecisionContext, ReservedKey, StreamId, TenantId, UniqueKey,
    claims::Finding,
    command::{CommandError, JointDecider, JointHandler, JointRequest, Loaded},
    ports::{EventStore, Reservations},
};
use ledgerfold_proofs::conformance::requests::{fresh, fresh_address};
use ledgerfold_proofs::conformance::verbatim::{text_of, verbatim};
use ledgerfold_testkit::bank::{
    Account, AccountCommand, AccountEvent, AccountRejection, Accounts, Closed, Opened, Release,
    Transfer, address_claims, email,
};
use ledgerfold_testkit::{ManualClock, SeededRandom};

use bank::Bank;

fn open(address: &str) -> AccountCommand {
    AccountCommand::Open(address.to_owned())
}

#[tokio::test]
async fn an_account_from_before_the_claims_can_be_closed() {
    let (bank, account) = (Bank::new(), fresh());
    bank.open_without_claims(&account, &fresh_address()).await;
    let closed = bank.ask::<Accounts>(&account, "close", AccountCommand::Close).await;
    assert!(closed.is_ok(), "{closed:?}");
}

#[tokio::test]
async fn an_account_from_before_the_claims_can_move_and_holds_its_new_address() {
    let (bank, account, address) = (Bank::new(), fresh(), fresh_address());
    bank.open_without_claims(&account, &fresh_address()).await;
    let moved = AccountCommand::Move(address.clone());
    bank.ask::<Accounts>(&account, "move", moved).await.expect("the new one is free");
    assert_eq!(bank.store.log.holder(&reserved(&address)), Some(account));
}

#[tokio::test]
async fn a_key_of_another_stream_is_not_released_by_an_account_from_before_the_claims() {
    let (bank, old, new, address) = (Bank::new(), fresh(), fresh(), fresh_address());
    bank.open_without_claims(&old, &address).await;
    bank.ask::<Accounts>(&new, "open", open(&address)).await.expect("the key is free");
    bank.ask::<Accounts>(&old, "close", AccountCommand::Close).await.expect("the account is open");
    assert_eq!(bank.store.log.holder(&reserved(&address)), Some(new));
}

#[tokio::test]
async fn once_reservations_are_built_a_second_owner_is_refused() {
    let (bank, account, address) = (Bank::new(), fresh(), fresh_address());
    bank.open_without_claims(&account, &address).await;
    let built = bank.build().await;
    assert_eq!((built.corrected, built.left, built.complete), (1, 0, Some(1)));
    let second = bank.ask::<Accounts>(&fresh(), "open", open(&address)).await;
    let Err(CommandError::Reserved { key, holder }) = second else {
        panic!("two accounts have the same address: {second:?}");
    };
    assert_eq!((key, &holder), (reserved(&address), &account));
    bank.ask::<Accounts>(&account, "close", AccountCommand::Close)
        .await
        .expect("the account is open");
    bank.ask::<Accounts>(&fresh(), "later", open(&address)).await.expect("the key was released");
    assert_eq!(bank.wrong().await, Vec::<String>::new());
}

#[tokio::test]
async fn on_a_stage_without_streams_everything_works_before_and_after_the_first_build() {
    let (bank, account, address) = (Bank::new(), fresh(), fresh_address());
    bank.ask::<Accounts>(&account, "open", open(&address)).await.expect("the address is free");
    let second = bank.ask::<Accounts>(&fresh(), "open", open(&address)).await;
    assert!(matches!(second, Err(CommandError::Reserved { .. })), "{second:?}");
    bank.ask::<Accounts>(&account, "close", AccountCommand::Close)
        .await
        .expect("the account is open");
    let built = bank.build().await;
    assert_eq!((built.corrected, built.complete), (0, Some(1)));
}

#[tokio::test]
async fn a_key_with_two_owners_is_named_and_nothing_is_complete_before_it_is_settled() {
    let (bank, address) = (Bank::new(), fresh_address());
    let owners = [fresh(), fresh()];
    for owner in &owners {
        bank.open_without_claims(owner, &address).await;
    }
    let built = bank.build().await;
    let [Finding::Contested { key, owner, holder }] = &built.findings[..] else {
        panic!("the build does not report two owners: {built:?}");
    };
    assert_eq!((key, built.left, built.complete), (&reserved(&address), 1, None));
    let mut named = [owner.stream().clone(), holder.stream().clone()];
    named.sort();
    let mut expected = owners.clone();
    expected.sort();
    assert_eq!(named, expected);

    for owner in &owners {
        // Either of the two owners can release the key.
        bank.ask::<Accounts>(owner, "move", AccountCommand::Move(fresh_address()))
            .await
            .expect("an owner can release the key");
        assert_eq!(bank.build().await.complete, Some(1));
    }
    assert_eq!(bank.wrong().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_build_resumes_after_any_interruption() {
    for contested in [0, 1] {
        for calls in 0.. {
            let bank = Bank::new();
            for _ in 0..5 {
                bank.open_without_claims(&fresh(), &fresh_address()).await;
            }
            let address = fresh_address();
            for _ in 0..=contested {
                bank.open_without_claims(&fresh(), &address).await;
            }
            // Reserved, and then closed by a function with the old code.
            let closed = fresh();
            bank.ask::<Accounts>(&closed, "open", open(&fresh_address()))
                .await
                .expect("the address is free");
            bank.close_without_claims(&closed).await;

            bank.store.fail_after(calls);
            let cut_short = bank.try_build::<Accounts>().await.is_err();
            bank.store.recover();
            let built = bank.build().await;
            let complete = (contested == 0).then_some(1);
            assert_eq!((built.left, built.complete), (contested, complete), "{calls} calls");
            if contested == 0 {
                assert_eq!(bank.wrong().await, Vec::<String>::new(), "{calls} calls");
            }
            if !cut_short {
                assert!(calls > 20, "the build ended after {calls} calls");
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_interrupted_build_does_not_begin_again() {
    let bank = Bank::new();
    for _ in 0..20 {
        bank.open_without_claims(&fresh(), &fresh_address()).await;
    }
    bank.store.fail_after(30);
    assert!(bank.try_build::<Accounts>().await.is_err());
    bank.store.recover();
    let record =
        bank.store.log.read_record(&<Accounts>::CATEGORY).await.expect("the read succeeds");
    let done: u64 =
        record.build().expect("a build is running").segments.iter().map(|it| it.streams).sum();
    assert!(done > 0, "no page was done in 30 calls");
    let before = bank.store.log.reads();
    assert_eq!(bank.build().await.complete, Some(1));
    // Each stream is read once in its own walk and once for its reservation.
    let read = u64::try_from(bank.store.log.reads() - before).expect("few");
    assert!(read <= 40 - done, "{read} reads, although {done} streams were done");
}

#[tokio::test]
async fn complete_reservations_are_enforced_and_faults_of_old_code_are_found_and_built() {
    let (bank, late, address) = (Bank::new(), fresh(), fresh_address());
    assert_eq!(bank.build().await.complete, Some(1));
    // A function with the old code.
    bank.open_without_claims(&late, &address).await;
    let closed = bank.ask::<Accounts>(&late, "close", AccountCommand::Close).await;
    assert!(matches!(closed, Err(CommandError::NotReserved { .. })), "{closed:?}");
    let [Finding::Missing { key, owner }] = &bank.audit().await[..] else {
        panic!("the checker does not report the fault");
    };
    assert_eq!((key, owner.stream()), (&reserved(&address), &late));
    assert_eq!(bank.build().await.complete, Some(1));
    assert_eq!(bank.audit().await, []);
    bank.ask::<Accounts>(&late, "close", AccountCommand::Close).await.expect("the key is reserved");
}

#[tokio::test]
async fn the_audit_names_every_kind_of_fault_and_a_build_corrects_all_but_those_for_people() {
    let bank = Bank::new();
    let [missing, misplaced, superfluous, contested] = [(); 4].map(|()| fresh_address());
    let [one, two, unreadable] = [fresh(), fresh(), fresh()];
    bank.open_without_claims(&fresh(), &missing).await;
    for address in [&misplaced, &superfluous] {
        let gone = fresh();
        bank.ask::<Accounts>(&gone, "open", open(address)).await.expect("the address is free");
        bank.close_without_claims(&gone).await;
    }
    bank.open_without_claims(&fresh(), &misplaced).await;
    bank.ask::<Accounts>(&one, "open", open(&contested)).await.expect("the address is free");
    bank.open_without_claims(&two, &contested).await;
    let foreign = verbatim(&Loaded::unread(unreadable.clone()), "note", &[text_of(10)]);
    bank.store.log.append(&foreign).await.expect("the account is new");

    let names = |findings: &[Finding]| {
        let mut names: Vec<_> = findings.iter().map(Finding::name).collect();
        names.sort_unstable();
        names
    };
    let found = bank.audit().await;
    // A misplaced reservation is also superfluous for its holder.
    let expected =
        ["contested", "misplaced", "missing", "superfluous", "superfluous", "unreadable"];
    assert_eq!(names(&found), expected);
    assert_eq!(bank.wrong_keys_of(&found, "missing"), [reserved(&missing)]);
    let built = bank.build().await;
    assert_eq!(names(&built.findings), ["contested", "unreadable"]);
    assert_eq!((built.corrected, built.left, built.complete), (3, 2, None));
    assert_eq!(names(&bank.audit().await), ["contested", "unreadable"]);
}

/// The key of an address, as a store has it.
fn reserved(address: &str) -> ReservedKey {
    ReservedKey { tenant: TenantId::default_tenant(), key: email(address) }
}

impl Bank {
    fn wrong_keys_of(&self, findings: &[Finding], name: &str) -> Vec<ReservedKey> {
        let of_it = findings.iter().filter(|finding| finding.name() == name);
        of_it.filter_map(Finding::key).cloned().collect()
    }
}

/// The release whose addresses ignore the case of letters.
struct AnyCase;

impl Release for AnyCase {
    const CLAIMS_REVISION: u32 = 2;

    fn claims(event: &AccountEvent) -> Vec<Claim> {
        let upper = |key: &UniqueKey| upper(key.value());
        let claims = address_claims(event).into_iter();
        claims
            .map(|claim| match claim {
                Claim::Reserve(key) => Claim::Reserve(upper(&key)),
                Claim::Release(key) => Claim::Release(upper(&key)),
            })
            .collect()
    }
}

fn upper(address: &str) -> UniqueKey {
    email(&address.to_uppercase())
}

#[tokio::test]
async fn changed_claims_need_another_build() {
    let (bank, [one, two]) = (Bank::new(), [fresh(), fresh()]);
    let [first, second] = [fresh_address(), fresh_address()];
    for (account, address) in [(&one, &first), (&two, &second)] {
        bank.ask::<Accounts>(account, "open", open(address)).await.expect("the address is free");
    }
    assert_eq!(bank.build().await.complete, Some(1));

    let close = bank.ask::<Accounts<AnyCase>>(&one, "close", AccountCommand::Close).await;
    close.expect("the keys of the new claims are not complete");
    let built = bank.try_build::<Accounts<AnyCase>>().await.expect("nothing fails");
    assert_eq!((built.corrected, built.complete), (3, Some(2)), "{built:?}");
    assert_eq!(bank.store.log.holder(&reserved(&second)), None);
    assert_eq!(
        bank.store
            .log
            .holder(&ReservedKey { tenant: TenantId::default_tenant(), key: upper(&second) }),
        Some(two)
    );
    let taken = bank.ask::<Accounts<AnyCase>>(&fresh(), "open", open(&second)).await;
    assert!(matches!(taken, Err(CommandError::Reserved { .. })), "{taken:?}");
}

/// Closes one account and opens another with its address.
struct HandOver;

impl JointDecider for HandOver {
    type Command = Transfer;
    type Parts = (Accounts, Accounts);
    type Rejection = AccountRejection;

    fn decide(
        (from, _): (&Account, &Account),
        _: &Transfer,
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>), AccountRejection> {
        let email = from.email.clone().ok_or(AccountRejection::NotOpen)?;
        Ok((vec![Closed { email: email.clone() }.into()], vec![Opened { email }.into()]))
    }
}

async fn hand_over(
    bank: &Bank,
    streams: [StreamId; 2],
) -> Result<(), CommandError<AccountRejection>> {
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    let id = CommandId::new("hand-over").expect("visible ASCII");
    let request = JointRequest::new(Caller::anonymous(), streams, Transfer(0), id);
    JointHandler::<HandOver>::new(bank.store.clone(), clock, random).handle(&request).await?;
    Ok(())
}

#[tokio::test]
async fn a_key_passes_on_from_an_account_from_before_the_claims() {
    let (bank, [from, to], address) = (Bank::new(), [fresh(), fresh()], fresh_address());
    bank.open_without_claims(&from, &address).await;
    hand_over(&bank, [from, to.clone()]).await.expect("the account is open");
    assert_eq!(bank.store.log.holder(&reserved(&address)), Some(to.clone()));

    let (other, taken) = (fresh(), fresh());
    bank.open_without_claims(&other, &address).await;
    let refused = hand_over(&bank, [other, taken]).await;
    let Err(CommandError::Reserved { holder, .. }) = refused else {
        panic!("two accounts have the same address: {refused:?}");
    };
    assert_eq!(holder, to);
}
