use std::{collections::BTreeSet, sync::Arc};

use super::{
    Parted, PartedModel, Projection, ProjectorPorts, RowModel, Tally, TallyModel, Updater,
    selected::selected_log,
};
use crate::{
    Category, generations,
    ports::{Clock, EventReader, GenerationStore, PortError, ReadStoreError, ReadTable, Written},
    project::Verifiable,
    vocabulary::{Generation, GenerationRef, Generations, Selection, Source},
};

/// The read models of a context by the names of their projections: one place for projectors, rebuilds and audits.
///
/// A projection may have two entries, with two revisions of its model. Deploy a changed projection in this way: first
/// both revisions, then a rebuild that ends with a switch, then only the new one.
///
/// ```
/// # use ledgerfold::project::{Catalog, Projection, Tally};
/// fn catalog<Loans: Projection, Shelf: Tally>() -> Catalog {
///     Catalog::new().rows::<Loans>("statements").tally::<Shelf>("shelf")
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    projection: &'static str,
    revision: u32,
    open: Open,
    selection: Selection,
}

type Open = fn(&dyn ReadTable, Generation) -> Arc<dyn Verifiable>;

/// No projection has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no projection called {0}")]
pub struct UnknownProjection(pub String);

/// The program lacks the model of a generation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "generation {} of {projection} is made with revision {} of its model, and this program has {}: \
     rebuild it first (`<context>-admin rebuild {projection}`), or deploy a program that has both",
    .generation.number, .generation.revision, list(.known)
)]
pub struct UnknownModel {
    /// The projection.
    pub projection: &'static str,
    /// The generation.
    pub generation: GenerationRef,
    /// The revisions that the program has.
    pub known: Vec<u32>,
}

fn list(revisions: &[u32]) -> String {
    revisions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

impl Catalog {
    /// An empty catalog.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a model with rows.
    #[must_use]
    pub fn rows<P: Projection>(self, projection: &'static str) -> Self {
        self.with(projection, P::REVISION, |table, generation| {
            Arc::new(RowModel::<P>::new(table.rows(generation)))
        })
    }

    /// Adds a tally.
    #[must_use]
    pub fn tally<T: Tally>(self, projection: &'static str) -> Self {
        self.with(projection, T::REVISION, |table, generation| {
            Arc::new(TallyModel::<T>::new(table.tallies(generation)))
        })
    }

    /// Adds a model with parts.
    #[must_use]
    pub fn parted<P: Parted>(self, projection: &'static str) -> Self {
        self.with(projection, P::REVISION, |table, generation| {
            Arc::new(PartedModel::<P>::new(table.parts(generation)))
        })
    }

    fn with(mut self, projection: &'static str, revision: u32, open: Open) -> Self {
        self.entries.retain(|it| (it.projection, it.revision) != (projection, revision));
        self.entries.push(Entry { projection, revision, open, selection: Selection::All });
        self
    }

    /// Lets the model that was added last read these streams only: a category of its own context, or the events of
    /// another context.
    #[must_use]
    pub fn of(mut self, selection: impl Into<Selection>) -> Self {
        if let Some(last) = self.entries.last_mut() {
            last.selection = selection.into();
        }
        self
    }

    /// The other context whose events a projection reads; `None` if it reads its own context's events.
    pub fn source(&self, projection: &str) -> Option<&Source> {
        self.selection(projection)?.source()
    }

    /// The category of the streams that a projection reads; `None` if it reads all streams of its own context.
    pub fn category(&self, projection: &str) -> Option<&Category> {
        self.selection(projection)?.category()
    }

    fn selection(&self, projection: &str) -> Option<&Selection> {
        let entry = self.entries.iter().find(|it| it.projection == projection)?;
        Some(&entry.selection)
    }

    /// The names of the projections, each once, in the order in which they were added.
    pub fn projections(&self) -> Vec<&'static str> {
        let mut seen = BTreeSet::new();
        let names = self.entries.iter().map(|entry| entry.projection);
        names.filter(|name| seen.insert(*name)).collect()
    }

    /// The models of one projection over its read table.
    ///
    /// # Errors
    /// [`UnknownProjection`].
    pub fn models(
        &self,
        projection: &str,
        table: Arc<dyn ReadTable>,
    ) -> Result<Models, UnknownProjection> {
        let of_it = self.entries.iter().filter(|entry| entry.projection == projection);
        let entries: Vec<_> = of_it.cloned().collect();
        match entries.iter().max_by_key(|entry| entry.revision).cloned() {
            Some(newest) => Ok(Models { newest, entries, table }),
            None => Err(UnknownProjection(projection.to_owned())),
        }
    }
}

