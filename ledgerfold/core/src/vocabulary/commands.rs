//! The commands of a domain as one type each.
//!
//! A [`Decider`] has one type for all its commands. [`commands!`](crate::commands) makes it from the single types, and
//! each single type decides by [`Decide`].

use std::fmt;

use serde::Serialize;

use super::{
    Access, Caller, Decider, DecisionContext, Idempotency, StreamId,
    sealed::{DataSubject, SealingKeys},
};

/// One command of a domain, with its decision.
///
/// The fingerprint of a command covers its fields. If you add a field later, make it optional, or give it a default with
/// the meaning of older requests; see [`Command`](crate::Command).
pub trait Decide: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// The domain.
    type Decider: Decider;

    /// How long a repetition of this command is recognised.
    const IDEMPOTENCY: Idempotency = Idempotency::Window;

    /// Whether the caller may send the command in this state: see [`Decider::may`].
    fn may(&self, _caller: &Caller, _state: &<Self::Decider as Decider>::State) -> Access {
        Access::Allowed
    }

    /// The events of the command in this state. They are committed together. An empty list means that nothing needs
    /// to change.
    ///
    /// # Errors
    /// The domain's reason to refuse.
    fn decide(
        &self,
        state: &<Self::Decider as Decider>::State,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<<Self::Decider as Decider>::Event>, <Self::Decider as Decider>::Rejection>;
}

/// One command of a domain that seals, with its decision. Its fields with personal data are
/// [`Plain`](crate::sealed::Plain).
///
/// It differs from [`Decide`] in its keys: a function fetches those of [`subjects`](Self::subjects) before the decision.
pub trait DecideSealing: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// The domain. Its [`Decider::Command`] is [`Keyed`](crate::sealed::Keyed).
    type Decider: Decider;

    /// How long a repetition of this command is recognised.
    const IDEMPOTENCY: Idempotency = Idempotency::Window;

    /// Everybody whose data the decision seals or opens, for a command to this stream. By default it is the person that
    /// the stream is about, under the id of the stream.
    fn subjects(&self, stream: &StreamId) -> Vec<DataSubject> {
        vec![DataSubject::from(stream.id())]
    }

    /// Whether the caller may send the command in this state: see [`Decider::may`].
    fn may(&self, _caller: &Caller, _state: &<Self::Decider as Decider>::State) -> Access {
        Access::Allowed
    }

    /// The events of the command in this state, sealed with these keys: see [`Decide::decide`].
    ///
    /// # Errors
    /// The domain's reason to refuse.
    fn decide(
        &self,
        state: &<Self::Decider as Decider>::State,
        keys: &SealingKeys,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<<Self::Decider as Decider>::Event>, <Self::Decider as Decider>::Rejection>;
}

