//! What a step was told so far: enough to bring a dropped instance back to where it waits.
//!
//! A step that waits for a person may wait for minutes, and its instance occupies memory and a slot of the pool
//! all the while. Since a guest sees nothing but its input and the answers to its calls, it can be thrown away and
//! run again: every call it made is answered at once from what it was told, until it is where it was.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::calls::{HostCallError, HostCallFuture, HostCalls};
use crate::pauses::Pauses;
use crate::value;

/// Most that is remembered of one step's answers. Bytes, approximately; beyond it the instance itself is kept.
///
/// Less than an instance occupies, or nothing would be gained by dropping it.
const MOST_BYTES: usize = 64 << 10;

/// The calls of one step and their answers, in order; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<Exchanges>>);

#[derive(Debug, Default)]
struct Exchanges {
    told: Vec<Exchange>,
    bytes: usize,
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
    /// What a step was told in a process that is gone, from its journal. Only the last call may lack its answer. It
    /// remembers all, since no instance can be kept in its place; the step's own limits bound it.
    pub fn recorded(calls: Vec<Recorded>) -> Told {
        let told = calls.into_iter().map(|call| Exchange {
            request: fingerprint(&call.interface, &call.function, &call.args),
            answer: call.answer,
        });
        Told(Arc::new(Mutex::new(Exchanges {
            told: told.collect(),
            however_much: true,
            ..Exchanges::default()
        })))
    }

    /// Remembers the answer to the call that waits, before it is given.
    pub fn answer(&self, answer: &Value) {
        let mut exchanges = self.lock();
        let bytes = value::size(answer);
        if exchanges.bytes + bytes > MOST_BYTES && !exchanges.however_much {
            exchanges.forgotten = true;
            exchanges.told = Vec::new();
        }
        if exchanges.forgotten {
            return;
        }
        exchanges.bytes += bytes;
        if let Some(last) = exchanges.told.last_mut() {
            last.answer = Some(answer.clone());
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
    use serde_json::json;

    use super::*;
    use crate::calls::NoCalls;

    async fn ask(host: &mut impl HostCalls, argument: u32) -> Result<Value, HostCallError> {
        host.call("env", "now", vec![json!(argument)]).await
    }

    /// A step that has asked once and was told `7`.
    async fn asked_once() -> Told {
        let told = Told::default();
        let refused = ask(&mut told.again(Box::new(NoCalls)), 1).await;
        assert!(
            matches!(refused, Err(HostCallError::Stop(_))),
            "{refused:?}"
        );
        told.answer(&json!(7));
        told
    }

    #[tokio::test]
    async fn what_was_told_is_told_again_and_what_is_new_goes_on() {
        let told = asked_once().await;
        let mut host = told.again(Box::new(NoCalls));
        assert_eq!(told.unasked(), Some(1));
        assert_eq!(ask(&mut host, 1).await, Ok(json!(7)));
        assert_eq!(told.unasked(), None);
        let next = ask(&mut host, 2).await;
        assert!(matches!(next, Err(HostCallError::Stop(_))), "{next:?}");
    }

    #[tokio::test]
    async fn a_request_that_differs_is_told_as_such() {
        let told = asked_once().await;
        let other = ask(&mut told.again(Box::new(NoCalls)), 2).await;
        let expected = HostCallError::NotRepeated {
            call: 1,
            function: "env.now".into(),
        };
        assert_eq!(other, Err(expected));
    }

    #[tokio::test]
    async fn what_a_journal_tells_is_told_again_however_much_it_is() {
        let call = |argument: u32, answer: Option<Value>| Recorded {
            interface: "env".into(),
            function: "now".into(),
            args: vec![json!(argument)],
            answer,
        };
        let told = Told::recorded(vec![call(1, Some(json!(7))), call(2, None)]);
        told.answer(&json!("x".repeat(MOST_BYTES)));
        assert!(told.whole());
        let mut host = told.again(Box::new(NoCalls));
        assert_eq!(ask(&mut host, 1).await, Ok(json!(7)));
        assert_eq!(ask(&mut host, 2).await, Ok(json!("x".repeat(MOST_BYTES))));
        assert_eq!(told.unasked(), None);
    }

    #[tokio::test]
    async fn too_much_is_not_remembered() {
        let told = asked_once().await;
        assert!(told.whole());
        told.answer(&json!("x".repeat(MOST_BYTES)));
        assert!(!told.whole());
        assert_eq!(told.unasked(), None);
    }
}
