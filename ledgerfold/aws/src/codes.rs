//! The table of error codes and their meanings.

/// The meaning of an error to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The service limits the rate of calls.
    Throttled,
    /// The call failed this time, for example by an outage, a timeout, expired credentials, or a concurrent write.
    Transient,
    /// A permission, a key, a table or a setting is missing, or the program is wrong. The same call succeeds after an
    /// operator has fixed it.
    Refused,
    /// The service can never accept this item, for example an empty key or a number that is too large.
    Invalid,
}

use Meaning::{Invalid, Refused, Throttled, Transient};

impl Meaning {
    /// The meaning of an error by its code, and for ambiguous codes by its message. An unknown error is
    /// [`Meaning::Transient`].
    pub fn of(code: &str, message: &str) -> Self {
        match code {
            "ValidationException" | "ValidationError" => validation(message),
            _ => Self::listed(code).unwrap_or(Transient),
        }
    }

    /// The meaning of a code in the table.
    ///
    /// The codes come from the service models, the common errors of the protocols, and the lists of
    /// [S3](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html),
    /// [SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html) and
    /// [DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).
    /// S3 puts `KMS.` before the errors of KMS.
    pub fn listed(code: &str) -> Option<Self> {
        let code = code.strip_prefix("KMS.").unwrap_or(code);
        let meanings = [
            (THROTTLED, Throttled),
            (TRANSIENT, Transient),
            (REFUSED, Refused),
            (INVALID, Invalid),
        ];
        meanings.into_iter().find(|(codes, _)| codes.contains(&code)).map(|(_, meaning)| meaning)
    }
}

const THROTTLED: &[&str] = &[
    // Any service, KMS included.
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "KMSThrottlingException",
    "KmsThrottled",
    // DynamoDB, its streams, the reasons of a cancelled transaction.
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "ThrottlingError",
    // S3, SQS.
    "AWS.SimpleQueueService.PurgeQueueInProgress",
    "OverLimit",
    "SlowDown",
];

const TRANSIENT: &[&str] = &[
    // Any service: outages and timeouts.
    "InternalError",
    "InternalException",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "RequestAbortedException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    // Any service: expired credentials, a wrong clock.
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "TokenRefreshRequired",
    // KMS.
    "DependencyTimeoutException",
    "KMSInternalException",
    "KeyUnavailableException",
    // A concurrent write. Adapters handle these codes before they look up a meaning.
    "ConcurrentModificationException",
    "ConditionalCheckFailed",
    "ConditionalCheckFailedException",
    "ConditionalRequestConflict",
    "DuplicateItem",
    "OperationAborted",
    "PreconditionFailed",
    "ReplicatedWriteConflictException",
    "TransactionCanceledException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    // An outdated iterator or receipt: read again with a new one.
    "ExpiredIteratorException",
    "ReceiptHandleIsInvalid",
    "TrimmedDataAccessException",
    // S3.
    "BadDigest",
    "IncompleteBody",
    "TemporaryRedirect",
];

const REFUSED: &[&str] = &[
    // Any service: a permission or valid credentials are missing.
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "AccountProblem",
    "AuthorizationHeaderMalformed",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "NotSignedUp",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnauthorizedAccess",
    "UnrecognizedClientException",
    // KMS: the key is disabled, deleted, or belongs to another account.
    "DisabledException",
    "IncorrectKeyException",
    "InvalidCiphertextException",
    "InvalidGrantTokenException",
    "InvalidKeyUsageException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "KMSOptInRequired",
    "KmsAccessDenied",
    "KmsDisabled",
    "KmsInvalidKeyUsage",
    "KmsInvalidState",
    "KmsNotFound",
    "KmsOptInRequired",
    "NotFoundException",
    // The addressed resource does not exist or is not ready.
    "InvalidAddress",
    "InvalidEndpointException",
    "InvalidObjectState",
    "InvalidStateException",
    "NoSuchBucket",
    "NoSuchKey",
    "NotFound",
    "OperationDisabledException",
    "PermanentRedirect",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ResourceAlreadyExistsException",
    "ResourceInUseException",
    "ResourceNotFoundException",
    "TableInUseException",
    "TableNotFoundException",
    // The program or its settings are wrong, independent of the item.
    "DryRunOperationException",
    "EncryptionTypeMismatch",
    "IdempotencyParameterMismatch",
    "IdempotentParameterMismatchException",
    "IllegalStatusException",
    "InvalidAction",
    "InvalidAttributeName",
    "InvalidAttributeValue",
    "InvalidBatchEntryId",
    "BatchEntryIdsNotDistinct",
    "EmptyBatchRequest",
    "TooManyEntriesInBatchRequest",
    "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "AWS.SimpleQueueService.BatchRequestTooLong",
    "AWS.SimpleQueueService.EmptyBatchRequest",
    "AWS.SimpleQueueService.InvalidBatchEntryId",
    "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "InvalidEventPatternException",
    "InvalidIdFormat",
    "InvalidRequest",
    "InvalidWriteOffset",
    "MalformedHttpRequestException",
    "MessageNotInflight",
    "AWS.SimpleQueueService.MessageNotInflight",
    "MethodNotAllowed",
    "SerializationException",
    "TooManyParts",
    "UnknownOperationException",
    "UnsupportedOperation",
    // KMS: the settings name a key that cannot exist, or one that cannot do this.
    "InvalidArnException",
    "UnsupportedOperationException",
    // EventBridge, for an entry: its account or its bus policy, not its content.
    "InvalidAccountIdException",
    "NotAuthorizedForDetailTypeException",
    "NotAuthorizedForSourceException",
];

