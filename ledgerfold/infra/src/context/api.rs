//! The HTTP API, the command function and the query function.

use ledgerfold::context::{Role, variables};

use super::{Scope, callers, id_of, keys};
use crate::{
    document::{Map, Resource, Section, Value, arn, list, map, reference, sub},
    parts::{Alarm, Function, Metric, Page, Statement, log_group},
    shared::function_alarms,
};

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}";
    Section::new("HTTP API", "")
        .holding([api(scope), log_group("ApiLog"), callers::usage_plan()])
        .holding(commands(scope).resources())
        .holding(queries(scope).resources())
        .holding(alarms())
        .output("ApiId", reference("Api"))
        .output("ApiStage", reference("Stage"))
        .output("ApiUrl", sub(url))
        .output_if(callers::API_KEYS, "UsagePlan")
        .output_of("CommandFunction")
        .output_of("QueryFunction")
}

fn api(scope: &Scope<'_>) -> Resource {
    let name = scope.context.name();
    let properties = map! {
        /// SAM uses the same name as the title. We set it, because the alarm on 5xx answers looks for it.
        Name: reference("AWS::StackName"),
        Description: format!(
            "HTTP API of {name}. The command function gets POST requests, the query function all others."
        ),
        StageName: reference("Stage"),
        OpenApiVersion: "3.0.1",
        /// Says which methods need an API key. SAM merges it with the routes of the functions.
        DefinitionBody: callers::definition(reference("AWS::StackName"), &PATHS, &METHODS),
        MergeDefinitions: true,
        /// A stage serves a deployment of the API, and SAM makes a new one only for a changed template. With this, it
        /// also makes one for a changed parameter, so that "api-key" takes effect at once.
        AlwaysDeploy: true,
        EndpointConfiguration: map! { Type: "REGIONAL" },
        TracingEnabled: true,
        /// Passes every body to the functions byte for byte. In text mode, the gateway would replace bytes that are not
        /// UTF-8, so a function would accept a damaged body. Answers stay text, because the gateway only decodes answers
        /// that a function marks as Base64.
        BinaryMediaTypes: list!["*/*"],
        MethodSettings: list![map! {
            ResourcePath: "/*",
            HttpMethod: "*",
            ThrottlingRateLimit: reference("ApiRateLimit"),
            ThrottlingBurstLimit: reference("ApiBurstLimit"),
            /// Execution logs would go to a log group of the gateway that never expires. The access log has the errors.
            LoggingLevel: "OFF",
            DataTraceEnabled: false,
        }],
        AccessLogSetting: map! { DestinationArn: arn("ApiLog"), Format: access_log() },
        /// Errors of the gateway have the same problem format as errors of the functions. The functions check the size
        /// and the form of a body: the gateway has no setting for sizes below 10 MB, and its validation does not point
        /// to the wrong fields.
        GatewayResponses: gateway_responses(),
    };
    Resource::new("Api", "AWS::Serverless::Api", properties).skipping(&[(
        "CKV_AWS_120",
        "Answers belong to one caller and must not be older than a consistency token.",
    )])
}

fn access_log() -> String {
    let fields = [
        ("requestId", "requestId"),
        ("requestTime", "requestTime"),
        ("method", "httpMethod"),
        ("path", "path"),
        ("status", "status"),
        ("latency", "responseLatency"),
        ("integrationStatus", "integration.status"),
        ("integrationLatency", "integration.latency"),
        ("responseLength", "responseLength"),
        ("error", "error.responseType"),
        ("traceId", "xrayTraceId"),
    ];
    let fields = fields.map(|(name, variable)| format!("\"{name}\":\"$context.{variable}\""));
    format!("{{{}}}", fields.join(", "))
}

/// An error of the gateway: its name there, the status, the type of problem, the title and the detail.
type GatewayError = (&'static str, u16, &'static str, &'static str, &'static str);

