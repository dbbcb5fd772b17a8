//! The service on ports in memory. Requests, handlers and answers are those of Lambda, and tests set the clock.

mod calendar;
mod closed;
mod filler;
mod long_account;
mod months;
mod paging;
mod statement;
mod world;
