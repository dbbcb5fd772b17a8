use serde::{Serialize, Serializer};

use super::{FingerprintKey, SealingKeys};
use crate::{Command, CommandName, Idempotency};

/// A command with the keys that it needs: the [`Decider::Command`](crate::Decider::Command) of a domain that seals.
///
/// Its fingerprint is keyed, so it confirms no guess of what was asked. It is made under the key of the command's
/// subject, or under that of the tenant if the command has no single subject.
#[derive(Clone, Debug)]
pub struct Keyed<C> {
    command: C,
    keys: SealingKeys,
    fingerprint: FingerprintKey,
}

impl<C> Keyed<C> {
    /// The command with these keys. [`provide_keys`](crate::keyring::provide_keys) fetches them.
    pub fn new(command: C, keys: SealingKeys) -> Self {
        let fingerprint = keys.fingerprint_key();
        Self { command, keys, fingerprint }
    }

    /// The command.
    pub const fn command(&self) -> &C {
        &self.command
    }

    /// The keys.
    pub const fn keys(&self) -> &SealingKeys {
        &self.keys
    }
}

/// The command's own form, without the keys.
impl<C: Serialize> Serialize for Keyed<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.command.serialize(serializer)
    }
}

impl<C: Command> Command for Keyed<C> {
    const SOME_ARE_STRICT: bool = C::SOME_ARE_STRICT;
    const SEALS: bool = true;

    fn name(&self) -> CommandName {
        self.command.name()
    }

    fn idempotency(&self) -> Idempotency {
        self.command.idempotency()
    }

    fn fingerprint_key(&self) -> Option<&FingerprintKey> {
        Some(&self.fingerprint)
    }
}
