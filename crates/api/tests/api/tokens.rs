//! JSON Web Tokens: signed here with ring, as an issuer would.

use std::io::Write;
use std::num::NonZero;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use gristmill_api::{KeySource, Options, TokenKeys, TokenOptions, Tokens};
use gristmill_core::{OrganizationId, UserId};
use gristmill_store::{Actor, System, Tenant};
use gristmill_testkit::TestDatabase;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use ring::{hmac, signature};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::world::{Answer, BASE, World, add_organization, options};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// A key of these tests and of nothing else.
const RSA: &str = include_str!("rsa_key.b64");

pub(crate) async fn a_token_acts_for_its_bearer(database: TestDatabase) {
    let mut world = world(database, hs256()).await;
    let (organization, user) = owner(&world).await;
    world.key = hs(&claims(&organization, &user), SECRET);
    let workflow = world.workflow().await;
    assert_eq!(
        world.get(&format!("{BASE}/workflows/{workflow}")).await.status,
        200
    );
    let entry = world.get(&format!("{BASE}/audit?limit=1")).await.json()["entries"][0].clone();
    assert_eq!(entry["object"]["id"], workflow);
    assert_eq!(entry["actor"], json!({"userId": user, "keyId": null}));
    // A key that a token makes is its bearer's.
    let made = world
        .post(&format!("{BASE}/keys"), &json!({"name": "mine"}))
        .await
        .json();
    assert_eq!(made["key"]["userId"], user.as_str());
    made["apiKey"].as_str().unwrap().clone_into(&mut world.key);
    assert_eq!(
        world.get(&format!("{BASE}/workflows/{workflow}")).await.status,
        200
    );
}

pub(crate) async fn a_token_that_is_not_to_be_believed_is_refused(database: TestDatabase) {
    let mut world = world(database, hs256()).await;
    let (organization, user) = owner(&world).await;
    let good = claims(&organization, &user);
    let (elsewhere, _) = add_organization(&world.store).await;
    let with = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        hs(&claims, SECRET)
    };
    let whole = hs(&good, SECRET);
    let parts: Vec<_> = whole.split('.').collect();
    let swapped = with("sub", json!(UserId::new()));
    let swapped: Vec<_> = swapped.split('.').collect();
    for (token, why) in [
        (
            hs(&good, "another secret, just as long as that"),
            "signature is wrong",
        ),
        // Another's claims under this signature.
        (
            format!("{}.{}.{}", parts[0], swapped[1], parts[2]),
            "signature is wrong",
        ),
        (with("exp", json!(now() - 3_600)), "expired"),
        (with("exp", json!("9999999999")), "`exp`"),
        (with("exp", Value::Null), "`exp`"),
        (with("nbf", json!(now() + 3_600)), "not valid yet"),
        (with("nbf", json!("1")), "`nbf`"),
        (with("iss", json!("https://else.example")), "issuer"),
        (with("iss", Value::Null), "`iss`"),
        (with("aud", json!("else")), "audience"),
        (with("aud", json!([])), "audience"),
        (with("aud", Value::Null), "`aud`"),
        (with("sub", Value::Null), "`sub`"),
        (with("sub", json!("ada")), "`sub`"),
        (with("sub", json!(7)), "`sub`"),
        (with("org", Value::Null), "`org`"),
        (with("org", json!("acme")), "`org`"),
        // Signed well, and about people who are none of the organization's.
        (with("sub", json!(UserId::new())), "no member"),
        (with("org", json!(elsewhere)), "no member"),
        (with("org", json!(OrganizationId::new())), "no member"),
        ("a.b.c".to_owned(), "cannot be read"),
        (format!("{}.{}", parts[0], parts[1]), "cannot be read"),
        (format!("{whole}."), "cannot be read"),
    ] {
        world.key.clone_from(&token);
        let problem = ask(&world).await.problem(401, "unauthenticated");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{why}: {detail}");
        assert!(!detail.contains(SECRET), "{detail}");
    }
    for token in [
        whole.clone(),
        with("aud", json!(["else", "gristmill"])),
        // Within the leeway.
        with("exp", json!(now() - 5)),
        with("nbf", json!(now() + 5)),
    ] {
        world.key = token;
        ask(&world).await.problem(404, "not-found");
    }
}

