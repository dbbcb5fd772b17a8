//! Requests without a valid token. A stack without an issuer has no authentication, and answers everybody.

use acceptance::checks::refused;
use banking_acceptance::Patience;

use crate::world::{World, opening, unique};

// Guards: a-request-without-a-caller-reaches-no-handler
#[tokio::test]
async fn a_request_without_a_valid_token_is_refused_on_every_path() {
    let Some(world) = World::with_callers() else { return };
    let account = world.euros(100).await;
    let bank = world.bank.with_patience(Patience::Once);
    let forged = bank.with_token("eyJhbGciOiJub25lIn0.e30.").expect("a token");
    for client in [bank.without_token(), forged] {
        for path in ["/trial-balance", "/transfers/none", "/owners/o-1/accounts"] {
            let problem = refused(client.get(path), 401, path).await;
            assert_eq!(problem.name(), "unauthorized", "{path}");
        }
        let path = format!("/accounts/{}", account.id);
        refused(client.get(&path), 401, &path).await;
        let freeze = client.command(&format!("{path}/freeze"), &unique("key"), &"{}");
        refused(freeze, 401, "a command").await;
        let open = client.command("/accounts", &unique("key"), &opening("o-1", "EUR"));
        refused(open, 401, "a creation").await;
    }
    assert_eq!(world.shown(&account).await.version, 2);
}
