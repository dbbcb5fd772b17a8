use std::{fmt, str::FromStr};

use crate::{InvalidId, StreamId, TenantId, UniqueKey};

/// A key of a tenant. Equal keys of two tenants are different keys.
///
/// Teams name keys without a tenant. The library adds the tenant of the stream, so that a team cannot forget it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfTenant<K> {
    /// The tenant.
    pub tenant: TenantId,
    /// The key within the tenant.
    pub key: K,
}

/// A unique key as the stores reserve it. Its format is `<tenant>/<kind>#<value>`.
pub type ReservedKey = OfTenant<UniqueKey>;

impl<K> OfTenant<K> {
    /// This key of the tenant.
    pub fn new(tenant: &TenantId, key: K) -> Self {
        Self { tenant: tenant.clone(), key }
    }

    /// This key of the stream's tenant.
    pub fn of(stream: &StreamId, key: K) -> Self {
        Self::new(stream.tenant(), key)
    }
}

impl<K: fmt::Display> fmt::Display for OfTenant<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.key)
    }
}

/// Parses `<tenant>/<key>`, the format of `Display`. A tenant has no `/`, so the key may have some.
impl<K: FromStr<Err = InvalidId>> FromStr for OfTenant<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const RULE: InvalidId = InvalidId::new("a key of a tenant", "in the format <tenant>/<key>");
        let (tenant, key) = text.split_once('/').ok_or(RULE)?;
        Ok(Self { tenant: TenantId::new(tenant)?, key: key.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_two_tenants_differ_and_are_read_back() {
        let keys = ["a/email#x", "b/email#x", "a/email#b/email#x"];
        let read: Vec<ReservedKey> = keys.map(|key| key.parse().expect("a key")).into();
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), keys);
        assert_ne!(read[0], read[1]);
        for bad in ["email#x", "/email#x", "a/email#", "a/x"] {
            assert!(bad.parse::<ReservedKey>().is_err(), "{bad} was accepted");
        }
    }
}
