//! Which tables and queues a command is about.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use clap::Args;

use crate::{
    connection::{Connection, Place},
    stack::{Context, Stack},
    trouble::Trouble,
};

/// Where everything is. Endpoint, region and credentials come from the environment and its profile,
/// as with the AWS CLI, unless a stack file names a local cloud.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TargetOptions {
    /// The file that says where everything is; the nearest target/local/stack.json from here upwards
    /// where neither this nor a name is given
    #[arg(long, global = true, value_name = "FILE", env = "LEDGERFOLD_STACK")]
    stack: Option<PathBuf>,
    /// Which context of the stack file, if it has several
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// The event table
    #[arg(long, global = true, value_name = "TABLE")]
    event_table: Option<String>,
    /// The table that says which generations projections have
    #[arg(long, global = true, value_name = "TABLE")]
    projection_states: Option<String>,
    /// A projection's read table; may be given again
    #[arg(long, global = true, value_name = "PROJECTION=TABLE")]
    read_table: Vec<Named>,
    /// A projection's queue; may be given again
    #[arg(long, global = true, value_name = "PROJECTION=URL")]
    queue: Vec<Named>,
    /// A projection's dead-letter queue; may be given again
    #[arg(long, global = true, value_name = "PROJECTION=URL")]
    dead_letter_queue: Vec<Named>,
    /// Answer with one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A name for something of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    projection: String,
    name: String,
}

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((projection, name)) if !projection.is_empty() && !name.is_empty() => {
                Ok(Self { projection: projection.to_owned(), name: name.to_owned() })
            }
            _ => Err("it is written PROJECTION=NAME"),
        }
    }
}

/// The tables and queues that were named, and how they are reached.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) connection: Connection,
    names: Context,
}

impl TargetOptions {
    /// What the options and the stack file say together; an option goes before the file.
    pub(crate) fn resolve(&self) -> Result<Target, Trouble> {
        let path = match &self.stack {
            Some(path) => Some(path.clone()),
            None if self.names_something() => None,
            None => Stack::nearest(),
        };
        let stack = path.map(|path| Stack::read(&path)).transpose()?;
        let mut names = match &stack {
            Some(stack) => stack.context(self.context.as_deref())?,
            None => Context::default(),
        };
        names.event_table = self.event_table.clone().or(names.event_table);
        names.projection_states = self.projection_states.clone().or(names.projection_states);
        for (known, named) in [
            (&mut names.read_tables, &self.read_table),
            (&mut names.queues, &self.queue),
            (&mut names.dead_letters, &self.dead_letter_queue),
        ] {
            known.extend(named.iter().cloned().map(|named| (named.projection, named.name)));
        }
        let place = stack.map(|stack| (stack.endpoint, stack.region));
        let place = match place {
            Some((Some(endpoint), region)) => Place::LocalCloud { endpoint, region },
            Some((None, region)) => Place::Aws { region },
            None => Place::Aws { region: None },
        };
        Ok(Target { connection: Connection::to(place), names })
    }

    /// Names of tables and queues are of one place, and a file that happens to lie about is of another.
    fn names_something(&self) -> bool {
        self.event_table.is_some()
            || self.projection_states.is_some()
            || !(self.read_table.is_empty()
                && self.queue.is_empty()
                && self.dead_letter_queue.is_empty())
    }
}

impl Target {
    pub(crate) fn event_table(&self) -> Result<&str, Trouble> {
        self.names.event_table.as_deref().ok_or_else(|| Trouble::NoName {
            what: "event table".to_owned(),
            option: "--event-table",
        })
    }

    pub(crate) fn projection_states(&self) -> Result<&str, Trouble> {
        self.names.projection_states.as_deref().ok_or_else(|| Trouble::NoName {
            what: "table of projection states".to_owned(),
            option: "--projection-states",
        })
    }

    pub(crate) fn read_table(&self, projection: &str) -> Result<&str, Trouble> {
        self.names.read_tables.get(projection).map(String::as_str).ok_or_else(|| Trouble::NoName {
            what: format!("read table of {projection}"),
            option: "--read-table",
        })
    }

    pub(crate) fn dead_letters(&self) -> Result<&BTreeMap<String, String>, Trouble> {
        if self.names.dead_letters.is_empty() {
            let what = "dead-letter queue".to_owned();
            return Err(Trouble::NoName { what, option: "--dead-letter-queue" });
        }
        Ok(&self.names.dead_letters)
    }

    pub(crate) fn dead_letter_queue(&self, projection: &str) -> Result<&str, Trouble> {
        let queues = self.dead_letters()?;
        queues.get(projection).map(String::as_str).ok_or_else(|| Trouble::Unknown {
            what: "projection",
            name: projection.to_owned(),
            known: queues.keys().cloned().collect(),
        })
    }

    pub(crate) fn queue(&self, projection: &str) -> Result<&str, Trouble> {
        self.names.queues.get(projection).map(String::as_str).ok_or_else(|| Trouble::NoName {
            what: format!("queue of {projection}"),
            option: "--queue",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::{Named, TargetOptions};
    use crate::{connection::Place, trouble::Trouble};

    fn stack_file(name: &str, text: &str) -> TargetOptions {
        let path = env::temp_dir().join(format!("ledgerfold-cli-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("the folder can be written");
        TargetOptions { stack: Some(path), ..TargetOptions::default() }
    }

    const ONE: &str = r#"{"endpoint": "http://127.0.0.1:1", "region": "us-east-1", "bus": "b",
        "contexts": {"orders": {"eventTable": "t", "apiKey": null,
            "readTables": {"order-view": "v"}, "deadLetters": {"order-view": "http://d"}}}}"#;

    #[test]
    fn a_stack_file_names_everything_and_an_option_goes_before_it() {
        let options = stack_file("one.json", ONE);
        let target = options.resolve().expect("it is a stack file");
        assert_eq!(target.event_table().expect("it is named"), "t");
        assert_eq!(target.read_table("order-view").expect("it is named"), "v");
        let place = target.connection.place();
        assert!(matches!(place, Place::LocalCloud { endpoint, .. } if endpoint.ends_with(":1")));

        let options = TargetOptions { event_table: Some("mine".to_owned()), ..options };
        let target = options.resolve().expect("it is a stack file");
        assert_eq!(target.event_table().expect("it is named"), "mine");
    }

    #[test]
    fn a_name_alone_is_one_of_aws() {
        let options =
            TargetOptions { event_table: Some("mine".to_owned()), ..TargetOptions::default() };
        let target = options.resolve().expect("it names a table");
        assert!(matches!(target.connection.place(), Place::Aws { .. }));
        assert!(matches!(target.read_table("x"), Err(Trouble::NoName { .. })));
    }

    #[test]
    fn of_several_contexts_one_must_be_named() {
        let several = r#"{"contexts": {"a": {"eventTable": "ta"}, "b": {"eventTable": "tb"}}}"#;
        let options = stack_file("several.json", several);
        assert!(matches!(options.resolve(), Err(Trouble::Unknown { .. })));
        let options = TargetOptions { context: Some("b".to_owned()), ..options };
        assert_eq!(options.resolve().expect("it is there").event_table().expect("named"), "tb");
    }

    #[test]
    fn a_name_of_a_projection_is_written_with_an_equals_sign() {
        assert!("order-view=https://queue?a=b".parse::<Named>().is_ok());
        for bad in ["order-view", "=x", "order-view="] {
            assert!(bad.parse::<Named>().is_err(), "{bad} was taken for a name");
        }
    }
}
