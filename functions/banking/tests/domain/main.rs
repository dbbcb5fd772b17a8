//! The rules of money: examples, access, published scenarios, random histories, and the journal.

mod access;
mod at_once;
mod bank;
mod book;
mod bookings;
mod examples;
mod exported;
mod histories;
mod interbank;
mod journal;
mod limits;
mod published;
mod repeats;
mod setup;
mod time;
