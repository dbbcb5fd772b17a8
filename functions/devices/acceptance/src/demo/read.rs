//! Reads everything that the service shows of a fleet, and compares it with the input.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::fleet::{Device, METRIC, Taken};
use super::verdict::{Sums, Verdict};
use super::{Demo, DemoError, PROJECTED};
use crate::model::{Device as Shown, Rollup, TimelineReading};
use crate::wait::eventually;

/// A device as the service shows it.
pub(super) struct Found {
    /// The verdict on its sums.
    pub(super) verdict: Verdict,
    /// Its readings.
    pub(super) timeline: Vec<TimelineReading>,
}

impl Demo {
    /// Compares each device. The order is that of the fleet.
    pub(super) async fn compare(&self, fleet: &[Device]) -> Result<Vec<Found>, DemoError> {
        let found = stream::iter(fleet).map(|device| self.compare_one(device));
        found.buffered(self.options.workers).try_collect().await
    }

    async fn compare_one(&self, device: &Device) -> Result<Found, DemoError> {
        let taken = device.taken();
        let input = sums_of(taken.values().map(|reading| reading.value));
        let timeline = self.projected_timeline(device, input).await?;
        check_timeline(device, &taken, &timeline)?;
        self.check_device(device).await?;
        // The sums over exported files join here, as one more source.
        let sources = [
            ("timeline", sums_of(timeline.iter().map(|reading| reading.value))),
            ("rollup by minute", self.rollup(device, "minute").await?),
            ("rollup by hour", self.rollup(device, "hour").await?),
            ("rollup by day", self.rollup(device, "day").await?),
        ];
        Ok(Found { verdict: Verdict::on(&device.id, input, sources)?, timeline })
    }

    /// The timeline, once it and the rollup have as many readings as the input. Their sums are the verdict's question.
    async fn projected_timeline(
        &self,
        device: &Device,
        input: Sums,
    ) -> Result<Vec<TimelineReading>, DemoError> {
        let projected = eventually("a device is projected", PROJECTED, async || {
            let day = self.rollup(device, "day").await.map_err(|error| error.to_string())?;
            if day.count < input.count {
                return Err(format!("{}: {} of {} are summed", device.id, day.count, input.count));
            }
            let timeline = self.timeline(device).await.map_err(|error| error.to_string())?;
            let found = u64::try_from(timeline.len()).unwrap_or_default();
            if found < input.count {
                return Err(format!("{} has {found} readings of {}", device.id, input.count));
            }
            Ok(timeline)
        });
        Ok(projected.await?)
    }

    async fn timeline(&self, device: &Device) -> Result<Vec<TimelineReading>, DemoError> {
        let request = self.operator.timeline(&device.id, METRIC).query("limit", 100);
        Ok(request.all_pages().await?)
    }

    /// The sums of all windows of this length.
    async fn rollup(&self, device: &Device, step: &str) -> Result<Sums, DemoError> {
        let mut sums = Sums::default();
        let (first, last) = extent(device);
        // A day has 1,440 minutes, and an answer up to 1,500 windows.
        let mut from = first;
        while from <= last {
            let to = from + SignedDuration::from_hours(23);
            // The ends of two ranges must not share a window.
            let (from_day, to_day) = if step == "minute" { (from, to) } else { (first, last) };
            let range = (from_day, to_day.min(last));
            let answer = self.operator.rollup(&device.id, METRIC, range, step).send().await?;
            let rollup: Rollup = answer.expect_status(200)?.json()?;
            for window in rollup.windows {
                sums.add(window.count, window.sum);
            }
            if step != "minute" {
                break;
            }
            from = to + SignedDuration::from_mins(1);
        }
        Ok(sums)
    }

    async fn check_device(&self, device: &Device) -> Result<(), DemoError> {
        let answer = self.operator.device(&device.id).send().await?;
        let shown: Shown = answer.expect_status(200)?.json()?;
        let gaps = device.gaps();
        let newest = device.batches.iter().map(|batch| batch.epoch).max();
        let expected = newest.and_then(|epoch| gaps.get(&epoch)).cloned().unwrap_or_default();
        if shown.epoch == newest && shown.missing == expected {
            return Ok(());
        }
        let Shown { id, epoch, missing, .. } = shown;
        Err(DemoError::Differs(format!(
            "{id} is in epoch {epoch:?} of {newest:?}, and misses {missing:?} of {expected:?}"
        )))
    }
}

/// The first and the last time of a device's readings.
fn extent(device: &Device) -> (Timestamp, Timestamp) {
    let times = || device.batches.iter().flat_map(|batch| &batch.readings).map(|it| it.at);
    let first = times().min().unwrap_or(Timestamp::UNIX_EPOCH);
    (first, times().max().unwrap_or(first))
}

fn sums_of(values: impl IntoIterator<Item = f64>) -> Sums {
    let mut sums = Sums::default();
    values.into_iter().for_each(|value| sums.add(1, value));
    sums
}

/// Checks that the timeline has each reading once, in the order of their times.
fn check_timeline(
    device: &Device,
    taken: &Taken,
    timeline: &[TimelineReading],
) -> Result<(), DemoError> {
    let differs = |what: String| Err(DemoError::Differs(format!("{}: {what}", device.id)));
    let place = |reading: &TimelineReading| (reading.at, reading.epoch, reading.seq);
    if !timeline.is_sorted_by(|one, next| place(one) < place(next)) {
        return differs("the timeline is not in the order of time, or has a reading twice".into());
    }
    for reading in timeline {
        let sent = taken.get(&(reading.epoch, reading.seq));
        if sent.is_none_or(|sent| (sent.at, sent.value) != (reading.at, reading.value)) {
            return differs(format!("the timeline has {reading:?}, and the input has {sent:?}"));
        }
    }
    if timeline.len() != taken.len() {
        return differs(format!("the timeline has {} readings of {}", timeline.len(), taken.len()));
    }
    Ok(())
}
