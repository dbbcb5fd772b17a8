//! CloudFormation templates from the declaration of a context.
//!
//! [`template`] gives the template of a context, and [`platform`] the one that all contexts of a stage share. [`key`]
//! gives the template of a key that encrypts both. They are
//! plain AWS SAM with comments, written for AWS and for the local cloud. Teams commit them, and nobody edits them.
//!
//! | module | content |
//! | --- | --- |
//! | `document` | the model of a template, and how it is written as YAML |
//! | `parts` | queues, functions, rules, tables and alarms, each with everything that keeps it safe |
//! | `context` | the components of a context: event table, relay, API, projections, processes, … |
//! | `platform` | shared by all contexts: bus, archive, topic of alarms |
//! | `key` | a key that encrypts everything, for teams that want one of their own |
//! | `rules` | conditions for every template, with every declaration and all changes |

mod changes;
mod context;
mod document;
mod files;
mod key;
mod parts;
mod platform;
mod rules;
mod shared;

use ledgerfold::context::{Context, Contradictions};

pub use changes::{Changes, UnknownResource};
pub use document::{Map, Resource, Section, Template, Value};
pub use files::{File, files};
pub use key::template as key;
pub use platform::template as platform;
pub use rules::{Model, RULES, Rule, Violation, Violations};

/// Compiles and runs the examples about deployment.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/deploying.md")]
pub struct DeployingPage;

/// A declaration that gives no template.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TemplateError {
    /// The declaration contradicts itself.
    #[error(transparent)]
    Declaration(#[from] Contradictions),
    /// A change names something that the template does not have.
    #[error(transparent)]
    Change(#[from] UnknownResource),
    /// The template breaks rules.
    #[error(transparent)]
    Rules(#[from] Violations),
}

/// The template of a context, with changes of the deployment.
///
/// ```
/// use ledgerfold::context::Context;
/// use ledgerfold_infra::{Changes, template};
/// use ledgerfold_testkit::bank::Accounts;
///
/// let context = Context::new("bank").decider_with_claims::<Accounts>();
/// let template = template(&context, &Changes::none())?;
/// assert!(template.to_yaml().contains("Reservations:"));
/// # Ok::<(), ledgerfold_infra::TemplateError>(())
/// ```
///
/// # Errors
/// [`TemplateError`], if the declaration contradicts itself, or if a change breaks a rule.
pub fn template(context: &Context, changes: &Changes) -> Result<Template, TemplateError> {
    context.check()?;
    let mut template = context::template(context);
    changes.apply(&mut template)?;
    rules::check(context, &template)?;
    Ok(template)
}
