//! The commands of a domain as one type each.
//!
//! A [`Decider`] has one type for all its commands. [`commands!`](crate::commands) makes it from the single types, and
//! each single type decides by [`Decide`].

use std::fmt;

use ledgerfold::{Decider, Idempotency};
use serde::Serialize;

/// One command of a domain, with its decision.
///
/// The fingerprint of a command covers its fields. If you add a field later, make it optional, or give it a default with
/// the meaning of older requests; see [`ledgerfold::Command`].
pub trait Decide: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// The domain.
    type Decider: Decider;

    /// The events of the command in this state. They are committed together. An empty list means that nothing needs
    /// to change.
    ///
    /// # Errors
    /// The domain's reason to refuse.
    fn decide(
        &self,
        state: &<Self::Decider as Decider>::State,
    ) -> Result<Vec<<Self::Decider as Decider>::Event>, <Self::Decider as Decider>::Rejection>;

    /// How long a repetition of this command is recognised.
    fn idempotency(&self) -> Idempotency {
        Idempotency::Window
    }
}

/// Declares the type of all commands of a domain: an enum with a variant for each command, named like its type.
///
/// ```
/// # use ledgerfold_lambda::{Decide, commands};
/// # use ledgerfold_testkit::bank::{AccountEvent, AccountRejection, Accounts, Account};
/// # use serde::Serialize;
/// #[derive(Clone, Debug, PartialEq, Serialize)]
/// pub struct Close {}
///
/// impl Decide for Close {
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
                state: &<$decider as $crate::__private::Decider>::State,
            ) -> Result<
                Vec<<$decider as $crate::__private::Decider>::Event>,
                <$decider as $crate::__private::Decider>::Rejection,
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

        impl $crate::__private::Command for $name {
            fn name(&self) -> $crate::__private::CommandName {
                $crate::__private::CommandName::from_static(match self {
                    $(Self::$command(_) => stringify!($command),)+
                })
            }

            fn idempotency(&self) -> $crate::__private::Idempotency {
                match self {
                    $(Self::$command(command) => $crate::Decide::idempotency(command),)+
                }
            }
        }

        /// The content of the command. Its name is not part of it, because a fingerprint contains it anyway.
        impl $crate::__private::Serialize for $name {
            fn serialize<S: $crate::__private::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$command(command) => command.serialize(serializer),)+
                }
            }
        }
    };
}
