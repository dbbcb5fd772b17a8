//! What each role may do with an order, and that tenants never meet.

use ledgerfold::{Caller, Granted, Role, Subject, TenantId, Via};
use ledgerfold_lambda::http::Request;
use serde_json::json;

use crate::world::{Answer, World, body, get, order, post};

const DASHBOARD: &str = "/dashboard?from=1970-01-01&to=1970-01-02";

fn caller(tenant: &str, subject: &str, role: &'static str) -> Caller {
    Caller {
        tenant: TenantId::new(tenant).expect("a tenant"),
        subject: Subject::new(subject).expect("a subject"),
        roles: Granted::only([Role::from_static(role)]),
        scopes: Granted::none(),
        via: Via::Token,
    }
}

fn customer(subject: &str) -> Caller {
    caller("default", subject, "customer")
}

fn staff() -> Caller {
    caller("default", "sam", "staff")
}

impl World {
    async fn by(&self, caller: &Caller, request: Request) -> Answer {
        self.send(&Request { caller: caller.clone(), ..request }).await
    }

    async fn placed_by(&self, caller: &Caller, key: &str) -> String {
        let placed = self.by(caller, post("/orders", key, order().to_string())).await;
        assert_eq!(placed.status, 201, "{placed:?}");
        placed.body["id"].as_str().expect("an id").to_owned()
    }

    async fn step_by(&self, caller: &Caller, id: &str, step: &str) -> Answer {
        let key = format!("{}-{step}", caller.subject);
        self.by(caller, post(&format!("/orders/{id}/{step}"), &key, body(step).to_string())).await
    }
}

/// All reads of one order.
fn reads(id: &str) -> [String; 5] {
    [
        format!("/orders/{id}"),
        format!("/orders/{id}?version=1"),
        format!("/orders/{id}?at=2100-01-01T00:00:00Z"),
        format!("/orders/{id}/events"),
        format!("/orders/{id}/shipment"),
    ]
}

// Guards: everybody-sees-only-their-own
#[tokio::test]
async fn a_customer_places_pays_cancels_and_sees_its_own_orders_only() {
    let world = World::new();
    let ada = customer("c-1");
    let bob = customer("c-2");
    let foreign = world.by(&bob, post("/orders", "k", order().to_string())).await;
    assert_eq!((foreign.status, foreign.problem()), (403, "forbidden"), "for somebody else");
    let id = world.placed_by(&ada, "k").await;
    for project in [false, true] {
        if project {
            world.project().await;
        }
        for path in reads(&id) {
            assert_eq!(world.by(&ada, get(&path)).await.status, 200, "{path}");
            assert_eq!(world.by(&staff(), get(&path)).await.status, 200, "{path}");
            let hidden = world.by(&bob, get(&path)).await;
            let missing = world.by(&bob, get(&path.replace(&id, "missing"))).await;
            assert_eq!((hidden.status, &hidden.body["detail"]), (404, &missing.body["detail"]));
        }
    }
    assert_eq!(
        world.by(&ada, get("/customers/c-1/orders")).await.body["items"][0]["id"],
        json!(id)
    );
    assert_eq!(world.by(&staff(), get("/customers/c-1/orders")).await.status, 200);
    for customer in ["c-1", "nobody"] {
        let list = world.by(&bob, get(&format!("/customers/{customer}/orders"))).await;
        assert_eq!((list.status, list.problem()), (404, "not-found"), "{customer}");
    }
    for step in ["pay", "cancel", "ship", "deliver"] {
        let hidden = world.step_by(&bob, &id, step).await;
        let missing = world.step_by(&bob, "missing", step).await;
        assert_eq!(
            (hidden.status, &hidden.body["detail"]),
            (404, &missing.body["detail"]),
            "{step}"
        );
    }
    assert_eq!(world.step_by(&ada, &id, "pay").await.status, 200);
    for step in ["ship", "deliver"] {
        let refused = world.step_by(&ada, &id, step).await;
        assert_eq!((refused.status, refused.problem()), (403, "forbidden"), "{step}");
    }
    assert_eq!(world.step_by(&ada, &id, "cancel").await.status, 200);
}

// Guards: everybody-sees-only-their-own
#[tokio::test]
async fn only_staff_ships_delivers_and_sees_the_dashboard() {
    let world = World::new();
    let id = world.placed_by(&staff(), "k").await;
    for step in ["pay", "ship", "deliver"] {
        assert_eq!(world.step_by(&staff(), &id, step).await.status, 200, "{step}");
    }
    assert_eq!(world.by(&staff(), get(DASHBOARD)).await.status, 200);
    let nobody = Caller { roles: Granted::none(), ..staff() };
    for other in [customer("c-1"), nobody] {
        let refused = world.by(&other, get(DASHBOARD)).await;
        assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
    }
}

// Guards: tenants-never-meet
#[tokio::test]
async fn two_tenants_with_equal_ids_and_keys_see_what_each_sees_alone() {
    let tenants = ["acme", "zeta"].map(|tenant| caller(tenant, "sam", "staff"));
    let [together, first, second] = [World::new(), World::new(), World::new()];
    for (tenant, alone) in tenants.iter().zip([&first, &second]) {
        for world in [&together, alone] {
            let id = world.placed_by(tenant, "same").await;
            let paid = world.step_by(tenant, &id, "pay").await;
            assert_eq!(paid.status, 200);
            if tenant.tenant.as_str() == "zeta" {
                assert_eq!(world.step_by(tenant, &id, "ship").await.status, 200);
            }
            let again = world.step_by(tenant, &id, "pay").await;
            assert_eq!((again.status, again.body), (200, paid.body), "a repetition");
        }
    }
    for world in [&together, &first, &second] {
        world.project().await;
    }
    for (tenant, alone) in tenants.iter().zip([&first, &second]) {
        let id = alone.placed_by(tenant, "same").await;
        let lists = ["/customers/c-1/orders".to_owned(), DASHBOARD.to_owned()];
        for path in reads(&id).into_iter().chain(lists).filter(|path| !path.ends_with("/events")) {
            let shared = together.by(tenant, get(&path)).await;
            let own = alone.by(tenant, get(&path)).await;
            assert_eq!((shared.status, shared.body), (200, own.body), "{path}");
        }
    }
    let [acme, zeta] = &tenants;
    let id = together.placed_by(acme, "only-acme").await;
    for path in reads(&id) {
        assert_eq!(together.by(zeta, get(&path)).await.status, 404, "{path}");
    }
    assert_eq!(together.step_by(zeta, &id, "pay").await.status, 404);
    let seen = together.step_by(acme, &id, "pay").await;
    let mut with_token = get("/customers/c-1/orders");
    let token = seen.header("Consistency-Token").expect("a token").to_owned();
    with_token.headers.push(("consistency-token".to_owned(), token));
    assert_eq!(together.by(zeta, with_token).await.status, 400, "a token of another tenant");
}
