//! What a plugin's own grants let through: asked as a call is made, and by replays, which make none.

use strowger_flow::unseen::{quoted, quoted_up_to};

use super::Refusal;
use super::allowance::ADDRESS_CHARS;
use crate::project::Grants;

/// Whether a plugin may put contacts into a queue.
pub(crate) fn may_queue(own: &Grants, queue: &str) -> Result<(), Refusal> {
    let shown = || format!("queue {}", quoted(queue));
    held(own.has_queue(queue), "route.queues", shown)
}

/// Whether a plugin may hand contacts over to an address.
pub(crate) fn may_transfer(own: &Grants, address: &str) -> Result<(), Refusal> {
    let shown = || format!("transfer {}", quoted_up_to(address, ADDRESS_CHARS));
    held(own.has_address(address), "route.transfers", shown)
}

/// Whether a plugin that has these entries of the vault may use one.
pub(crate) fn may_use(granted: &[String], entry: &str) -> Result<(), Refusal> {
    let known = granted.iter().any(|known| known == entry);
    held(known, "vault.grants", || format!("vault {}", quoted(entry)))
}

fn held(holds: bool, rule: &'static str, what: impl Fn() -> String) -> Result<(), Refusal> {
    match holds {
        true => Ok(()),
        false => Err(Refusal::denied(
            rule,
            format!("{}: not granted to this plugin", what()),
        )),
    }
}
