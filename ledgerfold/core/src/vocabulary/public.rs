//! Public events: the form in which other contexts see the events of a context.

use std::{any::TypeId, any::type_name, collections::BTreeMap, fmt};

use crate::{
    Category, DecodeError, EncodeError, Event,
    vocabulary::{CommitEvent, Panicked, panics::guarded},
};

/// The public events of one category of streams. A pure function gives each private event its public form, or none.
///
/// The relay uses it to publish, and readers of the log in other contexts use it to fill gaps. So it belongs into the
/// crate of the context's contract, and other contexts depend on that crate.
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # use ledgerfold::{Category, PublicEvents};
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct Opened { pub email: String }
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct NoteWritten { pub text: String }
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// # pub struct AccountOpened {}
/// # ledgerfold::events! { pub enum AccountEvent { Opened: 1, NoteWritten: 1 } }
/// ledgerfold::events! {
///     /// The events of an account that other contexts see.
///     pub enum PublicAccountEvent {
///         AccountOpened: 1,
///     }
/// }
///
/// pub struct PublicAccounts;
///
/// impl PublicEvents for PublicAccounts {
///     const CONTEXT: &'static str = "bank";
///     const CATEGORY: Category = Category::from_static("account");
///     type Private = AccountEvent;
///     type Public = PublicAccountEvent;
///
///     fn public(event: &AccountEvent) -> Option<PublicAccountEvent> {
///         match event {
///             // The address of the owner stays inside.
///             AccountEvent::Opened(_) => Some(AccountOpened {}.into()),
///             AccountEvent::NoteWritten(_) => None,
///         }
///     }
/// }
/// ```
pub trait PublicEvents: Send + Sync + 'static {
    /// The name of the context that publishes the events.
    const CONTEXT: &'static str;
    /// The category of the streams.
    const CATEGORY: Category;

    /// The events as the context stores them.
    type Private: Event;
    /// The events as other contexts see them.
    type Public: Event;

    /// The public form of an event, or `None` if other contexts must not see it.
    fn public(event: &Self::Private) -> Option<Self::Public>;

    /// The public form of a stored event that an upcaster has turned into several of today's events, or into none. A
    /// stored event has one place in its stream, so it has at most one public form. Implement this method if your
    /// upcasters make several events that all have one.
    ///
    /// # Errors
    /// [`SeveralForms`] by default if more than one of the events has a public form.
    fn public_of_several(events: &[Self::Private]) -> Result<Option<Self::Public>, SeveralForms> {
        let mut forms = events.iter().filter_map(Self::public);
        let first = forms.next();
        match forms.count() {
            0 => Ok(first),
            more => Err(SeveralForms(more + 1)),
        }
    }
}

/// A stored event has more than one public form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has {0} public forms, and one is allowed: implement public_of_several")]
pub struct SeveralForms(pub usize);

/// An event that should have a public form has none, because code or data is wrong.
#[derive(Debug, thiserror::Error)]
pub enum NoPublicForm {
    /// The stored event cannot be read.
    #[error("the event has no public form: {0}")]
    Unreadable(#[from] DecodeError),
    /// The public event cannot be written.
    #[error("the public form of the event cannot be written: {0}")]
    Unwritable(#[from] EncodeError),
    /// There are several.
    #[error("the event has no single public form: {0}")]
    Several(#[from] SeveralForms),
    /// The code of the mapping panicked.
    #[error("the event has no public form: {0}")]
    Panicked(#[from] Panicked),
}

impl NoPublicForm {
    /// Whether a newer program has written the event. Such a program is probably being deployed.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unreadable(DecodeError::Unknown { .. }))
    }
}

/// The function of [`PublicEvents`], without its types.
#[derive(Clone, Copy)]
pub struct PublicForm {
    mapping: TypeId,
    name: &'static str,
    map: fn(&CommitEvent) -> Result<Option<CommitEvent>, NoPublicForm>,
}

impl PublicForm {
    /// The function of this mapping.
    pub fn by<M: PublicEvents>() -> Self {
        Self { mapping: TypeId::of::<M>(), name: type_name::<M>(), map: map::<M> }
    }

    /// The public form of a stored event, or `None` if other contexts must not see the event. It has the id of the
    /// stored event.
    ///
    /// # Errors
    /// [`NoPublicForm`].
    pub fn of(&self, stored: &CommitEvent) -> Result<Option<CommitEvent>, NoPublicForm> {
        guarded(|| (self.map)(stored))?
    }
}

fn map<M: PublicEvents>(stored: &CommitEvent) -> Result<Option<CommitEvent>, NoPublicForm> {
    let CommitEvent { id, event_type, schema_version, data } = stored;
    let events = M::Private::decode(event_type, *schema_version, data)?;
    let public = match events.as_slice() {
        [event] => M::public(event),
        several => M::public_of_several(several)?,
    };
    let Some(public) = public else { return Ok(None) };
    Ok(Some(CommitEvent {
        id: *id,
        event_type: public.event_type(),
        schema_version: public.schema_version(),
        data: public.encode()?,
    }))
}

impl PartialEq for PublicForm {
    fn eq(&self, other: &Self) -> bool {
        self.mapping == other.mapping
    }
}

impl Eq for PublicForm {}

impl fmt::Debug for PublicForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicForm").field(&self.name).finish()
    }
}

/// The public forms of a context's events, by category. A category without an entry has no public events of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicForms(BTreeMap<Category, PublicForm>);

impl PublicForms {
    /// No public events.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds the public events of a category.
    #[must_use]
    pub fn with<M: PublicEvents>(mut self) -> Self {
        self.0.insert(M::CATEGORY, PublicForm::by::<M>());
        self
    }

    /// The public form of the events of this category, if it has one.
    pub fn of(&self, category: &Category) -> Option<PublicForm> {
        self.0.get(category).copied()
    }

    /// The categories with public events.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.0.keys()
    }

    /// Whether no category has public events.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The form in which an envelope has its event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As its context stores it.
    #[default]
    Private,
    /// As other contexts see it.
    Public,
    /// As its context stores it, for a reader in another context. Opening the envelope gives the public form.
    ReadAs(PublicForm),
}

/// The name under which a context publishes its public events: `<context>.public`. No context has such a name, because
/// the name of a context has no dot.
pub fn public_name(context: &str) -> String {
    format!("{context}.public")
}

/// The events of another context, as a projection reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    context: &'static str,
    category: Category,
    form: Option<PublicForm>,
}

impl Source {
    /// The public events of a category.
    pub fn public<M: PublicEvents>() -> Self {
        Self { context: M::CONTEXT, category: M::CATEGORY, form: Some(PublicForm::by::<M>()) }
    }

    /// The events of a category of a context without public events of its own: everybody sees them as they are stored.
    pub const fn stored(context: &'static str, category: Category) -> Self {
        Self { context, category, form: None }
    }

    /// The name of the context.
    pub const fn context(&self) -> &'static str {
        self.context
    }

    /// The category of the streams.
    pub const fn category(&self) -> &Category {
        &self.category
    }

    /// The public form of the events; `None` if everybody sees the stored form.
    pub const fn form(&self) -> Option<PublicForm> {
        self.form
    }

    /// The form in which the bus delivers the events.
    pub const fn on_the_bus(&self) -> Form {
        match self.form {
            Some(_) => Form::Public,
            None => Form::Private,
        }
    }

    /// The name under which the events are on the bus: `<context>.public`, or `<context>` if everybody sees the stored
    /// form.
    pub fn bus_name(&self) -> String {
        match self.form {
            Some(_) => public_name(self.context),
            None => self.context.to_owned(),
        }
    }
}