pub(crate) async fn a_token_does_not_choose_how_it_is_verified(database: TestDatabase) {
    let set = file(&json!({"keys": [rsa_jwk("a"), ec_jwk("b", &ec_key())]}));
    let mut world = world(database, TokenKeys::Rs256(source(&set))).await;
    let (organization, user) = owner(&world).await;
    let claims = claims(&organization, &user);
    let modulus = components().n;
    for token in [
        unsigned(&json!({"alg": "none"}), &claims),
        unsigned(&json!({"alg": "NONE", "kid": "a"}), &claims),
        unsigned(&json!({"alg": "RS256", "kid": "a"}), &claims),
        unsigned(&json!({"kid": "a"}), &claims),
        // The public key as an HMAC secret.
        signed(&json!({"alg": "HS256", "kid": "a"}), &claims, |message| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &modulus);
            hmac::sign(&key, message).as_ref().to_vec()
        }),
        // Another algorithm of the same key.
        signed(&json!({"alg": "RS512", "kid": "a"}), &claims, |message| {
            rsa_sign(message, &signature::RSA_PKCS1_SHA512)
        }),
        // Extensions that have to be understood.
        signed(
            &json!({"alg": "RS256", "kid": "a", "crit": ["b64"], "b64": false}),
            &claims,
            |message| rsa_sign(message, &RSA_PKCS1_SHA256),
        ),
        // A key that the token brings itself is no key.
        signed(
            &json!({"alg": "RS256", "kid": "z", "jwk": rsa_jwk("z")}),
            &claims,
            |message| rsa_sign(message, &RSA_PKCS1_SHA256),
        ),
    ] {
        world.key = token;
        ask(&world).await.problem(401, "unauthenticated");
    }
    world.key = rs(&claims, Some("a"));
    ask(&world).await.problem(404, "not-found");
}

pub(crate) async fn tokens_of_public_keys_are_believed(database: TestDatabase) {
    let (ours, theirs) = (ec_key(), ec_key());
    let set = file(&json!({"keys": [ec_jwk("ours", &ours), rsa_jwk("rsa")]}));
    let mut world = world(database, TokenKeys::Es256(source(&set))).await;
    let (organization, user) = owner(&world).await;
    let claims = claims(&organization, &user);
    // With one key of the kind, its name may be left out.
    for kid in [Some("ours"), None] {
        world.key = es(&claims, kid, &ours);
        ask(&world).await.problem(404, "not-found");
    }
    for (kid, key) in [
        (Some("ours"), &theirs),
        (None, &theirs),
        (Some("theirs"), &theirs),
        (Some("rsa"), &ours),
    ] {
        world.key = es(&claims, kid, key);
        ask(&world).await.problem(401, "unauthenticated");
    }
}

pub(crate) async fn a_membership_that_ends_ends_the_tokens_access(database: TestDatabase) {
    let mut world = world(database, hs256()).await;
    let (organization, user) = owner(&world).await;
    world.key = hs(&claims(&organization, &user), SECRET);
    ask(&world).await.problem(404, "not-found");
    let tenant = Tenant(organization);
    let removed = world.store.remove_member(&tenant, &Actor::OPERATOR, &user).await;
    assert_eq!(removed.unwrap(), Some(1));
    let problem = ask(&world).await.problem(401, "unauthenticated");
    assert!(
        problem["detail"].as_str().unwrap().contains("no member"),
        "{problem}"
    );
}

pub(crate) async fn without_keys_nothing_is_believed_and_nothing_refused_for_good(database: TestDatabase) {
    let nowhere = KeySource::File("/nowhere/keys.json".into());
    let mut world = world(database, TokenKeys::Rs256(nowhere)).await;
    let (organization, user) = owner(&world).await;
    let key = std::mem::replace(&mut world.key, rs(&claims(&organization, &user), Some("a")));
    let answer = ask(&world).await;
    answer.problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    // Keys go on.
    world.key = key;
    ask(&world).await.problem(404, "not-found");
}

