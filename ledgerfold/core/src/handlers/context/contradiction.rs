//! The contradictions of a declaration.

use std::fmt;

use super::{Context, InvalidSetting};
use crate::{Category, ProcessName, vocabulary::Selection};

/// A part of a declaration that contradicts another part, or a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// A name breaks the rule of names.
    #[error(
        "{0:?} is not a name: use 1 to 32 lower-case letters, digits and hyphens, begin with a letter and \
         do not end with a hyphen"
    )]
    InvalidName(String),
    /// There are no streams.
    #[error("{0} has no decider: declare its domain with .decider::<YourDomain>()")]
    NoDecider(&'static str),
    /// Two domains have the same streams.
    #[error("two deciders have the category {0}: declare only one of them")]
    CategoryTwice(Category),
    /// A domain without sealed data.
    #[error("{0} seals nothing, so nothing of it can be erased: its command must be `Keyed`")]
    NothingToErase(Category),
    /// A model belongs to two projections, so a query cannot find its table.
    #[error("the model {model} is declared twice, the second time as {name}")]
    ModelTwice {
        /// The model's type.
        model: &'static str,
        /// The second projection.
        name: &'static str,
    },
    /// Two models of a projection cannot be told apart.
    #[error(
        "two models of the projection {name} have the revision {revision}: give one of them another name, \
         or a higher REVISION"
    )]
    RevisionTwice {
        /// The projection.
        name: &'static str,
        /// The revision of both.
        revision: u32,
    },
    /// A projection has both rows and counters.
    #[error(
        "the projection {0} has rows and counters: give the counters a projection of their own"
    )]
    TwoKinds(&'static str),
    /// An index without rows.
    #[error("the index {0} lists nothing: call .listed_by({0:?}) directly after .rows::<…>(…)")]
    NothingToList(&'static str),
    /// Public events of another context.
    #[error(
        "{mapping} belongs to the context {of}: publish only public events of {context}, or give the mapping its name"
    )]
    OtherContext {
        /// The mapping's type.
        mapping: &'static str,
        /// The context of the mapping.
        of: &'static str,
        /// The declared context.
        context: &'static str,
    },
    /// Public events of streams that the context does not have.
    #[error("{mapping} maps the category {category}, which has no decider here")]
    NothingToPublish {
        /// The mapping's type.
        mapping: &'static str,
        /// The category.
        category: Category,
    },
    /// Two mappings for the same streams.
    #[error("the category {0} has public events twice: declare only one of the mappings")]
    PublishedTwice(Category),
    /// A source without a projection.
    #[error(
        "the events of {0} have no reader: call .of::<…>() directly after .rows::<…>(…) or .tally::<…>(…)"
    )]
    NothingToRead(&'static str),
    /// A projection reads its own context like another one.
    #[error("the projection {0} names its own context as another one: leave out .of::<…>()")]
    OwnEvents(&'static str),
    /// A category without a projection.
    #[error(
        "the events of the category {0} have no reader: call .of_decider::<…>() directly after .rows::<…>(…) or \
         .tally::<…>(…)"
    )]
    NothingToLimit(Category),
    /// A projection reads streams that the context does not have.
    #[error(
        "the projection {projection} reads the category {category}, which has no decider here: declare its domain"
    )]
    NoSuchDecider {
        /// The projection.
        projection: &'static str,
        /// The category.
        category: Category,
    },
    /// A projection cannot read the events of its decider.
    #[error("the projection {projection} reads {reads}, but its decider has {has}")]
    OtherEvents {
        /// The projection.
        projection: &'static str,
        /// The type of the projection's events.
        reads: &'static str,
        /// The type of the decider's events.
        has: &'static str,
    },
    /// A projection gets the events of several domains.
    #[error(
        "the projection {0} gets the events of several deciders: name its own with .of_decider::<…>()"
    )]
    ReadsSeveral(&'static str),
    /// A process gets the events of several domains.
    #[error(
        "the process {0} gets the events of several deciders: name the types of its events in REACTS_TO"
    )]
    ReactsToSeveral(ProcessName),
    /// Two models of a projection read different events, but have one queue.
    #[error(
        "two models of the projection {0} read different events: give one of them a projection of its own"
    )]
    TwoSources(&'static str),
    /// A process does not accept its own default.
    #[error(transparent)]
    InvalidDefault(InvalidSetting),
    /// A process sends commands to a domain that seals, and has no keys for them.
    #[error(
        "the process {0} sends commands to a domain that seals, and a process has no keys: let it send to another domain"
    )]
    ProcessSeals(ProcessName),
    /// The files of a domain are declared twice.
    #[error("the category {0} is exported twice: declare it once")]
    ExportedTwice(Category),
    /// An export of streams that the context does not have.
    #[error("the category {0} is exported, but has no decider here: declare its domain")]
    NothingToExport(Category),
    /// A process is declared twice.
    #[error("the process {0} is declared twice")]
    ProcessTwice(ProcessName),
}

/// All contradictions of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradictions {
    /// The context.
    pub context: &'static str,
    /// One or more.
    pub found: Vec<Contradiction>,
}

impl fmt::Display for Contradictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the declaration of {} contradicts itself", self.context)?;
        self.found.iter().try_for_each(|contradiction| write!(f, "; {contradiction}"))
    }
}

impl std::error::Error for Contradictions {}

/// A query uses a read model, or something else, that the context does not declare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{context} does not declare {model}: add it to the context, for example with .rows or .tally"
)]
pub struct Undeclared {
    /// The context.
    pub context: &'static str,
    /// The model's type, or what else is missing.
    pub model: &'static str,
}

impl Context {
    /// The projections of categories without a decider.
    pub(super) fn unknown_categories(&self) -> impl Iterator<Item = Contradiction> {
        self.projections.iter().filter_map(|it| match &it.selection {
            Selection::Category(category) if !self.categories.contains(category) => {
                let projection = it.name;
                let category = category.clone();
                Some(Contradiction::NoSuchDecider { projection, category })
            }
            _ => None,
        })
    }
}
