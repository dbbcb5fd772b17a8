//! Ways to forge a token. The tests of HTTP requests in `ledgerfold-lambda` use them too.

use ledgerfold_tokens::MAX_TOKEN_BYTES;
use ring::{hmac, signature::KeyPair};
use serde_json::{Value, json};

use crate::{
    forger::Forger,
    signers::{AUDIENCE, EC_KEY, ISSUER, NOW, RSA_KEY, base64url, claims, header, with},
};

/// A way to forge a token, with the reasons that it may be refused for. Without a reason, any will do.
pub(crate) type Forgery = (&'static str, fn(&Forger) -> String, &'static [&'static str]);

pub(crate) const FORGERIES: &[Forgery] = &[
    ("wrong key", |f| f.with_own_key(&header("ES256")), &["signature"]),
    ("none", none, &["algorithm"]),
    ("HS256 with the public key", |f| hmac_signed(f, "HS256"), &["algorithm"]),
    ("HMAC under an honest header", |f| hmac_signed(f, f.algorithm), &["signature"]),
    ("other algorithms", other_algorithm, &["algorithm"]),
    ("wrong issuer", wrong_issuer, &["issuer"]),
    ("wrong audience", wrong_audience, &["audience"]),
    ("expired", |f| f.claiming(json!({"exp": NOW - f.seconds(30)})), &["expired"]),
    ("no expiry", |f| f.claiming(json!({"exp": null})), &["missing-claim"]),
    ("no subject", |f| f.claiming(json!({"sub": null})), &["missing-claim"]),
    ("odd claims", odd_claim, &["claim"]),
    ("not yet valid", |f| f.claiming(json!({"nbf": f.seconds(NOW + 31)})), &["not-yet-valid"]),
    ("from the future", |f| f.claiming(json!({"iat": f.seconds(NOW + 31)})), &["issued-in-future"]),
    ("unknown key", unknown_key, &["unknown-key"]),
    (
        "no key",
        |f| f.headed(json!({"kid": f.one_of(&[json!(null), json!(1), json!([EC_KEY])])})),
        &["no-key-id"],
    ),
    ("key of the other algorithm", other_key, &["other-algorithm"]),
    ("repeated claim", repeated_claim, &["repeated-name"]),
    ("repeated header", repeated_header, &["repeated-name"]),
    (
        "huge",
        |f| f.claiming(json!({"x": "x".repeat(MAX_TOKEN_BYTES + f.below(100_000))})),
        &["too-long"],
    ),
    ("truncated", truncated, &[]),
    ("altered", altered, &[]),
    ("other claims", other_claims, &["signature"]),
    ("other signature", other_signature, &["signature"]),
    ("DER", |f| f.signed(&header("ES256"), |text| f.signers.sign_as_der(text)), &["signature"]),
    ("a simple signature", simple_signature, &["signature"]),
    ("a key of its own in the header", own_key, &["signature"]),
    ("extensions", extension, &["extension"]),
    ("deep", deep, &["not-json"]),
    ("another type", another_type, &["type"]),
    ("parts", parts, &["not-three-parts", "not-json", "not-base64url", "not-bearer"]),
    // Claims are not read before their signature was verified.
    ("spelling", spelling, &["not-base64url", "signature"]),
    ("no object", no_object, &["not-json"]),
    ("no bearer", no_bearer, &["not-bearer"]),
];

fn none(f: &Forger) -> String {
    let name = f.one_of(&["none", "None", "NONE", "nOnE", ""]);
    let signature = f.one_of(&[Vec::new(), vec![0; 64]]);
    f.signed(&with(header(f.algorithm), json!({"alg": name})), |_| signature)
}

fn hmac_signed(f: &Forger, name: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &f.public_secret());
    let header = with(header(f.algorithm), json!({"alg": name}));
    f.signed(&header, |text| hmac::sign(&key, text.as_bytes()).as_ref().to_vec())
}

fn other_algorithm(f: &Forger) -> String {
    let names =
        ["ES384", "ES256K", "PS256", "RS512", "EdDSA", "es256", "ES256 ", "RSA-OAEP", "dir"];
    let odd = [json!(null), json!(["ES256"]), json!({"alg": "ES256"}), json!(0)];
    let names: Vec<Value> = names.iter().map(|name| json!(name)).chain(odd).collect();
    f.headed(json!({"alg": f.one_of(&names)}))
}

fn wrong_issuer(f: &Forger) -> String {
    let other = [
        "https://other.example.org",
        "",
        "https://issuer.example.org/",
        "HTTPS://ISSUER.EXAMPLE.ORG",
    ];
    let odd = [json!([ISSUER]), json!(1), json!({"iss": ISSUER}), json!(null)];
    let all: Vec<Value> = other.iter().map(|name| json!(name)).chain(odd).collect();
    f.claiming(json!({"iss": f.one_of(&all)}))
}

fn wrong_audience(f: &Forger) -> String {
    f.claiming(f.one_of(&[
        json!({"aud": null}),
        json!({"aud": "Orders"}),
        json!({"aud": "orders-admin"}),
        json!({"aud": []}),
        json!({"aud": ["a", "b", ["orders"]]}),
        json!({"aud": {"orders": "orders"}}),
        json!({"aud": "other", "client_id": AUDIENCE}),
        json!({"aud": "", "client_id": AUDIENCE}),
        json!({"aud": null, "client_id": "other"}),
        json!({"aud": null, "client_id": [AUDIENCE]}),
        json!({"aud": null, "azp": AUDIENCE}),
    ]))
}

fn odd_claim(f: &Forger) -> String {
    let long = "s".repeat(256);
    f.claiming(f.one_of(&[
        json!({"exp": "1795438800"}),
        json!({"exp": [NOW + 60]}),
        json!({"exp": true}),
        json!({"nbf": "now"}),
        json!({"iat": {}}),
        json!({"sub": ""}),
        json!({"sub": 1}),
        json!({"sub": "ada lovelace"}),
        json!({"sub": long}),
        json!({"sub": ["ada"]}),
        json!({"tenant": ""}),
        json!({"tenant": "acme/other"}),
        json!({"tenant": "acme#order"}),
        json!({"tenant": ".."}),
        json!({"tenant": ["acme"]}),
        json!({"tenant": 1}),
        json!({"roles": {"staff": true}}),
        json!({"roles": ["customer", 1]}),
        json!({"roles": 1}),
        json!({"scope": [["orders:read"]]}),
    ]))
}

fn unknown_key(f: &Forger) -> String {
    let ids = [
        "ec-2",
        "",
        "EC-1",
        "../../../../dev/null",
        "ec-1' OR '1'='1",
        "https://attacker.example.org/",
    ];
    f.headed(json!({"kid": f.one_of(&ids)}))
}

fn other_key(f: &Forger) -> String {
    let other = if f.algorithm == "ES256" { RSA_KEY } else { EC_KEY };
    f.headed(json!({"kid": other}))
}

fn repeated_claim(f: &Forger) -> String {
    let claims = claims().to_string();
    let more = f.one_of(&[
        r#""sub":"mallory""#,
        r#""\u0073ub":"mallory""#,
        r#""x":{"y":1,"y":2}"#,
        r#""exp":9999999999"#,
    ]);
    let repeated = [
        claims.replacen('{', &format!("{{{more},"), 1),
        claims.replace('}', &format!(",{more}}}")),
    ];
    f.signers.token_of(f.algorithm, &header(f.algorithm).to_string(), &f.one_of(&repeated))
}

fn repeated_header(f: &Forger) -> String {
    let more =
        f.one_of(&[r#""alg":"none""#, r#""a\u006cg":"none""#, r#""kid":"ec-2""#, r#""typ":"JWT""#]);
    let header = header(f.algorithm).to_string();
    let repeated = [
        header.replacen('{', &format!("{{{more},"), 1),
        header.replace('}', &format!(",{more}}}")),
    ];
    f.signers.token_of(f.algorithm, &f.one_of(&repeated), &claims().to_string())
}

fn truncated(f: &Forger) -> String {
    let token = f.honest();
    token[..f.below(token.len())].to_owned()
}

fn altered(f: &Forger) -> String {
    let mut token = f.honest().into_bytes();
    let at = f.below(token.len());
    token[at] = if token[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(token).expect("ASCII")
}

fn other_claims(f: &Forger) -> String {
    let honest = f.honest();
    let parts: Vec<&str> = honest.split('.').collect();
    let name = format!("mallory-{}", f.below(1_000));
    let mine = with(claims(), json!({"sub": name, "roles": ["staff"]})).to_string();
    format!("{}.{}.{}", parts[0], base64url(mine), parts[2])
}

fn other_signature(f: &Forger) -> String {
    let honest = f.honest();
    let other = f.claiming(json!({"sub": format!("other-{}", f.below(1_000))}));
    let (signed, _) = honest.rsplit_once('.').expect("dots");
    let (_, signature) = other.rsplit_once('.').expect("dots");
    format!("{signed}.{signature}")
}

/// Signatures that broken verifiers have accepted: zeros (CVE-2022-21449), nothing, and other lengths.
fn simple_signature(f: &Forger) -> String {
    let of_order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&of_order[2 * at..2 * at + 2], 16).expect("hex"))
        .collect();
    let one = [vec![0; 31], vec![1]].concat();
    let bytes = f.one_of(&[
        vec![],
        vec![0],
        vec![0; 63],
        vec![0; 64],
        vec![0; 65],
        vec![0; 256],
        vec![1; 256],
        vec![0xff; 64],
        vec![0xff; 256],
        [order.clone(), order].concat(),
        [one.clone(), one].concat(),
    ]);
    f.signed(&header(f.algorithm), |_| bytes)
}

fn own_key(f: &Forger) -> String {
    let address = "https://attacker.example.org/jwks.json";
    f.with_own_key(&with(
        header("ES256"),
        f.one_of(&[
            json!({"jwk": f.own_jwk()}),
            json!({"jku": address}),
            json!({"x5u": address}),
            json!({"x5c": [base64url(f.own.public_key())]}),
            json!({"jwk": f.own_jwk(), "jku": address, "x5u": address}),
        ]),
    ))
}

fn extension(f: &Forger) -> String {
    f.headed(f.one_of(&[
        json!({"crit": ["b64"], "b64": false}),
        json!({"crit": ["exp"], "exp": NOW + 60}),
        json!({"crit": []}),
        json!({"crit": "exp"}),
        json!({"b64": false}),
        json!({"b64": true}),
    ]))
}

fn deep(f: &Forger) -> String {
    let depth = 200 + f.below(4_000);
    let nested = format!(r#"{{"x":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let open = format!(r#"{{"x":{}"#, r#"{"x":"#.repeat(depth / 5));
    let odd = f.one_of(&[nested, open]);
    let header = header(f.algorithm).to_string();
    if f.below(2) == 0 {
        f.signers.token_of(f.algorithm, &odd, &claims().to_string())
    } else {
        f.signers.token_of(f.algorithm, &header, &odd)
    }
}

fn another_type(f: &Forger) -> String {
    let names = [
        "JWE",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "",
        "application/json",
        "JOSE+JSON",
        "JWT ",
    ];
    let odd = [json!(1), json!(["JWT"]), json!(false)];
    let all: Vec<Value> = names.iter().map(|name| json!(name)).chain(odd).collect();
    f.headed(json!({"typ": f.one_of(&all)}))
}

fn parts(f: &Forger) -> String {
    let token = f.honest();
    let (signed, signature) = token.rsplit_once('.').expect("dots");
    let (header, claims) = signed.split_once('.').expect("dots");
    f.one_of(&[
        signed.to_owned(),
        header.to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{token}.{header}.{claims}"),
        format!(".{claims}.{signature}"),
        "..".to_owned(),
        "....".to_owned(),
        json!({"payload": claims, "protected": header, "signature": signature})
            .to_string()
            .replace(' ', ""),
    ])
}

fn spelling(f: &Forger) -> String {
    let token = f.honest();
    let at = f.below(token.len());
    let odd = f.one_of(&["=", "+", "/", "%2E", "~", "!"]);
    let (signed, signature) = token.rsplit_once('.').expect("dots");
    // Of the last character of 64 or of 256 bytes, four bits do not count.
    let bits = &signature[..signature.len() - 1];
    f.one_of(&[
        format!("{token}=="),
        format!("{}{odd}{}", &token[..at], &token[at..]),
        format!("{signed}.{bits}B"),
        format!(
            "{}==.{}",
            signed.split('.').next().unwrap_or_default(),
            token.split_once('.').expect("dots").1
        ),
    ])
}

fn no_object(f: &Forger) -> String {
    let odd = [
        "",
        "null",
        "[]",
        "\"text\"",
        "1",
        "{",
        "{}{}",
        "{}\0",
        "\u{feff}{}",
        "{'sub':'ada'}",
        "{\"exp\":1e999}",
    ];
    let odd = f.one_of(&odd);
    if f.below(2) == 0 {
        f.signers.token_of(f.algorithm, odd, &claims().to_string())
    } else {
        f.signers.token_of(f.algorithm, &header(f.algorithm).to_string(), odd)
    }
}

fn no_bearer(f: &Forger) -> String {
    let token = f.honest();
    let other = f.honest();
    f.one_of(&[
        format!(" {token}"),
        format!("{token} {other}"),
        format!("{token},{other}"),
        format!("{token}\n"),
        format!("{token}\t{other}"),
        "".to_owned(),
    ])
}
