//! What an operator changes in the tenants' files, for the audit log.

use std::collections::BTreeMap;

use serde_json::json;

use super::TenantConfig;
use crate::access::Role;
use crate::runtime::Node;
use crate::store::{Change, Outcome};

/// Who is told to have changed a file: whoever may write it, which the engine cannot know.
const WHO: &str = "operator (file)";

/// What was edited of one tenant.
pub(super) struct Edit {
    tenant: String,
    action: &'static str,
    /// What was said of each key, and what is.
    keys: BTreeMap<String, [Option<String>; 2]>,
}

/// A tenant whose file says something else now; none for one whose file says the same.
pub(super) fn changed(tenant: &str, before: &TenantConfig, now: &TenantConfig) -> Option<Edit> {
    let keys = before.changes(now);
    (!keys.is_empty()).then(|| Edit {
        tenant: tenant.to_owned(),
        action: "tenant.change",
        keys,
    })
}

/// A tenant that has a file now.
pub(super) fn added(tenant: &str, now: &TenantConfig) -> Edit {
    Edit {
        tenant: tenant.to_owned(),
        action: "tenant.add",
        keys: TenantConfig::default().changes(now),
    }
}

/// A tenant that has none any more.
pub(super) fn removed(tenant: &str, before: &TenantConfig) -> Edit {
    Edit {
        tenant: tenant.to_owned(),
        action: "tenant.remove",
        keys: before.changes(&TenantConfig::default()),
    }
}

/// Writes edits into the audit log. They hold already: a store that cannot take them is told in the engine's own log.
pub(super) async fn write_down(node: &Node, edits: Vec<Edit>) {
    let Some(store) = &node.store else {
        return;
    };
    for edit in edits {
        let change = Change {
            at: node.clock.now(),
            who: WHO.to_owned(),
            role: Role::Operator,
            tenant: Some(edit.tenant.clone()),
            action: edit.action.to_owned(),
            object: edit.tenant,
            detail: json!({ "changed": edit.keys }),
            outcome: Outcome::Done,
        };
        if let Err(error) = store.audit(&change).await {
            tracing::error!(
                tenant = %change.object, detail = %change.detail,
                "{} is not in the audit log: {error}", change.action
            );
        }
    }
}
