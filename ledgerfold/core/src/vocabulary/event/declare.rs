use crate::{DecodeError, Decoded, EventType, SchemaVersion};

/// Declares a context's events: one `enum`, whose variants are named after the structs they hold,
/// each with the version of its schema.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// /// A lamp was switched on.
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// pub struct SwitchedOn {
///     /// Brightness in percent.
///     pub brightness: u8,
/// }
///
/// ledgerfold::events! {
///     /// The events of a lamp.
///     pub enum LampEvent {
///         SwitchedOn: 1,
///     }
/// }
///
/// use ledgerfold::Event;
/// let event = LampEvent::from(SwitchedOn { brightness: 80 });
/// let (kind, version, data) = (event.event_type(), event.schema_version(), event.encode()?);
/// assert_eq!((kind.as_str(), data.as_str()), ("SwitchedOn", r#"{"brightness":80}"#));
/// assert_eq!(LampEvent::decode(&kind, version, &data)?.as_slice(), [event]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Older versions
///
/// Stored events stay as they are. A change that would break older events or older readers makes a new
/// version, and an upcaster translates an event of the old version to any number of today's events, which
/// share the id, the version and the metadata of the stored one. An upcaster is a pure function of the old
/// content. Keep the old struct as long as there are events of it. An event without a meaning today is
/// `retired`: it is read as no event at all.
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct SwitchedOn {}
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct Dimmed { pub percent: u8 }
/// /// The old `SwitchedOn`: it had the brightness, which is an event of its own today.
/// #[derive(Deserialize, JsonSchema)]
/// pub struct SwitchedOnV1 {
///     brightness: u8,
/// }
///
/// ledgerfold::events! {
///     /// The events of a lamp.
///     pub enum LampEvent {
///         SwitchedOn: 2,
///         Dimmed: 1,
///     }
///     upcast {
///         SwitchedOn: 1 as SwitchedOnV1 => |old| {
///             [SwitchedOn {}.into(), Dimmed { percent: old.brightness }.into()]
///         },
///     }
///     retired {
///         BulbWarmedUp: 1,
///     }
/// }
/// # use ledgerfold::{Event, EventType, Payload, SchemaVersion};
/// # let old = Payload::from_text(r#"{"brightness":80}"#.to_owned())?;
/// # let today = LampEvent::decode(&EventType::new("SwitchedOn")?, SchemaVersion::new(1), &old)?;
/// # assert_eq!(today.as_slice(), [SwitchedOn {}.into(), Dimmed { percent: 80 }.into()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each type and version appears once, and no older version is newer than the written one. The compiler
/// checks both.
///
/// # Unknown events
///
/// An event of a type that is not listed is an error: it may be the one that matters. A reader that
/// takes only some of another context's events says `unknown: skip` at the end, and sees the others
/// as no events:
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct OrderShipped {}
/// ledgerfold::events! {
///     /// The events of an order that a map of parcels needs.
///     pub enum ParcelEvent {
///         OrderShipped: 1,
///     }
///     unknown: skip
/// }
/// ```
///
/// That is right for a read model of another context's events, and wrong for a decider, which must not
/// decide on half of a history. It never applies to an unknown *version* of a listed type, nor to content of
/// another shape: the reader wants those events and cannot read them.
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
        compile_error!("unknown events are errors, unless you say `unknown: skip`")
    };
}

/// The arguments of `events!`: types with their versions.
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
    /// It is no event.
    Skip,
}

/// The present form of the old content. The type of `upcaster` lets a team write it as a bare closure.
pub fn upcast<Old, E, Today: IntoIterator<Item = E>>(
    old: Old,
    upcaster: impl FnOnce(Old) -> Today,
) -> Result<Decoded<E>, DecodeError> {
    Ok(upcaster(old).into_iter().collect())
}

impl Declared {
    /// # Panics
    /// While compiling, if the declaration contradicts itself.
    pub const fn check(&self) {
        let mut at = 0;
        while at < self.current.len() {
            let (kind, version) = self.current[at];
            assert!(is_event_type(kind), "an event type is of 1 to 128 letters and digits");
            assert!(version > 0, "versions of schemas begin at 1");
            assert!(
                count(self.current, kind, None) == 1,
                "an event type has one version that is written"
            );
            at += 1;
        }
        let mut at = 0;
        while at < self.older.len() {
            let (kind, version) = self.older[at];
            assert!(is_event_type(kind), "an event type is of 1 to 128 letters and digits");
            assert!(version > 0, "versions of schemas begin at 1");
            assert!(
                count(self.older, kind, Some(version)) == 1,
                "a version of an event type is upcast or retired, and in one place"
            );
            assert!(
                is_below_current(self.current, kind, version),
                "a version that is upcast or retired is older than the one that is written"
            );
            at += 1;
        }
    }

    /// The answer to an event that no arm of `decode` takes.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`], unless its type is unknown and unknown types are to be skipped.
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

/// How often a type is in the list, in this version or in any.
const fn count(list: &[(&str, u32)], kind: &str, version: Option<u32>) -> usize {
    let (mut at, mut found) = (0, 0);
    while at < list.len() {
        let of_version = match version {
            Some(version) => list[at].1 == version,
            None => true,
        };
        if of_version && same(list[at].0, kind) {
            found += 1;
        }
        at += 1;
    }
    found
}

const fn is_below_current(current: &[(&str, u32)], kind: &str, version: u32) -> bool {
    let mut at = 0;
    while at < current.len() {
        if same(current[at].0, kind) && version >= current[at].1 {
            return false;
        }
        at += 1;
    }
    true
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The rule of [`EventType::new`], for a name that the compiler sees.
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

    fn is_taken(current: Versions, older: Versions) -> bool {
        catch_unwind(|| Declared { current, older, unknown: Unknown::Error }.check()).is_ok()
    }

    #[test]
    fn a_declaration_that_contradicts_itself_is_refused() {
        assert!(is_taken(&[("Placed", 3), ("Paid", 1)], &[("Placed", 1), ("Placed", 2)]));
        assert!(is_taken(&[("Paid", 1)], &[("Noted", 1), ("Noted", 2)]), "a type may end");
        assert!(!is_taken(&[("Placed", 1), ("Placed", 2)], &[]), "two versions are written");
        assert!(!is_taken(&[("Placed", 2)], &[("Placed", 1), ("Placed", 1)]), "two upcasters");
        assert!(!is_taken(&[("Placed", 1)], &[("Placed", 1)]), "written and upcast");
        assert!(!is_taken(&[("Placed", 1)], &[("Placed", 2)]), "the version was lowered");
        assert!(!is_taken(&[("Placed", 0)], &[]), "versions begin at 1");
        assert!(!is_taken(&[("Order_Placed", 1)], &[]), "the bus would not take its name");
    }
}
