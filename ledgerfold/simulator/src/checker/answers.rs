//! The rules of answers and refusals. The rules of their effects belong to `decisions`.

use std::ops::RangeInclusive;

use ledgerfold::{
    Version,
    command::{Answer, CommandError},
};
use ledgerfold_testkit::bank::AccountRejection;

use crate::{
    checker::evidence::Evidence,
    domain::{
        accounts::Request,
        history::{History, Moment, encoded},
        observations::brief,
    },
};

/// Each answer names the committed events.
pub(super) fn are_true(evidence: &Evidence, history: &History, broken: &mut Vec<String>) {
    for (id, answers) in evidence.observations.answers() {
        let effect = history.effects().iter().find(|effect| effect.command == id);
        let committed: Vec<_> =
            effect.iter().flat_map(|effect| &effect.commits).map(Answer::from).collect();
        let nothing = answers.iter().all(|answer| answer.events.is_empty());
        if committed != answers && !(nothing && committed.is_empty()) {
            let said = brief(&answers);
            let done = brief(&committed);
            broken.push(format!("{id} was answered {said}, and did {done}"));
        }
    }
}

/// Whether a command that was first sent at this moment could once be answered with "nothing to do".
pub(crate) fn nothing_was_to_do(request: &Request, before: Moment, history: &History) -> bool {
    (before..=history.now()).any(|moment| {
        let decided = request.decide(|stream| history.state_at(stream, moment));
        decided.is_ok_and(|parts| parts.is_empty())
    })
}

/// The fault of a refusal, if it has one: it must have been true at some moment since the command was first sent. If
/// the command is committed by now, an earlier sending of it was still in progress, and the refusal must have been
/// true between the second sending and the commit.
pub(crate) fn refused(
    request: &Request,
    refusal: &CommandError<AccountRejection>,
    (first_sent, sent): (Moment, Moment),
    history: &History,
    limit: usize,
) -> Option<String> {
    let id = &request.id;
    let committed = history.effects().iter().position(|effect| effect.command == *id);
    let mut moments = match committed {
        Some(at) => sent..=at,
        None => first_sent..=history.now(),
    };
    let decided = |moment| request.decide(|stream| history.state_at(stream, moment));
    let true_once = match refusal {
        CommandError::Rejected(rejection) => {
            moments.clone().any(|moment| decided(moment).err() == Some(*rejection))
                || was_true_of_each(request, *rejection, moments, history)
        }
        CommandError::ExpectedVersion { expected, actual } => {
            let version = |moment| history.version_at(&request.streams[0], moment);
            expected != actual && moments.any(|moment| version(moment) == *actual)
        }
        CommandError::Reserved { key, holder } => moments.any(|moment| {
            let email = history.state_at(holder, moment).email;
            holder.tenant() == request.streams[0].tenant()
                && email.is_some_and(|email| ledgerfold_testkit::bank::email(&email) == key.key)
        }),
        CommandError::TooLarge(_) => moments.any(|moment| {
            decided(moment).is_ok_and(|parts| {
                let bytes = |events| encoded(events).iter().map(String::len).sum::<usize>();
                parts.iter().any(|(_, events)| bytes(events) > limit)
            })
        }),
        _ => false,
    };
    (!true_once).then(|| {
        if committed.is_some() {
            return format!("{id} was committed, and refused: {refusal}");
        }
        let head: Vec<_> = request
            .streams
            .iter()
            .map(|stream| history.stream(stream).map_or(Version::NONE, |it| it.head()))
            .collect();
        format!("{id} was refused without a reason: {refusal} (at {head:?})")
    })
}

/// Whether a refusal of a joint command was true of the first stream at one moment, and of the second
/// at another: the streams are read one beside the other, and nothing makes sure of a refusal that the
/// states were ever there together.
fn was_true_of_each(
    request: &Request,
    rejection: AccountRejection,
    moments: RangeInclusive<Moment>,
    history: &History,
) -> bool {
    let [one, _] = request.streams.as_slice() else { return false };
    moments.clone().any(|first| {
        moments.clone().any(|second| {
            let decided = request.decide(|stream| {
                history.state_at(stream, if stream == one { first } else { second })
            });
            decided.err() == Some(rejection)
        })
    })
}
