//! The service on an empty stage.

use std::sync::Arc;

use ledgerfold::{
    ports::{GenerationReader, ReadTable, RowReader},
    project::{Projection, Projector, ProjectorPorts},
    query::{LiveRows, LiveTallies},
};
use ledgerfold_testkit::{ManualClock, MemoryGenerationStore, MemoryReadTable, SeededRandom};
use orders::{
    http::{QueryService, ReadTables, Readable},
    read_models::{CustomerOrders, Dashboard, OrderViews, Shipments, catalog, projection},
};
use serde_json::json;

use crate::world::{Answer, World, get, no_skips};

/// An empty stage.
#[derive(Default)]
struct Stage {
    generations: Arc<MemoryGenerationStore>,
    order_views: Arc<MemoryReadTable>,
    customer_orders: Arc<MemoryReadTable>,
    shipments: Arc<MemoryReadTable>,
    dashboard: Arc<MemoryReadTable>,
}

impl Stage {
    fn table(&self, name: &str) -> Arc<MemoryReadTable> {
        let table = match name {
            projection::ORDER_VIEW => &self.order_views,
            projection::CUSTOMER_ORDERS => &self.customer_orders,
            projection::SHIPMENT => &self.shipments,
            projection::DASHBOARD => &self.dashboard,
            other => unreachable!("no table for {other}"),
        };
        table.clone()
    }

    fn rows<P: Projection>(&self, projection: &'static str) -> Readable<dyn RowReader> {
        let (table, generations) = (self.table(projection), self.generations.clone());
        let table = Arc::new(LiveRows::new::<P>(projection, table, generations));
        Readable { table, skips: no_skips() }
    }

    fn queries(&self, world: &World) -> QueryService {
        let (table, generations) = (self.table(projection::DASHBOARD), self.generations.clone());
        let dashboard = LiveTallies::new::<Dashboard>(projection::DASHBOARD, table, generations);
        let tables = ReadTables {
            order_views: self.rows::<OrderViews>(projection::ORDER_VIEW),
            customer_orders: self.rows::<CustomerOrders>(projection::CUSTOMER_ORDERS),
            shipments: self.rows::<Shipments>(projection::SHIPMENT),
            dashboard: Readable { table: Arc::new(dashboard), skips: no_skips() },
        };
        QueryService::new(world.log.clone(), tables)
    }
}

async fn answer(queries: &QueryService, path: &str) -> Answer {
    let response = queries.answer(&get(path)).await;
    Answer::from(response.unwrap_or_else(|problem| problem.into_response("request-1")))
}

#[tokio::test]
async fn every_read_model_works_from_an_empty_stage() {
    let (stage, world) = (Stage::default(), World::new());
    world.clock.set("2026-11-23T09:00:00Z".parse().expect("an instant"));
    let queries = stage.queries(&world);
    let dashboard = "/dashboard?from=2026-11-01&to=2026-11-30";
    let empty = answer(&queries, dashboard).await;
    assert_eq!((empty.status, &empty.body["days"]), (200, &json!([])));

    let id = world.place("a").await;
    let paths = [format!("/orders/{id}"), format!("/orders/{id}/shipment")];
    for path in paths.iter().map(String::as_str).chain(["/customers/c-1/orders", dashboard]) {
        assert_eq!(answer(&queries, path).await.status, 200, "{path} before any projector");
    }
    for name in catalog().projections() {
        let table: Arc<dyn ReadTable> = stage.table(name);
        let models = catalog().models(name, table).expect("it is in the catalog");
        let revision = models.newest();
        let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
        let ports = ProjectorPorts { log: world.log.clone(), skips: no_skips(), clock, random };
        let projector = Projector::of_generations(models, stage.generations.clone(), ports);
        projector.check().await.expect("it starts");
        assert_eq!(projector.project(world.deliveries()).await, [], "{name}");
        let record = stage.generations.read(name).await.expect("it can be read");
        assert_eq!(record.map(|record| record.live().revision), Some(revision), "{name}");
    }
    let counted = answer(&queries, dashboard).await;
    assert_eq!((counted.status, &counted.body["days"][0]["placed"]), (200, &json!(1)));
    let listed = answer(&queries, "/customers/c-1/orders").await;
    assert_eq!(listed.body["items"][0]["id"], json!(id));
}
