//! Conditions for every template. Each rule looks at a template and names the violations, so it also catches changes
//! that a deployment makes. `tests/rules.rs` breaks every rule and sees it fail.

mod callers;
mod components;
mod encryption;
mod guards;
mod keys;
mod model;
mod operations;
mod permissions;
mod transparency;

use std::fmt;

use ledgerfold::context::Context;

pub use model::Model;

use crate::document::Template;

/// A rule: it gives a sentence for each thing that breaks it.
pub type Rule = fn(&Model<'_>) -> Vec<String>;

/// All rules, by name.
pub const RULES: &[(&str, Rule)] = &[
    ("ids_differ_and_resources_fit", components::ids_differ_and_resources_fit),
    ("names_of_rules_fit", components::names_of_rules_fit),
    ("functions_are_complete", components::functions_are_complete),
    ("functions_have_their_roles", components::functions_have_their_roles),
    ("components_are_separate", components::components_are_separate),
    ("outputs_are_complete", components::outputs_are_complete),
    ("permissions_have_no_wildcards", permissions::permissions_have_no_wildcards),
    ("event_table_is_append_only", permissions::event_table_is_append_only),
    ("other_contexts_are_only_read", permissions::other_contexts_are_only_read),
    ("nobody_changes_a_commit", permissions::nobody_changes_a_commit),
    ("only_the_relay_publishes", permissions::only_the_relay_publishes),
    ("events_are_signed", permissions::events_are_signed),
    ("writers_keep_to_their_keys", permissions::writers_keep_to_their_keys),
    ("projectors_cannot_write_skips", permissions::projectors_cannot_write_skips),
    ("relay_loses_nothing", guards::relay_loses_nothing),
    ("unpublishable_commits_are_reported", guards::unpublishable_commits_are_reported),
    ("queue_readers_report_single_failures", guards::queue_readers_report_single_failures),
    ("side_effects_refuse_replays", guards::side_effects_refuse_replays),
    ("schedules_run", guards::schedules_run),
    ("samples_are_audited", guards::samples_are_audited),
    ("undeliverable_messages_are_kept", guards::undeliverable_messages_are_kept),
    ("queues_accept_only_their_rules", guards::queues_accept_only_their_rules),
    ("deadlines_reach_their_workers", guards::deadlines_reach_their_workers),
    ("messages_stay_hidden_long_enough", guards::messages_stay_hidden_long_enough),
    ("tables_can_be_recovered", guards::tables_can_be_recovered),
    ("buckets_are_private", guards::buckets_are_private),
    ("stored_data_takes_the_key", encryption::stored_data_takes_the_key),
    ("roles_use_the_key_through_services", encryption::roles_use_the_key_through_services),
    ("destroyed_keys_are_gone_and_others_stay", keys::destroyed_keys_are_gone_and_others_stay),
    ("keys_are_for_requests_only", keys::keys_are_for_requests_only),
    ("sealed_history_stays", transparency::sealed_history_stays),
    ("nobody_is_let_in_by_default", callers::nobody_is_let_in_by_default),
    ("api_keys_open_every_method", callers::api_keys_open_every_method),
    ("queries_may_wait", callers::queries_may_wait),
    ("gateway_errors_are_problems", operations::gateway_errors_are_problems),
    ("api_is_throttled_and_logged", operations::api_is_throttled_and_logged),
    ("faults_have_alarms", operations::faults_have_alarms),
    ("undelivered_events_have_alarms", operations::undelivered_events_have_alarms),
    ("waiting_work_has_an_age", operations::waiting_work_has_an_age),
];

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: &'static str,
    /// The cause.
    pub reason: String,
}

/// All broken rules of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(pub Vec<Violation>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the template breaks rules")?;
        self.0.iter().try_for_each(|Violation { rule, reason }| write!(f, "\n{rule}: {reason}"))
    }
}

impl std::error::Error for Violations {}

/// Checks all rules.
pub(crate) fn check(context: &Context, template: &Template) -> Result<(), Violations> {
    let model = Model::of(context, template);
    let broken = RULES.iter().flat_map(|(rule, reasons)| {
        reasons(&model).into_iter().map(|reason| Violation { rule, reason })
    });
    let broken: Vec<_> = broken.collect();
    if broken.is_empty() { Ok(()) } else { Err(Violations(broken)) }
}