const INVALID: &[&str] = &[
    // DynamoDB: too many items with one partition key and a local index.
    "ItemCollectionSizeLimitExceeded",
    "ItemCollectionSizeLimitExceededException",
    // S3, SQS.
    "EntityTooLarge",
    "InvalidMessageContents",
    "KeyTooLongError",
    "RequestEntityTooLargeException",
    // EventBridge, for an entry.
    "InvalidArgument",
    "MalformedDetail",
    "RedactionFailure",
];

/// DynamoDB has one code for all invalid requests. The message shows whether an item is invalid, or a table, an index
/// or an expression. The latter concern every item, and an operator or a deployment fixes them.
fn validation(message: &str) -> Meaning {
    let message = message.to_lowercase();
    if OF_THE_TABLE.iter().any(|phrase| message.contains(phrase)) { Refused } else { Invalid }
}

const OF_THE_TABLE: &[&str] = &[
    "does not have the specified index",
    "does not match the schema",
    "key element does not match",
    "missing the key",
    "missed key schema element",
    "type mismatch",
    "invalid conditionexpression",
    "invalid filterexpression",
    "invalid keyconditionexpression",
    "invalid projectionexpression",
    "invalid updateexpression",
    "query key condition not supported",
    "consistent reads are not supported",
    "start key",
    "starting key",
    "kms",
];

#[cfg(test)]
mod tests {
    use super::{INVALID, Meaning, REFUSED, THROTTLED, TRANSIENT};

    #[test]
    fn every_code_has_one_meaning() {
        let mut codes = [THROTTLED, TRANSIENT, REFUSED, INVALID].concat();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count, "a code is listed twice");
    }

    #[test]
    fn a_fault_that_an_operator_can_fix_is_never_the_items_fault() {
        for code in
            ["AccessDenied", "AccessDeniedException", "KMS.DisabledException", "NoSuchBucket"]
        {
            assert_eq!(Meaning::of(code, ""), Meaning::Refused, "{code}");
        }
        assert_eq!(Meaning::of("KMS.ThrottlingException", ""), Meaning::Throttled);
        for code in ["RequestTimeout", "ExpiredToken", "ExpiredTokenException"] {
            assert_eq!(Meaning::of(code, ""), Meaning::Transient, "{code}");
        }
    }

    // Guards: only-impossible-items-are-given-up
    #[test]
    fn an_unknown_error_is_retried() {
        for code in ["", "SomethingNew", "KMS.SomethingNew", "validationexception"] {
            assert_eq!(Meaning::of(code, "Item size exceeded"), Meaning::Transient, "{code:?}");
        }
    }

    #[test]
    fn a_validation_error_distinguishes_an_item_from_its_table() {
        let of_the_item = [
            "Item size has exceeded the maximum allowed size",
            "One or more parameter values are not valid. A value specified for a secondary index key is \
             not supported. The AttributeValue for a key attribute cannot contain an empty string value. \
             IndexName: by-list, IndexKey: ix",
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit",
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
            "Expression size has exceeded the maximum allowed size",
        ];
        for message in of_the_item {
            assert_eq!(Meaning::of("ValidationException", message), Meaning::Invalid, "{message}");
        }
        let of_the_table = [
            "The table does not have the specified index: by-list",
            "The provided key element does not match the schema",
            "One or more parameter values were invalid: Missing the key sk in the item",
            "One or more parameter values were invalid: Type mismatch for Index Key ix Expected: N Actual: S",
            "Invalid UpdateExpression: Syntax error",
        ];
        for message in of_the_table {
            assert_eq!(Meaning::of("ValidationException", message), Meaning::Refused, "{message}");
        }
    }
}
