//! The scenarios that TigerBeetle documents for two-phase transfers, balances and corrections, as steps of this bank.
//! Each line has a command, its outcome, and posted, held and available of the accounts `a` and `b` after it.
//!
//! | there | here |
//! | --- | --- |
//! | pending transfer, its timeout | hold, its expiry |
//! | post, in parts or whole | capture |
//! | void | release |
//! | debits must not exceed credits | available must not be below zero |
//! | linked transfers that are undone together | one transaction; later, a reversal |
//! | closing transfer, and its void | close, freeze and unfreeze |
//!
//! Three rules differ on purpose: a hold can be captured in several parts, a refused key can be tried again, and a closed
//! account stays closed.
//!
//! Guards: available-is-never-overdrawn, captures-never-exceed-the-hold, a-hold-expires-exactly-at-its-time

use std::time::Duration;

use ledgerfold::{Rejection, command::CommandError};

use crate::{
    bank::{Bank, Outcome},
    setup::{MORNING, amount, at, currency},
};

const SCENARIOS: &str = "
# post all of a pending transfer
deposit d1 a 1000         | ok                   | 1000    0 1000 |    0    0    0
hold h1 a 400 60          | ok                   | 1000  400  600 |    0    0    0
capture c1 a h1 b rest    | ok                   |  600    0  600 |  400    0  400
capture c2 a h1 b rest    | hold-not-open        |  600    0  600 |  400    0  400
release r1 a h1           | hold-not-open        |  600    0  600 |  400    0  400

# post less than the pending amount, and give the rest back
deposit d1 a 1000         | ok                   | 1000    0 1000 |    0    0    0
hold h1 a 400 60          | ok                   | 1000  400  600 |    0    0    0
capture c1 a h1 b 150     | ok                   |  850  250  600 |  150    0  150
release r1 a h1           | ok                   |  850    0  850 |  150    0  150
capture c2 a h1 b 1       | hold-not-open        |  850    0  850 |  150    0  150
release r2 a h1           | hold-not-open        |  850    0  850 |  150    0  150

# post more than the pending amount
deposit d1 a 1000         | ok                   | 1000    0 1000 |    0    0    0
hold h1 a 400 60          | ok                   | 1000  400  600 |    0    0    0
capture c1 a h1 b 401     | amount-exceeds-hold  | 1000  400  600 |    0    0    0
capture c1 a h1 b 400     | ok                   |  600    0  600 |  400    0  400

# post in parts, together at most the pending amount
deposit d1 a 1000         | ok                   | 1000    0 1000 |    0    0    0
hold h1 a 400 60          | ok                   | 1000  400  600 |    0    0    0
capture c1 a h1 b 300     | ok                   |  700  100  600 |  300    0  300
capture c2 a h1 b 101     | amount-exceeds-hold  |  700  100  600 |  300    0  300
capture c2 a h1 b 100     | ok                   |  600    0  600 |  400    0  400

# void a pending transfer, and then post or void it again
deposit d1 a 500          | ok                   |  500    0  500 |    0    0    0
hold h1 a 500 60          | ok                   |  500  500    0 |    0    0    0
release r1 a h1           | ok                   |  500    0  500 |    0    0    0
capture c1 a h1 b rest    | hold-not-open        |  500    0  500 |    0    0    0
release r2 a h1           | hold-not-open        |  500    0  500 |    0    0    0
transfer t1 a b 500       | ok                   |    0    0    0 |  500    0  500

# a pending transfer expires, without anything that sweeps it
deposit d1 a 500          | ok                   |  500    0  500 |    0    0    0
hold h1 a 500 60          | ok                   |  500  500    0 |    0    0    0
wait 59                   | ok                   |  500  500    0 |    0    0    0
transfer t1 a b 1         | insufficient-funds   |  500  500    0 |    0    0    0
wait 1                    | ok                   |  500    0  500 |    0    0    0
capture c1 a h1 b rest    | hold-expired         |  500    0  500 |    0    0    0
release r1 a h1           | hold-expired         |  500    0  500 |    0    0    0
transfer t1 a b 500       | ok                   |    0    0    0 |  500    0  500

