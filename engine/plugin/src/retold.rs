//! What a step was told so far: enough to bring a dropped instance back to where it waits.
//!
//! A step that waits for a person may wait for minutes, and its instance occupies memory and a slot of the pool
//! all the while. Since a guest sees nothing but its input and the answers to its calls, it can be thrown away and
//! run again: every call it made is answered at once from what it was told, until it is where it was.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::calls::{HostCallError, HostCallFuture, HostCalls};
use crate::error::StepError;
use crate::memory::{Held, Holding};
use crate::pauses::Pauses;
use crate::share::Share;
use crate::value;

/// Most that is remembered of one step's answers while it has an instance. Bytes, approximately; beyond it the instance
/// itself is kept.
///
/// Less than an instance occupies, or nothing would be gained by dropping it.
const MOST_BYTES: usize = 64 << 10;

/// The calls of one step and their answers, in order; clones share them. What they occupy is on the share's memory; the default
/// is on nobody's.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<Exchanges>>);

#[derive(Debug, Default)]
struct Exchanges {
    told: Vec<Exchange>,
    bytes: usize,
    /// `bytes` as a part of what the share may hold; none where it is on nobody's memory, and when all is forgotten.
    holding: Option<Holding>,
    /// Calls that the instance now running has made.
    asked: usize,
    /// Too much was said to be remembered.
    forgotten: bool,
    /// However much was said: there is no instance that could be kept instead.
    however_much: bool,
}

#[derive(Debug)]
struct Exchange {
    /// Interface, function and arguments, hashed.
    request: u64,
    /// None while it is awaited.
    answer: Option<Value>,
}

/// A call that a journal tells of, and its answer; none while it is awaited.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Short name of the interface: `media`, `http` …
    pub interface: String,
    /// The function.
    pub function: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// What the step was told.
    pub answer: Option<Value>,
}

impl Told {
    /// Nothing yet, of a step of this share.
    pub fn new(share: &Share) -> Told {
        Told::of(share, Vec::new(), false)
    }

    fn of(share: &Share, told: Vec<Exchange>, however_much: bool) -> Told {
        Told(Arc::new(Mutex::new(Exchanges {
            told,
            holding: Some(Holding::new(share, Held::default())),
            however_much,
            ..Exchanges::default()
        })))
    }

    /// What a step was told in a process that is gone, from its journal. Only the last call may lack its answer. It
    /// remembers all, since no instance can be kept in its place; the step's own limits bound it, and the memory that its
    /// tenant may hold: [`StepError::TenantMemoryLimit`] where there is no room for it.
    pub fn recorded(share: &Share, calls: Vec<Recorded>) -> Result<Told, StepError> {
        let bytes: usize = calls
            .iter()
            .filter_map(|call| call.answer.as_ref())
            .map(occupied)
            .sum();
        let told = calls.into_iter().map(|call| Exchange {
            request: fingerprint(&call.interface, &call.function, &call.args),
            answer: call.answer,
        });
        let told = Told::of(share, told.collect(), true);
        told.lock().grow(bytes)?;
        Ok(told)
    }

    /// Remembers the answer to the call that waits, before it is given. `instance`: whether there is one that can be kept
    /// where too much was said, or the share's memory has no room for it. Without one it is an error that there is none.
    pub fn answer(&self, answer: &Value, instance: bool) -> Result<(), StepError> {
        let mut exchanges = self.lock();
        if exchanges.forgotten {
            return Ok(());
        }
        let bytes = occupied(answer);
        let most = match exchanges.however_much || !instance {
            true => usize::MAX,
            false => MOST_BYTES,
        };
        if exchanges.bytes + bytes > most {
            exchanges.forget();
            return Ok(());
        }
        match exchanges.grow(bytes) {
            Ok(()) => {
                if let Some(last) = exchanges.told.last_mut() {
                    last.answer = Some(answer.clone());
                }
                Ok(())
            }
            Err(full) if !instance => Err(full),
            Err(_) => {
                exchanges.forget();
                Ok(())
            }
        }
    }

