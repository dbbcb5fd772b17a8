//! The declaration of a bounded context. Every program of the context derives its parts from it, so each name is written
//! once.
//!
//! ```
//! use ledgerfold::context::Context;
//! use ledgerfold_testkit::bank::{Accounts, Statements, Totals};
//!
//! fn context() -> Context {
//!     Context::new("bank")
//!         .decider_with_claims::<Accounts>()
//!         .rows::<Statements>("statements")
//!         .listed_by("open")
//!         .tally::<Totals>("totals")
//! }
//!
//! let context = context();
//! assert_eq!(context.check(), Ok(()));
//! assert_eq!(context.catalog().projections(), ["statements", "totals"]);
//! assert_eq!(context.projection_of::<Statements>().map(|it| it.index()), Ok(Some("open")));
//! ```
//!
//! Another context reads the [public events](PublicEvents) of this one:
//!
//! ```
//! # use ledgerfold::context::Context;
//! # use ledgerfold_testkit::{bank::{Accounts, PublicAccounts}, loyalty::{Members, Points}};
//! let bank = Context::new("bank").decider::<Accounts>().publishes::<PublicAccounts>();
//! assert!(bank.has_public_events());
//!
//! let loyalty = Context::new("loyalty")
//!     .decider::<Members>()
//!     .rows::<Points>("points")
//!     .of::<PublicAccounts>();
//! assert_eq!(loyalty.check(), Ok(()));
//! assert_eq!(loyalty.projections()[0].source(), Some("bank"));
//! ```
//!
//! # Several domains
//!
//! A context can have several domains, with a category each. Each of its projections then reads one of them:
//!
//! ```
//! # use ledgerfold::context::Context;
//! # use ledgerfold_testkit::{bank::{Accounts, Statements}, loyalty::Members};
//! let club = Context::new("club")
//!     .decider::<Accounts>()
//!     .decider::<Members>()
//!     .rows::<Statements>("statements")
//!     .of_decider::<Accounts>();
//! assert_eq!(club.check(), Ok(()));
//! ```
//!
//! [`Role`] and [`variables`] name what a template and a program agree on. Everything else about AWS does not belong here.

mod contradiction;
mod export;
mod missing;
mod people;
mod ports;
mod process;
mod role;
pub mod variables;

use std::{
    any::{TypeId, type_name},
    collections::BTreeSet,
    fmt::Display,
    str::FromStr,
};

pub use contradiction::{Contradiction, Contradictions, Undeclared};
pub use export::ExportedDomain;
pub use missing::{MissingKeyring, MissingLog};
pub use ports::{CertificatePorts, CommandPorts, QueryPorts, ReadPorts, Readable};
pub use process::{DeclaredProcess, InvalidSetting, Reacting};
pub use role::{Role, UnknownRole};

use crate::{
    Category, Command, Decider, PublicEvents,
    claims::Claimants,
    command::SnapshotChecks,
    process::ProcessManager,
    project::{Catalog, Parted, Projection, Tally},
    vocabulary::{PublicForms, Selection, Source},
};

/// A bounded context: its domains, projections and processes.
///
/// Its methods add one part each. [`check`](Self::check) names everything that contradicts itself; every program checks
/// its context when it starts, and one test of yours should.
#[derive(Clone, Debug)]
pub struct Context {
    name: &'static str,
    categories: Vec<Category>,
    /// The public events, with the type names of their mappings for messages.
    public_forms: PublicForms,
    mappings: Vec<(&'static str, Category)>,
    claimants: Claimants,
    snapshot_checks: SnapshotChecks,
    has_strict_commands: bool,
    seals: bool,
    exports: Vec<ExportedDomain>,
    erases: bool,
    recorded: Vec<Category>,
    is_transparent: bool,
    catalog: Catalog,
    projections: Vec<DeclaredProjection>,
    processes: Vec<DeclaredProcess>,
    contradictions: Vec<Contradiction>,
}

/// A projection of a context, in one revision of its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredProjection {
    name: &'static str,
    kind: Kind,
    revision: u32,
    model: TypeId,
    index: Option<&'static str>,
    /// The type of its events, with its name.
    events: (TypeId, &'static str),
    selection: Selection,
}

/// What a projection fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows, one for each stream.
    Rows,
    /// Counters over all streams.
    Counters,
    /// Parts, any number for each stream.
    Parts,
}

