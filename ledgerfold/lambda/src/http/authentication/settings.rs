//! The authentication that the environment chooses.

use std::{env, sync::Arc};

use ledgerfold::{Granted, Role, context::variables, ports::Clock};
use ledgerfold_tokens::{
    ClaimName, ClaimNames, FetchedKeys, KeySet, KeySetUrl, Keys, TrustedIssuer, Verifier,
};

use super::{Authentication, InvalidAuthentication};
use crate::{
    World,
    service::{InvalidVariable, MissingVariable},
};

impl Authentication {
    /// The authentication that the environment chooses. Open it once per function. A key set at an address is fetched when
    /// the first token needs it.
    ///
    /// # Errors
    /// [`InvalidAuthentication`].
    pub fn from_environment(clock: Arc<dyn Clock>) -> Result<Self, InvalidAuthentication> {
        Settings { variable: &|name| env::var(name).ok() }.authentication(clock)
    }
}

/// The settings, by the names of their variables.
struct Settings<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Settings<'_> {
    fn authentication(
        &self,
        clock: Arc<dyn Clock>,
    ) -> Result<Authentication, InvalidAuthentication> {
        match (self.variable)(variables::AUTHENTICATION).as_deref() {
            Some("token") => {
                let verifier = Box::new(self.verifier()?);
                Ok(Authentication::Token { verifier, clock })
            }
            Some("gateway") => Ok(Authentication::Gateway(self.claim_names()?)),
            Some("api-key") => Ok(Authentication::ApiKey(self.api_key_roles()?)),
            Some("none") => Ok(Authentication::None),
            Some(other) => Err(InvalidAuthentication::Unknown(other.to_owned())),
            None => Err(InvalidAuthentication::Missing),
        }
    }

    fn verifier(&self) -> Result<Verifier, InvalidAuthentication> {
        let issuer = self.required(variables::TOKEN_ISSUER)?;
        let audience = self.required(variables::TOKEN_AUDIENCE)?;
        let issuer = TrustedIssuer::new(issuer, audience)?.with_claims(self.claim_names()?);
        Ok(Verifier::new(issuer, self.keys()?))
    }

    fn keys(&self) -> Result<Keys, InvalidAuthentication> {
        let text = self.required(variables::TOKEN_KEYS)?;
        let text = text.trim();
        if !text.starts_with('{') {
            let url: KeySetUrl = text.parse()?;
            return Ok(FetchedKeys::new(World::key_source(url)?).into());
        }
        let keys = KeySet::parse(text.as_bytes())?;
        for ignored in keys.ignored() {
            tracing::warn!(key = ?ignored, "a key of TOKEN_KEYS is not used");
        }
        Ok(keys.into())
    }

    /// A template cannot leave a variable out when its parameter is empty, so an empty name means the default.
    fn claim_names(&self) -> Result<ClaimNames, InvalidAuthentication> {
        let mut names = ClaimNames::default();
        for (variable, name) in [
            (variables::TENANT_CLAIM, &mut names.tenant),
            (variables::ROLES_CLAIM, &mut names.roles),
            (variables::SCOPES_CLAIM, &mut names.scopes),
        ] {
            if let Some(text) = (self.variable)(variable).filter(|text| !text.is_empty()) {
                *name = ClaimName::new(text)?;
            }
        }
        Ok(names)
    }

    /// A key without roles is possible, because not every service has rules.
    fn api_key_roles(&self) -> Result<Granted<Role>, InvalidAuthentication> {
        let text = (self.variable)(variables::API_KEY_ROLES).unwrap_or_default();
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let roles: Result<Vec<Role>, _> = names.map(Role::new).collect();
        let roles = roles.map_err(|error| InvalidVariable {
            name: variables::API_KEY_ROLES.to_owned(),
            reason: error.to_string(),
            text: text.clone(),
        })?;
        Ok(Granted::only(roles))
    }

    fn required(&self, name: &str) -> Result<String, MissingVariable> {
        (self.variable)(name).ok_or_else(|| MissingVariable(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold_testkit::ManualClock;

    use super::*;

    const KEYS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    const TOKEN: [(&str, &str); 4] = [
        ("AUTHENTICATION", "token"),
        ("TOKEN_ISSUER", "https://issuer.example.org"),
        ("TOKEN_AUDIENCE", "orders"),
        ("TOKEN_KEYS", KEYS),
    ];

    fn open(variables: &[(&str, &str)]) -> Result<Authentication, String> {
        let variable = |name: &str| {
            let found = variables.iter().rev().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = Settings { variable: &variable };
        let opened = settings.authentication(Arc::new(ManualClock::default()));
        opened.map_err(|error| error.to_string())
    }

    fn refused(variables: &[(&str, &str)]) -> String {
        open(variables).err().expect("the settings are refused")
    }

    /// The variables of tokens with another value for one of them.
    fn token_with(variable: &str, value: &str) -> Result<Authentication, String> {
        let changed = [(variable, value)];
        let variables: Vec<_> = TOKEN.iter().chain(&changed).copied().collect();
        open(&variables)
    }

    #[test]
    fn a_function_does_not_start_without_a_known_way_to_authenticate() {
        for (variables, found) in [
            (&[][..], "is not set"),
            (&[("AUTHENTICATION", "")], "is \"\""),
            (&[("AUTHENTICATION", "None")], "is \"None\""),
            (&[("AUTHENTICATION", "jwt")], "is \"jwt\""),
        ] {
            let reason = refused(variables);
            assert!(reason.contains(found), "{reason}");
            assert!(reason.ends_with("it must be token, gateway, api-key or none"), "{reason}");
        }
    }

    #[test]
    fn each_way_has_its_settings() {
        assert!(matches!(open(&TOKEN), Ok(Authentication::Token { .. })));
        let fetched = token_with("TOKEN_KEYS", "https://issuer.example.org/jwks.json");
        assert!(matches!(fetched, Ok(Authentication::Token { .. })));
        assert!(matches!(open(&[("AUTHENTICATION", "none")]), Ok(Authentication::None)));

        let default = open(&[("AUTHENTICATION", "gateway"), ("ROLES_CLAIM", "")]);
        let Ok(Authentication::Gateway(names)) = default else { unreachable!("it is the gateway") };
        assert_eq!(names, ClaimNames::default());
        let named = open(&[("AUTHENTICATION", "gateway"), ("ROLES_CLAIM", "cognito:groups")]);
        let Ok(Authentication::Gateway(names)) = named else { unreachable!("it is the gateway") };
        assert_eq!(names.roles, ClaimName::new("cognito:groups").expect("a name"));
        assert_eq!(names.tenant, ClaimNames::default().tenant);

        let roles = open(&[("AUTHENTICATION", "api-key"), ("API_KEY_ROLES", "staff, clerk,")]);
        let Ok(Authentication::ApiKey(roles)) = roles else { unreachable!("it is the key") };
        let expected = [Role::from_static("staff"), Role::from_static("clerk")];
        assert_eq!(roles, Granted::only(expected));
        let bare = open(&[("AUTHENTICATION", "api-key")]);
        assert!(matches!(bare, Ok(Authentication::ApiKey(roles)) if roles == Granted::none()));
    }

    #[test]
    fn an_invalid_setting_is_named_with_its_variable() {
        for missing in 1..TOKEN.len() {
            let mut variables = TOKEN.to_vec();
            let (name, _) = variables.remove(missing);
            assert!(refused(&variables).contains(name), "{name}");
        }
        for (name, value, reason) in [
            ("TOKEN_ISSUER", "", "the issuer must not be empty"),
            ("TOKEN_AUDIENCE", "", "the audience must not be empty"),
            ("TOKEN_KEYS", "{}", "TOKEN_KEYS: the key set is not"),
            ("TOKEN_KEYS", "http://issuer.example.org/", "TOKEN_KEYS must be a JSON Web Key Set"),
        ] {
            let refusal = token_with(name, value).err().expect("it is refused");
            assert!(refusal.contains(reason), "{refusal}");
        }
        let roles = refused(&[("AUTHENTICATION", "api-key"), ("API_KEY_ROLES", "a b")]);
        assert!(roles.contains("API_KEY_ROLES") && roles.contains("visible ASCII"), "{roles}");
    }

    #[test]
    fn a_private_key_in_the_wrong_place_does_not_reach_the_log() {
        let set = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "d": "s3cret"}]}"#;
        let refusal = token_with("TOKEN_KEYS", set).err().expect("it is refused");
        assert!(!refusal.contains("s3cret"), "{refusal}");
    }
}
