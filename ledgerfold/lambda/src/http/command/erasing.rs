//! The commands of an erasure and of legal holds, which [`Api::erasing`](crate::http::Api::erasing) adds.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use ledgerfold::{
    Access, Actor, StreamId, Version,
    command::{Answer, CommandError, CommandHandler, CommandRequest, StreamReader},
    erasure::{Erasable, EraseSubject, Erasing},
    ports::{Clock, KeyEraser, Keyring},
    sealed::{DataSubject, SubjectPseudonym},
    vocabulary::{ErasureMark, ErasureRequest, ErasureState, LegalHold},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Accepted, CommandCall, CommandHeaders, CommandSide, Handles, HttpCommand, Success, accepted,
};
use crate::http::{Problem, Response, StatusCode};

/// The paths of an erasure in a context. Each has the `{id}` of the person.
pub trait ErasurePaths: Erasable {
    /// The path of the erasure, for example `/patients/{id}/erasure`. A query of the same path shows it.
    const ERASURE: &'static str;
    /// The path that places a legal hold, for example `/patients/{id}/legal-hold`.
    const LEGAL_HOLD: &'static str;
    /// The path that lifts it, for example `/patients/{id}/legal-hold/lift`.
    const LIFT: &'static str;
}

/// A body of these commands in a domain, which decides its path.
pub struct In<D, B> {
    body: B,
    domain: PhantomData<fn() -> D>,
}

/// A body of these commands.
pub trait ErasureBody<D>:
    Serialize + for<'de> Deserialize<'de> + JsonSchema + Send + Sync + 'static
{
    /// The path in the domain.
    const PATH: &'static str;
    /// The rules that can refuse it.
    const REFUSALS: &'static [&'static str] = &[];

    /// An example.
    fn example() -> Self;
}

/// Erase the person: destroy the key of its data, for ever. The basis and the origin of the request become part of the
/// certificate, in clear, so they must not contain personal data.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestErasure {
    /// The legal basis.
    #[schemars(length(min = 1, max = 200))]
    basis: String,
    /// Who asked for it.
    #[schemars(length(min = 1, max = 200))]
    requested_by: String,
}

/// Place a legal hold, which refuses an erasure until it is lifted. The first hold stays if there is one. The reason is
/// stored in clear, so it must not contain personal data.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceLegalHold {
    /// The reason.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
}

/// Lift the legal hold, if there is one.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct LiftLegalHold {}

impl<D: ErasurePaths> ErasureBody<D> for RequestErasure {
    const PATH: &'static str = D::ERASURE;
    const REFUSALS: &'static [&'static str] = &["legal-hold"];

    fn example() -> Self {
        let requested_by = "data subject".to_owned();
        Self { basis: "GDPR Art. 17(1)(b)".to_owned(), requested_by }
    }
}

impl<D: ErasurePaths> ErasureBody<D> for PlaceLegalHold {
    const PATH: &'static str = D::LEGAL_HOLD;

    fn example() -> Self {
        Self { reason: "Lawsuit 7 C 123/26".to_owned() }
    }
}

impl<D: ErasurePaths> ErasureBody<D> for LiftLegalHold {
    const PATH: &'static str = D::LIFT;

    fn example() -> Self {
        Self {}
    }
}

impl<D: ErasurePaths, B: ErasureBody<D>> HttpCommand for In<D, B> {
    const PATH: &'static str = B::PATH;
    const REFUSALS: &'static [&'static str] = B::REFUSALS;

    fn example() -> Self {
        Self { body: B::example(), domain: PhantomData }
    }
}

impl<D, B: Serialize> Serialize for In<D, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body.serialize(serializer)
    }
}

impl<'de, D, B: Deserialize<'de>> Deserialize<'de> for In<D, B> {
    fn deserialize<S: Deserializer<'de>>(deserializer: S) -> Result<Self, S::Error> {
        Ok(Self { body: B::deserialize(deserializer)?, domain: PhantomData })
    }
}

impl<D, B: JsonSchema> JsonSchema for In<D, B> {
    fn inline_schema() -> bool {
        B::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        B::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        B::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        B::json_schema(generator)
    }
}

impl<D, B> fmt::Debug for In<D, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("In").finish_non_exhaustive()
    }
}

/// The people of a domain, for the commands that erase and hold.
struct People<D> {
    streams: StreamReader,
    keyring: Arc<dyn Keyring>,
    eraser: Arc<dyn KeyEraser>,
    clock: Arc<dyn Clock>,
    domain: PhantomData<fn() -> D>,
}

/// A person with a stream, whom the caller may erase.
struct Person {
    stream: StreamId,
    version: Version,
    subject: SubjectPseudonym,
    actor: Actor,
}

impl<D: Erasable> People<D> {
    fn open(side: &CommandSide<'_>) -> Self {
        Self {
            streams: side.ports.stream_reader(),
            keyring: side.ports.keyring.clone(),
            eraser: side.ports.eraser.clone(),
            clock: side.ports.clock.clone(),
            domain: PhantomData,
        }
    }

