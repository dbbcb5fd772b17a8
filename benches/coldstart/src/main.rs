//! Measures how fast the functions of orders start, beside a bare Lambda runtime.
//!
//! Each role is the program that is deployed, with the environment that the template gives it, over DynamoDB Local and a
//! server that stands in for Lambda's runtime API and EventBridge. It gets the first event that it would get on AWS. So
//! the relay publishes the commit that the command function has appended, and the projector applies the published event.
//!
//! `make coldstart` builds the programs and starts DynamoDB Local.

mod dynamodb;
mod events;
mod launch;
mod measure;
mod report;
mod services;
mod stack;
mod tls;

use ledgerfold::Caller;
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use ledgerfold_infra::TemplateError;
use serde_json::json;

use crate::{
    dynamodb::DynamoDb,
    launch::Bench,
    measure::{Contestant, First, measure},
    services::Services,
    stack::{Function, Stack},
    tls::TlsFront,
};

const RUNS: usize = 50;

/// The measurement cannot go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{name}: {source}")]
    Contestant { name: String, source: Box<Error> },
    #[error("{reason}. Its output:\n{output}")]
    Program { reason: String, output: String },
    #[error("{0}")]
    Setup(String),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("DynamoDB Local: {0}")]
    Http(#[from] reqwest::Error),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let runs = match std::env::var("RUNS") {
        Ok(runs) => {
            runs.parse().map_err(|_| Error::Setup(format!("RUNS is {runs:?}, not a number")))?
        }
        Err(_) => RUNS,
    };
    let folder = std::env::current_exe()?;
    let folder = folder.parent().map(Path::to_owned).unwrap_or_default();
    let endpoint = std::env::var("DYNAMODB_ENDPOINT").map_err(|_| {
        Error::Setup("DYNAMODB_ENDPOINT is not set. Run `make coldstart`.".to_owned())
    })?;
    let database = DynamoDb::new(endpoint);
    let tls = TlsFront::start(database.endpoint()).await?;
    let output = tempfile::tempdir()?;
    let mut bench = Bench {
        services: Services::start().await?,
        handshakes: tls.handshakes.clone(),
        log: output.path().join("log"),
    };
    let authority = output.path().join("authority.pem");
    tls.write_authority(&authority)?;
    let over_tls = BTreeMap::from([
        ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), tls.endpoint.clone()),
        ("SSL_CERT_FILE".to_owned(), authority.display().to_string()),
    ]);
    let contestants = contestants(&folder, &database, &over_tls, &mut bench).await?;
    let all = measure(&contestants, runs, &mut bench).await?;
    let text = report::table(&contestants, &all, runs);
    std::io::stdout().write_all(text.as_bytes())?;
    if runs < RUNS {
        return Ok(());
    }
    let page = Path::new("COMPARE.md");
    let document = report::with_text(&std::fs::read_to_string(page)?, &text)
        .ok_or_else(|| Error::Setup("COMPARE.md has no place for the figures".to_owned()))?;
    Ok(std::fs::write(page, document)?)
}

/// The floors and one function of each role, with their first events.
async fn contestants(
    folder: &Path,
    database: &DynamoDb,
    over_tls: &BTreeMap<String, String>,
    bench: &mut Bench,
) -> Result<Vec<Contestant>, Error> {
    let service = orders::service();
    let stack = Stack::of(service.context())?;
    for table in stack.tables() {
        database.create(table).await?;
    }
    let examples = service.api().examples(&Caller::anonymous());
    let of_kind = |is_command: bool| {
        let found = examples.iter().find(|it| it.command.is_some() == is_command).cloned();
        found.ok_or_else(|| Error::Setup("the service has no example of this kind".to_owned()))
    };
    let roles =
        Roles { program: folder.join("orders"), stack, common: common(database, &bench.services) };

    let command = roles.contestant("command", First::Request(of_kind(true)?))?;
    command.start(0, bench).await?;
    let item = database.any_item("EventTable").await?;
    let relay = roles.contestant("relay", First::Same(events::change(&item)))?;
    let published = relay.start(0, bench).await?.published;
    let published =
        published.ok_or_else(|| Error::Setup("the relay has published nothing".to_owned()))?;
    let message = events::message(&published)?;

    let client = roles.floor("bare runtime, one client", folder.join("bare-client"));
    let query = roles.contestant("query", First::Request(of_kind(false)?))?;
    let mut all = vec![
        roles.floor("bare runtime", folder.join("bare-runtime")),
        client.clone(),
        command.clone(),
        query.clone(),
        relay,
    ];
    for role in ["projector", "process"] {
        all.push(roles.contestant(role, First::Same(message.clone()))?);
    }
    let due = roles.contestant("deadline-worker", First::Same(events::due()))?;
    all.push(due);
    for role in ["deadline-sweep", "spot-check"] {
        all.push(roles.contestant(role, First::Same(events::tick()))?);
    }
    all.push(client.over_tls(over_tls, 1));
    all.push(command.over_tls(over_tls, 0));
    all.push(query.over_tls(over_tls, 0));
    Ok(all)
}

/// Makes contestants.
struct Roles {
    program: PathBuf,
    stack: Stack,
    common: BTreeMap<String, String>,
}

impl Roles {
    fn contestant(&self, role: &str, event: First) -> Result<Contestant, Error> {
        let function = self.stack.functions().into_iter().find(|it| it.role() == role);
        let Some(Function { name, variables }) = function else {
            return Err(Error::Setup(format!("the template has no function of the role {role}")));
        };
        let mut all = self.common.clone();
        all.insert("AWS_LAMBDA_FUNCTION_NAME".to_owned(), name);
        all.extend(variables);
        // A request of the benchmark has no token.
        all.insert("AUTHENTICATION".to_owned(), "none".to_owned());
        let program = self.program.clone();
        Ok(Contestant { name: role.to_owned(), program, variables: all, event, handshakes: 0 })
    }

    fn floor(&self, name: &str, program: PathBuf) -> Contestant {
        let mut variables = self.common.clone();
        variables.insert("AWS_LAMBDA_FUNCTION_NAME".to_owned(), name.to_owned());
        variables.insert("EVENT_TABLE".to_owned(), "EventTable".to_owned());
        Contestant {
            name: name.to_owned(),
            program,
            variables,
            event: First::Same(json!({})),
            handshakes: 0,
        }
    }
}

/// The environment of every function on Lambda.
fn common(database: &DynamoDb, services: &Services) -> BTreeMap<String, String> {
    let here = services.address.to_string();
    let variables = [
        ("AWS_LAMBDA_RUNTIME_API", here.as_str()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "coldstart"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "coldstart"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", database.endpoint()),
    ];
    let mut all: BTreeMap<_, _> =
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    all.insert("AWS_ENDPOINT_URL_EVENTBRIDGE".to_owned(), format!("http://{here}"));
    all
}