const MALFORMED: &str = "The request is malformed";
const DENIED: &str = "Access is denied";
const TOO_MANY: &str = "Too many requests at the moment";
const GATEWAY_ERRORS: [GatewayError; 12] = [
    ("DEFAULT_4XX", 400, "bad-request", MALFORMED, "The request could not be read."),
    (
        "DEFAULT_5XX",
        503,
        "unavailable",
        "The service is temporarily unavailable",
        "Send the same request again later, with the same Idempotency-Key: it takes effect once.",
    ),
    (
        "UNAUTHORIZED",
        401,
        "unauthorized",
        "Credentials are missing or wrong",
        "Send the credentials of this service.",
    ),
    ("ACCESS_DENIED", 403, "forbidden", DENIED, "These credentials do not allow the request."),
    ("INVALID_API_KEY", 403, "forbidden", DENIED, "The API key is missing or wrong."),
    ("WAF_FILTERED", 403, "forbidden", DENIED, "The request was refused."),
    (
        "MISSING_AUTHENTICATION_TOKEN",
        405,
        "method-not-allowed",
        "The method is not allowed here",
        "Only GET, HEAD and POST are allowed here.",
    ),
    (
        "RESOURCE_NOT_FOUND",
        404,
        "not-found",
        "The resource does not exist",
        "There is nothing at this address.",
    ),
    (
        "REQUEST_TOO_LARGE",
        413,
        "too-large",
        "The request is too large",
        "The body is larger than 10 MB.",
    ),
    (
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        "unsupported-media-type",
        "The body must be JSON",
        "Content-Type must be application/json, in UTF-8.",
    ),
    ("THROTTLED", 429, "throttled", TOO_MANY, "Send the same request again later."),
    ("QUOTA_EXCEEDED", 429, "throttled", TOO_MANY, "The quota of this API key is used up."),
];

fn gateway_responses() -> Map {
    let note = |name: &str| match name {
        "DEFAULT_4XX" => Some(
            "The two defaults cover all errors not named below, also functions that fail or time out. Each sets a fixed \
             status, so that the status in the body always matches the answer's.",
        ),
        "MISSING_AUTHENTICATION_TOKEN" => Some(
            "The gateway's name for an unknown path or method. All paths lead to a function, so this only happens for \
             methods that no API can define, such as TRACE. The gateway does not know the methods of a single path, so \
             it lists those of the whole API.",
        ),
        _ => None,
    };
    GATEWAY_ERRORS.into_iter().fold(Map::default(), |mut all, error| {
        all.set(error.0, gateway_response(error), note(error.0).map(str::to_owned));
        all
    })
}

fn gateway_response((_, status, kind, title, detail): GatewayError) -> Map {
    let own = match status {
        405 => map! { Allow: "'GET, HEAD, POST'" },
        401 => map! { "WWW-Authenticate": "'Bearer'" },
        429 | 503 => map! { "Retry-After": "'1'" },
        _ => Map::default(),
    };
    let headers = map! { "Content-Type": "'application/problem+json'" }.and(own);
    let problem = format!(
        "{{\"type\":\"/problems/{kind}\",\"title\":\"{title}\",\"status\":{status}, \"detail\":\"{detail}\",\
         \"instance\":\"$context.requestId\"}}"
    );
    map! {
        StatusCode: status.to_string(),
        ResponseParameters: map! { Headers: headers },
        ResponseTemplates: map! { "application/json": problem },
    }
}

fn route(path: &str, method: &str) -> Map {
    map! {
        Type: "Api",
        Properties: map! { RestApiId: reference("Api"), Path: path, Method: method },
    }
}

/// Every path, and the root.
const PATHS: [&str; 2] = ["/{proxy+}", "/"];
const METHODS: [&str; 7] = ["Get", "Head", "Put", "Patch", "Delete", "Options", "Post"];
/// Enough for a query that waits 20 seconds, as `Prefer: wait=20` asks, and less than the 29 seconds after which the
/// gateway gives up.
const QUERY_TIMEOUT: i64 = 28;