# a part is posted, and the rest expires
deposit d1 a 500          | ok                   |  500    0  500 |    0    0    0
hold h1 a 400 60          | ok                   |  500  400  100 |    0    0    0
capture c1 a h1 b 150     | ok                   |  350  250  100 |  150    0  150
wait 60                   | ok                   |  350    0  350 |  150    0  150
sweep s1 a                | ok                   |  350    0  350 |  150    0  150
capture c2 a h1 b 1       | hold-expired         |  350    0  350 |  150    0  150

# limits count posted and pending amounts together
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
hold h1 a 60 60           | ok                   |  100   60   40 |    0    0    0
hold h2 a 41 60           | insufficient-funds   |  100   60   40 |    0    0    0
hold h3 a 40 60           | ok                   |  100  100    0 |    0    0    0
transfer t1 a b 1         | insufficient-funds   |  100  100    0 |    0    0    0
release r1 a h1           | ok                   |  100   40   60 |    0    0    0
transfer t1 a b 60        | ok                   |   40   40    0 |   60    0   60

# a pending amount on the way in is not available before it is posted
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
hold h1 a 100 60          | ok                   |  100  100    0 |    0    0    0
transfer t1 b a 1         | insufficient-funds   |  100  100    0 |    0    0    0
capture c1 a h1 b 100     | ok                   |    0    0    0 |  100    0  100
transfer t1 b a 1         | ok                   |    1    0    1 |   99    0   99

# an id is used once
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
deposit d1 a 101          | other-request        |  100    0  100 |    0    0    0
hold h1 a 50 60           | ok                   |  100   50   50 |    0    0    0
hold h1 a 50 60           | ok                   |  100   50   50 |    0    0    0
hold h1 a 50 61           | other-request        |  100   50   50 |    0    0    0
capture c1 a h1 b 20      | ok                   |   80   30   50 |   20    0   20
capture c1 a h1 b 20      | ok                   |   80   30   50 |   20    0   20
capture c1 a h1 b 21      | other-request        |   80   30   50 |   20    0   20

# a refused id can be tried again
transfer t1 a b 10        | insufficient-funds   |    0    0    0 |    0    0    0
deposit d1 a 10           | ok                   |   10    0   10 |    0    0    0
transfer t1 a b 10        | ok                   |    0    0    0 |   10    0   10

# both legs or none: the receiver takes nothing
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
close x1 b                | ok                   |  100    0  100 |    0    0    0
transfer t1 a b 10        | account-closed       |  100    0  100 |    0    0    0

# a transfer is undone by another one, once
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
transfer t1 a b 70        | ok                   |   30    0   30 |   70    0   70
reverse u1 t1             | ok                   |  100    0  100 |    0    0    0
reverse u2 t1             | already-reversed     |  100    0  100 |    0    0    0
reverse u1 t1             | ok                   |  100    0  100 |    0    0    0
reverse u3 u1             | ok                   |   30    0   30 |   70    0   70

# undoing needs the money
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
transfer t1 a b 70        | ok                   |   30    0   30 |   70    0   70
withdraw w1 b 1           | ok                   |   30    0   30 |   69    0   69
reverse u1 t1             | insufficient-funds   |   30    0   30 |   69    0   69
reverse u2 w1             | ok                   |   30    0   30 |   70    0   70
reverse u1 t1             | ok                   |  100    0  100 |    0    0    0
reverse u4 d1             | ok                   |    0    0    0 |    0    0    0

# a posted pending transfer is undone like every other one, and its hold stays closed
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
hold h1 a 100 60          | ok                   |  100  100    0 |    0    0    0
capture c1 a h1 b rest    | ok                   |    0    0    0 |  100    0  100
reverse u1 c1             | ok                   |  100    0  100 |    0    0    0
capture c2 a h1 b rest    | hold-not-open        |  100    0  100 |    0    0    0

# a frozen account takes credits only
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
hold h1 a 40 60           | ok                   |  100   40   60 |    0    0    0
freeze f1 a               | ok                   |  100   40   60 |    0    0    0
transfer t1 a b 1         | account-frozen       |  100   40   60 |    0    0    0
withdraw w1 a 1           | account-frozen       |  100   40   60 |    0    0    0
hold h2 a 1 60            | account-frozen       |  100   40   60 |    0    0    0
capture c1 a h1 b rest    | account-frozen       |  100   40   60 |    0    0    0
deposit d2 a 1            | ok                   |  101   40   61 |    0    0    0
release r1 a h1           | ok                   |  101    0  101 |    0    0    0
unfreeze g1 a             | ok                   |  101    0  101 |    0    0    0
transfer t1 a b 1         | ok                   |  100    0  100 |    1    0    1

