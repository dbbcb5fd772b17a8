//! The caller of a command or a query: who asks, in which tenant, and with which rights.

use std::collections::BTreeSet;

use crate::vocabulary::id::{ProcessName, Role, Scope, Subject, TenantId};

/// Who sends a command or a query.
///
/// A service makes it in one place, from credentials that it has verified, and rules decide with it. The audit log keeps
/// only the subject, as the [`Actor`](crate::Actor) of each commit: roles change over time, and a decision is not
/// repeated. Within its tenant, two callers are the same if their subjects are equal.
///
/// ```
/// use ledgerfold::{Caller, Granted, Role, Subject, TenantId, Via};
///
/// const STAFF: Role = Role::from_static("staff");
///
/// let ada = Caller {
///     tenant: TenantId::new("acme")?,
///     subject: Subject::new("ada")?,
///     roles: Granted::only([STAFF]),
///     scopes: Granted::none(),
///     via: Via::Token,
/// };
/// assert!(ada.has_role(&STAFF));
/// assert!(Caller::anonymous().has_role(&STAFF));
/// # Ok::<(), ledgerfold::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant, which is part of every key that the caller's requests look up.
    pub tenant: TenantId,
    /// The name within the tenant.
    pub subject: Subject,
    /// What the caller is, for example a member of staff.
    pub roles: Granted<Role>,
    /// What the application may do for the caller.
    pub scopes: Granted<Scope>,
    /// How the caller was established.
    pub via: Via,
}

impl Caller {
    /// The caller of every request to a service without authentication: `anonymous` of the default tenant, with every
    /// role and every scope.
    pub fn anonymous() -> Self {
        Self {
            tenant: TenantId::default_tenant(),
            subject: Subject::anonymous(),
            roles: Granted::Every,
            scopes: Granted::Every,
            via: Via::Anonymous,
        }
    }

    /// A process manager, on behalf of this tenant. It has every role, because its own code decides what it sends.
    pub fn process(name: &ProcessName, tenant: TenantId) -> Self {
        Self {
            tenant,
            subject: Subject::from(name),
            roles: Granted::Every,
            scopes: Granted::Every,
            via: Via::Process,
        }
    }

    /// Whether the caller has this role.
    pub fn has_role(&self, role: &Role) -> bool {
        self.roles.includes(role)
    }

    /// Whether the caller has this scope.
    pub fn has_scope(&self, scope: &Scope) -> bool {
        self.scopes.includes(scope)
    }
}

/// How a caller was established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// By a token that the service verified.
    Token,
    /// By an authorizer of the gateway.
    Gateway,
    /// By an API key.
    ApiKey,
    /// Not at all: the service has no authentication.
    Anonymous,
    /// By the service itself: a process manager sends the command.
    Process,
}

/// The answer of a rule to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The rule allows it.
    Allowed,
    /// The caller may know that the entity exists, and may not do this: status 403.
    Forbidden,
    /// The entity belongs to somebody else. The caller gets the answer for an entity that does not exist: status 404.
    Hidden,
}

impl Access {
    /// Allowed if the condition holds, and otherwise forbidden.
    pub const fn allowed_if(condition: bool) -> Self {
        if condition { Self::Allowed } else { Self::Forbidden }
    }

    /// Allowed if the condition holds, and otherwise hidden.
    pub const fn visible_if(condition: bool) -> Self {
        if condition { Self::Allowed } else { Self::Hidden }
    }
}

/// Roles or scopes that a caller has.
///
/// "Every role" is not a role with a special name. So no token can contain it, and a rule that asks for a role that
/// nobody has thought of is still right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted<T> {
    /// All that exist.
    Every,
    /// These and no others.
    Only(BTreeSet<T>),
}

impl<T: Ord> Granted<T> {
    /// None at all.
    pub const fn none() -> Self {
        Self::Only(BTreeSet::new())
    }

    /// These and no others.
    pub fn only(these: impl IntoIterator<Item = T>) -> Self {
        Self::Only(these.into_iter().collect())
    }

    /// Whether this one is among them.
    pub fn includes(&self, one: &T) -> bool {
        match self {
            Self::Every => true,
            Self::Only(these) => these.contains(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAFF: Role = Role::from_static("staff");
    const CUSTOMER: Role = Role::from_static("customer");

    #[test]
    fn anonymous_has_every_role_and_no_name_stands_for_all_of_them() {
        let anonymous = Caller::anonymous();
        assert_eq!(anonymous.tenant.as_str(), "default");
        assert_eq!(anonymous.subject.as_str(), "anonymous");
        assert!(anonymous.has_role(&STAFF) && anonymous.has_scope(&Scope::from_static("any")));

        let names = ["*", "every", "Every", "anonymous"].map(Role::from_static);
        let wild = Caller { roles: Granted::only(names), ..anonymous };
        assert!(!wild.has_role(&STAFF));
    }

    #[test]
    fn a_caller_has_the_roles_that_were_granted() {
        let customer = Granted::only([CUSTOMER]);
        assert!(customer.includes(&CUSTOMER) && !customer.includes(&STAFF));
        assert!(!Granted::none().includes(&CUSTOMER));
    }
}
