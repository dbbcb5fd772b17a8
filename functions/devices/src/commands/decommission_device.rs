//! `POST /devices/{id}/decommission`

use async_trait::async_trait;
use devices_events::Month;
use ledgerfold::{
    EntityId, EventId, StreamId,
    command::{Answer, CommandError, CommandHandler, CommandRequest, JointHandler, JointRequest},
    vocabulary::ConsistencyToken,
};
use ledgerfold_lambda::http::{
    CommandCall, CommandHeaders, CommandSide, Handles, HttpCommand, Problem, Response, StatusCode,
    Success,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::months::{Months, contention, device_of, problem, telemetry_of};
use crate::domain::{DeviceCommand, Devices, DevicesRejection, StopIntake, telemetry::stream_of};

/// How often the command looks for the month of its device.
const ATTEMPTS: usize = 3;

/// Decommission a device. Its readings are refused from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecommissionDevice {
    /// The reason.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

/// A device that was decommissioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decommissioned {
    /// The device.
    id: EntityId,
    /// Its version after the command.
    #[schemars(range(min = 1))]
    version: u64,
    /// The event.
    events: Vec<DeviceEnd>,
}

/// The end of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeviceEnd {
    /// The event's id.
    id: EventId,
    /// Its type.
    #[serde(rename = "type")]
    event_type: String,
    /// The version of the device after it.
    #[schemars(range(min = 1))]
    version: u64,
}

impl HttpCommand for DecommissionDevice {
    const PATH: &'static str = "/devices/{id}/decommission";
    const REFUSALS: &'static [&'static str] = &["device-decommissioned"];

    fn example() -> Self {
        Self { reason: "Replaced".to_owned() }
    }
}

/// Decommissions devices.
pub struct Decommissions {
    devices: CommandHandler<Devices>,
    intake: JointHandler<StopIntake>,
    months: Months,
}

#[async_trait]
impl Handles<DecommissionDevice> for Decommissions {
    fn successes() -> Vec<Success> {
        const TAKEN: &str = "The device was decommissioned, now or when it was first sent.";
        vec![Success::new::<Decommissioned>(StatusCode::OK, TAKEN).with_version()]
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self {
            devices: side.handler(),
            intake: side.ports.joint_handler(),
            months: Months::open(side),
        }
    }

    async fn handle(
        &self,
        DecommissionDevice { reason }: DecommissionDevice,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let headers = call.headers()?;
        let (device, id) = device_of(call)?;
        for _ in 0..ATTEMPTS {
            let month = self.months.device(&device).await?.and_then(|device| device.month);
            let decided = match month {
                Some(month) => self.stop(&device, month, &reason, &headers).await,
                None => self.end(&device, &reason, &headers).await,
            };
            match decided {
                // A month began in between.
                Err(CommandError::Rejected(
                    DevicesRejection::OtherMonth | DevicesRejection::MonthClosed { .. },
                )) => {}
                Err(error) => return Err(problem(error)),
                Ok(answer) => {
                    let version = self.version(&device, month, &answer).await?;
                    return Ok(answered(id, &answer, version));
                }
            }
        }
        Err(contention(&device))
    }
}

type Decided = Result<Answer, CommandError<DevicesRejection>>;

impl Decommissions {
    /// Ends a device that has begun a month. It begins no other one then, so a repetition has the same streams.
    async fn stop(
        &self,
        device: &StreamId,
        month: Month,
        reason: &str,
        headers: &CommandHeaders,
    ) -> Decided {
        let Ok(telemetry) = stream_of(device, month) else {
            return Err(CommandError::Rejected(DevicesRejection::NoDevice));
        };
        let Ok(id) = headers.command_id(&device.to_string()) else {
            return Err(CommandError::Hidden);
        };
        let command = StopIntake { month, reason: reason.to_owned(), expected: headers.expected };
        let streams = [device.clone(), telemetry];
        let request = JointRequest::in_context(headers.context(&id), streams, command, id.clone());
        let answers = self.intake.handle(&request).await?;
        let of_device = answers.into_iter().find(|answer| answer.stream == *device);
        of_device.ok_or(CommandError::Hidden)
    }

    /// Ends a device that never began a month.
    async fn end(&self, device: &StreamId, reason: &str, headers: &CommandHeaders) -> Decided {
        let Ok(id) = headers.command_id(&device.to_string()) else {
            return Err(CommandError::Hidden);
        };
        let command = DeviceCommand::Decommission { reason: reason.to_owned() };
        let context = headers.context(&id);
        let request = CommandRequest::in_context(context, device.clone(), command, id);
        self.devices.handle(&request.expecting(headers.expected)).await
    }

    /// The version of the device at its end. It never changes again.
    async fn version(
        &self,
        device: &StreamId,
        month: Option<Month>,
        answer: &Answer,
    ) -> Result<u64, Problem> {
        match month {
            Some(month) => Ok(self.months.month(&telemetry_of(device, month)?).await?.version),
            None => Ok(answer.version.get()),
        }
    }
}

fn answered(id: EntityId, answer: &Answer, version: u64) -> Response {
    let events = answer.events.iter().map(|event| DeviceEnd {
        id: event.id,
        event_type: event.event_type.to_string(),
        version,
    });
    let body = Decommissioned { id, version, events: events.collect() };
    let token = ConsistencyToken { stream: answer.stream.clone(), version: answer.version };
    Response::json(StatusCode::OK, &body)
        .with_header("ETag", format!("\"{version}\""))
        .with_header("Consistency-Token", token.to_text())
}
