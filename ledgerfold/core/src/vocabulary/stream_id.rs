use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Category, EntityId, InvalidId, TenantId};

/// The name of a stream. Its format is `<tenant>/<category>#<id>`, for example `default/order#0190c0de`.
///
/// The tenant is part of the name, so no store can be asked for a stream without it, and streams of two tenants never
/// meet, even if their ids are equal.
///
/// ```
/// # use ledgerfold::{Category, EntityId, StreamId, TenantId};
/// const ORDER: Category = Category::from_static("order");
/// let stream = StreamId::new(TenantId::new("acme")?, ORDER, EntityId::new("0190c0de")?);
/// assert_eq!(stream.to_string(), "acme/order#0190c0de");
/// assert_eq!("acme/order#0190c0de".parse::<StreamId>()?, stream);
/// # Ok::<(), ledgerfold::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId {
    tenant: TenantId,
    category: Category,
    id: EntityId,
}

impl StreamId {
    /// The stream of this entity of this tenant.
    pub const fn new(tenant: TenantId, category: Category, id: EntityId) -> Self {
        Self { tenant, category, id }
    }

    /// The stream of an entity in a service that has only the default tenant.
    pub fn of_default_tenant(category: Category, id: EntityId) -> Self {
        Self::new(TenantId::default_tenant(), category, id)
    }

    /// The stream of another entity of the same tenant.
    #[must_use]
    pub fn beside(&self, category: Category, id: EntityId) -> Self {
        Self::new(self.tenant.clone(), category, id)
    }

    /// The tenant.
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The kind of entity.
    pub const fn category(&self) -> &Category {
        &self.category
    }

    /// The entity's id.
    pub const fn id(&self) -> &EntityId {
        &self.id
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.tenant, self.category, self.id)
    }
}

impl FromStr for StreamId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const RULE: InvalidId =
            InvalidId::new("a stream", "in the format <tenant>/<category>#<id>");
        let (tenant, rest) = text.split_once('/').ok_or(RULE)?;
        let (category, id) = rest.split_once('#').ok_or(RULE)?;
        Ok(Self::new(TenantId::new(tenant)?, category.parse()?, EntityId::new(id)?))
    }
}

impl TryFrom<String> for StreamId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<StreamId> for String {
    fn from(stream: StreamId) -> String {
        stream.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_back_as_it_is_written() {
        for bad in [
            "order",
            "order#1",
            "/order#1",
            "t/Order#1",
            "t/#1",
            "t/order#",
            "t/order#a#b",
            "a/b/order#1",
            "t#/order#1",
        ] {
            assert!(bad.parse::<StreamId>().is_err(), "{bad:?} was accepted as a stream");
        }
        let stream: StreamId = "acme/order#a-1".parse().expect("a stream");
        assert_eq!(stream.tenant().as_str(), "acme");
        assert_eq!((stream.category().as_str(), stream.id().as_str()), ("order", "a-1"));
        assert_eq!(stream.to_string(), "acme/order#a-1");
        let other = stream.beside(Category::from_static("invoice"), stream.id().clone());
        assert_eq!(other.to_string(), "acme/invoice#a-1");
    }
}
