//! `POST /devices`

use async_trait::async_trait;
use ledgerfold::{
    Category, Decider, EntityId,
    command::{CommandHandler, CommandRequest, StreamHint},
};
use ledgerfold_lambda::http::{
    Accepted, CommandCall, CommandSide, FieldError, Handles, HttpCommand, Problem, Response,
    StatusCode, Success, accepted, reference,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::months::Months;
use crate::domain::{DeviceCommand, Devices, telemetry::LONGEST_ID};

/// Register a device. Without an id the service chooses one. Its Idempotency-Key is recognised for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisterDevice {
    /// The id: 1 to 56 characters. A device with its own token has the same subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EntityId>,
    /// The model.
    #[schemars(length(min = 1, max = 200))]
    pub model: String,
    /// The place.
    pub site: EntityId,
}

impl HttpCommand for RegisterDevice {
    const PATH: &'static str = "/devices";
    const REFUSALS: &'static [&'static str] = &["device-exists"];

    fn example() -> Self {
        let site = EntityId::new("s-1").expect("s-1 is an id");
        Self { id: None, model: "Thermo 7".to_owned(), site }
    }

    fn check(&self) -> Vec<FieldError> {
        let is_long = self.id.as_ref().is_some_and(|id| id.as_str().len() > LONGEST_ID);
        let detail = || format!("must have at most {LONGEST_ID} characters");
        let error = || FieldError { pointer: "/id".to_owned(), detail: detail() };
        is_long.then(error).into_iter().collect()
    }
}

/// Registers devices.
pub struct Registers {
    devices: CommandHandler<Devices>,
    months: Months,
}

#[async_trait]
impl Handles<RegisterDevice> for Registers {
    fn successes() -> Vec<Success> {
        const TAKEN: &str = "The device was registered, now or when it was first sent.";
        let location =
            format!("^{}[A-Za-z0-9._-]+$", reference("/devices", "/devices/").replace('.', "\\."));
        vec![
            Success::new::<Accepted>(StatusCode::CREATED, TAKEN)
                .with_version()
                .with_location(location),
        ]
    }

    fn creates() -> Option<Category> {
        Some(Devices::CATEGORY)
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self { devices: side.handler(), months: Months::open(side) }
    }

    async fn handle(
        &self,
        command: RegisterDevice,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let headers = call.headers()?;
        let RegisterDevice { id, model, site } = command;
        let id = match id {
            Some(id) => id,
            None => headers.created_id(call.path)?,
        };
        let device = call.stream(Devices::CATEGORY, id.clone());
        let command_id = headers.command_id(&device.to_string())?;
        let context = headers.context(&command_id);
        let command = DeviceCommand::Register { model, site: site.into() };
        let request = CommandRequest::in_context(context, device.clone(), command, command_id)
            .expecting(headers.expected)
            .with_hint(StreamHint::New);
        let answer = self.devices.handle(&request).await?;
        self.months.prepare(&device, call).await;
        let location = call.location(&format!("{}/{id}", call.path));
        Ok(accepted(StatusCode::CREATED, &answer).with_header("Location", location))
    }
}
