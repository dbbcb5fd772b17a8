//! Keys for examples of a domain that seals.

use ledgerfold::{
    Command, Decider, TenantId,
    sealed::{
        DataSubject, KeyState, KeyVersion, Keyed, OpenKeys, SealingKeys, SubjectKey, TenantKey,
    },
};

use crate::{Decided, Given};

/// The keys of a command about these subjects, which are the same in every run. Sealing with them gives the same
/// ciphertext as the decision does.
///
/// ```
/// use ledgerfold::sealed::Plain;
/// use ledgerfold_testkit::{Given, clinic::{EMAIL, PatientName, Patients, Register, Registered}, keys_of};
///
/// let keys = keys_of(&["p-1"]);
/// let name = Plain::new(PatientName::new("Ada"));
/// let email = Plain::new("ada@example.org".to_owned());
/// let registered = Registered {
///     name: keys.seal(&keys.subjects()[0], &name)?,
///     email: keys.hash(&EMAIL, "ada@example.org"),
/// };
/// Given::<Patients>::nothing().when_keyed(&keys, Register { name, email }).then([registered.into()]);
/// # Ok::<(), ledgerfold::sealed::SealError>(())
/// ```
///
/// # Panics
/// If an id is not a [`DataSubject`].
pub fn keys_of(subjects: &[&str]) -> SealingKeys {
    let key = SubjectKey::from_bytes(&[2; 32]).expect("it has 32 bytes");
    keys(subjects, &KeyState::Active { version: KeyVersion::FIRST, key })
}

/// The keys of a command about these subjects, whose data was erased.
///
/// # Panics
/// If an id is not a [`DataSubject`].
pub fn erased_keys_of(subjects: &[&str]) -> SealingKeys {
    keys(subjects, &KeyState::Erased { through: KeyVersion::FIRST })
}

fn keys(subjects: &[&str], state: &KeyState) -> SealingKeys {
    let tenant = TenantKey::from_bytes(KeyVersion::FIRST, &[1; 32]).expect("it has 32 bytes");
    let subjects: Vec<_> = subjects
        .iter()
        .map(|id| DataSubject::new(*id).expect("the id must be a valid `DataSubject`"))
        .collect();
    let states = subjects.iter().map(|it| (tenant.pseudonym(it), Some(state.clone())));
    let open = OpenKeys::new(TenantId::default_tenant(), states);
    SealingKeys::new(open, tenant, &subjects, [3; 32])
}

impl<D, C> Given<D>
where
    D: Decider<Command = Keyed<C>>,
    C: Command,
{
    /// Decides on this command with these keys.
    pub fn when_keyed(
        self,
        keys: &SealingKeys,
        command: impl Into<C>,
    ) -> Decided<Vec<D::Event>, D::Rejection> {
        self.when(Keyed::new(command.into(), keys.clone()))
    }
}