# only an empty account can be closed, and then it takes nothing
deposit d1 a 100          | ok                   |  100    0  100 |    0    0    0
close x1 a                | account-not-empty    |  100    0  100 |    0    0    0
hold h1 a 100 60          | ok                   |  100  100    0 |    0    0    0
capture c1 a h1 b 99      | ok                   |    1    1    0 |   99    0   99
close x2 a                | account-not-empty    |    1    1    0 |   99    0   99
capture c2 a h1 b 1       | ok                   |    0    0    0 |  100    0  100
close x3 a                | ok                   |    0    0    0 |  100    0  100
deposit d2 a 1            | account-closed       |    0    0    0 |  100    0  100
transfer t1 b a 1         | account-closed       |    0    0    0 |  100    0  100
hold h2 a 1 60            | account-closed       |    0    0    0 |  100    0  100
reverse u1 c1             | account-closed       |    0    0    0 |  100    0  100
freeze f1 a               | account-closed       |    0    0    0 |  100    0  100
unfreeze g1 a             | account-closed       |    0    0    0 |  100    0  100
limit l1 a 5              | account-closed       |    0    0    0 |  100    0  100
close x4 a                | account-closed       |    0    0    0 |  100    0  100
";

/// Runs one step: its name, its key or id, and its arguments.
async fn run(bank: &Bank, step: &str) -> Outcome {
    let words: Vec<_> = step.split_whitespace().collect();
    let euro = |text: &str| amount(text.parse().expect("an amount"), "EUR");
    match words[..] {
        ["deposit", key, to, sum] => bank.deposit(key, to, euro(sum)).await,
        ["withdraw", key, from, sum] => bank.withdraw(key, from, euro(sum)).await,
        ["transfer", key, from, to, sum] => bank.transfer(key, [from, to], euro(sum)).await,
        ["hold", key, account, sum, seconds] => {
            bank.hold(key, account, euro(sum), seconds.parse().expect("seconds")).await
        }
        ["capture", key, account, hold, to, "rest"] => {
            bank.capture(key, [account, hold, to], None).await
        }
        ["capture", key, account, hold, to, sum] => {
            bank.capture(key, [account, hold, to], Some(euro(sum))).await
        }
        ["release", key, account, hold] => bank.release(key, account, hold).await,
        ["reverse", key, original] => bank.reverse(key, original).await,
        ["limit", key, account, sum] => bank.limit(key, account, Some(euro(sum))).await,
        ["freeze", key, account] => bank.freeze(key, account).await,
        ["unfreeze", key, account] => bank.unfreeze(key, account).await,
        ["close", key, account] => bank.close(key, account).await,
        ["sweep", key, account] => bank.sweep(key, account).await,
        ["wait", seconds] => {
            let passed = Duration::from_secs(seconds.parse().expect("seconds"));
            bank.clock.set(bank.now().checked_add(passed).expect("a time"));
            Ok(Vec::new())
        }
        _ => unreachable!("unknown step: {step}"),
    }
}

/// The outcome in one word.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(CommandError::Rejected(rejection)) => rejection.rule(),
        Err(CommandError::Reused) => "other-request",
        Err(other) => unreachable!("{other}"),
    }
}

fn numbers(cell: &str) -> Vec<i64> {
    cell.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

async fn bank() -> Bank {
    let bank = Bank::new();
    bank.clock.set(at(MORNING));
    bank.open("a", currency("EUR"), 0).await;
    bank.open("b", currency("EUR"), 0).await;
    bank
}

#[tokio::test]
async fn balances_are_right_after_every_step() {
    let mut steps = 0;
    let mut now = bank().await;
    let mut scenario = "";
    for line in SCENARIOS.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("# ") {
            now = bank().await;
            scenario = title;
            continue;
        }
        let cells: Vec<_> = line.split('|').collect();
        let [step, expected, a, b] = cells[..] else { unreachable!("four cells: {line}") };
        let outcome = run(&now, step).await;
        assert_eq!(word(&outcome), expected.trim(), "{scenario}: {step}");
        assert_eq!(now.balances("a").to_vec(), numbers(a), "{scenario}: a after {step}");
        assert_eq!(now.balances("b").to_vec(), numbers(b), "{scenario}: b after {step}");
        steps += 1;
    }
    assert!(steps > 90, "{steps} steps");
}