    /// Whether an instance can be brought back from it: not where more was said than is remembered.
    pub fn whole(&self) -> bool {
        !self.lock().forgotten
    }

    /// Who answers the next instance of the step: what was told already is told again, what is new goes to `calls`.
    pub(crate) fn again(&self, calls: Box<dyn HostCalls>) -> Retold {
        self.lock().asked = 0;
        Retold {
            told: self.clone(),
            calls,
        }
    }

    /// The call, counted from 1, that an earlier instance made and this one, which has ended, did not.
    pub(crate) fn unasked(&self) -> Option<usize> {
        let exchanges = self.lock();
        let missed = !exchanges.forgotten && exchanges.asked < exchanges.told.len();
        missed.then_some(exchanges.asked + 1)
    }

    fn lock(&self) -> MutexGuard<'_, Exchanges> {
        // Nothing is done under the lock that could leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call of the instance: its answer when it has one, nothing when it is new.
    fn ask(
        &self,
        request: u64,
        function: impl Fn() -> String,
    ) -> Result<Option<Value>, HostCallError> {
        let mut exchanges = self.lock();
        if exchanges.forgotten {
            return Ok(None);
        }
        let number = exchanges.asked;
        exchanges.asked += 1;
        match exchanges.told.get(number) {
            None => {
                exchanges.told.push(Exchange {
                    request,
                    answer: None,
                });
                Ok(None)
            }
            Some(exchange) if exchange.request != request => Err(HostCallError::NotRepeated {
                call: number + 1,
                function: function(),
            }),
            Some(exchange) => exchange.answer.clone().map(Some).ok_or_else(|| {
                HostCallError::Bad(format!("call {} was never answered", number + 1))
            }),
        }
    }
}

impl Exchanges {
    /// Takes so many bytes of the share's memory.
    fn grow(&mut self, bytes: usize) -> Result<(), StepError> {
        if let Some(holding) = &self.holding {
            holding.grow(bytes)?;
        }
        self.bytes += bytes;
        Ok(())
    }

    fn forget(&mut self) {
        self.forgotten = true;
        self.told = Vec::new();
        self.bytes = 0;
        self.holding = None;
    }
}

/// What an answer occupies while it is remembered. Bytes, approximately.
fn occupied(answer: &Value) -> usize {
    size_of::<Exchange>() + value::size(answer)
}

/// Answers an instance's calls from what the step was told, and hands new ones on.
pub(crate) struct Retold {
    told: Told,
    calls: Box<dyn HostCalls>,
}

impl HostCalls for Retold {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Value>,
    ) -> HostCallFuture<'a> {
        let request = fingerprint(interface, function, &args);
        match self.told.ask(request, || format!("{interface}.{function}")) {
            Ok(None) => self.calls.call(interface, function, args),
            Ok(Some(answer)) => Box::pin(std::future::ready(Ok(answer))),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn pauses(&self) -> Option<Pauses> {
        self.calls.pauses()
    }
}

