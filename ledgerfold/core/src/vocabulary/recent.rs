use crate::{CommandId, Version, vocabulary::digest::digest};

/// How many of a stream's newest commands are recognised when they come again, where the stream is
/// read from a snapshot. A stream that is read whole recognises all of them, and
/// [`Idempotency::Strict`](crate::Idempotency) any command for ever.
pub const IDEMPOTENCY_WINDOW: usize = 100;

/// Six bytes of a command id's digest, and one for how many events its commit holds.
const ENTRY: usize = 7;

/// The commands of a stream's newest commits, in seven bytes each: enough to know where a repeated
/// command's commit is to be looked for.
///
/// A digest of 48 bits may meet another command's; that costs a read in vain and decides nothing,
/// because the commit itself says whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentCommands {
    /// Oldest first.
    bytes: Vec<u8>,
}

impl RecentCommands {
    /// Remembers the commit that follows.
    pub(crate) fn push(&mut self, command: &CommandId, events: usize) {
        self.bytes.extend(short(command));
        // A commit holds at most `MAX_EVENTS_PER_COMMIT` events, which a byte can count.
        self.bytes.push(u8::try_from(events).unwrap_or(u8::MAX));
    }

    /// Forgets all but the newest `commands`.
    pub(crate) fn keep(&mut self, commands: usize) {
        let surplus = self.bytes.len().saturating_sub(commands * ENTRY);
        self.bytes.drain(..surplus);
    }

    /// Where commits of this command may stand in a stream that ends at `head`: the versions of
    /// their first events, newest first.
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

    /// As they are kept: seven bytes per command, oldest first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Read back from where they were kept. A length that is no multiple of seven is none of ours:
    /// `None`.
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
    fn a_command_is_found_where_its_commit_begins_until_it_is_forgotten() {
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
