//! `GET /trial-balance`

use std::collections::BTreeMap;

use async_trait::async_trait;
use banking_events::Currency;
use ledgerfold::{
    Access, Caller,
    ports::{Counter, CounterKey},
};
use ledgerfold_lambda::http::{Counters, HttpQuery, Problem, QueryCall, Unversioned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Accounts, access},
    read_models::{BALANCE, CustomerTotals, SettlementTotals},
};

/// The sums of all accounts. In each currency, the difference is 0 when everything is projected.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetTrialBalance {}

/// The sums of all accounts, by currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrialBalance {
    /// The sums of each currency.
    currencies: Vec<Totals>,
}

/// The sums of one currency, in minor units. Always exact: above 2^53 a client needs more than a double.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Totals {
    /// The currency.
    #[schemars(with = "Currency")]
    currency: String,
    /// The balances of all customers.
    customers: i128,
    /// The balances of all settlement accounts.
    settlement: i128,
    /// The sum of both: 0 when everything is projected.
    difference: i128,
}

impl TrialBalance {
    fn new(customers: &[Counter], settlement: &[Counter]) -> Self {
        let mut sums: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
        for counter in customers {
            sums.entry(counter.key.as_str()).or_default().0 += balance(counter);
        }
        for counter in settlement {
            sums.entry(counter.key.as_str()).or_default().1 += balance(counter);
        }
        let totals = |(currency, (customers, settlement)): (&str, (i128, i128))| Totals {
            currency: currency.to_owned(),
            customers,
            settlement,
            difference: customers + settlement,
        };
        Self { currencies: sums.into_iter().map(totals).collect() }
    }
}

fn balance(counter: &Counter) -> i128 {
    counter.amounts.get(BALANCE).copied().unwrap_or_default()
}

#[async_trait]
impl HttpQuery for GetTrialBalance {
    type Decider = Accounts;
    type Models = (Counters<CustomerTotals>, Counters<SettlementTotals>);
    type Answer = Unversioned<TrialBalance>;

    const PATH: &'static str = "/trial-balance";

    fn example() -> Self {
        Self {}
    }

    fn may(&self, caller: &Caller) -> Access {
        Access::allowed_if(access::sees_trial_balance(caller))
    }

    async fn answer(
        self,
        (customers, settlement): &(Counters<CustomerTotals>, Counters<SettlementTotals>),
        call: QueryCall<'_>,
    ) -> Result<Unversioned<TrialBalance>, Problem> {
        let first = CounterKey::least();
        let last = CounterKey::greatest();
        let customers = customers.range(&first, &last, call).await?;
        let settlement = settlement.range(&first, &last, call).await?;
        Ok(Unversioned(TrialBalance::new(&customers, &settlement)))
    }
}