impl DeclaredProjection {
    /// The projection's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it fills.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The index by which its rows are listed, if they are.
    pub const fn index(&self) -> Option<&'static str> {
        self.index
    }

    /// The name of the other context whose events it reads; `None` if it reads its own context's events.
    pub fn source(&self) -> Option<&'static str> {
        self.foreign().map(Source::context)
    }

    /// The events of the other context that it reads; `None` if it reads its own context's events.
    pub const fn foreign(&self) -> Option<&Source> {
        self.selection.source()
    }

    /// The streams whose events it reads.
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }
}

impl Context {
    /// A context with this name and without parts. The name is part of published events (`ledgerfold.<name>`), of
    /// schemas and of resources: 1 to 32 lower-case letters, digits and hyphens, beginning with a letter and not ending
    /// with a hyphen.
    pub fn new(name: &'static str) -> Self {
        let mut context = Self {
            name,
            categories: Vec::new(),
            public_forms: PublicForms::none(),
            mappings: Vec::new(),
            claimants: Claimants::new(),
            snapshot_checks: SnapshotChecks::default(),
            has_strict_commands: false,
            seals: false,
            exports: Vec::new(),
            erases: false,
            recorded: Vec::new(),
            is_transparent: false,
            catalog: Catalog::new(),
            projections: Vec::new(),
            processes: Vec::new(),
            contradictions: Vec::new(),
        };
        context.check_name(name);
        context
    }

    /// Adds a domain without unique keys. Several deciders may share a category if they read the same events; declare
    /// only one of them.
    #[must_use]
    pub fn decider<D: Decider>(mut self) -> Self {
        if self.categories.contains(&D::CATEGORY) {
            self.contradictions.push(Contradiction::CategoryTwice(D::CATEGORY));
        }
        self.categories.push(D::CATEGORY);
        self.has_strict_commands |= D::Command::SOME_ARE_STRICT;
        self.seals |= D::Command::SEALS;
        Self { snapshot_checks: self.snapshot_checks.with::<D>(), ..self }
    }

    /// Adds a domain whose events claim unique keys. Its deployment needs a table of reservations.
    #[must_use]
    pub fn decider_with_claims<D: Decider>(self) -> Self {
        let context = self.decider::<D>();
        Self { claimants: context.claimants.with::<D>(), ..context }
    }

    /// Adds every commit to a transparency log, which shows later whether history was changed. Its deployment has a bucket,
    /// a signing key and a sealer, and its program needs the feature `transparency` of `ledgerfold-lambda`.
    #[must_use]
    pub fn transparent(self) -> Self {
        Self { is_transparent: true, ..self }
    }

    /// Lets other contexts see the events of a category in their public form only. Without this declaration they see the
    /// stored events.
    #[must_use]
    pub fn publishes<M: PublicEvents>(mut self) -> Self {
        let mapping = type_name::<M>();
        if M::CONTEXT != self.name {
            let (of, context) = (M::CONTEXT, self.name);
            self.contradictions.push(Contradiction::OtherContext { mapping, of, context });
        }
        if self.public_forms.of(&M::CATEGORY).is_some() {
            self.contradictions.push(Contradiction::PublishedTwice(M::CATEGORY));
        }
        self.mappings.push((mapping, M::CATEGORY));
        Self { public_forms: self.public_forms.with::<M>(), ..self }
    }

    /// Adds a projection with rows. To replace a model, add its successor with a higher
    /// [`REVISION`](Projection::REVISION) under the same name.
    #[must_use]
    pub fn rows<P: Projection>(mut self, name: &'static str) -> Self {
        self.declare::<P, P::Event>(name, Kind::Rows, P::REVISION);
        Self { catalog: self.catalog.rows::<P>(name), ..self }
    }

    /// Adds a projection with counters; see [`rows`](Self::rows).
    #[must_use]
    pub fn tally<T: Tally>(mut self, name: &'static str) -> Self {
        self.declare::<T, T::Event>(name, Kind::Counters, T::REVISION);
        Self { catalog: self.catalog.tally::<T>(name), ..self }
    }

    /// Adds a projection with parts; see [`rows`](Self::rows).
    #[must_use]
    pub fn parted<P: Parted>(mut self, name: &'static str) -> Self {
        self.declare::<P, P::Event>(name, Kind::Parts, P::REVISION);
        Self { catalog: self.catalog.parted::<P>(name), ..self }
    }

