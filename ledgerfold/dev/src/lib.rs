//! The role `dev`: a whole context in one process, for the first look and for development. The log, the read tables and the
//! deadlines are in memory, and the handlers, the services and the HTTP conversion are those of the deployed functions.
//!
//! ```
//! # use ledgerfold_lambda::Service;
//! /// The whole program, with the service of your context.
//! fn run(service: &Service) -> std::process::ExitCode {
//!     ledgerfold_dev::main(service)
//! }
//! ```
//!
//! `my-program dev` serves the context on 127.0.0.1:8080, and `my-program dev --port 9000` on another port. Without
//! arguments, the program is a Lambda function. `my-program dev --state my.journal` keeps its state in a file.
//!
//! Callers need a token, as in a deployment. The server makes an issuer and a first token when it starts, and prints the token
//! with requests to try. `my-program dev --auth none` accepts every caller.
//!
//! AWS, and everything below the ports, does not belong here; the local cloud runs that.

mod callers;
mod journal;
mod keys;
mod log;
mod pipeline;
mod server;

use std::{
    env,
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use ledgerfold::{
    Caller,
    context::{CertificatePorts, Context, Contradictions, InvalidSetting, QueryPorts},
    erasure::Terms,
    ports::SignerError,
};
use ledgerfold_lambda::{Service, http::ApiError};
use ledgerfold_memory::{MemoryEventStore, MemoryReadSide, MemorySigner};
use tokio::net::TcpListener;

use self::{
    callers::Callers,
    journal::Journal,
    pipeline::Pipeline,
    server::{Curl, Services},
};

pub use callers::{Auth, TokenError};
pub use journal::JournalError;

const PORT: u16 = 8080;

const USAGE: &str = "Usage: dev [--port PORT] [--state FILE] [--auth token|none]. Without --state, everything is lost when it \
    ends. Without --auth, callers need a token, and it prints one. Without arguments, the program is a Lambda function.";

/// Runs the context in memory if the first argument is `dev`, and as a Lambda function otherwise.
pub fn main(service: &Service) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.is_empty() {
        return ledgerfold_lambda::main(service);
    }
    let outcome = Options::of(&arguments).and_then(|options| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(DevError::Runtime)?.block_on(serve(service, &options))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The development server cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The arguments are invalid.
    #[error("{0}")]
    Usage(&'static str),
    /// Another program uses the port.
    #[error("the address {address} cannot be used: {source}. Choose another port with --port")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: std::io::Error,
    },
    /// The declaration contradicts itself.
    #[error(transparent)]
    Declaration(#[from] Contradictions),
    /// The HTTP operations contradict themselves or the context.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A process does not accept its setting.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// The file cannot keep the state.
    #[error(transparent)]
    State(#[from] JournalError),
    /// There is no first token.
    #[error("the issuer of tokens cannot start: {0}")]
    Token(#[from] TokenError),
    /// There is no key for certificates.
    #[error(transparent)]
    Signer(SignerError),
    /// The runtime cannot start.
    #[error("the runtime cannot start: {0}")]
    Runtime(std::io::Error),
}

/// How a development server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The port on 127.0.0.1; 0 chooses a free one.
    pub port: u16,
    /// The file that keeps the state. Without it, everything is lost when the server ends.
    pub state: Option<PathBuf>,
    /// How callers prove who they are.
    pub auth: Auth,
}

impl Options {
    fn of(arguments: &[String]) -> Result<Self, DevError> {
        let mut options = Self { port: PORT, state: None, auth: Auth::default() };
        let mut words = arguments.iter().map(String::as_str);
        if words.next() != Some("dev") {
            return Err(DevError::Usage(USAGE));
        }
        while let Some(word) = words.next() {
            match (word, words.next()) {
                ("--port", Some(port)) => {
                    options.port = port.parse().map_err(|_| DevError::Usage(USAGE))?;
                }
                ("--state", Some(file)) => options.state = Some(file.into()),
                ("--auth", Some("token")) => options.auth = Auth::Token,
                ("--auth", Some("none")) => options.auth = Auth::None,
                _ => return Err(DevError::Usage(USAGE)),
            }
        }
        Ok(options)
    }
}

async fn serve(service: &Service, options: &Options) -> Result<(), DevError> {
    let started = Instant::now();
    let server = Server::start(service, options).await?;
    let name = service.context().name();
    let ready = started.elapsed().as_millis();
    tell(&format!("{name} runs in memory at http://{} (ready in {ready} ms).", server.address));
    match &options.state {
        Some(file) => tell(&format!("{} keeps the state.", file.display())),
        None => tell("Everything is lost when it ends."),
    }
    if let Some(token) = &server.token {
        let subject = &server.first_caller.subject;
        tell(&format!(
            "Callers need a token. This one is for the caller {subject}, for eight hours:\n\n  TOKEN={token}\n"
        ));
    }
    tell("Try:\n");
    let address = server.address;
    let has_token = server.token.is_some();
    for example in service.api().examples(&server.first_caller) {
        tell(&Curl { example: &example, address, has_token }.to_string());
    }
    server.run().await;
    Ok(())
}

/// Prints a line. The development server has no log of its own.
#[allow(clippy::print_stdout, reason = "a person reads it")]
fn tell(line: &str) {
    println!("{line}");
}

/// A context in memory behind HTTP.
pub struct Server {
    /// The address at which it serves HTTP.
    pub address: SocketAddr,
    /// A token to begin with, if callers need one.
    pub token: Option<String>,
    /// The caller with this token, or the anonymous one.
    pub first_caller: Caller,
    listener: TcpListener,
    services: Services,
    pipeline: Pipeline,
}

impl Server {
    /// Starts a context.
    ///
    /// # Errors
    /// [`DevError`].
    pub async fn start(service: &Service, options: &Options) -> Result<Self, DevError> {
        let context = service.context();
        context.check()?;
        service.api().check()?;
        let Callers { authentication, first: first_caller, token } =
            Callers::of(service, options.auth)?;
        let address = SocketAddr::from(([127, 0, 0, 1], options.port));
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| DevError::Address { address, source })?;
        let address = listener.local_addr().map_err(DevError::Runtime)?;
        let stored = Arc::new(MemoryEventStore::default());
        let opened =
            options.state.as_deref().map(|path| Journal::open(path, &stored)).transpose()?;
        let (journal, restored) = opened.unzip();
        let journal = journal.map(Arc::new);
        let (log, commits) = log::observed(stored, journal.clone());
        let seed = restored.as_ref().and_then(|restored| restored.key_seed);
        let keyring = keys::keyring(context, seed, journal.as_deref());
        let mut ports = pipeline::ports(log.clone());
        if let Some(keyring) = &keyring {
            ports = ports.with_keyring(keyring.clone()).with_eraser(keyring.clone());
        }
        let read_side = Arc::new(read_side(context));
        let mut query_ports =
            QueryPorts::new(context, log.clone(), &*read_side).with_recording(ports.clone());
        if let Some(keyring) = keyring {
            let signer = MemorySigner::new().map_err(DevError::Signer)?;
            let terms = Terms { cached_for: keys::CACHED_FOR, backups: Duration::ZERO };
            let certificates =
                CertificatePorts { states: keyring.clone(), signer: Arc::new(signer), terms };
            query_ports = query_ports.with_keys(keyring).with_certificates(certificates);
        }
        let services = Services {
            authentication,
            commands: service.commands(&ports)?,
            queries: service.queries(&query_ports, ports.clock.clone())?,
        };
        let mut pipeline = Pipeline::new(context, &ports, &read_side, commits, journal)?;
        if let Some(restored) = restored {
            pipeline.restore(&restored, &*log).await;
        }
        Ok(Self { address, token, first_caller, listener, services, pipeline })
    }

    /// Answers requests, and projects, reacts and sweeps deadlines, without an end.
    pub async fn run(self) {
        tokio::join!(server::serve(&self.listener, self.services), self.pipeline.run());
    }
}

/// The read side of a context. The logs of other contexts are empty, because only this context runs here.
fn read_side(context: &Context) -> MemoryReadSide {
    context.sources().into_iter().fold(MemoryReadSide::default(), |read_side, source| {
        tell(&format!("The context {source} does not run here, so its events are missing."));
        read_side.with_log_of(source, Arc::new(MemoryEventStore::default()))
    })
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        EntityId, StreamId, Version, context::ReadPorts, ports::CommitPage, vocabulary::Source,
    };
    use ledgerfold_testkit::{bank::PublicAccounts, loyalty};

    use super::{Auth, DevError, Options, PORT, read_side};

    #[tokio::test]
    async fn the_log_of_another_context_is_empty_here() {
        let read_side = read_side(&loyalty::context());
        let category = Source::public::<PublicAccounts>().category().clone();
        let stream = StreamId::of_default_tenant(category, EntityId::new("ada").expect("an id"));
        let page = read_side.log_of("bank").read(&stream, Version::NONE).await;
        assert_eq!(page.expect("the read succeeds"), CommitPage::default());
        assert!(read_side.log_of("shop").read(&stream, Version::NONE).await.is_err());
    }

    #[test]
    fn arguments_are_read_and_others_are_told_the_usage() {
        let read = |arguments: &[&str]| {
            Options::of(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let plain = Options { port: PORT, state: None, auth: Auth::Token };
        assert_eq!(read(&["dev"]).expect("the default"), plain);
        assert_eq!(
            read(&["dev", "--state", "my.journal", "--port", "9000", "--auth", "none"])
                .expect("all"),
            Options { port: 9000, state: Some("my.journal".into()), auth: Auth::None }
        );
        for invalid in [
            &["dve"][..],
            &["dev", "--port"],
            &["dev", "--port", "x"],
            &["dev", "9000"],
            &["dev", "--state"],
            &["dev", "--auth", "jwt"],
        ] {
            assert!(matches!(read(invalid), Err(DevError::Usage(_))), "{invalid:?}");
        }
    }
}
