//! The shop's articles, currencies and customers.

use serde_json::{Value, json};

use acceptance::dice::Dice;

// Articles with their prices in euro cents.
const ARTICLES: [(&str, i64); 12] = [
    ("tea.assam-250g", 890),
    ("tea.darjeeling-100g", 1_250),
    ("tea.earl-grey-50", 499),
    ("coffee.espresso-1kg", 2_190),
    ("coffee.filter-500g", 1_090),
    ("kettle_1.7l", 4_995),
    ("cup.blue", 750),
    ("cup.white", 650),
    ("teapot-1l", 2_900),
    ("biscuits.oat", 325),
    ("sugar.cane", 215),
    ("gift-card.25", 2_500),
];

// Currencies, with the minor units that equal a hundred euro cents.
const CURRENCIES: [(&str, i64); 5] =
    [("EUR", 100), ("USD", 110), ("GBP", 86), ("CHF", 95), ("JPY", 160)];
// The currency of each of twenty orders: half of the orders are in euro.
const CURRENCY_OF_TWENTY: [usize; 20] =
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4];

const REGULARS: [&str; 5] =
    ["cafe.central", "hotel_sacher", "acme-gmbh", "tea-house.kyoto", "office-42"];
// A third of the orders come from regular customers.
const REGULAR_ONE_IN: u64 = 3;

const REASONS: [&str; 5] = [
    "changed my mind",
    "found it cheaper",
    "ordered twice by mistake",
    "délai de livraison trop long",
    "wrong address",
];

/// Generates baskets.
pub(super) struct Shop {
    customers: usize,
}

/// An order of one customer, with the reason for a possible cancellation.
pub(super) struct Basket {
    customer: String,
    items: Vec<(&'static str, i64, i64)>,
    pub(super) currency: &'static str,
    pub(super) total: i64,
    pub(super) reason: &'static str,
}

impl Shop {
    /// A shop. The number of its occasional customers grows with the number of orders.
    pub(super) fn new(orders: usize) -> Self {
        Self { customers: orders / 3 + 1 }
    }

    pub(super) fn basket(&self, dice: &mut Dice) -> Basket {
        let (currency, rate) = CURRENCIES[*dice.pick(&CURRENCY_OF_TWENTY)];
        let mut items = Vec::new();
        for _ in 0..=dice.below(4) {
            let (sku, cents) = *dice.pick(&ARTICLES);
            let quantity = *dice.pick(&[1, 1, 1, 2, 2, 3, 6, 12]);
            items.push((sku, quantity, cents * rate / 100));
        }
        Basket {
            customer: self.customer(dice),
            total: items.iter().map(|(_, quantity, price)| quantity * price).sum(),
            items,
            currency,
            reason: dice.pick::<&str>(&REASONS),
        }
    }

    fn customer(&self, dice: &mut Dice) -> String {
        if dice.one_in(REGULAR_ONE_IN) {
            (*dice.pick(&REGULARS)).to_owned()
        } else {
            format!("c-{:04}", dice.below(self.customers) + 1)
        }
    }
}

impl Basket {
    /// The body that places the order.
    pub(super) fn place(&self) -> Value {
        self.place_with(0)
    }

    /// A body that differs in one quantity.
    /// A body with several errors.
    pub(super) fn place_one_more(&self) -> Value {
        self.place_with(1)
    }

    /// A body with several things wrong.
    pub(super) fn broken(&self) -> Value {
        let price = json!({"amount": -1, "currency": self.currency});
        json!({"customerId": "", "items": [{"sku": "tea", "quantity": 0, "unitPrice": price}]})
    }

    fn place_with(&self, more: i64) -> Value {
        let item = |(sku, quantity, price): &(&str, i64, i64)| {
            let price = json!({"amount": price, "currency": self.currency});
            json!({"sku": sku, "quantity": quantity + more, "unitPrice": price})
        };
        let items: Vec<_> = self.items.iter().map(item).collect();
        json!({"customerId": self.customer, "items": items})
    }
}
