use std::fmt::Debug;

use ledgerfold::Access;

/// The decision of an example: the events of one stream, or a tuple with the events of several.
#[must_use = "an example without `then` proves nothing"]
pub struct Decided<E, R> {
    pub(crate) access: Access,
    pub(crate) decision: Result<E, R>,
}

impl<E: Debug, R: Debug + PartialEq> Decided<E, R> {
    /// Expects that the command is refused for this reason.
    ///
    /// # Panics
    /// If the command is refused for another reason, or accepted, or if the caller may not send it.
    #[expect(clippy::needless_pass_by_value, reason = "an example reads better without references")]
    pub fn then_refused(self, expected: R) {
        assert_eq!(self.access, Access::Allowed);
        assert_eq!(self.decision.as_ref().err(), Some(&expected), "decided: {:?}", self.decision);
    }

    /// Expects that the caller may not send the command, although the entity exists for it.
    ///
    /// # Panics
    /// If the caller may send it, or if the entity is hidden.
    pub fn then_forbidden(self) {
        assert_eq!(self.access, Access::Forbidden);
    }

    /// Expects that the entity does not exist for the caller.
    ///
    /// # Panics
    /// If the caller may send the command, or learns that it may not.
    pub fn then_hidden(self) {
        assert_eq!(self.access, Access::Hidden);
    }
}

impl<E: Debug + PartialEq, R: Debug + PartialEq> Decided<Vec<E>, R> {
    /// Expects these events.
    ///
    /// # Panics
    /// If the decision has other events, or refuses the command, or if the caller may not send it.
    pub fn then(self, expected: impl IntoIterator<Item = E>) {
        assert_eq!(self.access, Access::Allowed);
        assert_eq!(self.decision, Ok(expected.into_iter().collect()));
    }
}

macro_rules! several_streams {
    ($($E:ident),+) => {
        impl<$($E: Debug + PartialEq,)+ R: Debug + PartialEq> Decided<($(Vec<$E>,)+), R> {
            /// Expects these events, by stream.
            ///
            /// # Panics
            /// If the decision has other events, or refuses the command, or if the caller may not send it.
            pub fn then(self, expected: ($(Vec<$E>,)+)) {
                assert_eq!(self.access, Access::Allowed);
                assert_eq!(self.decision.as_ref(), Ok(&expected));
            }
        }
    };
}

several_streams!(A, B);
several_streams!(A, B, C);
several_streams!(A, B, C, D);
