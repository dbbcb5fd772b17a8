//! HTTP for services: their operations, requests and responses, and the problem for each failure.
//!
//! A service declares an [`Api`]: one type for each command and each query. Routes, the checks of bodies and parameters,
//! and the OpenAPI document follow from these types.

mod api;
mod authentication;
mod command;
mod gateway;
mod message;
mod openapi;
mod path;
mod problem;
mod query;
mod schema;

pub use api::{Api, ApiError, Example};
pub use authentication::{Authentication, InvalidAuthentication};
pub use command::{
    Accepted, CommandCall, CommandHeaders, CommandSide, Decided, DecidedSealing, Erases,
    ErasureBody, ErasurePaths, Handles, Holds, HttpCommand, HttpJointCommand, In, JointCall,
    JointEffect, JointPlan, Jointly, LiftLegalHold, Lifts, PlaceLegalHold, RequestErasure,
    SealingCommand, Success, accepted,
};
pub use gateway::{GatewayEvent, GatewayResponse, answer_event, serve_http};
pub use ledgerfold_tokens::{ClaimName, ClaimNames};
pub use message::{Method, Request, Response, StatusCode};
pub use path::{Path, reference};
pub use problem::{FieldError, Problem};
pub use query::{
    Answer, AtVersion, AuditedEvent, Counters, ErasureAnswer, ErasureStatus, Erasures, EventLog,
    HttpQuery, Instant, Limit, List, ListPosition, Models, Opener, Page, PageCursor, Parts,
    QueryCall, Recorder, RequiredHeader, Rows, Unversioned, Versioned,
};
pub use schema::UnsupportedSchema;
