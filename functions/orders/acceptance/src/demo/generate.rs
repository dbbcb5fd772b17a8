//! Generates the demo's input: orders of a small shop, including all mistakes that clients make.
//!
//! The same count and seed give the same file on every machine, so a test can generate the committed files again and
//! compare them.

mod shop;

use std::collections::VecDeque;

use acceptance::dice::Dice;
use serde_json::{Value, json};

use self::shop::{Basket, Shop};
use super::script::{Command, Expect, Line};

// How many orders are open at a time, so that their lines are interleaved as in a log.
const OPEN_ORDERS: usize = 16;
// About one line in twenty is sent again.
const REPEAT_ONE_IN: u64 = 17;
// About one order in three comes with a mistake.
const MISTAKE_ONE_IN: u64 = 3;

/// The final stage of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
    PaidAndCancelled,
}

// Weighted by frequency.
const FATES: [Fate; 16] = [
    Fate::Placed,
    Fate::Placed,
    Fate::Paid,
    Fate::Paid,
    Fate::Shipped,
    Fate::Shipped,
    Fate::Delivered,
    Fate::Delivered,
    Fate::Delivered,
    Fate::Delivered,
    Fate::Delivered,
    Fate::Delivered,
    Fate::Cancelled,
    Fate::Cancelled,
    Fate::PaidAndCancelled,
    Fate::PaidAndCancelled,
];

/// A client's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    PayTwice,
    WrongAmount,
    WrongCurrency,
    ShipUnpaid,
    CancelShipped,
    DeliverUnshipped,
    PayCancelled,
    KeyWithOtherBody,
    StaleVersion,
    InvalidBody,
}

const MISTAKES: [(Mistake, Fate); 10] = [
    (Mistake::PayTwice, Fate::Paid),
    (Mistake::WrongAmount, Fate::Delivered),
    (Mistake::WrongCurrency, Fate::Paid),
    (Mistake::ShipUnpaid, Fate::Delivered),
    (Mistake::CancelShipped, Fate::Shipped),
    (Mistake::DeliverUnshipped, Fate::Delivered),
    (Mistake::PayCancelled, Fate::Cancelled),
    (Mistake::KeyWithOtherBody, Fate::PaidAndCancelled),
    (Mistake::StaleVersion, Fate::Delivered),
    (Mistake::InvalidBody, Fate::Placed),
];

/// The lines of this many orders. Ten orders are enough for every mistake to occur once.
#[must_use]
pub fn lines(orders: usize, seed: u64) -> Vec<Line> {
    let mut dice = Dice::new(seed);
    let shop = Shop::new(orders);
    let scripts: Vec<_> = (0..orders).map(|index| script(index, &shop, &mut dice)).collect();
    interleave(scripts, &mut dice)
}

fn script(index: usize, shop: &Shop, dice: &mut Dice) -> VecDeque<Line> {
    let mistake = match MISTAKES.get(index) {
        Some(first_of_each) => Some(*first_of_each),
        None => dice.one_in(MISTAKE_ONE_IN).then(|| *dice.pick(&MISTAKES)),
    };
    let fate = mistake.map_or_else(|| *dice.pick(&FATES), |(_, fate)| fate);
    let basket = shop.basket(dice);
    let mut writer = Writer { order: format!("o-{:04}", index + 1), lines: VecDeque::new() };
    writer.write(&basket, fate, mistake.map(|(mistake, _)| mistake));
    repeat_some(&mut writer.lines, dice);
    writer.lines
}

/// Collects the lines of one order.
struct Writer {
    order: String,
    lines: VecDeque<Line>,
}

impl Writer {
    fn write(&mut self, basket: &Basket, fate: Fate, mistake: Option<Mistake>) {
        let made = |candidate| mistake == Some(candidate);
        if made(Mistake::InvalidBody) {
            return self.refused("place", Command::Place, basket.broken(), status(400));
        }
        self.accepted(Command::Place, basket.place());
        if made(Mistake::KeyWithOtherBody) {
            self.refused("place", Command::Place, basket.place_one_more(), status(422));
        }
        if made(Mistake::ShipUnpaid) {
            self.refused("ship-early", Command::Ship, self.ship(), Expect::rule("order-not-paid"));
        }
        if made(Mistake::WrongAmount) {
            let expect = Expect::rule("amount-mismatch");
            self.refused(
                "pay-wrong",
                Command::Pay,
                self.pay(basket.total + 1, basket.currency),
                expect,
            );
        }
        if made(Mistake::WrongCurrency) {
            let expect = Expect::rule("amount-mismatch");
            self.refused("pay-wrong", Command::Pay, self.pay(basket.total, "AUD"), expect);
        }
        match fate {
            Fate::Placed => {}
            Fate::Cancelled => self.cancelled(basket, made(Mistake::PayCancelled)),
            Fate::Paid | Fate::PaidAndCancelled | Fate::Shipped | Fate::Delivered => {
                self.paid(basket, fate, mistake);
            }
        }
    }

