//! Keys that sign whatever a test asks for, and a verifier that trusts two of them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ledgerfold::Timestamp;
use ledgerfold_tokens::{KeySet, TrustedIssuer, Verifier};
use ring::{
    rand::SystemRandom,
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.example.org";
pub(crate) const AUDIENCE: &str = "orders";
pub(crate) const EC_KEY: &str = "ec-1";
pub(crate) const RSA_KEY: &str = "rsa-1";
/// 2026-11-23T12:00:00Z.
pub(crate) const NOW: i64 = 1_795_435_200;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("an instant")
}

/// Runs a future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The two private keys of the issuer, which RFC 7515 has published.
pub(crate) struct Signers {
    vectors: Value,
    rsa: RsaKeyPair,
}

impl Signers {
    pub(crate) fn new() -> Self {
        let vectors: Value =
            serde_json::from_str(include_str!("../vectors/rfc7515.json")).expect("JSON");
        let number = |name: &str| number(&vectors["RS256"]["key"], name);
        let rsa = RsaKeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents { n: number("n"), e: number("e") },
            d: number("d"),
            p: number("p"),
            q: number("q"),
            dP: number("dp"),
            dQ: number("dq"),
            qInv: number("qi"),
        });
        Self { rsa: rsa.expect("a key"), vectors }
    }

    /// The public key of an algorithm, as a JWK.
    pub(crate) fn jwk(&self, algorithm: &str, id: &str) -> Value {
        let mut jwk = self.vectors[algorithm]["key"].clone();
        let members = jwk.as_object_mut().expect("an object");
        members.retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
        members.insert("kid".to_owned(), id.into());
        jwk
    }

    /// The verifier of the issuer with both keys.
    pub(crate) fn verifier(&self) -> Verifier {
        let jwks = json!({"keys": [self.jwk("ES256", EC_KEY), self.jwk("RS256", RSA_KEY)]});
        let keys = KeySet::parse(jwks.to_string().as_bytes()).expect("a key set");
        Verifier::new(TrustedIssuer::new(ISSUER, AUDIENCE).expect("an issuer"), keys)
    }

    /// The signature of an algorithm, in the encoding of RFC 7518.
    pub(crate) fn sign(&self, algorithm: &str, text: &str) -> Vec<u8> {
        if algorithm == "ES256" {
            return self.ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, text);
        }
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .expect("a signature");
        signature
    }

    /// The signature of the EC key, in the encoding of X.509.
    pub(crate) fn sign_as_der(&self, text: &str) -> Vec<u8> {
        self.ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, text)
    }

    fn ecdsa(&self, algorithm: &'static EcdsaSigningAlgorithm, text: &str) -> Vec<u8> {
        let key = &self.vectors["ES256"]["key"];
        let point = [vec![4], number(key, "x"), number(key, "y")].concat();
        let random = SystemRandom::new();
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &number(key, "d"), &point, &random)
            .expect("a key")
            .sign(&random, text.as_bytes())
            .expect("a signature")
            .as_ref()
            .to_vec()
    }

    /// A token with these parts, signed by the issuer. `header` and `claims` may be any text.
    pub(crate) fn token_of(&self, algorithm: &str, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64url(header), base64url(claims));
        let signature = self.sign(algorithm, &signed);
        format!("{signed}.{}", base64url(signature))
    }

    /// A token with these claims, signed by the issuer, with an honest header.
    pub(crate) fn token(&self, algorithm: &str, claims: &Value) -> String {
        self.token_of(algorithm, &header(algorithm).to_string(), &claims.to_string())
    }
}

fn number(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect("text")).expect("base64url")
}

pub(crate) fn header(algorithm: &str) -> Value {
    let key = if algorithm == "ES256" { EC_KEY } else { RSA_KEY };
    json!({"alg": algorithm, "typ": "JWT", "kid": key})
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "tenant": "acme", "roles": ["customer"],
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3_600,
    })
}

/// The object with other members. Null removes one.
pub(crate) fn with(mut object: Value, changes: Value) -> Value {
    let members = object.as_object_mut().expect("an object");
    let Value::Object(changes) = changes else { panic!("no object: {changes}") };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    object
}
