//! What one tenant's plugins may have of the world, and what they were refused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::{Value as Json, json};
use strowger_contact::call::{HttpRequest, HttpResponse, KvCall};
use strowger_flow::unseen::{in_one_line, quoted, quoted_up_to};
use strowger_plugin::{Ear, Printed};

use super::http::{Asker, HttpClient};
use super::limits::{EffectLimits, LogLimits};
use super::{Refusal, Secret, kv};
use crate::clock::Clock;
use crate::project::Grants;
use crate::rate::{Bucket, Pace};
use crate::store::Store;

/// Characters of an address that a message quotes.
pub(crate) const ADDRESS_CHARS: usize = 128;
/// How often it is told that log lines are left out, in milliseconds.
const TELL_EVERY_MS: u64 = 10_000;
/// The rules by which lines are left out.
const LINES_PER_STEP: &str = "log.lines_per_step";
const BYTES_PER_STEP: &str = "log.bytes_per_step";
const LINES_PER_SECOND: &str = "log.lines_per_second";

/// A tenant's limits, as they are now, with the counters that go with them. All of the tenant's revisions share it.
#[derive(Debug)]
pub struct Allowance {
    rules: RwLock<Arc<Rules>>,
    /// What the operator grants at present; none where only the project itself says what its plugins may touch.
    grants: RwLock<Option<Arc<Grants>>>,
    /// Requests under way.
    requests: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Rules {
    limits: EffectLimits,
    http: HttpClient,
}

#[derive(Debug, Default)]
struct State {
    kv: Bucket,
    log: Bucket,
    /// When it was last told that lines are left out.
    told_at: Option<u64>,
    /// By rule.
    refused: BTreeMap<&'static str, u64>,
}

/// What one step has used of what is counted by the step.
#[derive(Debug, Default)]
pub(crate) struct StepUse {
    lines: u32,
    bytes: usize,
    requests: u32,
}

/// A request of a guest.
pub(crate) struct Wanted<'a> {
    pub request: HttpRequest,
    /// `host:port` pairs that its plugin may send requests to.
    pub granted: &'a [String],
    pub idempotency_key: &'a str,
    pub secrets: &'a [Secret],
}

/// A request's place among those that are under way.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Rules {
    fn of(limits: EffectLimits) -> Arc<Rules> {
        let http = HttpClient::new(limits.http.clone());
        Arc::new(Rules { limits, http })
    }
}

impl Allowance {
    /// With these limits, and nothing used.
    pub fn new(limits: EffectLimits) -> Arc<Allowance> {
        Arc::new(Allowance {
            rules: RwLock::new(Rules::of(limits)),
            grants: RwLock::default(),
            requests: AtomicUsize::new(0),
            state: Mutex::default(),
        })
    }

    /// Other limits from now on. Connections that were opened under the old ones are used no more.
    pub(crate) fn set(&self, limits: EffectLimits) {
        if self.rules().limits != limits {
            *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Rules::of(limits);
        }
    }