    fn cancelled(&mut self, basket: &Basket, then_pay: bool) {
        self.accepted(Command::Cancel, json!({"reason": basket.reason}));
        if then_pay {
            let pay = self.pay(basket.total, basket.currency);
            self.refused("pay-late", Command::Pay, pay, Expect::rule("order-cancelled"));
        }
    }

    fn paid(&mut self, basket: &Basket, fate: Fate, mistake: Option<Mistake>) {
        let made = |candidate| mistake == Some(candidate);
        self.accepted(Command::Pay, self.pay(basket.total, basket.currency));
        if made(Mistake::PayTwice) {
            let pay = self.pay(basket.total, basket.currency);
            self.refused("pay-again", Command::Pay, pay, Expect::rule("order-already-paid"));
        }
        if made(Mistake::DeliverUnshipped) {
            let expect = Expect::rule("order-not-shipped");
            self.refused("deliver-early", Command::Deliver, json!({}), expect);
        }
        if made(Mistake::StaleVersion) {
            self.refused("ship-stale", Command::Ship, self.ship(), status(412));
            self.last().if_match = Some(1);
        }
        match fate {
            Fate::PaidAndCancelled => {
                self.accepted(Command::Cancel, json!({"reason": basket.reason}));
            }
            Fate::Shipped | Fate::Delivered => self.shipped(basket, fate, mistake),
            Fate::Placed | Fate::Paid | Fate::Cancelled => {}
        }
    }

    fn shipped(&mut self, basket: &Basket, fate: Fate, mistake: Option<Mistake>) {
        self.accepted(Command::Ship, self.ship());
        self.last().if_match = Some(2);
        if mistake == Some(Mistake::CancelShipped) {
            let expect = Expect::rule("order-already-shipped");
            self.refused("cancel-late", Command::Cancel, json!({"reason": basket.reason}), expect);
        }
        if fate == Fate::Delivered {
            self.accepted(Command::Deliver, json!({}));
        }
    }

    fn pay(&self, amount: i64, currency: &str) -> Value {
        let amount = json!({"amount": amount, "currency": currency});
        json!({"paymentReference": format!("psp-{}", self.order), "amount": amount})
    }

    fn ship(&self) -> Value {
        let number = self.order.trim_start_matches("o-");
        json!({"carrier": "DHL", "trackingNumber": format!("JJD0099{number}")})
    }

    fn accepted(&mut self, command: Command, body: Value) {
        let success = if command == Command::Place { 201 } else { 200 };
        self.push(command.name(), command, body, Expect::success(success));
    }

    fn refused(&mut self, key: &str, command: Command, body: Value, expect: Expect) {
        self.push(key, command, body, expect);
    }

    fn push(&mut self, key: &str, command: Command, body: Value, expect: Expect) {
        let key = format!("{}-{key}", self.order);
        let order = self.order.clone();
        self.lines.push_back(Line { key, command, order, if_match: None, body, expect });
    }

    fn last(&mut self) -> &mut Line {
        self.lines.back_mut().expect("a line was just written")
    }
}

fn status(status: u16) -> Expect {
    Expect { status, problem: None }
}

/// Repeats some successful lines later in the order's life.
fn repeat_some(lines: &mut VecDeque<Line>, dice: &mut Dice) {
    let mut index = 0;
    while index < lines.len() {
        if lines[index].expect.is_success() && dice.one_in(REPEAT_ONE_IN) {
            let again = lines[index].clone();
            let place = index + 1 + dice.below(lines.len() - index);
            lines.insert(place, again);
            // A line is repeated at most once.
            index = place;
        }
        index += 1;
    }
}

/// Interleaves the orders' lines, keeping the sequence of each order.
fn interleave(scripts: Vec<VecDeque<Line>>, dice: &mut Dice) -> Vec<Line> {
    let mut waiting = scripts.into_iter();
    let mut open: Vec<VecDeque<Line>> = waiting.by_ref().take(OPEN_ORDERS).collect();
    let mut lines = Vec::new();
    while !open.is_empty() {
        let place = dice.below(open.len());
        lines.extend(open[place].pop_front());
        if open[place].is_empty() {
            match waiting.next() {
                Some(next) => open[place] = next,
                None => drop(open.swap_remove(place)),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests;