    /// Lists the rows of the projection before this call by an index with this name.
    #[must_use]
    pub fn listed_by(mut self, index: &'static str) -> Self {
        match self.projections.last_mut() {
            Some(last) if last.kind == Kind::Rows => last.index = Some(index),
            _ => self.contradictions.push(Contradiction::NothingToList(index)),
        }
        self
    }

    /// Limits the projection before this call to the streams of one domain of this context. A context with several
    /// domains needs it for [each of its projections](crate::context#several-domains).
    #[must_use]
    pub fn of_decider<D: Decider>(mut self) -> Self {
        let selection = Selection::from(D::CATEGORY);
        match self.projections.last_mut() {
            Some(last) if last.selection == Selection::All => {
                let projection = last.name;
                if last.events.0 != TypeId::of::<D::Event>() {
                    let reads = last.events.1;
                    let has = type_name::<D::Event>();
                    self.contradictions.push(Contradiction::OtherEvents { projection, reads, has });
                }
                last.selection = selection.clone();
                Self { catalog: self.catalog.of(selection), ..self }
            }
            _ => {
                self.contradictions.push(Contradiction::NothingToLimit(D::CATEGORY));
                self
            }
        }
    }

    /// Lets the projection before this call read the public events of another context. It takes them from the bus, and
    /// fills gaps from the log of that context.
    #[must_use]
    pub fn of<M: PublicEvents>(self) -> Self {
        self.reads(Source::public::<M>())
    }

    /// The same for a context without public events of its own: everybody sees its stored events.
    #[must_use]
    pub fn of_context(self, context: &'static str, category: Category) -> Self {
        self.reads(Source::stored(context, category))
    }

    fn reads(mut self, source: Source) -> Self {
        self.check_name(source.context());
        match self.projections.last_mut() {
            Some(last) if last.selection == Selection::All => {
                if source.context() == self.name {
                    self.contradictions.push(Contradiction::OwnEvents(last.name));
                }
                last.selection = source.clone().into();
                Self { catalog: self.catalog.of(source), ..self }
            }
            _ => {
                self.contradictions.push(Contradiction::NothingToRead(source.context()));
                self
            }
        }
    }

    /// Adds a process. Each deployment sets its settings as text; `default` is for development.
    #[must_use]
    pub fn process<P: ProcessManager>(self, default: &'static str) -> Self
    where
        P::Settings: FromStr<Err: Display>,
    {
        self.with_process(DeclaredProcess::configured::<P>(default))
    }

    /// Adds a process whose settings are the same in every deployment.
    #[must_use]
    pub fn process_with<P: ProcessManager>(self, settings: P::Settings) -> Self
    where
        P::Settings: Clone,
    {
        self.with_process(DeclaredProcess::fixed::<P>(settings))
    }

    fn with_process(mut self, process: DeclaredProcess) -> Self {
        if self.processes.iter().any(|it| it.name() == process.name()) {
            self.contradictions.push(Contradiction::ProcessTwice(process.name().clone()));
        }
        if process.sends_sealed() {
            self.contradictions.push(Contradiction::ProcessSeals(process.name().clone()));
        }
        if let Err(invalid) = process.schedule(process.default_setting()) {
            self.contradictions.push(Contradiction::InvalidDefault(invalid));
        }
        self.check_name(process.name().as_str());
        self.processes.push(process);
        self
    }

    fn declare<M: 'static, E: 'static>(&mut self, name: &'static str, kind: Kind, revision: u32) {
        self.check_name(name);
        let model = TypeId::of::<M>();
        let events = (TypeId::of::<E>(), type_name::<E>());
        let selection = Selection::All;
        let declared =
            DeclaredProjection { name, kind, revision, model, index: None, events, selection };
        for other in &self.projections {
            if other.model == model {
                let model = type_name::<M>();
                self.contradictions.push(Contradiction::ModelTwice { model, name });
            } else if other.name == name && (other.kind, other.revision) == (kind, revision) {
                self.contradictions.push(Contradiction::RevisionTwice { name, revision });
            } else if other.name == name && other.kind != kind {
                self.contradictions.push(Contradiction::TwoKinds(name));
            }
        }
        self.projections.push(declared);
    }

    fn check_name(&mut self, name: impl AsRef<str>) {
        self.contradictions.extend(Self::allowed_name(name.as_ref()).err());
    }

    /// Checks a name of a context, a projection or a process.
    ///
    /// # Errors
    /// [`Contradiction::InvalidName`], with the rule.
    pub fn allowed_name(name: &str) -> Result<(), Contradiction> {
        let mut bytes = name.bytes();
        let begins = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if begins && bytes.all(rest) && !name.ends_with('-') && name.len() <= 32 {
            Ok(())
        } else {
            Err(Contradiction::InvalidName(name.to_owned()))
        }
    }

    /// Checks the whole declaration.
    ///
    /// # Errors
    /// [`Contradictions`], which names each of them.
    pub fn check(&self) -> Result<(), Contradictions> {
        let mut found = self.contradictions.clone();
        if self.categories.is_empty() {
            found.push(Contradiction::NoDecider(self.name));
        }
        for (mapping, category) in &self.mappings {
            if !self.categories.contains(category) {
                let category = category.clone();
                found.push(Contradiction::NothingToPublish { mapping, category });
            }
        }
        found.extend(self.unknown_exports());
        found.extend(self.projections_of_two_sources().map(Contradiction::TwoSources));
        found.extend(self.unknown_categories());
        found.extend(self.readers_of_several_domains());
        if found.is_empty() { Ok(()) } else { Err(Contradictions { context: self.name, found }) }
    }

    /// The projections whose models read different events.
    fn projections_of_two_sources(&self) -> impl Iterator<Item = &'static str> {
        let later = |at: usize| self.projections.iter().skip(at + 1);
        self.projections.iter().enumerate().filter_map(move |(at, one)| {
            let other = later(at).find(|other| other.name == one.name);
            other.is_some_and(|other| other.selection != one.selection).then_some(one.name)
        })
    }

