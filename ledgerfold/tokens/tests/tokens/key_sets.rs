//! Key sets: which keys are used, and which texts are none.

use ledgerfold_tokens::{
    InvalidKeySet, KeySet, MAX_KEY_SET_BYTES, TrustedIssuer, Unusable, Verifier,
};
use serde_json::{Value, json};

use crate::signers::{AUDIENCE, EC_KEY, ISSUER, Signers, base64url, block_on, claims, now, with};

fn parse(keys: &Value) -> Result<KeySet, InvalidKeySet> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
}

#[test]
fn a_key_that_cannot_verify_a_token_is_left_out_with_the_reason() {
    let signers = Signers::new();
    let ec = signers.jwk("ES256", "ec");
    let rsa = signers.jwk("RS256", "rsa");
    let modulus = |bits: usize| {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes[0] = 0xff >> (bytes.len() * 8 - bits);
        base64url(bytes)
    };
    for (key, reason) in [
        (json!({"kty": "oct", "kid": "1", "k": "c2VjcmV0"}), Unusable::Kind),
        (json!({"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "AA"}), Unusable::Kind),
        (with(ec.clone(), json!({"crv": "P-384"})), Unusable::Kind),
        (json!("key"), Unusable::Kind),
        (json!({}), Unusable::Kind),
        (with(rsa.clone(), json!({"use": "enc"})), Unusable::Use),
        (with(rsa.clone(), json!({"alg": "PS256"})), Unusable::Use),
        (with(rsa.clone(), json!({"alg": "RSA-OAEP"})), Unusable::Use),
        (with(ec.clone(), json!({"alg": "RS256"})), Unusable::Use),
        (with(ec.clone(), json!({"key_ops": ["sign"]})), Unusable::Use),
        (with(ec.clone(), json!({"kid": null})), Unusable::NoId),
        (with(ec.clone(), json!({"d": "AA"})), Unusable::Private),
        (with(ec.clone(), json!({"x": "AA"})), Unusable::Malformed),
        (with(ec.clone(), json!({"y": "!"})), Unusable::Malformed),
        (with(rsa.clone(), json!({"n": ""})), Unusable::Malformed),
        (with(rsa.clone(), json!({"e": null})), Unusable::Malformed),
        (with(rsa.clone(), json!({"n": modulus(2_047)})), Unusable::Size),
        (with(rsa.clone(), json!({"n": modulus(1_024)})), Unusable::Size),
        (with(rsa.clone(), json!({"n": modulus(8_193)})), Unusable::Size),
    ] {
        let alone = parse(&json!([key]));
        assert_eq!(alone, Err(InvalidKeySet::NoKey(Some(reason))), "{key}");
        let set = parse(&json!([key, signers.jwk("ES256", "good")])).expect("one key is good");
        assert!(set.has("good"), "{key}");
        assert_eq!(set.ignored().len(), 1, "{key}");
        assert_eq!(set.ignored()[0].reason, reason, "{key}");
    }
    for key in [
        with(ec.clone(), json!({"use": "sig", "alg": "ES256", "key_ops": ["verify"]})),
        with(rsa.clone(), json!({"use": "sig", "alg": "RS256", "x5c": ["…"], "x5t": "…"})),
        with(rsa.clone(), json!({"n": modulus(2_048)})),
        with(rsa, json!({"n": modulus(8_192)})),
    ] {
        assert!(parse(&json!([key])).is_ok(), "{key}");
    }
}

#[test]
fn another_text_is_no_key_set() {
    let long = format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(MAX_KEY_SET_BYTES));
    assert_eq!(KeySet::parse(long.as_bytes()), Err(InvalidKeySet::TooLong));
    for text in ["", "null", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": [], "keys": []}"#, "<html>"]
    {
        assert_eq!(KeySet::parse(text.as_bytes()), Err(InvalidKeySet::Malformed), "{text}");
    }
    assert_eq!(KeySet::parse(br#"{"keys": []}"#), Err(InvalidKeySet::NoKey(None)));
}

#[test]
fn a_zero_before_the_modulus_changes_nothing() {
    let signers = Signers::new();
    let rsa = signers.jwk("RS256", "rsa-1");
    // "A" and six zero bits shift the text; a whole zero byte needs the bytes.
    let modulus = rsa["n"].as_str().expect("text");
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, modulus);
    let padded = base64url([vec![0], bytes.expect("base64url")].concat());
    let keys = parse(&json!([with(rsa, json!({"n": padded}))])).expect("a key set");
    let verifier = Verifier::new(TrustedIssuer::new(ISSUER, AUDIENCE).expect("an issuer"), keys);
    assert!(block_on(verifier.verify(&signers.token("RS256", &claims()), now())).is_ok());
}

#[test]
fn keys_of_both_algorithms_may_share_an_id() {
    let signers = Signers::new();
    let keys = parse(&json!([signers.jwk("RS256", EC_KEY), signers.jwk("ES256", EC_KEY)]));
    let issuer = TrustedIssuer::new(ISSUER, AUDIENCE).expect("an issuer");
    let verifier = Verifier::new(issuer, keys.expect("a key set"));
    assert!(block_on(verifier.verify(&signers.token("ES256", &claims()), now())).is_ok());
    let header = json!({"alg": "RS256", "kid": EC_KEY}).to_string();
    let token = signers.token_of("RS256", &header, &claims().to_string());
    assert!(block_on(verifier.verify(&token, now())).is_ok());
}
