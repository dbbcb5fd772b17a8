//! The parts of a declaration that are about people: their erasure, and the record of reads of their data.

use super::{Context, Contradiction};
use crate::{Category, Command, Decider, erasure::Erasable};

impl Context {
    /// Lets people of this domain be erased. Its deployment can then destroy keys, and signs certificates.
    #[must_use]
    pub fn erasing<D: Erasable>(mut self) -> Self {
        if !D::Command::SEALS {
            self.contradictions.push(Contradiction::NothingToErase(D::CATEGORY));
        }
        Self { erases: true, ..self }
    }

    /// Adds a domain in which queries record who read what. Only queries send its commands.
    #[must_use]
    pub fn records_reads_in<D: Decider>(mut self) -> Self {
        self.recorded.push(D::CATEGORY);
        self.decider::<D>()
    }

    /// Whether people of it can be erased.
    pub const fn erases(&self) -> bool {
        self.erases
    }

    /// Whether queries record who read what. Its query function then appends to the log.
    pub const fn records_reads(&self) -> bool {
        !self.recorded.is_empty()
    }

    /// The categories of the domains in which queries record reads.
    pub fn recorded_categories(&self) -> &[Category] {
        &self.recorded
    }
}
