//! Grouping: whatever piles up while the last group is under way becomes the next one. No timer is involved, so a
//! member that is alone waits for nothing, and a thousand share one statement. Nobody is answered before the commit.

mod error;

use std::future::Future;

use metrics::histogram;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::{Answer, Error as Store};

pub use error::Error;

/// A queue in front of a grouped operation: members of type `M` go in, each gets its own answer of type `A`.
///
/// The task behind it ends when the last handle is dropped and all that was handed in is answered.
pub struct Group<M, A> {
    members: mpsc::Sender<Member<M, A>>,
}

impl<M, A> Clone for Group<M, A> {
    fn clone(&self) -> Self {
        Self {
            members: self.members.clone(),
        }
    }
}

struct Member<M, A> {
    member: M,
    answer: oneshot::Sender<Result<A, Error>>,
}

/// The largest group, in members.
const MAX_MEMBERS: usize = 1_000;

impl<M: Send + 'static, A: Send + 'static> Group<M, A> {
    /// Starts the task that carries groups out through `run`, which answers each member, in order. `name` labels the
    /// group's metrics.
    pub fn spawn<F, Fut>(name: &'static str, run: F) -> (Self, JoinHandle<()>)
    where
        F: Fn(Vec<M>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<Result<A, Error>>> + Send,
    {
        let (members, mut inbox) = mpsc::channel::<Member<M, A>>(4 * MAX_MEMBERS);
        let size = histogram!("gristmill_group_size", "group" => name);
        let task = tokio::spawn(async move {
            let mut waiting = Vec::new();
            while inbox.recv_many(&mut waiting, MAX_MEMBERS).await > 0 {
                size.record(waiting.len() as f64);
                let (group, answers): (Vec<_>, Vec<_>) = waiting
                    .drain(..)
                    .map(|Member { member, answer }| (member, answer))
                    .unzip();
                let results = run(group).await;
                debug_assert_eq!(results.len(), answers.len(), "one answer per member of {name}");
                for (answer, result) in answers.into_iter().zip(results) {
                    // A caller that has gone away needs no answer; what it asked for is done all the same.
                    drop(answer.send(result));
                }
            }
        });
        (Self { members }, task)
    }

    /// Hands members in one after the other, and waits for their answers: they stay in order, and make up as few groups as
    /// may be.
    pub async fn call_all(&self, members: Vec<M>) -> Vec<Result<A, Error>> {
        let mut results = Vec::with_capacity(members.len());
        for member in members {
            let (answer, result) = oneshot::channel();
            let handed = self.members.send(Member { member, answer }).await;
            results.push(handed.map(|()| result));
        }
        let mut answers = Vec::with_capacity(results.len());
        for result in results {
            answers.push(match result {
                Ok(result) => result.await.unwrap_or(Err(Error::Stopped)),
                Err(_) => Err(Error::Stopped),
            });
        }
        answers
    }

    /// Hands one member in and waits for its answer.
    ///
    /// # Errors
    /// Whatever `run` answered, or [`Error::Stopped`].
    pub async fn call(&self, member: M) -> Result<A, Error> {
        let (answer, result) = oneshot::channel();
        self.members
            .send(Member { member, answer })
            .await
            .map_err(|_| Error::Stopped)?;
        result.await.map_err(|_| Error::Stopped)?
    }
}

/// Carries a group out in one call, and when that call fails for a reason that may be one member's fault, carries each
/// member out alone, so that one bad member hurts nobody else. A lost connection is nobody's fault: then the outcome is
/// unknown to all. Nor is it one member's fault when the database refuses two of them in a row: then it has too much to
/// do, or holds a lock that all of them want, and what is left is not tried at its expense.
pub async fn one_by_one<'a, M, A>(
    group: &'a [M],
    run: impl Fn(&'a [M]) -> Answer<'a, Vec<A>>,
) -> Vec<Result<A, Error>> {
    let error = match run(group).await {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    let may_be_one = matches!(error, Store::Statement(_) | Store::Busy(_)) && group.len() > 1;
    if !may_be_one {
        return vec_of(group.len(), &error.into());
    }
    let mut answers = Vec::with_capacity(group.len());
    let mut refused = 0;
    for member in group.chunks(1) {
        let alone = run(member).await;
        refused = if matches!(alone, Err(Store::Busy(_))) {
            refused + 1
        } else {
            0
        };
        let alone = alone.map_err(Error::from);
        answers.push(alone.and_then(|answer| answer.into_iter().next().ok_or(Error::Stopped)));
        if refused == REFUSED_IN_A_ROW
            && let Some(Err(error)) = answers.last()
        {
            answers.extend(vec_of(group.len() - answers.len(), &error.clone()));
            break;
        }
    }
    answers
}

/// So many members refused one after the other are no single member's fault.
const REFUSED_IN_A_ROW: usize = 2;

fn vec_of<A>(members: usize, error: &Error) -> Vec<Result<A, Error>> {
    (0..members).map(|_| Err(error.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn what_piles_up_while_a_group_is_under_way_is_the_next_group() {
        let gate = Arc::new(Semaphore::new(0));
        let groups = Arc::new(AtomicUsize::new(0));
        let (group, _task) = Group::spawn("test", {
            let (gate, groups) = (gate.clone(), groups.clone());
            move |members: Vec<u32>| {
                let (gate, groups) = (gate.clone(), groups.clone());
                async move {
                    groups.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    members.into_iter().map(|member| Ok(member * 2)).collect()
                }
            }
        });
        let first = tokio::spawn({
            let group = group.clone();
            async move { group.call(0).await }
        });
        while groups.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let rest: Vec<_> = (1..=100)
            .map(|n| {
                let group = group.clone();
                tokio::spawn(async move { group.call(n).await })
            })
            .collect();
        while group.members.capacity() > 4 * MAX_MEMBERS - 100 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap(), 0);
        for (n, task) in (1..=100).zip(rest) {
            assert_eq!(task.await.unwrap().unwrap(), n * 2);
        }
        assert_eq!(groups.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn one_bad_member_hurts_nobody_else() {
        let answers = one_by_one(&[1, -1, 2], |members: &[i32]| {
            let bad = members.iter().any(|member| *member < 0);
            let answer = if bad {
                Err(Store::Statement(diesel::result::Error::NotFound))
            } else {
                Ok(members.to_vec())
            };
            Box::pin(std::future::ready(answer))
        })
        .await;
        assert!(
            matches!(answers[..], [Ok(1), Err(Error::Store(_)), Ok(2)]),
            "{answers:?}"
        );
    }

    #[tokio::test]
    async fn a_database_that_refuses_is_not_asked_for_each_member() {
        let asked = AtomicUsize::new(0);
        let answers: Vec<Result<i32, _>> = one_by_one(&[1, 2, 3, 4, 5], |_: &[i32]| {
            asked.fetch_add(1, Ordering::SeqCst);
            Box::pin(std::future::ready(Err(Store::Busy(
                diesel::result::Error::NotFound,
            ))))
        })
        .await;
        assert_eq!((answers.len(), asked.into_inner()), (5, 3));
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Err(error) if error.is_transient())),
            "{answers:?}"
        );
    }
}