pub(crate) async fn tokens_are_refused_where_none_are_configured(database: TestDatabase) {
    let mut world = World::on(database).await;
    let (organization, user) = owner(&world).await;
    world.key = hs(&claims(&organization, &user), SECRET);
    ask(&world).await.problem(401, "unauthenticated");
}

pub(crate) async fn all_tokens_of_a_member_have_one_rate(database: TestDatabase) {
    let slow = Options {
        requests_per_second: 1,
        request_burst: NonZero::new(50).unwrap(),
        ..options()
    };
    let mut world = world_with(database, hs256(), slow).await;
    let (organization, user) = owner(&world).await;
    let mut claims = claims(&organization, &user);
    let mut admitted = 0;
    for expiry in [600, 601] {
        claims["exp"] = json!(now() + expiry);
        world.key = hs(&claims, SECRET);
        let answers = join_all((0..60).map(|_| ask(&world))).await;
        admitted += answers.iter().filter(|answer| answer.status == 404).count();
    }
    // A burst, and one a second: with a rate for each token it would be two bursts.
    assert!((50..100).contains(&admitted), "{admitted}");
}

/// An API that believes these keys' tokens and remembers nobody.
async fn world(database: TestDatabase, keys: TokenKeys) -> World {
    world_with(database, keys, options()).await
}

async fn world_with(database: TestDatabase, keys: TokenKeys, options: Options) -> World {
    // The client that fetches key sets insists on one.
    rustls::crypto::ring::default_provider().install_default().ok();
    let tokens = TokenOptions {
        keys,
        issuer: "https://issuer.example".to_owned(),
        audience: "gristmill".to_owned(),
        organization_claim: "org".to_owned(),
        leeway: Duration::from_secs(30),
    };
    let options = Options {
        key_ttl: Duration::ZERO,
        tokens: Some(Tokens::new(tokens).unwrap()),
        ..options
    };
    World::with(database, options).await
}

/// A request that needs nothing but to be let in: 404.
async fn ask(world: &World) -> Answer {
    world.get(&format!("{BASE}/workflows/wf_none")).await
}

async fn owner(world: &World) -> (OrganizationId, UserId) {
    let owner = world.store.first_organization(System).await.unwrap().unwrap();
    (owner.organization_id, owner.user_id)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims(organization: &OrganizationId, user: &UserId) -> Value {
    json!({
        "iss": "https://issuer.example", "aud": "gristmill", "sub": user, "org": organization, "exp": now() + 600,
    })
}

fn hs256() -> TokenKeys {
    TokenKeys::Hs256(SECRET.to_owned().into())
}

fn hs(claims: &Value, secret: &str) -> String {
    signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, |message| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        hmac::sign(&key, message).as_ref().to_vec()
    })
}

fn rs(claims: &Value, kid: Option<&str>) -> String {
    signed(&json!({"alg": "RS256", "kid": kid}), claims, |message| {
        rsa_sign(message, &RSA_PKCS1_SHA256)
    })
}

fn es(claims: &Value, kid: Option<&str>, key: &EcdsaKeyPair) -> String {
    signed(&json!({"alg": "ES256", "kid": kid}), claims, |message| {
        key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    })
}

fn unsigned(header: &Value, claims: &Value) -> String {
    signed(header, claims, |_| Vec::new())
}

fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", text(header), text(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn rsa_key() -> RsaKeyPair {
    let der: String = RSA.split_whitespace().collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap()
}

fn rsa_sign(message: &[u8], encoding: &'static dyn signature::RsaEncoding) -> Vec<u8> {
    let key = rsa_key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

fn components() -> PublicKeyComponents<Vec<u8>> {
    PublicKeyComponents::from(rsa_key().public())
}

fn rsa_jwk(kid: &str) -> Value {
    let PublicKeyComponents { n, e } = components();
    json!({
        "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
        "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e),
    })
}

fn ec_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

fn ec_jwk(kid: &str, key: &EcdsaKeyPair) -> Value {
    // An uncompressed point: one byte that says so, then x and y.
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    json!({
        "kty": "EC", "kid": kid, "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    })
}

fn file(set: &Value) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "{set}").unwrap();
    file
}

fn source(file: &NamedTempFile) -> KeySource {
    KeySource::File(file.path().to_owned())
}
