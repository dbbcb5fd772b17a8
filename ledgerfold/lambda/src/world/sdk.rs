//! The configuration of the AWS SDK, from the variables that Lambda and the template set.
//!
//! The SDK's own loader also looks into files and asks services that no function has, which takes time at each start.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, ecs::EcsCredentialsProvider,
    environment::EnvironmentVariableCredentialsProvider,
    meta::credentials::CredentialsProviderChain, provider_config::ProviderConfig,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, rustls_provider::CryptoMode},
};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::trust::{InvalidTrustStore, Servers, trust_store};

/// How many attempts the SDK makes for a call. It adds jitter between them.
const ATTEMPTS: u32 = 4;
/// Limits for one attempt and for a whole call. Functions behind API Gateway have 10 seconds in total, and must still
/// answer if a table does not.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2_500);
const CALL_TIMEOUT: Duration = Duration::from_secs(4);
/// The environment variable with the endpoint of all services. Its name with a service's is the endpoint of that one.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The configuration of this environment.
pub(super) fn sdk_config() -> Result<SdkConfig, InvalidTrustStore> {
    let http = http_client(Servers::OfAws)?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT);
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(50));
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(variable("AWS_REGION").map(Region::new))
        .credentials_provider(credentials(http.clone()))
        .http_client(http)
        .retry_config(retries)
        .timeout_config(timeouts.build())
        .service_config(Endpoints);
    sdk.set_endpoint_url(variable(ENDPOINT));
    sdk.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    sdk.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    Ok(sdk.build())
}

/// A client for these servers.
pub(super) fn http_client(servers: Servers) -> Result<SharedHttpClient, InvalidTrustStore> {
    let tls = TlsContext::builder().with_trust_store(trust_store(servers)?).build();
    let tls = tls.map_err(|error| InvalidTrustStore::Unusable(error.into()))?;
    let provider = Provider::Rustls(CryptoMode::Ring);
    Ok(Builder::new().tls_provider(provider).tls_context(tls).build_https())
}

/// Lambda sets the credentials of the function's role as variables. Some kinds of environments, such as managed
/// instances, offer them at a local address instead.
fn credentials(http: SharedHttpClient) -> SharedCredentialsProvider {
    let config = ProviderConfig::empty().with_http_client(http);
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    let variables = EnvironmentVariableCredentialsProvider::new();
    let chain = CredentialsProviderChain::first_try("Environment", variables);
    SharedCredentialsProvider::new(chain.or_else("Container", container))
}

/// The endpoints of single services: `AWS_ENDPOINT_URL_DYNAMODB`.
#[derive(Debug)]
struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        of_service(key.env(), &key.service_id().to_ascii_uppercase().replace(' ', "_"))
    }
}

/// The endpoint that the environment sets for a service.
pub(super) fn endpoint_of(service: &str) -> Option<String> {
    of_service(ENDPOINT, service).or_else(|| variable(ENDPOINT))
}

/// A setting for one service only.
fn of_service(name: &str, service: &str) -> Option<String> {
    variable(&format!("{name}_{service}"))
}

fn flag(name: &str) -> Option<bool> {
    variable(name).map(|value| value.eq_ignore_ascii_case("true"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
