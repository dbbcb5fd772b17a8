//! The forger of tokens.

use ledgerfold::ports::Random;
use ledgerfold_testkit::SeededRandom;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::signers::{EC_KEY, RSA_KEY, Signers, base64url, claims, header, with};

/// A forger. It has an honest token of the caller, knows the public keys, and has a key of its own. For claims that
/// nobody may accept, the issuer itself signs.
pub(crate) struct Forger {
    pub(crate) signers: Signers,
    pub(crate) random: SeededRandom,
    pub(crate) own: EcdsaKeyPair,
    /// The algorithm of the token at hand.
    pub(crate) algorithm: &'static str,
}

impl Forger {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let own = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key");
        Self { signers: Signers::new(), random: SeededRandom::new(65), own, algorithm: "ES256" }
    }

    pub(crate) fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        let end = u64::try_from(end).expect("it is small");
        usize::try_from(u64::from_le_bytes(bytes) % end).expect("it is small")
    }

    pub(crate) fn one_of<T: Clone>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    pub(crate) fn seconds(&self, from: i64) -> i64 {
        from + i64::try_from(self.below(1_000_000)).expect("it is small")
    }

    pub(crate) fn honest(&self) -> String {
        self.signers.token(self.algorithm, &claims())
    }

    /// Signed by the issuer.
    pub(crate) fn claiming(&self, changes: Value) -> String {
        self.signers.token(self.algorithm, &with(claims(), changes))
    }

    /// Signed by the issuer, with another header.
    pub(crate) fn headed(&self, changes: Value) -> String {
        let header = with(header(self.algorithm), changes);
        self.signers.token_of(self.algorithm, &header.to_string(), &claims().to_string())
    }

    /// Claims of the forger's choice, with a signature that it makes from the text.
    pub(crate) fn signed(&self, header: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
        let mine = with(claims(), json!({"sub": "mallory", "roles": ["staff"]}));
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(mine.to_string()));
        let signature = sign(&signed);
        format!("{signed}.{}", base64url(signature))
    }

    pub(crate) fn with_own_key(&self, header: &Value) -> String {
        let sign = |text: &str| {
            let signature = self.own.sign(&SystemRandom::new(), text.as_bytes());
            signature.expect("a signature").as_ref().to_vec()
        };
        self.signed(header, sign)
    }

    /// The texts that a program may take for the public key when it mistakes it for a secret.
    pub(crate) fn public_secret(&self) -> Vec<u8> {
        let id = if self.algorithm == "ES256" { EC_KEY } else { RSA_KEY };
        let jwk = self.signers.jwk(self.algorithm, id);
        let part = jwk.get("n").or_else(|| jwk.get("x")).and_then(Value::as_str).expect("text");
        let point = self.own.public_key().as_ref().to_vec();
        self.one_of(&[jwk.to_string().into_bytes(), part.as_bytes().to_vec(), point, Vec::new()])
    }

    pub(crate) fn own_jwk(&self) -> Value {
        let (x, y) = self.own.public_key().as_ref()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "kid": EC_KEY, "x": base64url(x), "y": base64url(y)})
    }
}
