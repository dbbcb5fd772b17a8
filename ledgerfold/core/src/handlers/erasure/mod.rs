//! The erasure of a person: the end of its key, the events that record it, and the certificate.
//!
//! 1. **One conditional write** destroys the key and leaves a mark ([`KeyEraser`](crate::ports::KeyEraser)). A legal hold
//!    is in the same item, so it refuses exactly this write.
//! 2. **A commit** records the erasure in the stream of the person and releases its unique keys ([`Erasing`]). From then
//!    on every decision and every row says that the person was erased. If the program ends between the two, a repetition
//!    of the request makes the commit. Nothing is readable in between, apart from cached keys.
//! 3. **The certificate** ([`Certificate`]) is made on request, after the keys have left all caches.
//!
//! A new registration of the same person is a new stream with a new subject and a new key.

mod certificate;
mod decider;
mod inspect;

pub use certificate::{
    Certificate, CertificateError, Checked, FORMAT, SignedCertificate, Terms, verify_certificate,
};
pub use decider::{Erasable, EraseSubject, Erasing};
pub use inspect::{Inspection, inspect};
