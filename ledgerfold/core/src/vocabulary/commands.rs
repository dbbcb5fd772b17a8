//! The commands of a domain as one type each.
//!
//! A [`Decider`] has one type for all its commands. [`commands!`](crate::commands) makes it from the single types, and
//! each single type decides by [`Decide`].

use std::fmt;

use serde::Serialize;

use super::{Decider, Idempotency};

/// One command of a domain, with its decision.
///
/// The fingerprint of a command covers its fields. If you add a field later, make it optional, or give it a default with
/// the meaning of older requests; see [`Command`](crate::Command).
pub trait Decide: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// The domain.
    type Decider: Decider;

    /// How long a repetition of this command is recognised.
    const IDEMPOTENCY: Idempotency = Idempotency::Window;

    /// The events of the command in this state. They are committed together. An empty list means that nothing needs
    /// to change.
    ///
    /// # Errors
    /// The domain's reason to refuse.
    fn decide(
        &self,
        state: &<Self::Decider as Decider>::State,
    ) -> Result<Vec<<Self::Decider as Decider>::Event>, <Self::Decider as Decider>::Rejection>;
}

/// Declares the type of all commands of a domain: an enum with a variant for each command, named like its type.
///
/// ```
/// # use ledgerfold::{Decide, Idempotency, commands};
/// # use ledgerfold_testkit::bank::{AccountEvent, AccountRejection, Accounts, Account};
/// # use serde::Serialize;
/// #[derive(Clone, Debug, PartialEq, Serialize)]
/// pub struct Close {}
///
/// impl Decide for Close {
///     const IDEMPOTENCY: Idempotency = Idempotency::Strict;
///     // …
/// #   type Decider = Accounts;
/// #   fn decide(&self, _: &Account) -> Result<Vec<AccountEvent>, AccountRejection> { Ok(Vec::new()) }
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
/// assert_eq!(command.decide(&Account::default()), Ok(Vec::new()));
/// assert!(AccountCommand::SOME_ARE_STRICT, "so the deployment has a table for results");
/// ```
#[macro_export]
macro_rules! commands {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident of $decider:ty { $($command:ident),+ $(,)? }
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
            /// The decision of the command.
            ///
            /// # Errors
            /// The domain's reason to refuse.
            $visibility fn decide(
                &self,
                state: &<$decider as $crate::Decider>::State,
            ) -> Result<
                Vec<<$decider as $crate::Decider>::Event>,
                <$decider as $crate::Decider>::Rejection,
            > {
                match self {
                    $(Self::$command(command) => $crate::Decide::decide(command, state),)+
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
            const SOME_ARE_STRICT: bool = $($crate::__private::is_strict::<$command>())||+;

            fn name(&self) -> $crate::CommandName {
                $crate::CommandName::from_static(match self {
                    $(Self::$command(_) => stringify!($command),)+
                })
            }

            fn idempotency(&self) -> $crate::Idempotency {
                match self {
                    $(Self::$command(_) => <$command as $crate::Decide>::IDEMPOTENCY,)+
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

/// Whether a command is recognised for ever, for `commands!`.
pub const fn is_strict<C: Decide>() -> bool {
    matches!(C::IDEMPOTENCY, Idempotency::Strict)
}
