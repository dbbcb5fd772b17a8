//! The read tables, and the table of everything that a projection keeps apart from its rows.

use ledgerfold::context::Kind;

use super::{Scope, id_of};
use crate::{
    document::{Resource, Section},
    parts::{Index, Key, table},
};

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let section = Section::new(
        "Read tables",
        "All of them can be rebuilt from the event table. Point-in-time recovery is faster.",
    );
    let section = scope.projections().into_iter().fold(section, |section, projection| {
        let id = format!("{}Table", id_of(projection));
        section.holding([read_table(scope, projection, &id)]).output_of(&id)
    });
    let states = table("ProjectionStates", &[Key::STREAM, Key::SORT], None).because(
        "The state of each projection apart from its rows: generations, rebuild progress, quarantined streams and \
         skipped events. This is no read table and cannot be rebuilt.",
    );
    section.holding([states]).output_of("ProjectionStates")
}

fn read_table(scope: &Scope<'_>, projection: &str, id: &str) -> Resource {
    match (scope.kind_of(projection), scope.index_of(projection)) {
        (Kind::Counters | Kind::Parts, _) => table(id, &[Key::STREAM, Key::SORT], None),
        (Kind::Rows, None) => table(id, &[Key::STREAM], None),
        (Kind::Rows, Some(index)) => table(id, &[Key::STREAM], Some(Index(index))).because(
            "pk is the stream. The index lists rows: ix is the list, io the position in it.",
        ),
    }
}
