//! The stack under test, and devices for tests.

use std::time::Duration;

use acceptance::turn::Turn;
pub(crate) use acceptance::{checks::answered, unique};
use devices_acceptance::model::{Batch, BatchAnswer, Device, Reading, RegisterDevice};
use devices_acceptance::{Answer, Caller, Client, Patience, Stack};
use jiff::{SignedDuration, Timestamp};

/// The longest time until an event reaches the read models.
pub(crate) const PROJECTED: Duration = Duration::from_secs(120);
/// The metric of most readings.
pub(crate) const METRIC: &str = "temperature";

/// The running stack, with a tenant for one test.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) tenant: String,
    /// A client of the operator.
    pub(crate) operator: Client,
    // Tests that disturb others wait until the world is dropped.
    _turn: Turn,
}

impl World {
    pub(crate) fn shared() -> Self {
        let turn = Turn::shared();
        let tenant = unique("t");
        let stack = turn.stack.clone();
        let operator = client(&stack, Caller::operator(), &tenant);
        Self { stack, tenant, operator, _turn: turn }
    }

    /// The stack, if it has an issuer, so that it tells callers apart.
    pub(crate) fn with_callers() -> Option<Self> {
        let world = Self::shared();
        world.stack.auth.is_some().then_some(world)
    }

    /// A client of a caller in the test's tenant.
    pub(crate) fn client(&self, caller: Caller) -> Client {
        client(&self.stack, caller, &self.tenant)
    }

    /// A client of the operator that returns the first answer.
    pub(crate) fn impatient(&self) -> Client {
        self.operator.with_patience(Patience::Once)
    }

    /// A new device at this site. Returns its id.
    pub(crate) async fn device_at(&self, site: &str) -> String {
        let id = unique("d");
        let id = id[..30].to_owned();
        let register = self.operator.register(&unique("key"), &registration(Some(&id), site));
        answered(register, 201).await;
        id
    }

    /// A new device. Returns its id.
    pub(crate) async fn device(&self) -> String {
        self.device_at("s-1").await
    }

    /// Sends a batch that is handled.
    pub(crate) async fn send(&self, id: &str, batch: &Batch) -> Answer {
        answered(self.operator.send(id, batch), 200).await
    }

    /// The device, at this command or newer.
    pub(crate) async fn shown(&self, id: &str, token: &str) -> Device {
        let request = self.operator.device(id).consistency_token(token);
        answered(request, 200).await.json().expect("a device")
    }
}

fn client(stack: &Stack, caller: Caller, tenant: &str) -> Client {
    Client::new(stack, &caller.in_tenant(tenant)).expect("the stack file names the service")
}

/// The registration of a device.
pub(crate) fn registration(id: Option<&str>, site: &str) -> RegisterDevice {
    let id = id.map(str::to_owned);
    RegisterDevice { id, model: "Thermo 7".to_owned(), site: site.to_owned() }
}

/// Readings with these numbers and values, one a second until now.
pub(crate) fn batch(epoch: u32, values: impl IntoIterator<Item = (u64, f64)>) -> Batch {
    let now = Timestamp::now();
    let reading = |(seq, value): (u64, f64)| {
        // A wild number must not make a wild time.
        let seconds = i64::try_from(seq % 100_000).unwrap_or_default();
        let at = now - SignedDuration::from_secs(100_000) + SignedDuration::from_secs(seconds);
        Reading { seq, at, metric: METRIC.to_owned(), value }
    };
    Batch { epoch, readings: values.into_iter().map(reading).collect() }
}

/// The same with one value.
pub(crate) fn numbered(epoch: u32, seqs: impl IntoIterator<Item = u64>) -> Batch {
    batch(epoch, seqs.into_iter().map(|seq| (seq, 20.5)))
}

pub(crate) fn body_of(answer: &Answer) -> BatchAnswer {
    answer.json().expect("the body of a batch")
}

pub(crate) fn token_of(answer: &Answer) -> String {
    answer.consistency_token().expect("a success carries a token").to_owned()
}
