//! `GET /transfers/{id}`

use async_trait::async_trait;
use banking_events::{Kind, LegAccount, Money, TransferSent};
use ledgerfold::{Decider, EntityId, TenantId, Timestamp, query::Fresh};
use ledgerfold_lambda::http::{AtVersion, HttpQuery, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Progress, Transfer, Transfers},
    read_models::{TransferRow, TransferViews},
};

/// A transfer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetTransfer {
    /// The transfer.
    id: EntityId,
}

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Transfer")]
pub struct TransferAnswer {
    /// Its id.
    id: EntityId,
    /// The account that was debited. An account of the bank begins with `settlement#`.
    from: LegAccount,
    /// The account that was credited. An account of the bank begins with `settlement#`.
    to: LegAccount,
    /// The amount.
    amount: Money,
    /// The purpose.
    reference: String,
    /// The kind.
    kind: Kind,
    /// Whether the money has moved. Only a transfer between banks has this field: it is pending at first, and may be
    /// refused later.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Progress>,
    /// The rule with which the other bank refused it, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_by: Option<String>,
    /// The bank of `from`, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_bank: Option<TenantId>,
    /// The bank of `to`, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_bank: Option<TenantId>,
    /// The transfer that moved the money back, or null.
    reversed_by: Option<EntityId>,
    /// The transfer that this one moves back, or null.
    reverses: Option<EntityId>,
    /// When it was recorded.
    recorded_at: Timestamp,
}

impl TransferAnswer {
    /// The answer for a row; `None` if it is no transfer of this bank.
    fn of(TransferRow { id, transfer, recorded_at }: TransferRow) -> Option<Self> {
        let is_between_banks = transfer.sent.is_some() || transfer.received.is_some();
        let state = is_between_banks.then(|| transfer.progress());
        let Transfer { sent, received, made, refused_by, reversed_by } = transfer;
        let (from, to, amount, reference, kind, reverses) = match (&sent, made) {
            (Some(sent), _) => {
                let TransferSent { from, to, amount, reference, kind, reverses, .. } = sent.clone();
                let [from, to] = [from, to.account].map(LegAccount::Customer);
                (from, to, amount, reference, kind, reverses)
            }
            (None, Some(made)) => {
                let sender = received.as_ref().map(|it| it.from.account.clone());
                let from = sender.map_or(made.from, LegAccount::Customer);
                (from, made.to, made.amount, made.reference, made.kind, made.reverses)
            }
            (None, None) => return None,
        };
        Some(Self {
            id,
            from,
            to,
            amount,
            reference,
            kind,
            state,
            refused_by,
            from_bank: received.map(|it| it.from.bank),
            to_bank: sent.map(|it| it.to.bank),
            reversed_by,
            reverses,
            recorded_at,
        })
    }
}

#[async_trait]
impl HttpQuery for GetTransfer {
    type Decider = Transfers;
    type Models = Rows<TransferViews>;
    type Answer = AtVersion<TransferAnswer>;

    const PATH: &'static str = "/transfers/{id}";

    fn example() -> Self {
        Self { id: EntityId::new("t-1").expect("t-1 is an id") }
    }

    async fn answer(
        self,
        transfers: &Rows<TransferViews>,
        call: QueryCall<'_>,
    ) -> Result<AtVersion<TransferAnswer>, Problem> {
        let stream = call.stream(Transfers::CATEGORY, self.id);
        let found = transfers.current(&stream, call).await?;
        let Fresh { row, version } = found.ok_or_else(no_such_transfer)?;
        let body = TransferAnswer::of(row).ok_or_else(no_such_transfer)?;
        Ok(AtVersion { version, body })
    }
}

fn no_such_transfer() -> Problem {
    Problem::not_found("The transfer does not exist.")
}
