//! The headers that prove to the service who sends the load.

use std::time::Duration;

use clap::Args;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use ledgerfold::{Role, Subject, Timestamp};
use ledgerfold_tokens::issuer::Grant;

use crate::{error::CliError, target::Target};

/// The time that a token holds after the load, for requests that are late.
const AFTER_THE_LOAD: Duration = Duration::from_secs(60 * 60);

/// The credentials of the load. Those of the stack file belong to its API, so no other address gets them.
#[derive(Debug, Args)]
pub(super) struct Credentials {
    /// The key that the API requires, if it does [default: the one in the stack file]
    #[arg(long, value_name = "KEY", env = "LEDGERFOLD_API_KEY", hide_env_values = true)]
    api_key: Option<HeaderValue>,
    /// The token of the caller [default: one of the issuer in the stack file, if there is one]
    #[arg(long, value_name = "TOKEN", env = "LEDGERFOLD_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A role of the caller, in a token of the issuer in the stack file; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
}

impl Credentials {
    /// The headers for a load that begins now and takes this long. `target` has the API of the load, unless it goes to
    /// another address.
    pub(super) fn headers(
        &self,
        target: Option<&Target>,
        lasting: Duration,
        now: Timestamp,
    ) -> Result<HeaderMap, CliError> {
        let mut headers = HeaderMap::new();
        let key = match &self.api_key {
            Some(key) => Some(key.clone()),
            None => target.and_then(Target::api_key).map(HeaderValue::from_str).transpose()?,
        };
        if let Some(key) = key {
            headers.insert("x-api-key", key);
        }
        if let Some(token) = self.token(target, lasting, now)? {
            let mut token = HeaderValue::try_from(format!("Bearer {token}"))?;
            token.set_sensitive(true);
            headers.insert(AUTHORIZATION, token);
        }
        Ok(headers)
    }

    fn token(
        &self,
        target: Option<&Target>,
        lasting: Duration,
        now: Timestamp,
    ) -> Result<Option<String>, CliError> {
        if let Some(token) = &self.token {
            return Ok(Some(token.clone()));
        }
        let Some(issuer) = target.and_then(Target::issuer) else { return Ok(None) };
        let grant = Grant {
            roles: self.roles.clone(),
            lifetime: lasting.saturating_add(AFTER_THE_LOAD),
            ..Grant::of(Subject::new("load").expect("it has only letters"))
        };
        Ok(Some(issuer.mint(&grant, now)?))
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::ports::Clock;
    use ledgerfold_aws::SystemClock;
    use ledgerfold_tokens::{KeySet, TrustedIssuer, Verifier};

    use super::*;
    use crate::{stack::Stack, target::TargetOptions};

    const MINUTE: Duration = Duration::from_secs(60);

    fn target(folder: &tempfile::TempDir) -> (Target, Stack) {
        let auth = include_str!("../../tests/local_issuer.json");
        let text = format!(
            r#"{{"auth": {auth}, "contexts": {{"orders": {{"api": "http://x", "apiKey": "secret"}}}}}}"#
        );
        let path = folder.path().join("stack.json");
        std::fs::write(&path, text).expect("the file is written");
        let target = TargetOptions::for_context(Some(path.clone()), None).resolve();
        (target.expect("a deployment"), Stack::read(&path).expect("a stack"))
    }

    #[tokio::test]
    async fn the_load_has_a_token_of_the_stacks_issuer_that_outlasts_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (target, stack) = target(&folder);
        let staff = Role::from_static("staff");
        let credentials = Credentials { api_key: None, token: None, roles: vec![staff.clone()] };
        let now = SystemClock.now();
        let lasting = Duration::from_secs(48 * 60 * 60);
        let headers = credentials.headers(Some(&target), lasting, now).expect("headers");
        assert_eq!(headers["x-api-key"], "secret");

        let token = headers[AUTHORIZATION].to_str().expect("text").to_owned();
        let keys = stack.auth.expect("an issuer").key_set().expect("a key");
        let keys = KeySet::parse(keys.as_bytes()).expect("a key set");
        let trusted = TrustedIssuer::new("ledgerfold-local", "ledgerfold").expect("an issuer");
        let token = token.strip_prefix("Bearer ").expect("a bearer token");
        let caller = Verifier::new(trusted, keys).verify(token, now + lasting + MINUTE).await;
        let caller = caller.expect("it holds until the last answer");
        assert_eq!(caller.subject.as_str(), "load");
        assert!(caller.has_role(&staff));
    }

    #[test]
    fn another_address_gets_only_what_its_options_name() {
        let now = SystemClock.now();
        let bare = Credentials { api_key: None, token: None, roles: Vec::new() };
        assert!(bare.headers(None, MINUTE, now).expect("headers").is_empty());
        let api_key = Some(HeaderValue::from_static("mine"));
        let named = Credentials { api_key, token: Some("a.b.c".to_owned()), roles: Vec::new() };
        let folder = tempfile::tempdir().expect("a folder");
        for target in [None, Some(&target(&folder).0)] {
            let headers = named.headers(target, MINUTE, now).expect("headers");
            assert_eq!(
                (headers.len(), &headers["x-api-key"]),
                (2, &HeaderValue::from_static("mine"))
            );
            assert_eq!(headers[AUTHORIZATION], "Bearer a.b.c");
        }
        let damaged = Credentials { token: Some("a\nb".to_owned()), ..bare };
        assert!(matches!(damaged.headers(None, MINUTE, now), Err(CliError::Credentials(_))));
    }
}