fn commands(scope: &Scope<'_>) -> Function<'static> {
    let environment = Map::default()
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .and(scope.reservations_variable())
        .and(keys::variables(scope))
        .and(callers::environment());
    let mut permissions = scope.transacting(&scope.streams());
    let make_keys = ["dynamodb:GetItem", "dynamodb:PutItem"];
    permissions.extend(keys::permission(
        scope,
        &make_keys,
        "The keys of people, for commands that seal.",
    ));
    permissions.extend(keys::erasing(scope));
    Function {
        id: "CommandFunction",
        description: "Decides commands and appends their events.".to_owned(),
        role: Role::Command,
        timeout: 10.into(),
        variables: environment,
        permissions,
        settings: map! { Events: map! { Post: route("/{proxy+}", "POST") } },
    }
}

fn queries(scope: &Scope<'_>) -> Function<'static> {
    let names = PATHS.into_iter().zip(["", "Root"]);
    let routes = names.flat_map(|(path, prefix)| {
        METHODS.map(|method| (format!("{prefix}{method}"), route(path, &method.to_uppercase())))
    });
    // Commands have a function of their own.
    let routes: Map = routes.filter(|(name, _)| name != "Post").collect();
    let environment = Map::default()
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .and(scope.table_variables())
        .and(scope.event_table_variables())
        .and(keys::variables(scope))
        .and(keys::certificate_variables(scope))
        .and(callers::environment());
    Function {
        id: "QueryFunction",
        description: "Answers queries from the read tables.".to_owned(),
        role: Role::Query,
        timeout: QUERY_TIMEOUT.into(),
        variables: environment,
        permissions: reading(scope),
        settings: map! {
            /// Lists every method except POST, because not every importer of an API supports AWS's extension for "any".
            Events: routes,
        },
    }
}

/// The read permissions of the query function.
fn reading(scope: &Scope<'_>) -> Vec<Statement> {
    let read = ["dynamodb:Query", "dynamodb:GetItem"];
    let tables = |kind| {
        let projections = scope.projections().into_iter();
        let of_kind = projections.filter(move |name| scope.kind_of(name) == kind);
        of_kind.map(|name| format!("{}Table", id_of(name))).collect::<Vec<_>>()
    };
    let rows = tables(ledgerfold::context::Kind::Rows);
    let counters = tables(ledgerfold::context::Kind::Counters);
    let parts = tables(ledgerfold::context::Kind::Parts);
    let indexes = scope.projections().into_iter().filter_map(|name| {
        let index = scope.index_of(name)?;
        Some(sub(format!("${{{}Table.Arn}}/index/{index}", id_of(name))))
    });
    let indexes: Vec<Value> = indexes.collect();
    let mut permissions = vec![
        Statement::allow(&read, arn("EventTable"))
            .because("For the history, and for events that a row does not have yet."),
        Statement::allow(&["dynamodb:GetItem"], arn("ProjectionStates"))
            .because("The live generation of each projection, and the events that it skips."),
    ];
    permissions.extend(scope.reading_other_contexts(&read));
    if !rows.is_empty() {
        permissions
            .push(Statement::allow(&["dynamodb:GetItem"], rows.iter().map(arn).collect::<Value>()));
    }
    if !indexes.is_empty() {
        permissions
            .push(Statement::allow(&["dynamodb:Query"], indexes.into_iter().collect::<Value>()));
    }
    for tables in [counters, parts].iter().filter(|tables| !tables.is_empty()) {
        permissions.push(Statement::allow(&read, tables.iter().map(arn).collect::<Value>()));
    }
    let note = "The keys of people, for queries that show sealed fields.";
    permissions.extend(keys::permission(scope, &["dynamodb:GetItem"], note));
    let records = || {
        Statement::allow(&["dynamodb:PutItem"], arn("EventTable"))
            .on_keys(&scope.recorded_streams())
            .because("Queries record who read what. They may append to these streams only.")
    };
    permissions.extend(scope.context.records_reads().then(records));
    permissions
}

fn alarms() -> Vec<Alarm> {
    let log = |id: &str| format!("\"aws logs tail ${{{id}Log}} --since 1h\"");
    let (commands, queries) = (log("CommandFunction"), log("QueryFunction"));
    let mut alarms = vec![Alarm::new(
        "ApiServerErrors",
        Metric::server_errors(),
        Page::Functions,
        format!(
            "API: it answered with a status of 500 or above. Run {commands} and {queries} for the reason."
        ),
    )];
    alarms.extend(function_alarms("CommandFunction", "Command function", Page::Functions,
        &format!("Command function: an invocation failed. Run {commands} for the reason. Clients got an error and may \
                  repeat the command with the same Idempotency-Key.")));
    alarms.extend(function_alarms("QueryFunction", "Query function", Page::Functions,
        &format!("Query function: an invocation failed. Run {queries} for the reason. Clients got an error and may \
                  repeat the query.")));
    alarms
}
