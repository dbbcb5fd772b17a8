//! The stack under test, and patients for tests.

use acceptance::turn::Turn;
pub(crate) use acceptance::{
    checks::{answered, refused},
    unique,
};
use patients_acceptance::client::created;
use patients_acceptance::{Caller, Client, Stack};

/// The running stack, with a tenant for one test.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) tenant: String,
    pub(crate) registrar: Client,
    pub(crate) doctor: Client,
    pub(crate) officer: Client,
    // Tests that disturb others wait until the world is dropped.
    _turn: Turn,
}

impl World {
    pub(crate) fn shared() -> Self {
        let turn = Turn::shared();
        let stack = turn.stack.clone();
        let tenant = unique("t");
        let client = |caller: Caller| {
            Client::new(&stack, &caller.in_tenant(&tenant)).expect("the context is deployed")
        };
        Self {
            registrar: client(Caller::registrar()),
            doctor: client(Caller::clinician("dr-1")),
            officer: client(Caller::privacy_officer()),
            stack,
            tenant,
            _turn: turn,
        }
    }

    pub(crate) fn client(&self, caller: Caller) -> Client {
        let caller = caller.in_tenant(&self.tenant);
        self.registrar.for_caller(&self.stack, &caller).expect("a token")
    }

    /// A new patient with a record, and its id.
    pub(crate) async fn patient(&self) -> (String, Client) {
        let register = self.registrar.register(&unique("register"), "Ada", &unique("insurance"));
        let id = created(answered(register, 201).await).expect("it is created");
        let add = self.doctor.add_record(&unique("record"), &id, "observation", "38 °C");
        answered(add, 201).await;
        let patient = self.client(Caller::patient(&id));
        (id, patient)
    }
}
