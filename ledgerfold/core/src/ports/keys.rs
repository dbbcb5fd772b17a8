//! Keys of read tables. Constructors check them, because a DynamoDB key must not be empty, a partition key may have up
//! to 2,048 bytes, and a sort key up to 1,024
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{EntityId, InvalidId, Timestamp, vocabulary::id::text_ids};

/// The longest sort key, in bytes.
const SORT_KEY: usize = 1_024;
/// The longest key of counters, in bytes. The rest of 1,024 is room for the tenant.
const COUNTER_KEY: usize = 900;
/// The longest order of parts, in bytes. The rest of 1,024 is room for the stream.
const PART_ORDER: usize = 700;
/// The longest partition key, in bytes. The rest of 2,048 is room for the number of a generation and the tenant.
const PARTITION_KEY: usize = 1_900;

text_ids! {
    /// The name of a list of rows, for example a customer's id: 1 to 1,900 bytes.
    IndexPartition: "the partition of an index", |text| (1..=PARTITION_KEY).contains(&text.len()), "of 1 to 1,900 bytes";
    /// The place of a row in a list: 1 to 1,024 bytes. Places are sorted by their bytes.
    IndexOrder: "the order key of an index", |text| (1..=SORT_KEY).contains(&text.len()), "of 1 to 1,024 bytes";
    /// The name of a group of parts, for example a device and a metric: 1 to 1,900 bytes.
    PartGroup: "the group of a part", |text| (1..=PARTITION_KEY).contains(&text.len()), "of 1 to 1,900 bytes";
    /// The place of a part in its group, for example `2026-11-23T09`: 1 to 700 visible ASCII characters, without a space,
    /// because a space separates it from the stream in the stored key. Places are sorted by their bytes.
    PartOrder: "the order of a part", |text| (1..=PART_ORDER).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()), "of 1 to 700 visible ASCII characters";
    /// The key of a group of counters, for example `2026-11-23#EUR`: 1 to 900 bytes. Ranges follow the order of the
    /// bytes.
    CounterKey: "the key of counters", |text| (1..=COUNTER_KEY).contains(&text.len()), "of 1 to 900 bytes";
}

/// The place of a row in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// The list.
    pub partition: IndexPartition,
    /// The place in the list. Lists are read from the highest place down.
    pub order: IndexOrder,
}

impl IndexKey {
    /// The place of this order key in the list of this name.
    ///
    /// ```
    /// # use ledgerfold::ports::IndexKey;
    /// assert!(IndexKey::new("customer-1", "2026-11-23").is_ok());
    /// assert!(IndexKey::new("", "2026-11-23").is_err(), "DynamoDB takes no empty key");
    /// ```
    ///
    /// # Errors
    /// [`InvalidId`] if one of them is empty or too long.
    pub fn new(partition: impl Into<String>, order: impl Into<String>) -> Result<Self, InvalidId> {
        Ok(Self { partition: IndexPartition::new(partition)?, order: IndexOrder::new(order)? })
    }

    /// The place in a list that begins with the newest row. Rows of one instant are sorted by their ids.
    ///
    /// ```
    /// # use ledgerfold::{Timestamp, ports::IndexKey};
    /// let noon: Timestamp = "2026-11-23T12:00:00Z".parse()?;
    /// let place = IndexKey::by_time("customer-1", noon, "order-7")?;
    /// assert_eq!(place.order.as_str(), "2026-11-23T12:00:00.000000000Z#order-7");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidId`] if the list's name or the id is empty or too long.
    pub fn by_time(
        partition: impl Into<String>,
        at: Timestamp,
        id: &str,
    ) -> Result<Self, InvalidId> {
        // All nine digits, so that the order of the bytes is the order of the times.
        Self::new(partition, format!("{at:.9}#{id}"))
    }
}

/// The place of a part of a read model. Parts of several streams may have the same key, and stay apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartKey {
    /// The group. A query reads a range of one group.
    pub group: PartGroup,
    /// The place in the group.
    pub order: PartOrder,
}

impl PartKey {
    /// The place of this order in the group of this name.
    ///
    /// ```
    /// # use ledgerfold::ports::PartKey;
    /// assert!(PartKey::new("device-1/temperature", "2026-11-23T09").is_ok());
    /// assert!(PartKey::new("device-1/temperature", "23 November").is_err(), "an order has no space");
    /// ```
    ///
    /// # Errors
    /// [`InvalidId`] if one of them is empty, too long, or has a forbidden character.
    pub fn new(group: impl Into<String>, order: impl Into<String>) -> Result<Self, InvalidId> {
        Ok(Self { group: PartGroup::new(group)?, order: PartOrder::new(order)? })
    }
}

/// Every entity id is short enough.
impl From<&EntityId> for IndexPartition {
    fn from(id: &EntityId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl CounterKey {
    /// The lowest key: no other key is below it.
    pub fn least() -> Self {
        Self("\u{0}".to_owned())
    }

    /// A key that is above all keys without the character [`char::MAX`].
    pub fn greatest() -> Self {
        Self(char::MAX.to_string())
    }
}