    /// What the operator grants from now on, to steps that run too: what was withdrawn is refused at its next use.
    pub(crate) fn grant(&self, grants: Grants) {
        let mut place = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::new(grants));
    }

    /// Whether the operator grants to hand contacts over.
    pub(crate) fn may_route(&self) -> Result<(), Refusal> {
        self.granted("route", "route.grants", |grants| grants.route)
    }

    /// Whether the operator grants to put contacts into a queue.
    pub(crate) fn may_queue(&self, queue: &str) -> Result<(), Refusal> {
        let shown = quoted(queue);
        self.granted(&format!("queue {shown}"), "route.queues", |grants| {
            grants.has_queue(queue)
        })
    }

    /// Whether the operator grants to hand contacts over to an address.
    pub(crate) fn may_transfer(&self, address: &str) -> Result<(), Refusal> {
        let shown = quoted_up_to(address, ADDRESS_CHARS);
        self.granted(&format!("transfer {shown}"), "route.transfers", |grants| {
            grants.has_address(address)
        })
    }

    /// Whether the operator grants an entry of the vault.
    pub(crate) fn may_use(&self, entry: &str) -> Result<(), Refusal> {
        let shown = quoted(entry);
        let capability = format!("vault {shown}");
        self.granted(&capability, "vault.grants", |grants| {
            grants.vault.iter().any(|known| known == entry)
        })
    }

    fn granted(
        &self,
        capability: &str,
        rule: &'static str,
        holds: impl Fn(&Grants) -> bool,
    ) -> Result<(), Refusal> {
        match self.grants() {
            Some(grants) if !holds(&grants) => Err(Refusal::denied(
                rule,
                format!("{capability}: the operator does not grant it to this tenant"),
            )),
            _ => Ok(()),
        }
    }

    /// How often each rule has refused something since the start: `http.private`, `kv.bytes`.
    pub fn refused(&self) -> BTreeMap<&'static str, u64> {
        self.state().refused.clone()
    }

    /// Counts what was refused, and gives what the guest is told.
    pub(crate) fn tell(&self, refusal: Refusal) -> Json {
        self.refuse(&refusal);
        json!({ "err": refusal.error })
    }

    /// Counts what was refused.
    pub(crate) fn refuse(&self, refusal: &Refusal) {
        if let Some(rule) = refusal.rule {
            *self.state().refused.entry(rule).or_default() += 1;
        }
    }

    /// Whether a step may make one more request.
    pub(crate) fn one_more_request(&self, step: &mut StepUse) -> Result<(), Refusal> {
        let most = self.rules().limits.http.per_step;
        if step.requests >= most {
            let text = format!("a step makes at most {most} requests");
            return Err(Refusal::limit("http.per_step", text));
        }
        step.requests += 1;
        Ok(())
    }

    /// Sends a request.
    pub(crate) async fn fetch(&self, wanted: Wanted<'_>) -> Result<HttpResponse, Refusal> {
        let rules = self.rules();
        let most = rules.http.limits().at_once;
        let place = self
            .requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                (now < most).then_some(now + 1)
            });
        if place.is_err() {
            let text = format!("{most} requests of this tenant are under way");
            return Err(Refusal::limit("http.at_once", text));
        }
        let _place = UnderWay(&self.requests);
        let Wanted {
            request,
            granted,
            idempotency_key,
            secrets,
        } = wanted;
        let still: Vec<String>;
        let granted = match self.grants() {
            None => granted,
            Some(grants) => {
                let of_both = granted.iter().filter(|host| grants.has_host(host));
                still = of_both.cloned().collect();
                &still
            }
        };
        let asker = Asker {
            granted,
            idempotency_key,
            secrets,
        };
        rules.http.fetch(request, &asker).await
    }

    /// Whether a contact's journal may have so many bytes.
    pub(crate) fn may_write(&self, bytes: u64) -> Result<(), Refusal> {
        let most = self.rules().limits.journal_mb_per_contact;
        match bytes <= u64::from(most) << 20 {
            true => Ok(()),
            false => Err(Refusal::limit(
                "journal_mb_per_contact",
                format!("the journal of a contact has at most {most} MiB"),
            )),
        }
    }

    /// What of the calls that are placed for transfers its contacts may have beside other tenants', in percent.
    pub(crate) fn transfers_percent(&self) -> u8 {
        self.rules().limits.transfers_percent
    }

    /// Does a key-value call; the answer is the JSON form of the function's WIT result.
    pub(crate) async fn kv(
        &self,
        store: &Store,
        tenant: &str,
        plugin: &str,
        call: KvCall,
        now: u64,
    ) -> Json {
        if let Err(refusal) = self.granted("kv", "kv.grants", |grants| grants.kv) {
            return self.tell(refusal);
        }
        let rules = self.rules();
        let limits = &rules.limits.kv;
        let most = limits.operations_per_second;
        let pace = Pace::per_second(most);
        if self.state().kv.take(pace, now).is_err() {
            let text = format!("this tenant has {most} operations a second");
            return self.tell(Refusal::limit("kv.operations_per_second", text));
        }
        match kv::perform(store, tenant, plugin, limits, call, now).await {
            Ok(done) => done,
            Err(refusal) => self.tell(refusal),
        }
    }

    /// Whether a step may write a line of so many bytes into the log. What is left out is counted, and told now and then.
    pub(crate) fn log(&self, tenant: &str, step: &mut StepUse, bytes: usize, now: u64) -> bool {
        let LogLimits {
            lines_per_step,
            bytes_per_step,
            ..
        } = self.rules().limits.log;
        if step.lines >= lines_per_step {
            self.leave_out(tenant, LINES_PER_STEP, now);
            return false;
        }
        if bytes_per_step.saturating_sub(step.bytes) < bytes {
            self.leave_out(tenant, BYTES_PER_STEP, now);
            return false;
        }
        let may = self.may_log(tenant, now);
        if may {
            step.lines += 1;
            step.bytes += bytes;
        }
        may
    }

    /// Whether the log may have one more line with words of the tenant's plugins. What is left out is counted, and told now and
    /// then.
    pub(crate) fn may_log(&self, tenant: &str, now: u64) -> bool {
        let pace = Pace::per_second(self.rules().limits.log.lines_per_second);
        let may = self.state().log.take(pace, now).is_ok();
        if !may {
            self.leave_out(tenant, LINES_PER_SECOND, now);
        }
        may
    }

    /// Who hears what components of the tenant print while they describe themselves: as much of each as of a step goes into the
    /// log.
    pub(crate) fn ear(self: &Arc<Self>, tenant: &str, clock: Clock) -> Ear {
        let LogLimits {
            lines_per_step,
            bytes_per_step,
            ..
        } = self.rules().limits.log;
        let (allowance, tenant) = (Arc::clone(self), tenant.to_owned());
        Ear {
            lines: lines_per_step,
            bytes: bytes_per_step,
            told: Arc::new(move |printed| allowance.heard(&tenant, printed, clock.now())),
        }
    }

    fn heard(&self, tenant: &str, printed: Printed, now: u64) {
        let plugin = in_one_line(&printed.plugin);
        for line in &printed.lines {
            if self.may_log(tenant, now) {
                let line = in_one_line(line);
                tracing::warn!(target: "plugin", %tenant, %plugin, "it printed while it described itself: {line}");
            }
        }
        let beyond = [
            (LINES_PER_STEP, printed.beyond_lines),
            (BYTES_PER_STEP, printed.beyond_bytes),
        ];
        for (rule, lines) in beyond.into_iter().filter(|(_, lines)| *lines > 0) {
            *self.state().refused.entry(rule).or_default() += lines;
            if self.may_log(tenant, now) {
                tracing::warn!(%tenant, %plugin, "left out {lines} lines that it printed while it described itself (limits.{rule})");
            }
        }
    }

    /// Counts a line that is left out, and tells it now and then.
    fn leave_out(&self, tenant: &str, rule: &'static str, now: u64) {
        let mut state = self.state();
        *state.refused.entry(rule).or_default() += 1;
        let due = state
            .told_at
            .is_none_or(|told| now.saturating_sub(told) >= TELL_EVERY_MS);
        if due {
            state.told_at = Some(now);
            drop(state);
            tracing::warn!(%tenant, "log lines of plugins are left out (limits.{rule}); /metrics counts them");
        }
    }

    fn rules(&self) -> Arc<Rules> {
        // Nothing panics under these locks.
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn grants(&self) -> Option<Arc<Grants>> {
        let grants = self.grants.read().unwrap_or_else(PoisonError::into_inner);
        grants.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
