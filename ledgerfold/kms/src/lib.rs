//! Keys of data subjects and tenants: 32 random bytes each, wrapped by KMS, in a DynamoDB table.
//!
//! | `pk` | attributes | owner |
//! | --- | --- | --- |
//! | `subject#<tenant>#<pseudonym>` | `v` (version, N), `w` (wrapped key, B) | a subject |
//! | `subject#<tenant>#<pseudonym>` | `h` (legal hold, JSON as S) beside `v`, `w` | a subject that must not be erased |
//! | `subject#<tenant>#<pseudonym>` | `e` (newest erased version, N), `r` (the request, JSON as S) | an erased subject |
//! | `tenant#<tenant>` | `v`, `w` | a tenant |
//!
//! KMS wraps a key only together with its encryption context: the tenant, and the pseudonym of the subject. A wrapped key
//! that was moved to another item cannot be unwrapped. The context is in clear in the records of CloudTrail, so it has
//! the pseudonym and not the id.
//!
//! # The table
//! Its backups keep keys that were erased. So the table has no point-in-time recovery, no stream and no replica, and a
//! backup of it lives no longer than you promise in your erasures. It has deletion protection: without it, nothing that
//! was ever sealed can be opened.
//!
//! # Permissions
//!
//! | function | DynamoDB | KMS |
//! | --- | --- | --- |
//! | opens | `GetItem` | `Decrypt` |
//! | seals | `GetItem`, `PutItem` | `Decrypt`, `GenerateDataKey` |
//! | erases | `GetItem`, `UpdateItem` | |
//! | signs certificates | | `Sign`, `GetPublicKey` |
//!
//! The SDK's clients do the retries: give them a retry configuration and timeouts.
//! [`CachedKeys`](ledgerfold::keyring::CachedKeys) in front of it spares most calls.

mod keyring;
mod owner;
mod signer;
mod table;
mod wrapping;

pub use keyring::KmsKeyring;
pub use signer::KmsSigner;
