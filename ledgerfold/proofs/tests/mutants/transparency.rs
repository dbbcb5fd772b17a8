//! Faulty ports of a transparency log. They prove that the rules of their suite can fail.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold_proofs::conformance::transparency::{LogPorts, Published};
use ledgerfold_transparency::{
    CheckpointStore, HeadStore, LogError, ObjectStore, memory::MemoryLog,
};

use crate::suite::{examine, named_rules};

/// A defect of the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    CutsObjects,
    IgnoresTheEndOfNames,
    ReplacesObjects,
    SucceedsTwice,
    LooksBeforeItWrites,
    ReplacesCheckpoints,
    PublishesAnything,
    PublishesTheFirst,
    ForgetsTheSize,
    AdvancesAlways,
}

/// The defects with the rules that they fail.
const MUTANTS: &[(Defect, &[&str])] = &[
    (Defect::None, &[]),
    (Defect::CutsObjects, &["an_object_comes_back_as_it_was_created"]),
    (Defect::IgnoresTheEndOfNames, &["an_object_comes_back_as_it_was_created"]),
    (Defect::ReplacesObjects, &["an_object_is_never_replaced", "of_racing_creations_one_succeeds"]),
    (Defect::SucceedsTwice, &["an_object_is_never_replaced", "of_racing_creations_one_succeeds"]),
    (Defect::LooksBeforeItWrites, &["of_racing_creations_one_succeeds"]),
    (Defect::ReplacesCheckpoints, &["a_checkpoint_is_never_replaced"]),
    (Defect::PublishesAnything, &["a_larger_checkpoint_stays_published"]),
    (Defect::PublishesTheFirst, &["a_larger_checkpoint_stays_published"]),
    (Defect::ForgetsTheSize, &["the_size_advances_only_from_where_it_is"]),
    (Defect::AdvancesAlways, &["the_size_advances_only_from_where_it_is"]),
];

/// Ports with one defect.
struct Wrong {
    defect: Defect,
    log: MemoryLog,
    /// Replaced checkpoints and publications, where the log in memory refuses them.
    other: MemoryLog,
}

impl Wrong {
    fn is(&self, defect: Defect) -> bool {
        self.defect == defect
    }
}

#[async_trait]
impl ObjectStore for Wrong {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        let name = match self.is(Defect::IgnoresTheEndOfNames) {
            true => name.split(".p/").next().unwrap_or(name),
            false => name,
        };
        let mut found = ObjectStore::get(&self.log, name).await?;
        if self.is(Defect::CutsObjects)
            && let Some(content) = &mut found
        {
            content.truncate(8_192);
        }
        Ok(found)
    }

    async fn create(&self, name: &str, content: Vec<u8>) -> Result<bool, LogError> {
        match self.defect {
            Defect::ReplacesObjects => {
                self.log.overwrite(name, Some(content));
                Ok(true)
            }
            Defect::LooksBeforeItWrites => {
                let found = ObjectStore::get(&self.log, name).await?;
                tokio::task::yield_now().await;
                if found.is_none() {
                    self.log.overwrite(name, Some(content));
                }
                Ok(found.is_none())
            }
            _ => {
                let is_new = ObjectStore::create(&self.log, name, content).await?;
                Ok(is_new || self.is(Defect::SucceedsTwice))
            }
        }
    }
}

#[async_trait]
impl CheckpointStore for Wrong {
    async fn get(&self, size: u64) -> Result<Option<String>, LogError> {
        let replaced = CheckpointStore::get(&self.other, size).await?;
        Ok(replaced.or(CheckpointStore::get(&self.log, size).await?))
    }

    async fn create(&self, size: u64, note: &str) -> Result<bool, LogError> {
        let is_new = CheckpointStore::create(&self.log, size, note).await?;
        if !is_new && self.is(Defect::ReplacesCheckpoints) {
            return CheckpointStore::create(&self.other, size, note).await;
        }
        Ok(is_new)
    }

    async fn publish(&self, size: u64, note: &str) -> Result<(), LogError> {
        match self.defect {
            // One size for all, so the log in memory keeps the first one.
            Defect::PublishesTheFirst => self.log.publish(0, note).await,
            Defect::PublishesAnything => {
                self.other.overwrite("published", Some(note.into()));
                Ok(())
            }
            _ => self.log.publish(size, note).await,
        }
    }
}

#[async_trait]
impl HeadStore for Wrong {
    async fn size(&self) -> Result<u64, LogError> {
        if self.is(Defect::ForgetsTheSize) { Ok(0) } else { self.log.size().await }
    }

    async fn advance(&self, from: u64, to: u64) -> Result<bool, LogError> {
        if self.is(Defect::AdvancesAlways) {
            self.log.set_size(to);
            return Ok(true);
        }
        self.log.advance(from, to).await
    }
}

#[async_trait]
impl Published for Wrong {
    async fn published(&self) -> Option<String> {
        let anything = self.other.objects().remove("published");
        let anything = anything.and_then(|note| String::from_utf8(note).ok());
        anything.or_else(|| self.log.published())
    }
}

type Subject = LogPorts;

fn ports(defect: Defect) -> Arc<LogPorts> {
    let (log, other) = (MemoryLog::default(), MemoryLog::default());
    let wrong = Arc::new(Wrong { defect, log, other });
    Arc::new(LogPorts {
        objects: wrong.clone(),
        checkpoints: wrong.clone(),
        size: wrong.clone(),
        published: wrong,
    })
}

#[test]
fn each_faulty_log_fails_its_rules() {
    let rules = ledgerfold_proofs::transparency_rules!([named_rules] transparency);
    examine(&rules, MUTANTS, ports);
}