/// Declares the type of all commands of a domain: an enum with a variant for each command, named like its type.
///
/// ```
/// # use ledgerfold::{Caller, Decide, DecisionContext, Idempotency, Timestamp, commands};
/// # use ledgerfold_testkit::bank::{AccountEvent, AccountRejection, Accounts, Account};
/// # use serde::Serialize;
/// #[derive(Clone, Debug, PartialEq, Serialize)]
/// pub struct Close {}
///
/// impl Decide for Close {
///     const IDEMPOTENCY: Idempotency = Idempotency::Strict;
///     // …
/// #   type Decider = Accounts;
/// #   fn decide(&self, _: &Account, _: &DecisionContext<'_>) -> Result<Vec<AccountEvent>, AccountRejection> { Ok(Vec::new()) }
/// }
///
/// commands! {
///     /// A command to an account.
///     pub enum AccountCommand of Accounts { Close }
/// }
///
/// use ledgerfold::Command;
/// let command = AccountCommand::from(Close {});
/// assert_eq!(command.name().as_str(), "Close");
/// let context = DecisionContext { at: Timestamp::now(), caller: &Caller::anonymous() };
/// assert_eq!(command.decide(&Account::default(), &context), Ok(Vec::new()));
/// assert!(AccountCommand::SOME_ARE_STRICT, "so the deployment has a table for results");
/// ```
///
/// The commands of a domain that seals implement [`DecideSealing`](crate::DecideSealing), and the declaration says so:
/// `pub enum PatientCommand of Patients, sealing { Register, Rename }`. Its `decide` takes the keys, and the domain's
/// [`Decider::Command`](crate::Decider::Command) is `Keyed<PatientCommand>`.
#[macro_export]
macro_rules! commands {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident of $decider:ty { $($command:ident),+ $(,)? }
    ) => {
        $crate::__commands! {
            $(#[$attribute])*
            $visibility enum $name of $decider, Decide, false, { $($command),+ }
        }

        impl $name {
            /// The decision of the command.
            ///
            /// # Errors
            /// The domain's reason to refuse.
            $visibility fn decide(
                &self,
                state: &<$decider as $crate::Decider>::State,
                context: &$crate::DecisionContext<'_>,
            ) -> Result<
                Vec<<$decider as $crate::Decider>::Event>,
                <$decider as $crate::Decider>::Rejection,
            > {
                match self {
                    $(Self::$command(command) => $crate::Decide::decide(command, state, context),)+
                }
            }
        }
    };
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident of $decider:ty, sealing { $($command:ident),+ $(,)? }
    ) => {
        $crate::__commands! {
            $(#[$attribute])*
            $visibility enum $name of $decider, DecideSealing, true, { $($command),+ }
        }

        impl $name {
            /// The decision of the command, sealed with these keys.
            ///
            /// # Errors
            /// The domain's reason to refuse.
            $visibility fn decide(
                &self,
                state: &<$decider as $crate::Decider>::State,
                keys: &$crate::sealed::SealingKeys,
                context: &$crate::DecisionContext<'_>,
            ) -> Result<
                Vec<<$decider as $crate::Decider>::Event>,
                <$decider as $crate::Decider>::Rejection,
            > {
                match self {
                    $(Self::$command(command) => {
                        $crate::DecideSealing::decide(command, state, keys, context)
                    })+
                }
            }
        }
    };
}

/// The part of [`commands!`](crate::commands) that does not depend on keys.
#[doc(hidden)]
#[macro_export]
macro_rules! __commands {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident of $decider:ty, $single:ident, $seals:literal,
        { $($command:ident),+ }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq)]
        $visibility enum $name {
            $(
                #[doc = concat!("See [`", stringify!($command), "`].")]
                $command($command),
            )+
        }

        impl $name {
            /// Whether the caller may send the command in this state.
            $visibility fn may(
                &self,
                caller: &$crate::Caller,
                state: &<$decider as $crate::Decider>::State,
            ) -> $crate::Access {
                match self {
                    $(Self::$command(command) => $crate::$single::may(command, caller, state),)+
                }
            }
        }

        $(
            impl From<$command> for $name {
                fn from(command: $command) -> Self {
                    Self::$command(command)
                }
            }
        )+

        impl $crate::Command for $name {
            const SOME_ARE_STRICT: bool =
                $(matches!(<$command as $crate::$single>::IDEMPOTENCY, $crate::Idempotency::Strict))||+;
            const SEALS: bool = $seals;

            fn name(&self) -> $crate::CommandName {
                $crate::CommandName::from_static(match self {
                    $(Self::$command(_) => stringify!($command),)+
                })
            }

            fn idempotency(&self) -> $crate::Idempotency {
                match self {
                    $(Self::$command(_) => <$command as $crate::$single>::IDEMPOTENCY,)+
                }
            }
        }

        /// The content of the command. Its name is not part of it, because a fingerprint contains it anyway.
        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$command(command) => {
                        $crate::__private::serde::Serialize::serialize(command, serializer)
                    })+
                }
            }
        }
    };
}
