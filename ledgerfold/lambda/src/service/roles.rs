//! The start of each role.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    context::{CommandPorts, Context, DeclaredProcess, QueryPorts, ReadPorts, Role, variables},
    generations::RecordReader,
    ports::{EventReader, ReadView, Skips},
    process::{DeadlineSweep, DeadlineWorker, SweptProcess},
    project::{Models, Projector, ProjectorPorts},
    reconcile::{Sample, SpotCheck},
    relay::Relay,
    vocabulary::Source,
};
use ledgerfold_eventbridge::SigningKey;

use super::{
    Answers, MissingVariable, Service, StartError, first_connection, keys, sealer,
    variables::{optional, parse, required},
};
use crate::{
    RunError, SpotCheckSettings, World,
    bus_queue::{serve_process, serve_projector},
    change_stream::serve_relay,
    clock_tick::{serve_deadline_sweep, serve_spot_checks},
    due_queue::serve_deadline_worker,
    http::{Authentication, serve_http},
};

/// Runs the role of the environment.
pub(super) async fn run(service: &Service) -> Result<(), StartError> {
    let role: Role = required(variables::ROLE)?.parse()?;
    service.context.check()?;
    let world = World::from_environment()?;
    let context = &service.context;
    match role {
        Role::Command => commands(service, &world).await,
        Role::Query => queries(service, &world).await,
        Role::Relay => relay(context, &world).await,
        Role::Projector => projector(context, &world).await,
        Role::Process => process(context, &world).await,
        Role::DeadlineSweep => deadline_sweep(context, &world).await,
        Role::DeadlineWorker => deadline_worker(context, &world).await,
        Role::SpotCheck => spot_check(context, &world).await,
        Role::Export => super::export::serve(context, &world).await,
        Role::Sealer => sealer::run(context, &world).await,
    }
}

async fn commands(service: &Service, world: &World) -> Result<(), StartError> {
    let authentication = Authentication::from_environment(world.clock())?;
    let ports = command_ports(world)?;
    let ports = keys::for_commands(ports, &service.context, world)?;
    let answers = service.commands(&ports)?;
    connect(service, world, &*ports.log, 1).await;
    answer(authentication, answers).await
}

async fn queries(service: &Service, world: &World) -> Result<(), StartError> {
    let authentication = Authentication::from_environment(world.clock())?;
    let log = world.event_reader(&required(variables::EVENT_TABLE)?);
    let tables = Tables::of(&service.context, world)?;
    let ports = QueryPorts::new(&service.context, log.clone(), &tables);
    let ports = keys::for_queries(ports, &service.context, world)?;
    let ports = match service.context.records_reads() {
        true => ports.with_recording(command_ports(world)?),
        false => ports,
    };
    let answers = service.queries(&ports, world.clock())?;
    // A query reads a row and the record of its generations at the same time.
    connect(service, world, &*log, 2).await;
    answer(authentication, answers).await
}

/// Opens connections, if they take long to open.
async fn connect(service: &Service, world: &World, log: &dyn EventReader, connections: usize) {
    if world.is_encrypted() {
        first_connection::open(log, service.context.categories(), connections).await;
    }
}

async fn answer(
    authentication: Authentication,
    service: Arc<dyn Answers>,
) -> Result<(), StartError> {
    let served = serve_http(authentication, move |request| {
        let service = service.clone();
        async move { service.answer(&request).await }
    });
    ended(served.await)
}

pub(super) fn ended(served: Result<(), RunError>) -> Result<(), StartError> {
    served.map_err(StartError::Runtime)
}

fn command_ports(world: &World) -> Result<CommandPorts, MissingVariable> {
    let log = world.event_store(&required(variables::EVENT_TABLE)?);
    let log = match optional(variables::RESERVATIONS) {
        Some(table) => log.with_reservations(table),
        None => log,
    };
    Ok(CommandPorts::new(Arc::new(log), world.clock(), world.random()))
}

