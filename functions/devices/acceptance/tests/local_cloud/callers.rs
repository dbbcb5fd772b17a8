//! Requests without a valid token. A stack without an issuer has no authentication, and answers everybody.

use acceptance::checks::refused;

use crate::world::{METRIC, World, numbered, registration, unique};

// Guards: a-request-without-a-caller-reaches-no-handler
#[tokio::test]
async fn a_request_without_a_valid_token_is_refused_on_every_path() {
    let Some(world) = World::with_callers() else { return };
    let id = world.device().await;
    let operator = world.impatient();
    let forged = operator.with_token("eyJhbGciOiJub25lIn0.e30.").expect("a token");
    for client in [operator.without_token(), forged] {
        for path in [
            format!("/devices/{id}"),
            format!("/devices/{id}/timeline?metric={METRIC}"),
            "/sites/s-1/devices".to_owned(),
            "/fleet?from=2026-11-29&to=2026-11-29".to_owned(),
        ] {
            let problem = refused(client.get(&path), 401, &path).await;
            assert_eq!(problem.name(), "unauthorized", "{path}");
        }
        let path = format!("/devices/{id}/readings");
        let batch = client.request(reqwest::Method::POST, &path).json(&numbered(1, [1]));
        refused(batch, 401, "a batch").await;
        let register = client.command("/devices", &unique("key"), &registration(None, "s-1"));
        refused(register, 401, "a registration").await;
    }
    let device = world.operator.device(&id);
    let shown = crate::world::answered(device, 200).await;
    assert_eq!(shown.version(), Some(1));
}
