//! The domains whose events become files.

use std::fmt;

use super::{Context, Contradiction};
use crate::{
    Category, Decider,
    schema::{Catalog, Contract},
};

/// A domain whose events are exported.
#[derive(Clone)]
pub struct ExportedDomain {
    pub(super) category: Category,
    /// Made when it is needed, because schemas take time to make and only the export reads them.
    catalog: fn() -> Catalog,
}

impl ExportedDomain {
    pub(super) fn of<D: Decider>() -> Self
    where
        D::Event: Contract,
    {
        Self { category: D::CATEGORY, catalog: <D::Event as Contract>::catalog }
    }

    /// The category of its streams.
    pub const fn category(&self) -> &Category {
        &self.category
    }

    /// The types and versions of its events, with their schemas.
    pub fn catalog(&self) -> Catalog {
        (self.catalog)()
    }
}

impl fmt::Debug for ExportedDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExportedDomain").field(&self.category).finish()
    }
}

impl Context {
    /// Exports events as files. The deployment of the context gets a bucket. All its events are in the files, and those of
    /// this domain also in tables by type. Its program needs the feature `export` of `ledgerfold-lambda`.
    #[must_use]
    pub fn exports<D: Decider>(mut self) -> Self
    where
        D::Event: Contract,
    {
        if self.exports.iter().any(|it| it.category == D::CATEGORY) {
            self.contradictions.push(Contradiction::ExportedTwice(D::CATEGORY));
        }
        self.exports.push(ExportedDomain::of::<D>());
        self
    }

    /// The domains whose events are exported as files. Empty if the context has no export.
    pub fn exported(&self) -> &[ExportedDomain] {
        &self.exports
    }

    /// The exports of categories without a decider.
    pub(super) fn unknown_exports(&self) -> impl Iterator<Item = Contradiction> {
        let exported = self.exports.iter().map(|it| &it.category);
        let unknown = exported.filter(|category| !self.categories.contains(category));
        unknown.cloned().map(Contradiction::NothingToExport)
    }
}
