use std::{iter::Chain, option, vec};

/// The present form of one stored event: itself, in nearly all cases; any number of events, or none, if an upcaster
/// reads an older version.
///
/// A single event is kept in place, so reading an event that was never upcast allocates nothing.
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
    /// Nothing remains of the event.
    pub const fn nothing() -> Self {
        Self(Events::One(None))
    }

    /// The events, in the order in which they are to be folded.
    pub fn as_slice(&self) -> &[E] {
        match &self.0 {
            Events::One(event) => event.as_slice(),
            Events::Many(events) => events,
        }
    }

    /// The same number of something else.
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
        let (first, second) = (events.next(), events.next());
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
    fn any_number_of_events_comes_out_as_it_went_in() {
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
