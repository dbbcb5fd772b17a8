//! The processes of a context, without their types.

use std::{fmt, fmt::Display, str::FromStr, sync::Arc};

use async_trait::async_trait;

use super::CommandPorts;
use crate::{
    Category, Command, ProcessName,
    ports::DeadlineStore,
    process::{
        CommandOf, Expiry, HandlerOf, ProcessExpiry, ProcessHandler, ProcessManager,
        ProcessSchedule, Scheduling, Target,
    },
    vocabulary::{Delivery, FailedReceipt},
};

/// A process manager of a context.
#[derive(Clone)]
pub struct DeclaredProcess {
    name: ProcessName,
    /// The setting for development, if each deployment has its own.
    default: Option<&'static str>,
    about_settings: &'static str,
    reacts_to: &'static [&'static str],
    sends_at_once: bool,
    sends_sealed: bool,
    targets: Vec<Category>,
    sends_jointly: bool,
    parts: Arc<dyn Parts>,
}

/// A process does not accept the text of its settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting {text:?} of the process {process} is invalid: {reason}")]
pub struct InvalidSetting {
    /// The process.
    pub process: ProcessName,
    /// The text.
    pub text: String,
    /// The reason.
    pub reason: String,
}

/// A process manager that reacts to the messages of a queue.
#[async_trait]
pub trait Reacting: Send + Sync {
    /// See [`ProcessHandler::handle`].
    async fn handle(&self, deliveries: Vec<Delivery>) -> Vec<FailedReceipt>;
}

#[async_trait]
impl<P: ProcessManager> Reacting for ProcessHandler<P> {
    async fn handle(&self, deliveries: Vec<Delivery>) -> Vec<FailedReceipt> {
        Self::handle(self, deliveries).await
    }
}

impl DeclaredProcess {
    pub(super) fn configured<P: ProcessManager>(default: &'static str) -> Self
    where
        P::Settings: FromStr<Err: Display>,
    {
        let read = |text: &str| text.parse::<P::Settings>().map_err(|error| error.to_string());
        Self::with::<P>(Some(default), read)
    }

    pub(super) fn fixed<P: ProcessManager>(settings: P::Settings) -> Self
    where
        P::Settings: Clone,
    {
        Self::with::<P>(None, move |_| Ok(settings.clone()))
    }

    fn with<P: ProcessManager>(
        default: Option<&'static str>,
        read: impl Fn(&str) -> Result<P::Settings, String> + Send + Sync + 'static,
    ) -> Self {
        let parts = Arc::new(PartsOf::<P> { read: Box::new(read) });
        Self {
            name: P::NAME,
            default,
            about_settings: P::ABOUT_SETTINGS,
            reacts_to: P::REACTS_TO,
            sends_at_once: !P::ONLY_SCHEDULES,
            sends_sealed: <CommandOf<P> as Command>::SEALS,
            targets: P::Target::categories(),
            sends_jointly: P::Target::is_joint(),
            parts,
        }
    }

    /// The process's name.
    pub const fn name(&self) -> &ProcessName {
        &self.name
    }

    /// Whether each deployment sets its settings as text. Otherwise the text is ignored.
    pub const fn is_configured(&self) -> bool {
        self.default.is_some()
    }

    /// Its setting for development. Empty if the settings are the same in every deployment.
    pub fn default_setting(&self) -> &'static str {
        self.default.unwrap_or_default()
    }

    /// What the text of its settings means, for operators.
    pub const fn about_settings(&self) -> &'static str {
        self.about_settings
    }

    /// The types of the events that it reacts to. Empty means all.
    pub const fn reacts_to(&self) -> &'static [&'static str] {
        self.reacts_to
    }

    /// Whether it sends commands at once. Otherwise it only schedules deadlines.
    pub const fn sends_at_once(&self) -> bool {
        self.sends_at_once
    }

    /// Whether the domain of its commands seals.
    pub(super) const fn sends_sealed(&self) -> bool {
        self.sends_sealed
    }

    /// The categories of the streams of its commands.
    pub fn targets(&self) -> &[Category] {
        &self.targets
    }

    /// Whether a command of it goes to several streams at once. It has no deadlines then.
    pub const fn sends_jointly(&self) -> bool {
        self.sends_jointly
    }

    /// Its handler with these settings.
    ///
    /// # Errors
    /// [`InvalidSetting`].
    pub fn handler(
        &self,
        setting: &str,
        ports: &CommandPorts,
        deadlines: Arc<dyn DeadlineStore>,
    ) -> Result<Arc<dyn Reacting>, InvalidSetting> {
        self.parts.handler(setting, ports, deadlines)
    }

    /// The action for its due deadlines.
    pub fn expiry(&self, ports: &CommandPorts) -> Arc<dyn Expiry> {
        self.parts.expiry(ports)
    }

    /// Its schedule with these settings, for a comparison of stored deadlines with the log.
    ///
    /// # Errors
    /// [`InvalidSetting`].
    pub fn schedule(&self, setting: &str) -> Result<Arc<dyn Scheduling>, InvalidSetting> {
        self.parts.schedule(setting)
    }
}

impl fmt::Debug for DeclaredProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeclaredProcess").field(&self.name).finish()
    }
}

/// The parts of a process that need its types.
trait Parts: Send + Sync {
    fn handler(
        &self,
        setting: &str,
        ports: &CommandPorts,
        deadlines: Arc<dyn DeadlineStore>,
    ) -> Result<Arc<dyn Reacting>, InvalidSetting>;

    fn expiry(&self, ports: &CommandPorts) -> Arc<dyn Expiry>;

    fn schedule(&self, setting: &str) -> Result<Arc<dyn Scheduling>, InvalidSetting>;
}

fn commands<P: ProcessManager>(ports: &CommandPorts) -> HandlerOf<P> {
    P::Target::handler(ports.log.clone(), ports.clock.clone(), ports.random.clone())
}

type Read<P> =
    dyn Fn(&str) -> Result<<P as ProcessManager>::Settings, String> + Send + Sync + 'static;

struct PartsOf<P: ProcessManager> {
    read: Box<Read<P>>,
}

impl<P: ProcessManager> PartsOf<P> {
    fn settings(&self, text: &str) -> Result<P::Settings, InvalidSetting> {
        let text = text.to_owned();
        (self.read)(&text).map_err(|reason| InvalidSetting { process: P::NAME, text, reason })
    }
}

impl<P: ProcessManager> Parts for PartsOf<P> {
    fn handler(
        &self,
        setting: &str,
        ports: &CommandPorts,
        deadlines: Arc<dyn DeadlineStore>,
    ) -> Result<Arc<dyn Reacting>, InvalidSetting> {
        let settings = self.settings(setting)?;
        let log = ports.log.clone();
        Ok(Arc::new(ProcessHandler::<P>::new(settings, commands::<P>(ports), deadlines, log)))
    }

    fn expiry(&self, ports: &CommandPorts) -> Arc<dyn Expiry> {
        Arc::new(ProcessExpiry::<P>::new(commands::<P>(ports)))
    }

    fn schedule(&self, setting: &str) -> Result<Arc<dyn Scheduling>, InvalidSetting> {
        Ok(Arc::new(ProcessSchedule::<P>::new(self.settings(setting)?)))
    }
}
