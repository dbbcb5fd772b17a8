use crate::{CommandId, Version, vocabulary::digest::digest};

/// How many of a stream's newest commands are recognised if the stream is loaded from a snapshot. A stream that is
/// read from its first event recognises all of its commands. A command with
/// [`Idempotency::Strict`](crate::Idempotency) is always recognised.
pub const IDEMPOTENCY_WINDOW: usize = 100;

/// The bytes per command: six of the command id's digest, and one for the number of events in its commit.
const ENTRY: usize = 7;

/// The commands of a stream's newest commits. Seven bytes per command are enough to find the commit of a repeated
/// command.
///
/// Two commands may have the same 48-bit digest. Such a collision costs one read and does no harm, because the
/// commit contains the full command id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentCommands {
    /// Oldest first.
    bytes: Vec<u8>,
}

impl RecentCommands {
    /// Adds the next commit.
    pub(crate) fn push(&mut self, command: &CommandId, events: usize) {
        self.bytes.extend(short(command));
        // A commit has at most `MAX_EVENTS_PER_COMMIT` events, and a byte can count those.
        self.bytes.push(u8::try_from(events).unwrap_or(u8::MAX));
    }

    /// Removes all but the newest `commands`.
    pub(crate) fn keep(&mut self, commands: usize) {
        let surplus = self.bytes.len().saturating_sub(commands * ENTRY);
        self.bytes.drain(..surplus);
    }

    /// The possible places of this command's commit in a stream of version `head`: the versions of first events,
    /// newest first.
    pub(crate) fn places(&self, command: &CommandId, head: Version) -> Vec<Version> {
        let sought = short(command);
        let mut next = head.next();
        let mut places = Vec::new();
        for entry in self.bytes.rchunks_exact(ENTRY) {
            let Some((events, digest)) = entry.split_last() else { break };
            next = Version::new(next.get().saturating_sub(u64::from(*events)));
            if digest == sought {
                places.push(next);
            }
        }
        places
    }

    /// The stored form: seven bytes per command, oldest first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes bytes from a store; `None` if the length is not a multiple of seven.
    pub fn restore(bytes: Vec<u8>) -> Option<Self> {
        bytes.len().is_multiple_of(ENTRY).then_some(Self { bytes })
    }
}

fn short(command: &CommandId) -> [u8; ENTRY - 1] {
    let digest = digest(&[command.as_str().as_bytes()]);
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> CommandId {
        CommandId::new(format!("command-{number}")).expect("visible ASCII")
    }

    #[test]
    fn a_command_leads_to_its_commit_until_it_is_removed() {
        let mut recent = RecentCommands::default();
        let mut head = Version::NONE;
        for number in 0..5 {
            recent.push(&id(number), number + 1);
            head = head.advance(number + 1);
        }
        assert_eq!(head, Version::new(15));
        assert_eq!(recent.places(&id(0), head), [Version::new(1)]);
        assert_eq!(recent.places(&id(3), head), [Version::new(7)]);
        assert_eq!(recent.places(&id(4), head), [Version::new(11)]);
        assert_eq!(recent.places(&id(5), head), []);
        recent.keep(2);
        assert_eq!(recent.places(&id(2), head), []);
        assert_eq!(recent.places(&id(3), head), [Version::new(7)]);
        assert_eq!(RecentCommands::restore(recent.as_bytes().to_vec()), Some(recent));
        assert_eq!(RecentCommands::restore(vec![0; 8]), None);
    }
}
