//! A faulty quarantine that mixes tenants, which the rule about tenants must find.

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{Page, Parked, Quarantine, QuarantineError},
};
use ledgerfold_proofs::conformance::{quarantine, requests::twin};
use ledgerfold_testkit::MemoryQuarantine;

use crate::{fails, silently, turn};

/// A defect of a quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    ReleasesInEveryTenant,
    ListsOneTenant,
}

struct Wrong {
    kept: MemoryQuarantine,
    defect: Defect,
}

#[async_trait]
impl Quarantine for Wrong {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        self.kept.park(parked).await
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        if self.defect == Defect::ReleasesInEveryTenant {
            self.kept.release(&twin(stream), reached).await?;
        }
        self.kept.release(stream, reached).await
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.kept.get(stream).await
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        let mut page = self.kept.list(after).await?;
        if self.defect == Defect::ListsOneTenant {
            page.items
                .retain(|parked| *parked.stream.tenant() == ledgerfold::TenantId::default_tenant());
        }
        Ok(page)
    }
}

// Guards: tenants-never-meet
#[test]
fn every_quarantine_that_mixes_tenants_is_found_and_no_other() {
    let _turn = turn();
    let found =
        [Defect::None, Defect::ReleasesInEveryTenant, Defect::ListsOneTenant].map(|defect| {
            let store = Wrong { kept: MemoryQuarantine::default(), defect };
            silently(|| fails(quarantine::streams_of_tenants_are_parked_apart(&store)))
        });
    assert_eq!(found, [false, true, true]);
}
