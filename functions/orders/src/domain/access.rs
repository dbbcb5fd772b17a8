//! The rules of access: which caller may do what with an order.
//!
//! | role | may |
//! | --- | --- |
//! | `customer` | place orders for itself; pay, cancel and see its own orders |
//! | `staff` | everything |
//!
//! An order of another customer does not exist for a customer.

use ledgerfold::{Access, Caller, Role};

use super::OrderState;

const STAFF: Role = Role::from_static("staff");
const CUSTOMER: Role = Role::from_static("customer");

/// Whether the caller is a member of staff.
pub fn is_staff(caller: &Caller) -> bool {
    caller.has_role(&STAFF)
}

/// Whether the caller is this customer.
pub fn is_customer(caller: &Caller, customer_id: &str) -> bool {
    caller.has_role(&CUSTOMER) && caller.subject.as_str() == customer_id
}

/// The rule for an order or a list of this customer: the customer and staff have access.
pub fn of_customer(caller: &Caller, customer_id: &str) -> Access {
    Access::visible_if(is_staff(caller) || is_customer(caller, customer_id))
}

/// The rule for a command to an order that its customer and staff may send.
pub fn by_customer(caller: &Caller, order: &OrderState) -> Access {
    match order {
        _ if is_staff(caller) => Access::Allowed,
        Some(order) => of_customer(caller, &order.customer_id),
        // The decision answers that there is no such order.
        None => Access::Allowed,
    }
}

/// The rule for a command to an order that only staff may send.
pub fn by_staff(caller: &Caller, order: &OrderState) -> Access {
    match by_customer(caller, order) {
        Access::Allowed if order.is_some() => Access::allowed_if(is_staff(caller)),
        access => access,
    }
}
