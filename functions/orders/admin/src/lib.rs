//! What the deployment of orders changes in its template.

use ledgerfold_infra::Changes;
use serde_json::json;

/// The changes in `infra/orders.yaml`.
pub fn changes() -> Changes {
    let reason = "A deadline of more than a year would be a mistake.";
    Changes::none()
        .set("PaymentDeadline", "Type", json!("Number"), "Only whole seconds.")
        .set(
            "PaymentDeadline",
            "MinValue",
            json!(1),
            "An order that must be paid at once needs no deadline.",
        )
        .set("PaymentDeadline", "MaxValue", json!(31_536_000), reason)
}
