//! Manual changes that no function of the product can make: overwritten commits, unknown events, and events on the bus
//! that are not in the log. Only a test that has the stack for itself may use them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Aws, AwsError, event_table::stream_of, explain};

type Item = HashMap<String, AttributeValue>;

impl Aws {
    /// Puts a commit with one event of this type at this version of an order's stream, replacing any other. All its
    /// other attributes are copied from the order's first commit.
    ///
    /// # Errors
    /// If the first commit cannot be read, or the table refuses.
    pub async fn write_by_hand(
        &self,
        order: &str,
        version: u64,
        event_type: &str,
        data: &Value,
    ) -> Result<(), AwsError> {
        let mut item = self.first_commit(order).await?;
        let id = Uuid::new_v4();
        let events = json!([{"i": id.to_string(), "t": event_type, "v": 1, "d": data}]);
        for (name, value) in [
            ("sk", AttributeValue::N(version.to_string())),
            ("to", AttributeValue::N(version.to_string())),
            ("e", AttributeValue::S(events.to_string())),
            ("c", AttributeValue::S(format!("by-hand-{}", id.simple()))),
            ("n", AttributeValue::S("ByHand".to_owned())),
        ] {
            item.insert(name.to_owned(), value);
        }
        self.tables
            .put_item()
            .table_name(&self.stack.contexts["orders"].event_table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(explain("PutItem"))?;
        Ok(())
    }

    /// Publishes an event of this type and version on behalf of the orders context, in the relay's form but without its
    /// signature.
    ///
    /// # Errors
    /// If the bus refuses it.
    pub async fn forge(
        &self,
        order: &str,
        version: u64,
        event_type: &str,
        data: &Value,
    ) -> Result<(), AwsError> {
        const CALL: &str = "PutEvents";
        let id = Uuid::new_v4().to_string();
        let event = json!({
            "specversion": "1.0", "id": id, "source": "/ledgerfold/orders", "type": event_type,
            "subject": stream_of(order), "time": jiff::Timestamp::now(),
            "datacontenttype": "application/json", "data": data,
            "dataschema": format!("urn:ledgerfold:orders:{event_type}:1"),
            "sequence": version, "commitfrom": version, "committo": version,
            "commandid": id, "correlationid": id, "causationid": id, "actor": "neighbour",
        });
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.stack.bus)
            .source("ledgerfold.orders")
            .detail_type(event_type)
            .detail(event.to_string());
        let answer = self.events.put_events().entries(entry.build()).send().await;
        match answer.map_err(explain(CALL))?.failed_entry_count() {
            0 => Ok(()),
            failed => Err(AwsError::new(CALL, format!("{failed} entries failed"))),
        }
    }

    /// Replaces an order's first commit with an invalid item.
    ///
    /// # Errors
    /// If the table refuses.
    pub async fn write_nonsense(&self, order: &str) -> Result<(), AwsError> {
        let put = self.tables.put_item().table_name(&self.stack.contexts["orders"].event_table);
        put.item("pk", AttributeValue::S(stream_of(order)))
            .item("sk", AttributeValue::N("1".to_owned()))
            .send()
            .await
            .map_err(explain("PutItem"))?;
        Ok(())
    }

    /// Deletes that item. Nothing else is ever deleted from the event table.
    ///
    /// # Errors
    /// If the table refuses.
    pub async fn delete_nonsense(&self, order: &str) -> Result<(), AwsError> {
        let delete = self.tables.delete_item();
        let delete = delete.table_name(&self.stack.contexts["orders"].event_table);
        delete
            .key("pk", AttributeValue::S(stream_of(order)))
            .key("sk", AttributeValue::N("1".to_owned()))
            .condition_expression("attribute_not_exists(e)")
            .send()
            .await
            .map_err(explain("DeleteItem"))?;
        Ok(())
    }

    async fn first_commit(&self, order: &str) -> Result<Item, AwsError> {
        const CALL: &str = "GetItem";
        let answer = self
            .tables
            .get_item()
            .table_name(&self.stack.contexts["orders"].event_table)
            .key("pk", AttributeValue::S(stream_of(order)))
            .key("sk", AttributeValue::N("1".to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(explain(CALL))?;
        answer.item.ok_or_else(|| AwsError::new(CALL, format!("{order} was never placed")))
    }
}