    async fn find(
        &self,
        call: CommandCall<'_>,
        headers: &CommandHeaders,
    ) -> Result<Person, Problem> {
        if headers.expected.is_some() {
            return Err(Problem::bad_request("If-Match is not supported for this command."));
        }
        let id = call.id.ok_or_else(Problem::internal)?;
        let stream = call.stream(D::CATEGORY, id.clone());
        let current = self.streams.state::<D>(&stream).await?;
        match D::may_erase(&headers.caller, &current.state) {
            Access::Allowed => {}
            Access::Forbidden => {
                return Err(Problem::forbidden("The caller may not send this command."));
            }
            Access::Hidden => return Err(Problem::no_such_resource()),
        }
        if current.version == Version::NONE {
            return Err(Problem::no_such_resource());
        }
        let key = self.keyring.tenant_key(stream.tenant()).await?;
        let key = key.ok_or_else(Problem::no_such_resource)?;
        let subject = key.pseudonym(&DataSubject::from(stream.id()));
        let actor = Actor::from(&headers.caller.subject);
        Ok(Person { version: current.version, subject, actor, stream })
    }
}

/// Erases a person: one write to the table of keys, and then the commit that records it.
pub struct Erases<D: Erasable> {
    people: People<D>,
    handler: CommandHandler<Erasing<D>>,
}

#[async_trait]
impl<D: ErasurePaths> Handles<In<D, RequestErasure>> for Erases<D> {
    const SEALS: bool = true;

    fn successes() -> Vec<Success> {
        const TAKEN: &str = "The key is destroyed. The certificate follows.";
        let success = Success::new::<Accepted>(StatusCode::ACCEPTED, TAKEN).with_version();
        vec![success.with_location("^.*erasure$")]
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self { people: People::open(side), handler: side.handler() }
    }

    async fn handle(
        &self,
        command: In<D, RequestErasure>,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let RequestErasure { basis, requested_by } = command.body;
        let headers = call.headers()?;
        let person = self.people.find(call, &headers).await?;
        let command_id = headers.command_id(&person.stream.to_string())?;
        let request = ErasureRequest {
            at: self.people.clock.now(),
            by: person.actor.clone(),
            command: command_id.clone(),
            basis,
            requested_by,
        };
        let tenant = person.stream.tenant();
        let mark = match self.people.eraser.erase(tenant, &person.subject, &request).await? {
            ErasureState::Erased(mark) => mark,
            ErasureState::Held(_) => return Err(held()),
            ErasureState::Active | ErasureState::NoKey => return Err(Problem::internal()),
        };
        let is_same = |of: fn(&ErasureRequest) -> &str| of(&mark.request) == of(&request);
        if mark.request.command == command_id
            && !(is_same(|it| &it.basis) && is_same(|it| &it.requested_by))
        {
            return Err(CommandError::<D::Rejection>::Reused.into());
        }
        let answer = self.record(&person, &mark, &headers).await?;
        if mark.request.command != command_id {
            return Err(erased());
        }
        let location = call.location(call.path);
        Ok(accepted(StatusCode::ACCEPTED, &answer).with_header("Location", location))
    }
}

impl<D: ErasurePaths> Erases<D> {
    /// Records the erasure, as the mark has it. If an earlier attempt ended after the mark, a later request of anybody
    /// completes it.
    async fn record(
        &self,
        person: &Person,
        mark: &ErasureMark,
        headers: &CommandHeaders,
    ) -> Result<Answer, Problem> {
        let ErasureRequest { command, basis, requested_by, .. } = mark.request.clone();
        let context = headers.context(&command);
        let erase = EraseSubject { basis, requested_by };
        let request = CommandRequest::in_context(context, person.stream.clone(), erase, command);
        Ok(self.handler.handle(&request).await?)
    }
}

/// Places a legal hold.
pub struct Holds<D>(People<D>);

#[async_trait]
impl<D: ErasurePaths> Handles<In<D, PlaceLegalHold>> for Holds<D> {
    const SEALS: bool = true;

    fn successes() -> Vec<Success> {
        vec![Success::new::<Accepted>(StatusCode::OK, "There is a legal hold.").with_version()]
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self(People::open(side))
    }

    async fn handle(
        &self,
        command: In<D, PlaceLegalHold>,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let person = self.0.find(call, &call.headers()?).await?;
        let at = self.0.clock.now();
        let hold = LegalHold { at, by: person.actor.clone(), reason: command.body.reason };
        let state = self.0.eraser.hold(person.stream.tenant(), &person.subject, &hold).await?;
        unchanged(person, &state)
    }
}

/// Lifts a legal hold.
pub struct Lifts<D>(People<D>);

#[async_trait]
impl<D: ErasurePaths> Handles<In<D, LiftLegalHold>> for Lifts<D> {
    const SEALS: bool = true;

    fn successes() -> Vec<Success> {
        vec![Success::new::<Accepted>(StatusCode::OK, "There is no legal hold.").with_version()]
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self(People::open(side))
    }

    async fn handle(
        &self,
        _: In<D, LiftLegalHold>,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let person = self.0.find(call, &call.headers()?).await?;
        let state = self.0.eraser.lift(person.stream.tenant(), &person.subject).await?;
        unchanged(person, &state)
    }
}

/// The answer after a change of a hold, which is not part of the stream.
fn unchanged(person: Person, state: &ErasureState) -> Result<Response, Problem> {
    match state {
        ErasureState::Erased(_) => Err(erased()),
        ErasureState::NoKey => Err(Problem::no_such_resource()),
        ErasureState::Active | ErasureState::Held(_) => {
            let Person { stream, version, .. } = person;
            Ok(accepted(StatusCode::OK, &Answer { stream, version, events: Vec::new() }))
        }
    }
}

fn held() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "legal-hold",
        "The current state does not allow this",
        "There is a legal hold. Lift it first.",
    )
}

fn erased() -> Problem {
    Problem::erased("The data was erased.")
}
