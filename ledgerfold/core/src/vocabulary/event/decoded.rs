use std::{iter::Chain, option, vec};

/// Today's events of one stored event. In nearly all cases this is the event itself. An upcaster can make several
/// events of an older version, or none.
///
/// A single event is stored inline, so an event that is not upcast needs no allocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<E>(Events<E>);

#[derive(Clone, Debug, PartialEq)]
enum Events<E> {
    /// At most one.
    One(Option<E>),
    /// Two or more.
    Many(Vec<E>),
}

impl<E> Decoded<E> {
    /// No event remains.
    pub const fn nothing() -> Self {
        Self(Events::One(None))
    }

    /// The events, in the order in which they are folded.
    pub fn as_slice(&self) -> &[E] {
        match &self.0 {
            Events::One(event) => event.as_slice(),
            Events::Many(events) => events,
        }
    }

    /// Applies a function to every event.
    pub fn map<T>(self, mut of: impl FnMut(E) -> T) -> Decoded<T> {
        Decoded(match self.0 {
            Events::One(event) => Events::One(event.map(of)),
            Events::Many(events) => Events::Many(events.into_iter().map(&mut of).collect()),
        })
    }
}

impl<E> From<E> for Decoded<E> {
    fn from(event: E) -> Self {
        Self(Events::One(Some(event)))
    }
}

impl<E> FromIterator<E> for Decoded<E> {
    fn from_iter<I: IntoIterator<Item = E>>(events: I) -> Self {
        let mut events = events.into_iter();
        let first = events.next();
        let second = events.next();
        match (first, second) {
            (Some(first), Some(second)) => {
                Self(Events::Many([first, second].into_iter().chain(events).collect()))
            }
            (first, _) => Self(Events::One(first)),
        }
    }
}

impl<E> IntoIterator for Decoded<E> {
    type Item = E;
    type IntoIter = Chain<option::IntoIter<E>, vec::IntoIter<E>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self.0 {
            Events::One(event) => (event, Vec::new()),
            Events::Many(events) => (None, events),
        };
        one.into_iter().chain(many)
    }
}

#[cfg(test)]
mod tests {
    use super::Decoded;

    #[test]
    fn any_number_of_events_is_returned_unchanged() {
        for many in 0..4 {
            let numbers: Vec<i32> = (0..many).collect();
            let decoded: Decoded<i32> = numbers.iter().copied().collect();
            assert_eq!(decoded.as_slice(), numbers);
            let doubled: Vec<i32> = decoded.clone().map(|number| 2 * number).into_iter().collect();
            assert_eq!(doubled, numbers.iter().map(|number| 2 * number).collect::<Vec<_>>());
            assert_eq!(decoded.into_iter().collect::<Vec<_>>(), numbers);
        }
        assert_eq!(Decoded::from(7).as_slice(), [7]);
        assert_eq!(Decoded::<i32>::nothing().as_slice(), [0; 0]);
    }
}
