use crate::{DecodeError, Decoded, EventType, SchemaVersion};

/// Declares a context's events as one `enum`. Each variant has the name of its struct and the version of its
/// schema.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// /// An amount was deposited.
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// pub struct Deposited {
///     /// The amount in cents.
///     pub amount: u64,
/// }
///
/// ledgerfold::events! {
///     /// The events of an account.
///     pub enum AccountEvent {
///         Deposited: 1,
///     }
/// }
///
/// use ledgerfold::Event;
/// let event = AccountEvent::from(Deposited { amount: 900 });
/// let (kind, version, data) = (event.event_type(), event.schema_version(), event.encode()?);
/// assert_eq!((kind.as_str(), data.as_str()), ("Deposited", r#"{"amount":900}"#));
/// assert_eq!(AccountEvent::decode(&kind, version, &data)?.as_slice(), [event]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Older versions
///
/// Stored events never change. If a change would break older events or older readers, declare a new version and
/// an upcaster. The upcaster translates an event of the old version to any number of today's events. They share the
/// id, the version and the metadata of the stored event. An upcaster is a pure function of the old content. Keep
/// the old struct as long as there are events of it.
///
/// If an event has no meaning today, declare it as `retired`: it is then read as no event at all.
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct Opened {}
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct Deposited { pub amount: u64 }
/// /// The old `Opened`, which had the first deposit. Today `Deposited` has it.
/// #[derive(Deserialize, JsonSchema)]
/// pub struct OpenedV1 {
///     deposit: u64,
/// }
///
/// ledgerfold::events! {
///     /// The events of an account.
///     pub enum AccountEvent {
///         Opened: 2,
///         Deposited: 1,
///     }
///     upcast {
///         Opened: 1 as OpenedV1 => |old| {
///             [Opened {}.into(), Deposited { amount: old.deposit }.into()]
///         },
///     }
///     retired {
///         StatementPrinted: 1,
///     }
/// }
/// # use ledgerfold::{Event, EventType, Payload, SchemaVersion};
/// # let old = Payload::from_text(r#"{"deposit":900}"#.to_owned())?;
/// # let today = AccountEvent::decode(&EventType::new("Opened")?, SchemaVersion::new(1), &old)?;
/// # assert_eq!(today.as_slice(), [Opened {}.into(), Deposited { amount: 900 }.into()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Declare each type and version once. An older version must have a lower number than the written one. The
/// compiler checks both.
///
/// # Unknown events
///
/// An event of an undeclared type is an error, because skipping it could change the result. If you read only
/// some of another context's events, declare `unknown: skip` at the end. All other events are then read as no
/// events:
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct Closed {}
/// ledgerfold::events! {
///     /// The events of an account that a count of closed accounts needs.
///     pub enum ClosingEvent {
///         Closed: 1,
///     }
///     unknown: skip
/// }
/// ```
///
/// Use it for a read model of another context's events. Do not use it for a decider, which must know the whole
/// history. An unknown *version* of a declared type is still an error, and so is content of another shape.
#[macro_export]
macro_rules! events {
    (
        $(#[$doc:meta])* $vis:vis enum $name:ident { $($kind:ident: $version:literal),+ $(,)? }
        $(upcast {
            $($old_kind:ident: $old_version:literal as $old:ty => $upcaster:expr),+ $(,)?
        })?
        $(retired { $($gone_kind:ident: $gone_version:literal),+ $(,)? })?
        $(unknown: $unknown:ident $(,)?)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $name {
            $(#[doc = concat!("See [`", stringify!($kind), "`].")] $kind($kind),)+
        }

        $(impl From<$kind> for $name {
            fn from(event: $kind) -> Self {
                Self::$kind(event)
            }
        })+

        impl $name {
            const DECLARED: $crate::__private::Declared = $crate::__private::Declared {
                current: &[$((stringify!($kind), $version)),+],
                older: &[
                    $($((stringify!($old_kind), $old_version),)+)?
                    $($((stringify!($gone_kind), $gone_version),)+)?
                ],
                unknown: $crate::__unknown!($($unknown)?),
            };
        }

        const _: () = $name::DECLARED.check();

        impl $crate::Event for $name {
            fn event_type(&self) -> $crate::EventType {
                $crate::EventType::of_type(match self {
                    $(Self::$kind(_) => stringify!($kind),)+
                })
            }

            fn schema_version(&self) -> $crate::SchemaVersion {
                $crate::SchemaVersion::new(match self {
                    $(Self::$kind(_) => $version,)+
                })
            }

            fn encode(&self) -> Result<$crate::Payload, $crate::EncodeError> {
                match self {
                    $(Self::$kind(event) => $crate::Payload::encode(event),)+
                }
            }

            fn decode(
                kind: &$crate::EventType,
                version: $crate::SchemaVersion,
                data: &$crate::Payload,
            ) -> Result<$crate::Decoded<Self>, $crate::DecodeError> {
                match (kind.as_str(), version.get()) {
                    $((stringify!($kind), $version) => {
                        Ok(Self::$kind(data.decode()?).into())
                    })+
                    $($((stringify!($old_kind), $old_version) => {
                        $crate::__private::upcast(data.decode::<$old>()?, $upcaster)
                    })+)?
                    $($((stringify!($gone_kind), $gone_version) => {
                        Ok($crate::Decoded::nothing())
                    })+)?
                    _ => Self::DECLARED.unknown(kind, version),
                }
            }
        }

        impl $crate::schema::Contract for $name {
            fn catalog() -> $crate::schema::Catalog {
                $crate::schema::Catalog::default()
                    $(.current::<$kind>(stringify!($kind), $version))+
                    $($(.upcast::<$old>(stringify!($old_kind), $old_version))+)?
                    $($(.retired(stringify!($gone_kind), $gone_version))+)?
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __unknown {
    () => {
        $crate::__private::Unknown::Error
    };
    (skip) => {
        $crate::__private::Unknown::Skip
    };
    ($other:ident) => {
        compile_error!("`unknown: skip` is the only rule; without it unknown events are errors")
    };
}

/// The declarations of `events!`: types with their versions.
#[derive(Debug)]
pub struct Declared {
    /// The types that are written.
    pub current: &'static [(&'static str, u32)],
    /// The types that are upcast or retired.
    pub older: &'static [(&'static str, u32)],
    /// The rule for all other types.
    pub unknown: Unknown,
}

/// The rule for an event of a type that is not declared.
#[derive(Debug)]
pub enum Unknown {
    /// It is an error.
    Error,
    /// It is read as no event.
    Skip,
}

/// Translates old content to today's events. The type of `upcaster` lets a team write a closure without type
/// annotations.
pub fn upcast<Old, E, Events: IntoIterator<Item = E>>(
    old: Old,
    upcaster: impl FnOnce(Old) -> Events,
) -> Result<Decoded<E>, DecodeError> {
    Ok(upcaster(old).into_iter().collect())
}

impl Declared {
    /// # Panics
    /// If the declaration contradicts itself. `events!` calls it in a `const`, so this is a compile error.
    pub const fn check(&self) {
        let mut at = 0;
        while at < self.current.len() {
            let (kind, version) = self.current[at];
            assert!(is_event_type(kind), "an event type has 1 to 128 letters and digits");
            assert!(version > 0, "schema versions begin at 1");
            assert!(
                count(self.current, kind, None) == 1,
                "an event type must be declared in one written version only"
            );
            at += 1;
        }
        let mut at = 0;
        while at < self.older.len() {
            let (kind, version) = self.older[at];
            assert!(is_event_type(kind), "an event type has 1 to 128 letters and digits");
            assert!(version > 0, "schema versions begin at 1");
            assert!(
                count(self.older, kind, Some(version)) == 1,
                "an older version must be upcast or retired, and declared once"
            );
            assert!(
                is_below_current(self.current, kind, version),
                "an upcast or retired version must be older than the written one"
            );
            at += 1;
        }
    }

    /// The result for an event that no arm of `decode` matches.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`], unless the type is undeclared and undeclared types are skipped.
    pub fn unknown<E>(
        &self,
        kind: &EventType,
        version: SchemaVersion,
    ) -> Result<Decoded<E>, DecodeError> {
        let listed = [self.current, self.older].concat();
        let known = listed.iter().any(|(name, _)| *name == kind.as_str());
        match self.unknown {
            Unknown::Skip if !known => Ok(Decoded::nothing()),
            _ => Err(DecodeError::Unknown { kind: kind.clone(), version }),
        }
    }
}

/// How often the list contains a type in this version, or in any version if `version` is `None`.
const fn count(list: &[(&str, u32)], kind: &str, version: Option<u32>) -> usize {
    let mut at = 0;
    let mut found = 0;
    while at < list.len() {
        let of_version = match version {
            Some(version) => list[at].1 == version,
            None => true,
        };
        if of_version && is_equal(list[at].0, kind) {
            found += 1;
        }
        at += 1;
    }
    found
}

const fn is_below_current(current: &[(&str, u32)], kind: &str, version: u32) -> bool {
    let mut at = 0;
    while at < current.len() {
        if is_equal(current[at].0, kind) && version >= current[at].1 {
            return false;
        }
        at += 1;
    }
    true
}

/// `==` of texts is not available in a `const fn`.
const fn is_equal(one: &str, other: &str) -> bool {
    let one = one.as_bytes();
    let other = other.as_bytes();
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The rule of [`EventType::new`], for names that the compiler checks.
pub(super) const fn is_event_type(name: &str) -> bool {
    let name = name.as_bytes();
    let mut at = 0;
    while at < name.len() {
        if !name[at].is_ascii_alphanumeric() {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= 128
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::{Declared, Unknown};

    type Versions = &'static [(&'static str, u32)];

    fn is_accepted(current: Versions, older: Versions) -> bool {
        catch_unwind(|| Declared { current, older, unknown: Unknown::Error }.check()).is_ok()
    }

    #[test]
    fn a_declaration_that_contradicts_itself_is_refused() {
        assert!(is_accepted(&[("Placed", 3), ("Paid", 1)], &[("Placed", 1), ("Placed", 2)]));
        assert!(is_accepted(&[("Paid", 1)], &[("Noted", 1), ("Noted", 2)]), "a type may end");
        assert!(!is_accepted(&[("Placed", 1), ("Placed", 2)], &[]), "two versions are written");
        assert!(!is_accepted(&[("Placed", 2)], &[("Placed", 1), ("Placed", 1)]), "two upcasters");
        assert!(!is_accepted(&[("Placed", 1)], &[("Placed", 1)]), "written and upcast");
        assert!(!is_accepted(&[("Placed", 1)], &[("Placed", 2)]), "the version was lowered");
        assert!(!is_accepted(&[("Placed", 0)], &[]), "versions begin at 1");
        assert!(!is_accepted(&[("Order_Placed", 1)], &[]), "the bus would refuse this name");
    }
}
