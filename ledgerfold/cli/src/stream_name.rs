//! The names of streams in arguments, and the tenant that they belong to.

use std::str::FromStr;

use async_trait::async_trait;
use clap::Args;
use ledgerfold::{
    InvalidId, StreamId, TenantId,
    ports::{Page, Resume, Segment, Streams, StreamsError},
};

/// A stream as an operator writes it: `order#1`, which is of the chosen tenant, or in full, `acme/order#1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamName {
    /// In a short name, its tenant has no meaning.
    stream: StreamId,
    is_full: bool,
}

impl FromStr for StreamName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let is_full = text.contains('/');
        let stream = if is_full {
            text.parse()?
        } else {
            format!("{}/{text}", TenantId::default_tenant()).parse()?
        };
        Ok(Self { stream, is_full })
    }
}

/// The tenant whose streams a command works on.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TenantChoice {
    /// The tenant of streams that are named without one, for example `order#1` instead of `acme/order#1`
    /// [default: default]. With this option, lists and walks include only the streams of this tenant. For a token,
    /// the tenant of its caller
    #[arg(long, global = true, value_name = "TENANT")]
    tenant: Option<TenantId>,
}

impl TenantChoice {
    /// The chosen tenant.
    pub(crate) const fn chosen(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The chosen tenant, or the default one.
    pub(crate) fn or_default(&self) -> TenantId {
        self.tenant.clone().unwrap_or_else(TenantId::default_tenant)
    }

    /// The stream with this name.
    pub(crate) fn stream(&self, name: &StreamName) -> StreamId {
        let StreamName { stream, is_full } = name;
        if *is_full {
            return stream.clone();
        }
        StreamId::new(self.or_default(), stream.category().clone(), stream.id().clone())
    }

    /// The streams with these names.
    pub(crate) fn streams(&self, names: &[StreamName]) -> Vec<StreamId> {
        names.iter().map(|name| self.stream(name)).collect()
    }

    /// Whether a command that works on all streams includes this one.
    pub(crate) fn includes(&self, stream: &StreamId) -> bool {
        self.tenant.as_ref().is_none_or(|tenant| stream.tenant() == tenant)
    }
}

/// The streams of an index that the choice includes.
#[derive(Clone, Debug)]
pub(crate) struct Included<I> {
    pub(crate) index: I,
    pub(crate) tenant: TenantChoice,
}

#[async_trait]
impl<I: Streams> Streams for Included<I> {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        let mut page = self.index.list(segment, from).await?;
        page.items.retain(|stream| self.tenant.includes(stream));
        Ok(page)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The choice of this tenant.
    pub(crate) fn of(tenant: &str) -> TenantChoice {
        TenantChoice { tenant: Some(tenant.parse().expect("a tenant")) }
    }

    #[test]
    fn a_short_name_is_of_the_chosen_tenant_and_a_full_name_of_its_own() {
        for (tenant, name, stream) in [
            (TenantChoice::default(), "order#1", "default/order#1"),
            (TenantChoice::default(), "acme/order#1", "acme/order#1"),
            (of("acme"), "order#1", "acme/order#1"),
            (of("acme"), "other/order#1", "other/order#1"),
        ] {
            let name: StreamName = name.parse().expect("a name");
            assert_eq!(tenant.stream(&name).to_string(), stream);
        }
        for bad in ["order", "/order#1", "acme/order", "a/b/order#1", "order#", "#1", "Order#1"] {
            assert!(bad.parse::<StreamName>().is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn only_a_chosen_tenant_limits_a_walk() {
        let stream: StreamId = "acme/order#1".parse().expect("a stream");
        assert!(TenantChoice::default().includes(&stream));
        assert!(of("acme").includes(&stream));
        assert!(!of("default").includes(&stream));
    }
}