    /// The projections and processes that get events of several domains. They have one type of events, so they cannot
    /// read those of the others.
    fn readers_of_several_domains(&self) -> impl Iterator<Item = Contradiction> {
        let has_several = self.categories.iter().any(|it| Some(it) != self.categories.first());
        let projections = self.projections.iter().filter(|it| it.selection == Selection::All);
        let projections = projections.map(|it| Contradiction::ReadsSeveral(it.name));
        let processes = self.processes.iter().filter(|it| it.reacts_to().is_empty());
        let processes = processes.map(|it| Contradiction::ReactsToSeveral(it.name().clone()));
        projections.chain(processes).filter(move |_| has_several)
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether other contexts see public events instead of the stored ones.
    pub fn has_public_events(&self) -> bool {
        !self.public_forms.is_empty()
    }

    /// The public forms of its events.
    pub const fn public_forms(&self) -> &PublicForms {
        &self.public_forms
    }

    /// The names of the other contexts whose events its projections read, each once.
    pub fn sources(&self) -> BTreeSet<&'static str> {
        self.projections.iter().filter_map(DeclaredProjection::source).collect()
    }

    /// The categories of its streams, in the order of declaration.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The category of all its streams, if they share one.
    pub fn only_category(&self) -> Option<&Category> {
        match self.categories.as_slice() {
            [category] => Some(category),
            _ => None,
        }
    }

    /// Its domains whose events claim unique keys.
    pub const fn claimants(&self) -> &Claimants {
        &self.claimants
    }

    /// The comparison of its domains' snapshots with the events.
    pub const fn snapshot_checks(&self) -> &SnapshotChecks {
        &self.snapshot_checks
    }

    /// Whether it needs a table of reservations, for unique keys or for strict commands.
    pub fn keeps_reservations(&self) -> bool {
        self.has_strict_commands || self.claimants.categories().next().is_some()
    }

    /// Whether a domain of it seals. Its deployment then has a table of keys, and only then.
    pub const fn seals(&self) -> bool {
        self.seals
    }

    /// Whether its commits are added to a transparency log.
    pub const fn is_transparent(&self) -> bool {
        self.is_transparent
    }

    /// Its read models.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Its projections, one for each revision of a model.
    pub fn projections(&self) -> &[DeclaredProjection] {
        &self.projections
    }

    /// Its processes.
    pub fn processes(&self) -> &[DeclaredProcess] {
        &self.processes
    }

    /// The projection with this model.
    ///
    /// # Errors
    /// [`Undeclared`].
    pub fn projection_of<M: 'static>(&self) -> Result<&DeclaredProjection, Undeclared> {
        let model = TypeId::of::<M>();
        let found = self.projections.iter().find(|it| it.model == model);
        found.ok_or_else(|| Undeclared { context: self.name, model: type_name::<M>() })
    }
}
