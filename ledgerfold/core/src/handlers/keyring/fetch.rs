use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::{
    EncodeError, TenantId,
    ports::{KeyReader, Keyring, KeyringError, Random},
    sealed::{DataSubject, OpenKeys, SealingKeys, SubjectPseudonym, sealed_subjects},
};

/// The most subjects whose keys are fetched for one command or query: as many as a page has rows.
pub const MAX_SUBJECTS: usize = 100;
/// The number of concurrent requests for keys.
const AT_ONCE: usize = 8;

/// Keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchKeysError {
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// There are more than [`MAX_SUBJECTS`] subjects. Take a smaller page.
    #[error("{0} subjects at once are too many, the most are {MAX_SUBJECTS}")]
    TooManySubjects(usize),
    /// The value with sealed fields cannot be written as JSON.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

fn check(subjects: usize) -> Result<(), FetchKeysError> {
    if subjects <= MAX_SUBJECTS { Ok(()) } else { Err(FetchKeysError::TooManySubjects(subjects)) }
}

/// The keys of a command about these subjects: everybody whose data its decision seals or opens. Makes the keys that do
/// not exist yet. [`Keyed::new`](crate::sealed::Keyed::new) gives them to the command.
///
/// # Errors
/// [`FetchKeysError`].
pub async fn provide_keys(
    keyring: &dyn Keyring,
    random: &dyn Random,
    tenant: &TenantId,
    subjects: &[DataSubject],
) -> Result<SealingKeys, FetchKeysError> {
    check(subjects.len())?;
    let tenant_key = keyring.provide_tenant_key(tenant).await?;
    let pseudonyms: BTreeSet<_> = subjects.iter().map(|it| tenant_key.pseudonym(it)).collect();
    let states: Vec<_> = stream::iter(pseudonyms)
        .map(|subject| async move {
            let state = keyring.provide_subject_key(tenant, &subject).await?;
            Ok::<_, KeyringError>((subject, Some(state)))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut seed = [0; 32];
    random.fill(&mut seed);
    Ok(SealingKeys::new(OpenKeys::new(tenant.clone(), states), tenant_key, subjects, seed))
}

/// The keys of a command about these subjects, without making any key of a subject, and whether all of them have one. A
/// value of a subject without a key cannot be sealed: see [`SealError::NotProvided`](crate::sealed::SealError).
///
/// # Errors
/// [`FetchKeysError`].
pub async fn existing_keys(
    keyring: &dyn Keyring,
    random: &dyn Random,
    tenant: &TenantId,
    subjects: &[DataSubject],
) -> Result<(SealingKeys, bool), FetchKeysError> {
    let tenant_key = keyring.provide_tenant_key(tenant).await?;
    let pseudonyms: BTreeSet<_> = subjects.iter().map(|it| tenant_key.pseudonym(it)).collect();
    let open = fetch_keys(keyring, tenant, pseudonyms.clone()).await?;
    let are_complete = pseudonyms.iter().all(|it| open.state(it).is_ok());
    let mut seed = [0; 32];
    random.fill(&mut seed);
    Ok((SealingKeys::new(open, tenant_key, subjects, seed), are_complete))
}

/// The keys that open every sealed value in this event, state or row, or in a page of rows.
///
/// # Errors
/// [`FetchKeysError`].
pub async fn keys_to_open(
    keyring: &dyn KeyReader,
    tenant: &TenantId,
    value: &(impl Serialize + ?Sized),
) -> Result<OpenKeys, FetchKeysError> {
    let subjects = sealed_subjects(value)?;
    fetch_keys(keyring, tenant, subjects).await
}

/// The keys of these subjects. A subject without a key is part of the result: its values cannot be opened.
///
/// # Errors
/// [`FetchKeysError`].
pub async fn fetch_keys(
    keyring: &dyn KeyReader,
    tenant: &TenantId,
    subjects: BTreeSet<SubjectPseudonym>,
) -> Result<OpenKeys, FetchKeysError> {
    check(subjects.len())?;
    let states: Vec<_> = stream::iter(subjects)
        .map(|subject| async move {
            let state = keyring.subject_key(tenant, &subject).await?;
            Ok::<_, KeyringError>((subject, state))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(OpenKeys::new(tenant.clone(), states))
}
