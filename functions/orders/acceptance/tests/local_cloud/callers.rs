//! Requests without a valid token. A stack without an issuer has no authentication, and answers everybody.

use reqwest::Method;

use crate::world::World;
use acceptance::checks::refused;

// Guards: a-request-without-a-caller-reaches-no-handler
#[tokio::test]
async fn a_request_without_a_valid_token_is_refused_on_every_path() {
    let world = World::shared();
    if world.stack.auth.is_none() {
        return;
    }
    let order = world.placed().await;
    let client = world.impatient();
    let other = client.with_token("eyJhbGciOiJub25lIn0.e30.").expect("a token");
    for client in [client.without_token(), other] {
        for (method, path) in [
            (Method::GET, format!("/orders/{}", order.id)),
            (Method::GET, "/orders/none".to_owned()),
            (Method::GET, format!("/customers/{}/orders", order.customer)),
            (Method::POST, "/orders".to_owned()),
            (Method::POST, format!("/orders/{}/cancel", order.id)),
        ] {
            let problem = refused(client.request(method, &path), 401, &path).await;
            assert_eq!(problem.name(), "unauthorized", "{path}");
        }
    }
    assert_eq!(world.commits(&order.id).await, 1);
}
