//! `GET /transfers/{id}`

use async_trait::async_trait;
use banking_events::{Kind, LegAccount, Money};
use ledgerfold::{Decider, EntityId, Timestamp, query::Fresh};
use ledgerfold_lambda::http::{AtVersion, HttpQuery, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::Transfers,
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
    /// The transfer that moved the money back, or null.
    reversed_by: Option<EntityId>,
    /// The transfer that this one moves back, or null.
    reverses: Option<EntityId>,
    /// When it was recorded.
    recorded_at: Timestamp,
}

impl From<TransferRow> for TransferAnswer {
    fn from(TransferRow { id, made, reversed_by, recorded_at }: TransferRow) -> Self {
        Self {
            id,
            from: made.from,
            to: made.to,
            amount: made.amount,
            reference: made.reference,
            kind: made.kind,
            reversed_by,
            reverses: made.reverses,
            recorded_at,
        }
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
        let Fresh { row, version } =
            found.ok_or_else(|| Problem::not_found("The transfer does not exist."))?;
        Ok(AtVersion { version, body: row.into() })
    }
}
