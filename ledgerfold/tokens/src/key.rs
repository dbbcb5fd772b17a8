//! The public keys of an issuer.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The first byte of a point with both coordinates: SEC 1, section 2.3.3.
const UNCOMPRESSED: u8 = 4;
const P256_COORDINATE_BYTES: usize = 32;
/// The bits of a modulus. Shorter ones are weak, and longer ones only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// An algorithm of signatures that we accept. All others are refused, above all `none`, and those with a shared secret,
/// with which everybody who knows the public key could sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on the curve P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA, PKCS #1 version 1.5, with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// The name in a token's header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Es256, Self::Rs256].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A key that verifies signatures of one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VerifyingKey {
    /// A point of P-256, uncompressed.
    Es256(Vec<u8>),
    /// Modulus and exponent, as big-endian bytes without leading zeros.
    Rs256 { n: Vec<u8>, e: Vec<u8> },
}

/// Why a key of a key set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is neither an EC key on P-256 nor an RSA key.
    #[error("it is neither an EC key on P-256 nor an RSA key")]
    Kind,
    /// It is for encryption, or for another algorithm.
    #[error("it is not for signatures with ES256 or RS256")]
    Use,
    /// It has no `kid`, so no token can name it.
    #[error("it has no kid")]
    NoId,
    /// Its private half is in the set, so that everybody can sign with it.
    #[error("its private half is public")]
    Private,
    /// Its numbers are missing or malformed.
    #[error("its numbers are missing or malformed")]
    Malformed,
    /// The modulus has fewer than 2,048 or more than 8,192 bits.
    #[error("its modulus does not have 2,048 to 8,192 bits")]
    Size,
}

impl VerifyingKey {
    /// Reads a JWK: RFC 7517, section 4, and RFC 7518, section 6.
    pub(crate) fn of_jwk(jwk: &Value) -> Result<Self, Unusable> {
        let key = match jwk.get("kty").and_then(Value::as_str) {
            Some("EC") if jwk.get("crv").and_then(Value::as_str) == Some("P-256") => ec(jwk)?,
            Some("RSA") => rsa(jwk)?,
            _ => return Err(Unusable::Kind),
        };
        if jwk.get("d").is_some() {
            return Err(Unusable::Private);
        }
        if is_for(jwk, key.algorithm()) { Ok(key) } else { Err(Unusable::Use) }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Rs256 { .. } => Algorithm::Rs256,
        }
    }

    /// Whether this key has made the signature of this text.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed, signature)
                .is_ok(),
            Self::Rs256 { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
                .is_ok(),
        }
    }
}

/// Whether a key serves to verify signatures of an algorithm. Each of the three members is optional.
fn is_for(jwk: &Value, algorithm: Algorithm) -> bool {
    let names = |value: &Value, name: &str| value.as_str() == Some(name);
    let may_verify = |operations: &Value| {
        operations.as_array().is_some_and(|all| all.iter().any(|one| names(one, "verify")))
    };
    jwk.get("use").is_none_or(|value| names(value, "sig"))
        && jwk.get("key_ops").is_none_or(may_verify)
        && jwk.get("alg").is_none_or(|value| names(value, algorithm.name()))
}

fn ec(jwk: &Value) -> Result<VerifyingKey, Unusable> {
    let mut point = vec![UNCOMPRESSED];
    for name in ["x", "y"] {
        let coordinate = number(jwk, name)?;
        if coordinate.len() != P256_COORDINATE_BYTES {
            return Err(Unusable::Malformed);
        }
        point.extend(coordinate);
    }
    Ok(VerifyingKey::Es256(point))
}

/// Some issuers write a zero before a modulus whose first bit is set (RFC 7518, section 6.3.1.1). It changes nothing.
fn rsa(jwk: &Value) -> Result<VerifyingKey, Unusable> {
    let natural = |name| {
        let bytes = number(jwk, name)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let digits: Vec<u8> = bytes.into_iter().skip(zeros).collect();
        if digits.is_empty() { Err(Unusable::Malformed) } else { Ok(digits) }
    };
    let n: Vec<u8> = natural("n")?;
    let e = natural("e")?;
    let missing_bits = n.first().map_or(0, |byte| byte.leading_zeros());
    let bits = usize::try_from(missing_bits).map(|missing| n.len() * 8 - missing);
    if bits.is_ok_and(|bits| RSA_BITS.contains(&bits)) {
        Ok(VerifyingKey::Rs256 { n, e })
    } else {
        Err(Unusable::Size)
    }
}

fn number(jwk: &Value, name: &str) -> Result<Vec<u8>, Unusable> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or(Unusable::Malformed)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Unusable::Malformed)
}
