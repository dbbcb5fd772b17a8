//! A killer of function processes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use ledgerfold_testkit::http::Stack;

use crate::{every, processes};

/// Kills processes of some functions in turn, until each was hit often enough.
#[derive(Debug)]
pub struct Killer<'a> {
    stack: &'a Stack,
    /// How many kills are left for each function. A cell, because the commands' future of the same task reads it.
    left: RefCell<BTreeMap<String, usize>>,
    /// The processes killed so far.
    killed: Cell<usize>,
}

impl<'a> Killer<'a> {
    /// A killer that has this many kills left for each of the functions, by their full names.
    #[must_use]
    pub fn new(stack: &'a Stack, left: BTreeMap<String, usize>) -> Self {
        Self { stack, left: RefCell::new(left), killed: Cell::new(0) }
    }

    /// Whether each function was hit often enough.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.left.borrow().values().all(|left| *left == 0)
    }

    /// The kills that are left, by function.
    #[must_use]
    pub fn left(&self) -> BTreeMap<String, usize> {
        self.left.borrow().clone()
    }

    /// The number of processes that were killed.
    #[must_use]
    pub fn killed(&self) -> usize {
        self.killed.get()
    }

    /// Kills until it is done, or until the cell is true, with this pause between two functions.
    ///
    /// # Errors
    /// If the system does not list its processes, or there is no program `kill`.
    pub async fn run(&self, pause: Duration, stop: &Cell<bool>) -> io::Result<()> {
        let mut clock = every(pause);
        let functions: Vec<String> = self.left.borrow().keys().cloned().collect();
        while !self.is_done() && !stop.get() {
            for function in &functions {
                clock.tick().await;
                self.strike(function)?;
            }
        }
        Ok(())
    }

    /// Kills all processes of a function, in the middle of their work. It counts if there was at least one.
    fn strike(&self, function: &str) -> io::Result<()> {
        let mut left = self.left.borrow_mut();
        let Some(left) = left.get_mut(function).filter(|left| **left > 0) else { return Ok(()) };
        let found = processes::of_function(self.stack, function)?;
        for process in &found {
            process.kill()?;
        }
        if !found.is_empty() {
            *left -= 1;
        }
        self.killed.set(self.killed.get() + found.len());
        Ok(())
    }
}
