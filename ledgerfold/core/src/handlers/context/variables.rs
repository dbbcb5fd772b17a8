//! The environment variables of a function: what its template sets, and its program reads.

/// The function's [`Role`](super::Role).
pub const ROLE: &str = "ROLE";
/// The event table.
pub const EVENT_TABLE: &str = "EVENT_TABLE";
/// The table of reservations.
pub const RESERVATIONS: &str = "RESERVATIONS";
/// The table of keys, in a context that seals.
pub const KEY_TABLE: &str = "KEY_TABLE";
/// The KMS key that wraps the keys of this table.
pub const WRAPPING_KEY: &str = "WRAPPING_KEY";
/// The seconds for which a function caches keys.
pub const KEY_CACHE_SECONDS: &str = "KEY_CACHE_SECONDS";
/// The days for which a backup of the table of keys is kept.
pub const KEY_BACKUP_DAYS: &str = "KEY_BACKUP_DAYS";
/// The KMS key that signs certificates of erasures.
pub const CERTIFICATE_KEY: &str = "CERTIFICATE_KEY";
/// The table of generations, quarantined streams and skips.
pub const PROJECTION_STATES: &str = "PROJECTION_STATES";
/// The projection of a projector.
pub const PROJECTION: &str = "PROJECTION";
/// The read table of a projector.
pub const READ_TABLE: &str = "READ_TABLE";
/// The other context whose events a projector applies.
pub const SOURCE_CONTEXT: &str = "SOURCE_CONTEXT";
/// The event table of that context.
pub const SOURCE_TABLE: &str = "SOURCE_TABLE";
/// The process of a process function or of a deadline worker.
pub const PROCESS: &str = "PROCESS";
/// The table of deadlines.
pub const DEADLINES: &str = "DEADLINES";
/// The bus.
pub const BUS_NAME: &str = "BUS_NAME";
/// The key that signs events on the bus.
pub const BUS_KEY: &str = "BUS_KEY";
/// The bucket of the transparency log.
pub const LOG_BUCKET: &str = "LOG_BUCKET";
/// The name of the transparency log in its checkpoints.
pub const LOG_ORIGIN: &str = "LOG_ORIGIN";
/// The KMS key that signs checkpoints.
pub const SIGNING_KEY: &str = "SIGNING_KEY";
/// The streams in a sample of the spot check.
pub const SPOT_CHECK_STREAMS: &str = "SPOT_CHECK_STREAMS";
/// The seconds after which a missing event counts as a fault of a read model.
pub const SPOT_CHECK_PATIENCE: &str = "SPOT_CHECK_PATIENCE";
/// The bucket of an export.
pub const EXPORT_BUCKET: &str = "EXPORT_BUCKET";
/// The table with the progress of an export.
pub const EXPORT_TABLE: &str = "EXPORT_TABLE";
/// The minutes of a window of an export.
pub const EXPORT_WINDOW: &str = "EXPORT_WINDOW";
/// How callers of the HTTP functions prove who they are: `token`, `gateway`, `api-key` or `none`.
pub const AUTHENTICATION: &str = "AUTHENTICATION";
/// The issuer of tokens, as their claim `iss` has it.
pub const TOKEN_ISSUER: &str = "TOKEN_ISSUER";
/// The audience of tokens, as their claim `aud` has it, or `client_id` in a token without `aud`.
pub const TOKEN_AUDIENCE: &str = "TOKEN_AUDIENCE";
/// The keys of the issuer: a JSON Web Key Set, or its address.
pub const TOKEN_KEYS: &str = "TOKEN_KEYS";
/// The claim with the tenant.
pub const TENANT_CLAIM: &str = "TENANT_CLAIM";
/// The claim with the roles.
pub const ROLES_CLAIM: &str = "ROLES_CLAIM";
/// The claim with the scopes.
pub const SCOPES_CLAIM: &str = "SCOPES_CLAIM";
/// The roles of callers with an API key, separated by commas.
pub const API_KEY_ROLES: &str = "API_KEY_ROLES";

/// The variable with the read table of a projection.
pub fn table_of(projection: &str) -> String {
    format!("{}_TABLE", setting_of(projection))
}

/// The variable with the event table of another context, for roles that read the projections of several contexts.
pub fn events_of(context: &str) -> String {
    format!("EVENTS_OF_{}", setting_of(context))
}

/// The variable with the setting of a process.
pub fn setting_of(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// The variable with the queue of a process's due deadlines.
pub fn due_queue_of(process: &str) -> String {
    format!("{}_DUE_QUEUE", setting_of(process))
}

#[cfg(test)]
mod tests {
    use super::{due_queue_of, events_of, setting_of, table_of};

    #[test]
    fn names_of_variables_follow_from_the_declared_names() {
        assert_eq!(table_of("order-view"), "ORDER_VIEW_TABLE");
        assert_eq!(setting_of("payment-deadline"), "PAYMENT_DEADLINE");
        assert_eq!(due_queue_of("payment-deadline"), "PAYMENT_DEADLINE_DUE_QUEUE");
        assert_eq!(events_of("loyalty-points"), "EVENTS_OF_LOYALTY_POINTS");
    }
}
