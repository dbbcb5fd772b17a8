//! The figures of AWS that the model assumes, with their sources. The latencies are typical values, not measurements of
//! ours: replace them with yours before you rely on a duration.

use std::time::Duration;

/// A latency: it is never below the floor, and above it by an exponentially distributed time with this mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) floor: Duration,
    pub(crate) tail: Duration,
}

impl Latency {
    const fn micros(floor: u64, tail: u64) -> Self {
        Self { floor: Duration::from_micros(floor), tail: Duration::from_micros(tail) }
    }
}

/// A strongly consistent Query or `GetItem`: half of them take up to 3.5 ms, and 99 % up to 9 ms.
pub(crate) const READ: Latency = Latency::micros(2_500, 1_500);
/// A conditional `PutItem`.
pub(crate) const WRITE: Latency = Latency::micros(4_000, 1_500);
/// A `TransactWriteItems` call.
pub(crate) const TRANSACTION: Latency = Latency::micros(9_000, 4_000);
/// A `PutEvents` call.
pub(crate) const PUT_EVENTS: Latency = Latency::micros(15_000, 8_000);
/// A `SendMessageBatch` call.
pub(crate) const SEND_MESSAGES: Latency = Latency::micros(7_000, 3_000);
/// From the bus to a queue.
pub(crate) const DELIVERY: Latency = Latency::micros(50_000, 17_000);
/// From a commit until its record can be read from the change stream.
pub(crate) const RECORD: Latency = Latency::micros(20_000, 20_000);
/// From a message in a queue to the start of the function, with Lambda's own time.
pub(crate) const RECEIVE: Latency = Latency::micros(8_000, 6_000);
/// API Gateway and Lambda around a command or query, with the function's own computation.
pub(crate) const GATEWAY: Latency = Latency::micros(8_000, 4_000);
/// The first request of a new environment of a function.
pub(crate) const COLD_START: Latency = Latency::micros(120_000, 60_000);

/// How long Lambda waits before it asks an empty shard again: four times a second.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
pub(crate) const POLL: Duration = Duration::from_millis(250);

/// How long Lambda waits for more messages of a queue if a batch may be larger than a small one, as in the template.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub(crate) const BATCHING_WINDOW: Duration = Duration::from_secs(1);
/// The largest batch that Lambda collects without waiting.
pub(crate) const SMALL_BATCH: usize = 10;
/// How often the model looks for further messages meanwhile.
pub(crate) const QUEUE_POLL: Duration = Duration::from_millis(10);

/// Write and read units a second that one partition key takes, and one partition.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub(crate) const WRITES_PER_KEY: u32 = 1_000;
pub(crate) const READS_PER_KEY: u32 = 3_000;
/// The partitions of a new on-demand table, which takes 4,000 write units a second.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html>
pub(crate) const NEW_TABLE: u64 = 4;
/// The content of one partition.
pub(crate) const PARTITION_BYTES: u64 = 10_000_000_000;

/// Requests, and invocations of targets, that EventBridge takes in one second in the large regions. You can raise both.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub(crate) const PUT_EVENTS_PER_SECOND: u32 = 10_000;
pub(crate) const TARGETS_PER_SECOND: u32 = 18_750;
/// Requests that API Gateway takes in one second, for an account in a region. You can raise it.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
pub(crate) const REQUESTS_PER_SECOND: u32 = 10_000;
/// Functions of an account in a region that run at the same time. You can raise it.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const FUNCTIONS: u32 = 1_000;

/// How often the SDK sends a request, and its longest first wait: the settings of `ledgerfold-lambda`.
pub(crate) const ATTEMPTS: u32 = 4;
pub(crate) const FIRST_WAIT: Duration = Duration::from_millis(50);

/// USD per million in us-east-1.
pub(crate) mod price {
    /// Write units of an on-demand table.
    pub(crate) const WRITE_UNIT: f64 = 0.625;
    /// Read units of an on-demand table.
    pub(crate) const READ_UNIT: f64 = 0.125;
    /// Events of up to 64 KB on a bus.
    pub(crate) const EVENT: f64 = 1.0;
    /// Requests to a standard queue.
    pub(crate) const QUEUE_REQUEST: f64 = 0.4;
    /// Invocations of a function.
    pub(crate) const INVOCATION: f64 = 0.2;
    /// Seconds of a function with 512 MB on arm64.
    pub(crate) const FUNCTION_SECOND: f64 = 0.5 * 13.333_4;
    /// Requests to a REST API.
    pub(crate) const API_REQUEST: f64 = 3.5;
}
