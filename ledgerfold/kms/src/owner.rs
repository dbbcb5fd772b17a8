use std::collections::HashMap;

use ledgerfold::{TenantId, ports::KeyringError, sealed::SubjectPseudonym};

/// Whose key it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'a> {
    Tenant(&'a TenantId),
    Subject(&'a TenantId, &'a SubjectPseudonym),
}

impl Owner<'_> {
    /// The key of its item. `#` is in no tenant and no pseudonym.
    pub(crate) fn pk(self) -> String {
        match self {
            Self::Tenant(tenant) => format!("tenant#{tenant}"),
            Self::Subject(tenant, subject) => format!("subject#{tenant}#{subject}"),
        }
    }

    /// The encryption context, without which KMS does not unwrap the key. It must never change.
    pub(crate) fn context(self) -> HashMap<String, String> {
        let entry = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        match self {
            Self::Tenant(tenant) => HashMap::from([entry("tenant", tenant.as_str())]),
            Self::Subject(tenant, subject) => HashMap::from([
                entry("tenant", tenant.as_str()),
                entry("subject", subject.as_str()),
            ]),
        }
    }

    pub(crate) fn damaged(self, reason: impl Into<String>) -> KeyringError {
        KeyringError::Damaged { of: self.pk(), reason: reason.into() }
    }
}