/// The models of one projection, which differ by revision, over its read table.
#[derive(Clone)]
pub struct Models {
    newest: Entry,
    entries: Vec<Entry>,
    table: Arc<dyn ReadTable>,
}

impl Models {
    /// The projection's name.
    pub const fn projection(&self) -> &'static str {
        self.newest.projection
    }

    /// The newest revision. A new generation is built with it.
    pub const fn newest(&self) -> u32 {
        self.newest.revision
    }

    /// The other context whose events the models read; `None` if they read their own context's events.
    pub const fn source(&self) -> Option<&Source> {
        self.newest.selection.source()
    }

    /// The streams that the models read.
    pub const fn selection(&self) -> &Selection {
        &self.newest.selection
    }

    /// This log, as the models read it: with the streams that they read only. If they read another context's events,
    /// `log` must be the log of that context, and the result has the public form of each event.
    pub fn reader(&self, log: Arc<dyn EventReader>) -> Arc<dyn EventReader> {
        selected_log(log, self.selection().clone())
    }

    /// The read table.
    pub fn table(&self) -> &dyn ReadTable {
        &*self.table
    }

    /// The model of a generation.
    ///
    /// # Errors
    /// [`UnknownModel`].
    pub fn open(&self, generation: GenerationRef) -> Result<Arc<dyn Verifiable>, UnknownModel> {
        let entry = self.entries.iter().find(|entry| entry.revision == generation.revision);
        let entry = entry.ok_or_else(|| self.unknown(generation))?;
        Ok((entry.open)(&*self.table, generation.number))
    }

    /// The updater of a generation.
    pub(crate) fn updater(
        &self,
        generation: GenerationRef,
        ports: &ProjectorPorts,
    ) -> Result<Updater, UnknownModel> {
        Ok(Updater::new(self.open(generation)?, ports.clone()))
    }

    /// The record of the generations, for a function that is about to write. If there is none, it records the first
    /// generation with the newest revision. If several functions do so at once, one record takes effect, and all use
    /// it.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    pub async fn recorded(
        &self,
        store: &dyn GenerationStore,
        clock: &dyn Clock,
    ) -> Result<Generations, ReadStoreError> {
        let projection = self.projection();
        if let Some(record) = store.read(projection).await? {
            return Ok(record);
        }
        let first = Generations::first(self.newest());
        match generations::change(store, clock, projection, &first).await? {
            Written::Done => Ok(first),
            Written::Superseded => store.read(projection).await?.ok_or_else(|| {
                let reason = format!("somebody removes the record of {projection}");
                ReadStoreError::Port(PortError::Unavailable(reason.into()))
            }),
        }
    }

    /// The record of the generations, for readers. If there is none, the record that will be the first.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    pub async fn peek(&self, store: &dyn GenerationStore) -> Result<Generations, ReadStoreError> {
        let record = store.read(self.projection()).await?;
        Ok(record.unwrap_or_else(|| Generations::first(self.newest())))
    }

    fn unknown(&self, generation: GenerationRef) -> UnknownModel {
        let known = self.entries.iter().map(|entry| entry.revision).collect();
        UnknownModel { projection: self.projection(), generation, known }
    }
}
