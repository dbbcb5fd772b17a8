//! The month of a device's readings: which it is, and how the next one begins.

use std::sync::Arc;

use devices_events::Month;
use ledgerfold::{
    CommandId, Decider, EntityId, InvalidId, StreamId,
    command::{
        Answer, CommandError, CommandHandler, CommandRequest, Context, JointHandler, JointRequest,
        StreamReader,
    },
    derive_uuid,
    ports::{Clock, Random},
};
use ledgerfold_lambda::http::{CommandCall, CommandSide, Problem};

use crate::domain::{
    BeginFirstMonth, BeginMonth, DeviceState, Devices, DevicesRejection, Telemetry, TelemetryState,
    device::active, telemetry::stream_of,
};

/// How often a command looks for the month of its device. Months begin seldom, so a second attempt is nearly always enough.
const ATTEMPTS: usize = 6;

/// The handlers of the streams of a device.
pub(super) struct Months {
    telemetry: CommandHandler<Telemetry>,
    first: JointHandler<BeginFirstMonth>,
    next: JointHandler<BeginMonth>,
    reader: StreamReader,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// A batch that was handled.
pub(super) struct Handled {
    pub(super) answer: Answer,
    /// The state after it.
    pub(super) state: TelemetryState,
}

impl Months {
    pub(super) fn open(side: &mut CommandSide<'_>) -> Self {
        Self {
            telemetry: side.handler(),
            first: side.ports.joint_handler(),
            next: side.ports.joint_handler(),
            reader: side.ports.stream_reader(),
            clock: side.ports.clock.clone(),
            random: side.ports.random.clone(),
        }
    }

    /// The month by the clock of this function.
    fn now(&self) -> Month {
        Month::of(self.clock.now())
    }

    /// Records a batch in the month of its device, and begins the month if necessary.
    ///
    /// The clock only proposes a month. If the month is closed, its stream names the next one; if it has not begun, the
    /// stream of the device decides whether to begin it. So a clock that is behind changes nothing.
    ///
    /// # Errors
    /// The problem to answer instead.
    pub(super) async fn record(
        &self,
        device: &StreamId,
        command: <Telemetry as Decider>::Command,
        call: CommandCall<'_>,
    ) -> Result<Handled, Problem> {
        let mut month = self.now();
        for _ in 0..ATTEMPTS {
            let stream = telemetry_of(device, month)?;
            let id = self.new_id()?;
            let context = context(call, &id);
            let request = CommandRequest::in_context(context, stream, command.clone(), id);
            match self.telemetry.handle_with_state(&request).await {
                Ok((answer, state)) => return Ok(Handled { answer, state }),
                Err(CommandError::Rejected(DevicesRejection::MonthClosed { next })) => month = next,
                Err(CommandError::Rejected(DevicesRejection::MonthNotBegun)) => {
                    month = self.begin(device, month, call).await?;
                }
                Err(error) => return Err(problem(error)),
            }
        }
        Err(contention(device))
    }

    /// Begins a month, unless the device has begun a later one. Returns the month of the device.
    ///
    /// # Errors
    /// The problem to answer instead.
    pub(super) async fn begin(
        &self,
        device: &StreamId,
        month: Month,
        call: CommandCall<'_>,
    ) -> Result<Month, Problem> {
        let state = self.device(device).await?;
        let rejected = CommandError::<DevicesRejection>::Rejected;
        let current = active(&state).map_err(rejected)?.month;
        let new = telemetry_of(device, month)?;
        let name = device.id().clone();
        let id = self.new_id()?;
        match current {
            Some(current) if current >= month => return Ok(current),
            Some(previous) => {
                let old = telemetry_of(device, previous)?;
                let command = BeginMonth { device: name, previous, month };
                let streams = [device.clone(), old, new];
                let request =
                    JointRequest::in_context(context(call, &id), streams, command, id.clone());
                self.next.handle(&request).await?;
            }
            None => {
                let command = BeginFirstMonth { device: name, month };
                let streams = [device.clone(), new];
                let request =
                    JointRequest::in_context(context(call, &id), streams, command, id.clone());
                self.first.handle(&request).await?;
            }
        }
        Ok(month)
    }

    /// Begins the first month of a new device, so that its first batch costs what every other one does. If that fails, the
    /// first batch begins it.
    pub(super) async fn prepare(&self, device: &StreamId, call: CommandCall<'_>) {
        let month = self.now();
        if self.begin(device, month, call).await.is_err() {
            tracing::warn!(%device, "the first month could not be begun");
        }
    }

    /// The current state of the device.
    ///
    /// # Errors
    /// The problem of a failed read.
    pub(super) async fn device(&self, device: &StreamId) -> Result<DeviceState, Problem> {
        Ok(self.reader.state::<Devices>(device).await?.state)
    }

    /// The current state of a month.
    ///
    /// # Errors
    /// The problem of a failed read.
    pub(super) async fn month(&self, stream: &StreamId) -> Result<TelemetryState, Problem> {
        Ok(self.reader.state::<Telemetry>(stream).await?.state)
    }

    /// A command id that no other command has. A repeated batch must be decided again, so that its answer names the
    /// duplicates.
    fn new_id(&self) -> Result<CommandId, Problem> {
        let mut seed = [0; 16];
        self.random.fill(&mut seed);
        let seed = u128::from_le_bytes(seed).to_string();
        let id = derive_uuid(&["batch", &seed]).to_string();
        CommandId::new(id).map_err(|_| Problem::internal())
    }
}

/// The stream of a device's readings in a month.
///
/// # Errors
/// 404: no device has such a long id.
pub(super) fn telemetry_of(device: &StreamId, month: Month) -> Result<StreamId, Problem> {
    let no_device = |_: InvalidId| no_such_device();
    stream_of(device, month).map_err(no_device)
}

/// The answer to a refusal. A wrong version is 412, as for any other command.
pub(super) fn problem(error: CommandError<DevicesRejection>) -> Problem {
    match error {
        CommandError::Rejected(DevicesRejection::OtherVersion { expected, actual }) => {
            CommandError::<DevicesRejection>::ExpectedVersion { expected, actual }.into()
        }
        error => error.into(),
    }
}

pub(super) fn no_such_device() -> Problem {
    CommandError::Rejected(DevicesRejection::NoDevice).into()
}

pub(super) fn contention(device: &StreamId) -> Problem {
    let streams = device.to_string();
    CommandError::<DevicesRejection>::Contention { streams, attempts: 0 }.into()
}

/// The stream of the device in the path.
///
/// # Errors
/// 500 if the path has none.
pub(super) fn device_of(call: CommandCall<'_>) -> Result<(StreamId, EntityId), Problem> {
    let id = call.id.ok_or_else(Problem::internal)?;
    Ok((call.stream(Devices::CATEGORY, id.clone()), id.clone()))
}

/// The context of a command that begins a conversation.
fn context(call: CommandCall<'_>, id: &CommandId) -> Context {
    let trace = call.request.single_header("traceparent").ok().flatten();
    let traceparent = trace.and_then(|text| text.parse().ok());
    Context { traceparent, ..Context::of(call.request.caller.clone(), id) }
}
