//! What takes its time beside the contact: requests, data, queues, hand-overs, recordings.

use std::time::Duration;

use serde_json::{Value as Json, json};
use strowger_contact::call::{CallError, HttpRequest, KvCall, TransferOptions, VAULT};
use strowger_contact::{Channel, Effect, Segment};

use super::{Done, Driver};
use crate::effects::{Secret, Wanted};
use crate::runtime::engine::brief;
use crate::runtime::line::{Handover, Line};

/// A hand-over that waits for the disk for longer lets the caller hear that something goes on.
const UNNOTICED: Duration = Duration::from_millis(300);

impl<L: Line> Driver<L> {
    pub(super) fn start(&mut self, effect: u32, what: Effect) {
        if let Err(refusal) = self.engine.may_hand_over(&self.step_of, &what) {
            let refused = self.engine.allowance.tell(refusal);
            self.answer(effect, async move { refused });
            return;
        }
        match what {
            Effect::Record { options } => self.line.record(effect, options),
            Effect::Transfer {
                target,
                options,
                whisper,
            } => self.transfer(effect, &target, options, whisper),
            Effect::Enqueue { queue, .. } => {
                let answer = self.engine.enqueue(&queue);
                self.answer(effect, async move { answer });
            }
            Effect::Http {
                plugin,
                request,
                idempotency_key,
            } => self.fetch(effect, plugin, request, idempotency_key),
            Effect::Kv { plugin, call } => self.keep_data(effect, plugin, call),
        }
    }

    /// Lets a hand-over be made once what led to it is on the disk.
    fn transfer(
        &mut self,
        effect: u32,
        target: &str,
        options: TransferOptions,
        whisper: Vec<Segment>,
    ) {
        match self.engine.destination(target, !whisper.is_empty()) {
            Ok((uri, how)) => {
                let handover = Handover {
                    uri,
                    how,
                    caller: self.contact.facts().from.clone(),
                    options,
                    whisper,
                };
                let (engine, pauses) = (self.engine.clone(), self.guests.pauses().clone());
                let stands_still = self.line.sleeps();
                let contact = self.contact.facts().id.clone();
                let results = self.effects.clone();
                self.beside(effect, async move {
                    let mut durable = std::pin::pin!(engine.durable(&pauses, stands_still));
                    let soon = tokio::time::timeout(UNNOTICED, durable.as_mut()).await;
                    let durable = match soon {
                        Ok(durable) => durable,
                        Err(_) => {
                            let _ = results.send((effect, Done::Waits)).await;
                            durable.await
                        }
                    };
                    Done::HandOver(match durable {
                        Ok(()) => Ok(handover),
                        Err(error) => {
                            tracing::warn!(%contact, "a hand-over is not made: {}", json!(error));
                            Err(json!({ "err": error }))
                        }
                    })
                });
            }
            Err(error) => {
                if self.engine.may_log() {
                    let (tenant, contact) = (&self.engine.tenant, &self.contact.facts().id);
                    let error = brief(&error.to_string());
                    tracing::warn!(%tenant, %contact, "transfer: {error}");
                }
                let failed = json!({ "ok": { "refused": "failed" } });
                self.answer(effect, async move { failed });
            }
        }
    }

    fn fetch(
        &mut self,
        effect: u32,
        plugin: String,
        request: HttpRequest,
        idempotency_key: String,
    ) {
        let (engine, pauses) = (self.engine.clone(), self.guests.pauses().clone());
        let stands_still = self.line.sleeps();
        let allowed = engine.allowance.one_more_request(&mut self.step_use);
        if let Err(refusal) = allowed {
            let refused = engine.allowance.tell(refusal);
            self.answer(effect, async move { refused });
            return;
        }
        let secrets: Vec<Secret> = request
            .secrets
            .iter()
            .filter_map(|field| {
                let text = self.contact.secret(&field.handle)?;
                Some(Secret {
                    handle: field.handle.clone(),
                    text: text.to_owned(),
                    hosts: None,
                })
            })
            .collect();
        self.answer(effect, async move {
            if !matches!(request.method.as_str(), "GET" | "HEAD")
                && let Err(error) = engine.durable(&pauses, stands_still).await
            {
                return json!({ "err": error });
            }
            let secrets = match engine.with_vault(&plugin, &request, secrets).await {
                Ok(secrets) => secrets,
                Err(refusal) => return engine.allowance.tell(refusal),
            };
            let wanted = Wanted {
                request,
                granted: engine.granted_hosts(&plugin),
                idempotency_key: &idempotency_key,
                secrets: &secrets,
            };
            match engine.allowance.fetch(wanted).await {
                Ok(response) => json!({ "ok": response }),
                Err(refusal) => engine.allowance.tell(refusal),
            }
        });
    }

    fn keep_data(&mut self, effect: u32, plugin: String, call: KvCall) {
        let (engine, pauses) = (self.engine.clone(), self.guests.pauses().clone());
        let stands_still = self.line.sleeps();
        let now = self.now();
        self.answer(effect, async move {
            if !matches!(call, KvCall::Get(_))
                && let Err(error) = engine.durable(&pauses, stands_still).await
            {
                return json!({ "err": error });
            }
            match &engine.node.store {
                Some(store) => {
                    let allowance = &engine.allowance;
                    allowance
                        .kv(store, &engine.tenant, &plugin, call, now)
                        .await
                }
                None => {
                    json!({ "err": CallError::Unavailable("this engine keeps no data".into()) })
                }
            }
        });
    }

    /// Does something beside the contact and hands the result to its task.
    fn answer(&mut self, effect: u32, work: impl Future<Output = Json> + Send + 'static) {
        self.beside(effect, async move { Done::Result(work.await) });
    }

    fn beside(&mut self, effect: u32, work: impl Future<Output = Done> + Send + 'static) {
        let results = self.effects.clone();
        let task = tokio::spawn(async move {
            let done = work.await;
            let _ = results.send((effect, done)).await;
        });
        self.under_way.insert(effect, task.abort_handle());
    }
}

/// Whether an effect of which nobody knows whether it took place may be asked for again: a request bears the key that it
/// bore, what a key was set to is set again, and a queue is waited in anew. A chat has no line that could have been handed over.
pub(super) fn repeatable(effect: &Effect, channel: Channel) -> bool {
    match effect {
        // What stood for a secret that was entered is lost; what is in the vault is there still.
        Effect::Http { request, .. } => {
            let mut secrets = request.secrets.iter();
            secrets.all(|field| field.handle.starts_with(VAULT))
        }
        Effect::Kv { call, .. } => !matches!(call, KvCall::CompareAndSet(..)),
        Effect::Enqueue { .. } => true,
        Effect::Transfer { .. } => channel == Channel::Chat,
        Effect::Record { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use strowger_contact::call::TransferOptions;
    use strowger_contact::{Channel, Effect};

    use super::repeatable;

    #[test]
    fn a_transfer_that_no_line_could_make_is_asked_for_again() {
        let transfer = Effect::Transfer {
            target: "110".to_owned(),
            options: TransferOptions {
                ring_ms: 5_000,
                caller_id: None,
                whisper: None,
            },
            whisper: Vec::new(),
        };
        assert!(repeatable(&transfer, Channel::Chat));
        assert!(!repeatable(&transfer, Channel::Voice), "somebody may talk");
    }
}
