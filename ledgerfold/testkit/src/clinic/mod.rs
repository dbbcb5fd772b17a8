//! Patients of a clinic: the example of a domain that seals.
//!
//! A patient has a name, which is sealed, and an address, which no other patient may have. The id of the stream is the
//! data subject.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use ledgerfold::sealed::{Opened, Plain};
//! use ledgerfold_testkit::{Sandbox, clinic::{Directory, PatientName, Patients, Register}};
//!
//! let clinic = Sandbox::<Patients>::default();
//! let name = Plain::new(PatientName::new("Ada"));
//! let email = Plain::new("ada@example.org".to_owned());
//! clinic.run_keyed("p-1", Register { name: name.clone(), email }).await?;
//!
//! let row = clinic.row::<Directory>("p-1").await?.expect("the patient is registered");
//! assert_eq!(clinic.keys_to_open(&row).await?.open(&row.name)?, Opened::Value(name));
//! clinic.erase("p-1").await?;
//! assert_eq!(clinic.keys_to_open(&row).await?.open(&row.name)?, Opened::Erased);
//! # Ok(())
//! # }
//! ```

mod commands;
mod directory;
mod domain;

pub use commands::{PatientCommand, Register, Rename};
pub use directory::{Directory, Entry};
pub use domain::{
    EMAIL, Patient, PatientEvent, PatientName, PatientRejection, Patients, Registered, Renamed,
};

use ledgerfold::context::Context;

/// The clinic as a context.
pub fn context() -> Context {
    Context::new("clinic").decider_with_claims::<Patients>().rows::<Directory>("directory")
}
