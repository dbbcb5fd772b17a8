//! `ledgerfold token`: makes tokens for callers of the local cloud.

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use ledgerfold::{Role, Scope, Subject, TenantId, Timestamp, ports::Clock};
use ledgerfold_aws::SystemClock;
use ledgerfold_tokens::issuer::{Grant, IssuerError, LocalIssuer};
use serde::Serialize;

use crate::{
    duration::duration,
    error::CliError,
    output::{Output, Report},
    stack::Stack,
    stream_name::TenantChoice,
};

/// Makes a token with the key of the local cloud, which is in the stack file. For example:
/// curl -H "Authorization: Bearer $(ledgerfold token --sub ada --role staff)" …
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Token {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    grant: Option<GrantOptions>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the key set with the public key of the local issuer
    KeySet,
}

#[derive(Debug, Args)]
struct GrantOptions {
    /// The name of the caller
    #[arg(long, value_name = "NAME")]
    sub: Subject,
    /// A role of the caller; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// A scope, which says what the application may do for the caller; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// How long the token holds, for example 60s, 10m or 8h
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = duration)]
    expires_in: Duration,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Minted {
    token: String,
    expires_at: Timestamp,
}

pub(crate) fn run(
    command: &Token,
    tenant: &TenantChoice,
    stack: Option<Stack>,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let issuer = stack.ok_or(CliError::NoStack)?.auth.ok_or(CliError::NoIssuer)?;
    match (&command.action, &command.grant) {
        (None, Some(options)) => {
            output.report(&mint(&issuer, options, tenant.or_default(), SystemClock.now())?)?;
        }
        _ => output.write(format!("{}\n", issuer.key_set()?).as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn mint(
    issuer: &LocalIssuer,
    options: &GrantOptions,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Minted, IssuerError> {
    let grant = Grant {
        subject: options.sub.clone(),
        tenant,
        roles: options.roles.clone(),
        scopes: options.scopes.clone(),
        lifetime: options.expires_in,
    };
    let expires_at = now.checked_add(grant.lifetime).map_err(|_| IssuerError::Lifetime)?;
    Ok(Minted { token: issuer.mint(&grant, now)?, expires_at })
}

/// Only the token, so that other commands can use it.
impl Report for Minted {
    fn text(&self) -> String {
        format!("{}\n", self.token)
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold_tokens::{KeySet, TrustedIssuer, Verifier};

    use super::*;
    use crate::output::rendered;

    fn stack_file(auth: &str) -> Stack {
        serde_json::from_str(&format!(r#"{{"contexts": {{}}, "auth": {auth}}}"#)).expect("a stack")
    }

    fn options() -> GrantOptions {
        GrantOptions {
            sub: Subject::new("ada").expect("a subject"),
            roles: vec![Role::from_static("staff")],
            scopes: vec![Scope::from_static("orders:read")],
            expires_in: Duration::from_secs(600),
        }
    }

    /// The file has the form that `localstack/ledgerfold_local/issuer.py` writes, with the key of RFC 7515, appendix A.3.
    #[tokio::test]
    async fn a_token_of_the_local_clouds_key_is_accepted() {
        let stack = stack_file(include_str!("../tests/local_issuer.json"));
        let issuer = stack.auth.expect("an issuer");
        let now = SystemClock.now();
        let acme = TenantId::new("acme").expect("a tenant");
        let minted = mint(&issuer, &options(), acme.clone(), now).expect("a token");
        assert_eq!(minted.expires_at, now + Duration::from_secs(600));
        assert_eq!(rendered(&minted, false).expect("text"), format!("{}\n", minted.token));
        let json = rendered(&minted, true).expect("JSON");
        assert!(
            json.starts_with(r#"{"token":"ey"#) && json.contains(r#""expiresAt":"2"#),
            "{json}"
        );

        let keys = KeySet::parse(issuer.key_set().expect("a key").as_bytes()).expect("a key set");
        let trusted = TrustedIssuer::new("ledgerfold-local", "ledgerfold").expect("an issuer");
        let caller = Verifier::new(trusted, keys).verify(&minted.token, now).await;
        let caller = caller.expect("a caller");
        assert_eq!((caller.subject, caller.tenant), (options().sub, acme));
        assert!(caller.roles.includes(&Role::from_static("staff")));
        assert!(caller.scopes.includes(&Scope::from_static("orders:read")));
    }

    #[test]
    fn a_stack_without_an_issuer_makes_no_token() {
        let command = Token { action: None, grant: Some(options()) };
        let target = crate::target::TargetOptions::default();
        let mut output = Output::of(&target);
        let none =
            run(&command, &target.tenant, None, &mut output).expect_err("there is no stack file");
        assert!(matches!(none, CliError::NoStack), "{none}");
        let stack = Some(stack_file("null"));
        let aws = run(&command, &target.tenant, stack, &mut output).expect_err("no issuer");
        assert!(matches!(aws, CliError::NoIssuer), "{aws}");
    }
}