/// The read tables of all projections.
struct Tables<'a> {
    world: &'a World,
    /// The table of generations, quarantined streams and skips.
    states: String,
    /// The table of each projection.
    names: Vec<(&'static str, String)>,
    /// The event table of each other context whose events a projection reads.
    sources: Vec<(&'static str, String)>,
}

impl<'a> Tables<'a> {
    fn of(context: &Context, world: &'a World) -> Result<Self, MissingVariable> {
        let names = context
            .catalog()
            .projections()
            .into_iter()
            .map(|projection| Ok((projection, required(&variables::table_of(projection))?)));
        let sources = context.sources().into_iter();
        let sources = sources.map(|source| Ok((source, required(&variables::events_of(source))?)));
        Ok(Self {
            world,
            states: required(variables::PROJECTION_STATES)?,
            names: names.collect::<Result<_, MissingVariable>>()?,
            sources: sources.collect::<Result<_, MissingVariable>>()?,
        })
    }

    /// The event table of another context.
    fn events_of(&self, context: &str) -> &str {
        let found = self.sources.iter().find(|(name, _)| *name == context);
        found.map_or("", |(_, table)| table)
    }

    fn name(&self, projection: &str) -> &str {
        let found = self.names.iter().find(|(name, _)| *name == projection);
        found.map_or("", |(_, table)| table)
    }
}

impl ReadPorts for Tables<'_> {
    fn view(&self, projection: &'static str, index: Option<&'static str>) -> Arc<dyn ReadView> {
        let table = self.name(projection);
        match index {
            Some(index) => self.world.listed_read_view(table, index),
            None => self.world.read_view(table),
        }
    }

    fn generations(&self) -> RecordReader {
        self.world.generation_reader(&self.states)
    }

    fn skips(&self, projection: &'static str) -> Arc<dyn Skips> {
        self.world.skips(&self.states, projection)
    }

    fn log_of(&self, context: &'static str) -> Arc<dyn EventReader> {
        self.world.event_reader(self.events_of(context))
    }
}

fn signing_key() -> Result<SigningKey, StartError> {
    Ok(SigningKey::new(required(variables::BUS_KEY)?)?)
}

async fn relay(context: &Context, world: &World) -> Result<(), StartError> {
    let publisher = world.publisher(&required(variables::BUS_NAME)?, context.name());
    let publisher = Arc::new(publisher.with_key(signing_key()?));
    let relay = Relay::new(publisher.clone(), world.clock(), world.random());
    let relay = relay.publishing(context.public_forms().clone());
    ended(serve_relay(relay.with_dead_letters(publisher), None).await)
}

/// The models of the projection that the environment names.
fn models(context: &Context, world: &World) -> Result<Models, StartError> {
    let name = required(variables::PROJECTION)?;
    let known = context.catalog().projections();
    if !known.contains(&name.as_str()) {
        let known = known.into_iter().map(str::to_owned).collect();
        let context = context.name();
        return Err(StartError::Unknown { context, subject: "projection", name, known });
    }
    let table = world.read_table(&required(variables::READ_TABLE)?);
    Ok(context.catalog().models(&name, table)?)
}

/// The event table whose events the models read.
fn projected_table(models: &Models) -> Result<String, StartError> {
    let Some(source) = models.source() else { return Ok(required(variables::EVENT_TABLE)?) };
    check_source(models.projection(), source, required(variables::SOURCE_CONTEXT)?)?;
    Ok(required(variables::SOURCE_TABLE)?)
}

/// Compares the template with the declaration, because another context's table would fill the rows with other events.
fn check_source(
    projection: &'static str,
    source: &Source,
    found: String,
) -> Result<(), StartError> {
    let declared = source.context();
    if found == declared {
        return Ok(());
    }
    Err(StartError::OtherSource { projection, declared, found })
}

async fn projector(context: &Context, world: &World) -> Result<(), StartError> {
    let models = models(context, world)?;
    let log = world.event_reader(&projected_table(&models)?);
    let states = required(variables::PROJECTION_STATES)?;
    let key = signing_key()?;
    let quarantine = world.quarantine(&states, models.projection());
    let skips = world.skips(&states, models.projection());
    let ports = ProjectorPorts { log, skips, clock: world.clock(), random: world.random() };
    let projector = Projector::of_generations(models, world.generations(&states), ports);
    projector.check().await?;
    ended(serve_projector(projector.with_quarantine(quarantine), key).await)
}