/// Tells requests apart within one process: no secret and no key, so a fast hash will do.
fn fingerprint(interface: &str, function: &str, args: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (interface, function).hash(&mut hasher);
    args.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use serde_json::json;

    use super::*;
    use crate::calls::NoCalls;

    async fn ask(host: &mut impl HostCalls, argument: u32) -> Result<Value, HostCallError> {
        host.call("env", "now", vec![json!(argument)]).await
    }

    /// Whose memory is `most` bytes.
    fn share(most: u64) -> Share {
        let share = Share::among(1, &Arc::new(AtomicUsize::new(0)));
        share.set_memory_most(most);
        share
    }

    /// A step that has asked once and was told `7`.
    async fn asked_once(share: &Share) -> Told {
        let told = Told::new(share);
        let refused = ask(&mut told.again(Box::new(NoCalls)), 1).await;
        assert!(
            matches!(refused, Err(HostCallError::Stop(_))),
            "{refused:?}"
        );
        assert_eq!(told.answer(&json!(7), true), Ok(()));
        told
    }

    #[tokio::test]
    async fn what_was_told_is_told_again_and_what_is_new_goes_on() {
        let told = asked_once(&share(1 << 20)).await;
        let mut host = told.again(Box::new(NoCalls));
        assert_eq!(told.unasked(), Some(1));
        assert_eq!(ask(&mut host, 1).await, Ok(json!(7)));
        assert_eq!(told.unasked(), None);
        let next = ask(&mut host, 2).await;
        assert!(matches!(next, Err(HostCallError::Stop(_))), "{next:?}");
    }

    #[tokio::test]
    async fn a_request_that_differs_is_told_as_such() {
        let told = asked_once(&share(1 << 20)).await;
        let other = ask(&mut told.again(Box::new(NoCalls)), 2).await;
        let expected = HostCallError::NotRepeated {
            call: 1,
            function: "env.now".into(),
        };
        assert_eq!(other, Err(expected));
    }

    fn recorded(argument: u32, answer: Option<Value>) -> Recorded {
        Recorded {
            interface: "env".into(),
            function: "now".into(),
            args: vec![json!(argument)],
            answer,
        }
    }

    #[tokio::test]
    async fn what_a_journal_tells_is_told_again_however_much_it_is() {
        let calls = vec![recorded(1, Some(json!(7))), recorded(2, None)];
        let told = Told::recorded(&share(1 << 20), calls).expect("there is room");
        let much = json!("x".repeat(MOST_BYTES));
        assert_eq!(told.answer(&much, true), Ok(()));
        assert!(told.whole());
        let mut host = told.again(Box::new(NoCalls));
        assert_eq!(ask(&mut host, 1).await, Ok(json!(7)));
        assert_eq!(ask(&mut host, 2).await, Ok(much));
        assert_eq!(told.unasked(), None);
    }

    #[tokio::test]
    async fn too_much_is_not_remembered_where_the_instance_can_be_kept() {
        let share = share(1 << 20);
        let told = asked_once(&share).await;
        assert!(told.whole() && share.memory_held() > 0);
        assert_eq!(told.answer(&json!("x".repeat(MOST_BYTES)), true), Ok(()));
        assert!(!told.whole());
        assert_eq!(told.unasked(), None);
        assert_eq!(share.memory_held(), 0);
    }

    #[tokio::test]
    async fn a_dropped_instance_is_brought_back_however_much_it_is_told_last() {
        let told = asked_once(&share(1 << 20)).await;
        let refused = {
            let mut host = told.again(Box::new(NoCalls));
            assert_eq!(ask(&mut host, 1).await, Ok(json!(7)));
            ask(&mut host, 2).await
        };
        assert!(refused.is_err());
        let much = json!("x".repeat(MOST_BYTES));
        assert_eq!(told.answer(&much, false), Ok(()));
        let mut host = told.again(Box::new(NoCalls));
        assert_eq!(ask(&mut host, 1).await, Ok(json!(7)));
        assert_eq!(ask(&mut host, 2).await, Ok(much));
    }

    #[tokio::test]
    async fn what_is_remembered_is_on_the_memory_of_the_tenant() {
        let share = share(100 << 10);
        let much = || vec![recorded(1, Some(json!("x".repeat(60 << 10))))];
        let one = Told::recorded(&share, much()).expect("there is room");
        let full = |told: Result<_, StepError>| matches!(told, Err(StepError::TenantMemoryLimit { most, .. }) if most == 100 << 10);
        assert!(full(Told::recorded(&share, much()).map(|_| ())));
        // Without an instance it is refused; with one that is kept instead.
        assert!(full(one.answer(&json!("x".repeat(60 << 10)), false)));
        assert_eq!(one.answer(&json!("x".repeat(60 << 10)), true), Ok(()));
        assert!(!one.whole());
        assert_eq!(share.memory_held(), 0);
        assert!(Told::recorded(&share, much()).is_ok());
    }
}
