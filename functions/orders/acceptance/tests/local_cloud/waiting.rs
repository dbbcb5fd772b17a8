//! Queries that wait for a newer version.

use tokio::join;

use crate::world::{World, answered};

const SECONDS: u64 = 5;
/// How often the client asks before it gives up.
const REQUESTS: usize = 24;

#[tokio::test]
async fn a_query_with_the_current_version_waits_for_the_next_one() {
    let world = World::shared();
    let mut order = world.placed().await;
    let id = order.id.clone();
    let shown = world.client.order(&id).consistency_token(&order.token);
    assert_eq!(answered(shown, 200).await.header("etag"), Some("\"1\""));

    let client = world.impatient();
    let next = async {
        for _ in 0..REQUESTS {
            let request = client.order(&id).if_none_match("\"1\"").prefer_wait(SECONDS);
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.header("preference-applied"), Some("wait=5"), "{answer:?}");
            if answer.status() == 200 {
                return answer.version();
            }
            assert_eq!((answer.status(), answer.text().as_str()), (304, ""), "{answer:?}");
        }
        None
    };
    let (next, _) = join!(next, world.pay(&mut order));
    assert_eq!(next, Some(2));
}