/// The process that the environment names.
fn declared_process(context: &Context) -> Result<&DeclaredProcess, StartError> {
    let name = required(variables::PROCESS)?;
    let mut processes = context.processes().iter();
    processes.find(|it| it.name().as_str() == name).ok_or_else(|| {
        let known = context.processes().iter().map(|it| it.name().to_string()).collect();
        let context = context.name();
        StartError::Unknown { context, subject: "process", name, known }
    })
}

async fn process(context: &Context, world: &World) -> Result<(), StartError> {
    let process = declared_process(context)?;
    let setting = match process.is_configured() {
        true => required(&variables::setting_of(process.name().as_str()))?,
        false => String::new(),
    };
    let deadlines = world.deadlines(&required(variables::DEADLINES)?);
    let handler = process.handler(&setting, &command_ports(world)?, deadlines)?;
    ended(serve_process(handler, signing_key()?).await)
}

async fn deadline_sweep(context: &Context, world: &World) -> Result<(), StartError> {
    let store = world.deadlines(&required(variables::DEADLINES)?);
    let processes = context.processes().iter().map(|process| {
        let url = required(&variables::due_queue_of(process.name().as_str()))?;
        Ok(SweptProcess { name: process.name().clone(), queue: world.deadline_queue(&url) })
    });
    let processes = processes.collect::<Result<_, MissingVariable>>()?;
    let sweep = DeadlineSweep::new(store, world.clock(), world.random(), processes);
    ended(serve_deadline_sweep(sweep, world.clock()).await)
}

async fn deadline_worker(context: &Context, world: &World) -> Result<(), StartError> {
    let process = declared_process(context)?;
    let store = world.deadlines(&required(variables::DEADLINES)?);
    let expiry = process.expiry(&command_ports(world)?);
    ended(serve_deadline_worker(DeadlineWorker::new(store, world.clock(), vec![expiry])).await)
}

async fn spot_check(context: &Context, world: &World) -> Result<(), StartError> {
    let events = required(variables::EVENT_TABLE)?;
    let tables = Tables::of(context, world)?;
    let sample = Sample::new(world.streams(&events), world.random());
    let sample = sample.only(context.only_category().cloned());
    let log = world.event_reader(&events);
    let mut check = SpotCheck::new(sample, world.generations(&tables.states), log, world.clock());
    for projection in context.catalog().projections() {
        let table = world.read_table(tables.name(projection));
        let models = context.catalog().models(projection, table)?;
        let skips = world.skips(&tables.states, projection);
        let quarantine = world.quarantine(&tables.states, projection);
        check = match models.source().map(Source::context) {
            Some(source) => {
                let events = tables.events_of(source);
                let sample = Sample::new(world.streams(events), world.random());
                let log = world.event_reader(events);
                check.of_source(models, skips, quarantine, (sample, log))
            }
            None => check.of(models, skips, quarantine),
        };
    }
    ended(serve_spot_checks(check, spot_check_settings()?, world.clock()).await)
}

fn spot_check_settings() -> Result<SpotCheckSettings, StartError> {
    let streams = required(variables::SPOT_CHECK_STREAMS)?;
    let patience = required(variables::SPOT_CHECK_PATIENCE)?;
    Ok(SpotCheckSettings {
        streams: parse(variables::SPOT_CHECK_STREAMS, streams)?,
        patience: Duration::from_secs(parse(variables::SPOT_CHECK_PATIENCE, patience)?),
    })
}

#[cfg(test)]
mod tests {
    use ledgerfold::vocabulary::Source;
    use ledgerfold_testkit::bank::PublicAccounts;

    use super::check_source;

    #[test]
    fn a_projector_does_not_start_with_the_table_of_another_context() {
        let source = Source::public::<PublicAccounts>();
        assert!(check_source("points", &source, "bank".to_owned()).is_ok());
        let refused = check_source("points", &source, "shop".to_owned());
        let refused = refused.expect_err("it is another context").to_string();
        assert_eq!(
            refused,
            "SOURCE_CONTEXT is \"shop\", but the projection points reads the events of bank"
        );
    }
}
