//! The common ground of the sections of one template.

use core::fmt::Display;

use ledgerfold::{
    context::{Context, Kind, variables},
    vocabulary::{Source, public_name},
};

use super::id_of;
use crate::{
    document::{Map, Value, arn, reference, sub},
    parts::Statement,
};

/// The declaration, with the names that follow from it.
pub(crate) struct Scope<'a> {
    pub(crate) context: &'a Context,
}

impl Scope<'_> {
    /// The source of the context's events on the bus.
    pub(super) fn source(&self) -> String {
        format!("ledgerfold.{}", self.context.name())
    }

    /// The sources of all its events, its public events included.
    pub(super) fn sources(&self) -> Vec<String> {
        let public = self.context.has_public_events().then(|| public_name(&self.source()));
        [Some(self.source()), public].into_iter().flatten().collect()
    }

    /// The other context whose events a projection reads.
    pub(super) fn foreign(&self, projection: &str) -> Option<&Source> {
        self.context.catalog().source(projection)
    }

    /// The variables with the event tables of the other contexts whose events a projection reads.
    pub(super) fn event_table_variables(&self) -> Map {
        let sources = self.context.sources().into_iter();
        sources.map(|source| (variables::events_of(source), foreign_table(source))).collect()
    }

    /// The permission to read these event tables.
    pub(super) fn reading_other_contexts(&self, actions: &[&str]) -> Option<Statement> {
        let tables: Vec<_> = self.context.sources().into_iter().map(foreign_table_arn).collect();
        let note = "The event tables of the other contexts whose events a projection reads.";
        let tables = (!tables.is_empty()).then(|| tables.into_iter().collect::<Value>());
        tables.map(|tables| Statement::allow(actions, tables).because(note))
    }

    /// The keys of the context's streams, for permissions.
    pub(super) fn streams(&self) -> Vec<String> {
        self.context.categories().iter().map(streams_of).collect()
    }

    /// The keys of the streams in which queries record reads.
    pub(super) fn recorded_streams(&self) -> Vec<String> {
        let categories = self.context.recorded_categories().iter();
        categories.map(streams_of).collect()
    }

    /// The names of its projections, each once.
    pub(super) fn projections(&self) -> Vec<&'static str> {
        self.context.catalog().projections()
    }

    /// The kind of a projection.
    pub(super) fn kind_of(&self, projection: &str) -> Kind {
        let declared = self.context.projections().iter();
        let mut kinds = declared.filter(|it| it.name() == projection).map(|it| it.kind());
        kinds.next().unwrap_or(Kind::Rows)
    }

    /// The index of a projection. Its last revision decides.
    pub(super) fn index_of(&self, projection: &str) -> Option<&'static str> {
        let declared = self.context.projections().iter().rev();
        declared.filter(|it| it.name() == projection).find_map(|it| it.index())
    }

    /// The ids of the read tables.
    pub(super) fn read_tables(&self) -> impl Iterator<Item = String> {
        self.projections().into_iter().map(|name| format!("{}Table", id_of(name)))
    }

    /// The variables with all read tables, and with the state of the projections.
    pub(super) fn table_variables(&self) -> Map {
        let tables = self.projections().into_iter();
        let tables: Map = tables
            .map(|name| (variables::table_of(name), reference(format!("{}Table", id_of(name)))))
            .collect();
        tables.with(variables::PROJECTION_STATES, reference("ProjectionStates"))
    }

    /// The variable with the table of reservations, if the context has one.
    pub(super) fn reservations_variable(&self) -> Map {
        let table = self.context.keeps_reservations();
        table.then(|| (variables::RESERVATIONS, reference("Reservations"))).into_iter().collect()
    }

    /// The permissions to run commands on these streams, one stream at a time.
    pub(super) fn appending(&self, streams: &[String]) -> Vec<Statement> {
        self.committing(&["dynamodb:Query", "dynamodb:PutItem"], streams)
    }

    /// The permissions to run commands on these streams, also on several streams at once.
    pub(super) fn transacting(&self, streams: &[String]) -> Vec<Statement> {
        let actions = [
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:ConditionCheckItem",
        ];
        self.committing(&actions, streams)
    }

    fn committing(&self, actions: &[&str], streams: &[String]) -> Vec<Statement> {
        let reserve = [
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",
        ];
        let append = Statement::allow(actions, arn("EventTable")).on_keys(streams);
        let reserve = self.context.keeps_reservations().then(|| {
            Statement::allow(&reserve, arn("Reservations")).because(
                "Reserves and frees unique keys, and keeps the results of strict commands.",
            )
        });
        [Some(append), reserve].into_iter().flatten().collect()
    }

    /// The program of operators.
    pub(super) fn admin(&self) -> String {
        format!("{}-admin", self.context.name())
    }
}

/// The pattern of the keys of a category's streams, of all tenants. A key is `<tenant>/<category>#<id>`.
pub(super) fn streams_of(category: impl Display) -> String {
    format!("*/{category}#*")
}

/// It follows from the names of stacks, so contexts can be deployed in any order, and can read each other.
fn foreign_name(context: &str) -> String {
    format!("${{Platform}}-{context}-events")
}

/// The name of the event table of another context on the same platform.
pub(super) fn foreign_table(context: &str) -> Value {
    sub(foreign_name(context))
}

/// The ARN of that table.
pub(super) fn foreign_table_arn(context: &str) -> Value {
    let name = foreign_name(context);
    sub(format!(
        "arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{name}"
    ))
}
