//! The cost of the commands of devices, from the HTTP request on.

mod batches;
mod fleet;

use futures::future::FutureExt;

use super::{Operation, check, meter::Cost};

/// A batch has 100 readings of one metric, one a second. A warm function has the state of the device.
const OPERATIONS: &[Operation] = operations! {
    "register a device, begins its month": 5, 5.0, 3.0 inferred => batches::register;
    "first batch, cold": 2, 1.0, 1.0 => batches::first_cold;
    "batch after 1,010 batches, cold": 2, 1.0, 4.0 => batches::later_cold;
    "second batch, warm": 1, 1.0, 0.0 => batches::second_warm;
    "batch after 1,010 batches, warm": 1, 1.0, 0.0 => batches::later_warm;
    "repeated batch, warm": 1, 1.0, 0.0 => batches::repeated;
};

// Guards: a-batch-costs-the-same-for-ever
#[tokio::test]
async fn every_operation_costs_in_devices_what_the_contract_says() {
    check("Devices", OPERATIONS).await;
}
