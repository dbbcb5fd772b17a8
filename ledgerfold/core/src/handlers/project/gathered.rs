//! Calls of concurrent streams, sent together. A batch updates many streams at the same time, and all of them call the
//! read table at about the same moment.

use std::{
    future::{Future, poll_fn},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use futures::{channel::oneshot, lock::Mutex as Turn};

/// Gathers calls. The first caller lets all other streams run until they wait, and then sends the calls of all. A stream
/// that waits for something else holds nobody up: its call joins later ones.
pub(super) struct Gathered<Q, A> {
    /// A mutex, because all callers add their call. The first one takes them all.
    waiting: Mutex<Vec<(Q, oneshot::Sender<A>)>>,
    /// Held while calls are sent. Meanwhile, new ones gather.
    turn: Turn<()>,
}

impl<Q, A> Default for Gathered<Q, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: Turn::default() }
    }
}

impl<Q, A> Gathered<Q, A> {
    /// The answer to a call. `send` answers calls in their order. `None` if the caller that sends them was cancelled or
    /// has panicked.
    pub(super) async fn call<F>(&self, call: Q, send: impl FnOnce(Vec<Q>) -> F) -> Option<A>
    where
        F: Future<Output = Vec<A>>,
    {
        let (sender, answer) = oneshot::channel();
        if self.join(call, sender) {
            let leader = Leader { gathered: self };
            let_others_run().await;
            let turn = self.turn.lock().await;
            let (calls, senders): (Vec<_>, Vec<_>) = leader.take().into_iter().unzip();
            let answers = send(calls).await;
            drop(turn);
            for (sender, answer) in senders.into_iter().zip(answers) {
                // A caller that was cancelled needs no answer.
                let _ = sender.send(answer);
            }
        }
        answer.await.ok()
    }

    /// Whether the call is the first one, so that its caller must send all.
    fn join(&self, call: Q, sender: oneshot::Sender<A>) -> bool {
        let mut waiting = self.waiting();
        waiting.push((call, sender));
        waiting.len() == 1
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Q, oneshot::Sender<A>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The caller that sends the calls. If it is cancelled before, the others get no answer instead of waiting for ever.
struct Leader<'a, Q, A> {
    gathered: &'a Gathered<Q, A>,
}

impl<Q, A> Leader<'_, Q, A> {
    fn take(self) -> Vec<(Q, oneshot::Sender<A>)> {
        let waiting = mem::take(&mut *self.gathered.waiting());
        mem::forget(self);
        waiting
    }
}

impl<Q, A> Drop for Leader<'_, Q, A> {
    fn drop(&mut self) {
        self.gathered.waiting().clear();
    }
}

/// Waits until every other stream that can run has run once.
async fn let_others_run() {
    let mut has_waited = false;
    poll_fn(|context| {
        if mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::{FutureExt, StreamExt, future::pending, stream};

    use super::{Gathered, let_others_run};

    /// Answers each number with its square, and remembers the calls.
    async fn square(calls: &Mutex<Vec<Vec<u32>>>, numbers: Vec<u32>) -> Vec<u32> {
        let squares = numbers.iter().map(|number| number * number).collect();
        calls.lock().expect("no test panics here").push(numbers);
        let_others_run().await;
        squares
    }

    #[tokio::test]
    async fn calls_of_concurrent_streams_are_sent_together_and_each_gets_its_answer() {
        let gathered = Gathered::default();
        let sent = Mutex::default();
        let answers = stream::iter(0..100)
            .map(|number| gathered.call(number, |numbers| square(&sent, numbers)))
            .buffered(100)
            .collect::<Vec<_>>();
        let expected: Vec<_> = (0..100).map(|number| Some(number * number)).collect();
        assert_eq!(answers.await, expected);
        assert_eq!(sent.into_inner().expect("no test panics here"), [(0..100).collect::<Vec<_>>()]);
    }

    #[tokio::test]
    async fn calls_gather_while_others_are_sent() {
        let gathered = Gathered::default();
        let sent = Mutex::default();
        let answers = stream::iter(0..6)
            .map(|number| gathered.call(number, |numbers| square(&sent, numbers)))
            .buffered(2)
            .collect::<Vec<_>>();
        assert_eq!(answers.await.len(), 6);
        let sent = sent.into_inner().expect("no test panics here");
        assert_eq!(sent, [[0, 1], [2, 3], [4, 5]]);
    }

    #[tokio::test]
    async fn a_stream_that_waits_for_something_else_holds_nobody_up() {
        let gathered = Gathered::default();
        let sent = Mutex::default();
        let stuck = pending::<Option<u32>>().left_future();
        let call = |number| gathered.call(number, |numbers| square(&sent, numbers)).right_future();
        let mut answers = stream::iter([stuck, call(2), call(3)]).buffer_unordered(3);
        let both = async { [answers.next().await, answers.next().await] };
        assert_eq!(both.await, [Some(Some(4)), Some(Some(9))]);
    }

    #[tokio::test]
    async fn a_caller_that_is_cancelled_before_it_sends_leaves_nobody_waiting() {
        let gathered = Gathered::default();
        let sent = Mutex::default();
        let mut first = Box::pin(gathered.call(1, |numbers| square(&sent, numbers)));
        assert_eq!(first.as_mut().now_or_never(), None);
        let mut second = Box::pin(gathered.call(2, |numbers| square(&sent, numbers)));
        assert_eq!(second.as_mut().now_or_never(), None);
        drop(first);
        assert_eq!(second.await, None);
        let third = gathered.call(3, |numbers| square(&sent, numbers));
        assert_eq!(third.await, Some(9));
    }
}
