//! Contacts: their records, journals and transcripts.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use strowger_contact::{Entry, EntryKind};
use strowger_flow::unseen::quoted;
use utoipa::IntoParams;

use super::extract::Id;
use super::page::{Listed, Moment, Page, PageOfMoments};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::tagged::Tagged;
use super::{Api, Problem};
use crate::centre::{Bound, Centre};
use crate::replay::{Reasons, explainable, reasons};
use crate::runtime::{TraceEvent, leads, trace as events, transcript as conversation};
use crate::sip::Signal;
use crate::store::{ContactFilter, ContactRow, Ladder, Rung, Store, Torn};

/// What the list takes beside its page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListContacts {
    /// Only those of a call with this SIP Call-ID, be it one by which a caller who was cut off came back.
    call_id: Option<String>,
}

/// List contacts
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/contacts", operation_id = "list_contacts", tag = "contacts", params(ListContacts, PageOfMoments),
    responses((status = 200, body = Page<ContactRow>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    principal: Principal,
    listed: Listed<Moment, ListContacts>,
) -> Result<Page<ContactRow>, Problem> {
    let after = listed.after.clone();
    // No contact began before 1970, and no time of a cursor is beyond SQL's numbers.
    let after = after.map(|after| (after.at as i64, after.id));
    let call_id = listed.which.call_id.as_deref();
    let filter = ContactFilter {
        sip_call_id: call_id.map(|id| id.replace('\0', "\u{fffd}")),
        tenant: principal.tenant,
        after,
        limit: Some(listed.rows()),
    };
    api.settled().await?;
    let rows = store(&api)?.contacts(&filter).await?;
    Ok(listed.page(rows, |row| Moment {
        at: u64::try_from(row.started_at).unwrap_or_default(),
        id: row.id.clone(),
    }))
}

/// Look at a contact
///
/// Who called whom when, on which flow, and how it ended.
#[utoipa::path(
    get, path = "/v1/contacts/{id}", operation_id = "get_contact", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id.", max_length = 64)),
    responses(
        (status = 200, body = ContactRow, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such contact, or another tenant's."),
    )
)]
pub(crate) async fn one(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id,
) -> Result<Tagged<ContactRow>, Problem> {
    api.node.durable().await.map_err(Problem::unavailable)?;
    let row = store(&api)?.contact(&id).await?;
    let row = row.filter(|row| principal.sees(&row.tenant));
    row.map(Tagged).ok_or_else(|| unknown(&id))
}

/// A contact's journal
///
/// Every entry, one JSON object a line, as `strowger replay` reads it. The SIP messages of its calls stand between them
/// by time, as `"kind": "sip"`; what was left out of these as `"sip-cut"`.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/journal", operation_id = "get_contact_journal", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id.", max_length = 64)),
    responses(
        (status = 200, body = String, content_type = "application/x-ndjson", description = "The entries."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such contact, or another tenant's."),
    )
)]
pub(crate) async fn journal(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id,
) -> Result<Response, Problem> {
    told(&api, &principal, &id, |_, _| (), written).await
}

/// A journal's lines, with those of the ladder between them.
fn written(entries: &[Entry], ladder: Ladder, (): ()) -> Result<Response, Problem> {
    let line = |line: serde_json::Result<String>| {
        line.map_err(|error| Problem::internal(error.to_string()))
    };
    let mut lines = String::new();
    let mut signals = ladder.signals.iter().peekable();
    for entry in entries {
        let comes = |signal: &&Signal| {
            signal.at < entry.at || (signal.at == entry.at && leads(signal, &ladder.signals))
        };
        while let Some(signal) = signals.next_if(comes) {
            lines.push_str(&line(serde_json::to_string(&Rung::Sip(signal.clone())))?);
            lines.push('\n');
        }
        lines.push_str(&line(serde_json::to_string(entry))?);
        lines.push('\n');
    }
    let cut = u32::try_from(ladder.cut).unwrap_or(u32::MAX);
    let cut = (cut > 0).then_some(Rung::SipCut { leg: 0, times: cut });
    for rung in signals.cloned().map(Rung::Sip).chain(cut) {
        lines.push_str(&line(serde_json::to_string(&rung))?);
        lines.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}

/// All that happened in a contact
///
/// In the order of time, as `strowger trace` shows it, with what the flow's expressions gave.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/trace", operation_id = "get_contact_trace", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id.", max_length = 64)),
    responses(
        (status = 200, body = Vec<TraceEvent>, description = "The events."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such contact, or another tenant's."),
    )
)]
pub(crate) async fn trace(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id,
) -> Result<Response, Problem> {
    let (centre, handle) = (api.centre.clone(), tokio::runtime::Handle::current());
    // Its engine may have to be built again first.
    let why = move |tenant: &str, entries: &[Entry]| {
        handle.block_on(reasons_of(&centre, tenant, entries))
    };
    let all = |entries: &[Entry], ladder, reasons| {
        Ok(Json(events(entries, &ladder, &reasons)).into_response())
    };
    told(&api, &principal, &id, why, all).await
}

/// What the flow's expressions gave in a contact, walked again on what it began on.
async fn reasons_of(centre: &Centre, tenant: &str, entries: &[Entry]) -> Reasons {
    let begun = match explainable(entries) {
        Ok(begun) => begun,
        Err(reasons) => return reasons,
    };
    match centre.engine_of(tenant, &begun, Bound::Held).await {
        Ok(engine) => reasons(engine.program.clone(), entries, begun).await,
        Err(why) => Reasons::none(why),
    }
}

/// A contact's transcript
///
/// The conversation, with the flow's lines.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/transcript", operation_id = "get_contact_transcript", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id.", max_length = 64)),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "The conversation."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such contact, or another tenant's."),
    )
)]
pub(crate) async fn transcript(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id,
) -> Result<Response, Problem> {
    let all = |entries: &[Entry], _, ()| Ok(conversation(entries).into_response());
    told(&api, &principal, &id, |_, _| (), all).await
}

/// What is made of all that is kept of a contact, and of what was found in its journal before that hid its seed. That is told
/// whose contact it is.
async fn told<T>(
    api: &Api,
    principal: &Principal,
    id: &str,
    find: impl FnOnce(&str, &[Entry]) -> T + Send + 'static,
    make: impl FnOnce(&[Entry], Ladder, T) -> Result<Response, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    api.settled().await?;
    let store = store(api)?;
    let tenant = store.contact(id).await?.map(|row| row.tenant);
    if principal.tenant.is_some() && !tenant.as_ref().is_some_and(|of| principal.sees(of)) {
        return Err(unknown(id));
    }
    let tenant = tenant.unwrap_or_default();
    let reading = api.readings.begin(principal).await;
    let packed = store.packed_journal(id).await?;
    let ladder = store.ladder(id).await?;
    if ladder.lost > 0 {
        tracing::warn!(contact = %id, rows = ladder.lost, "parts of a SIP ladder cannot be read");
    }
    let id = id.to_owned();
    let answer = reading.answered(move || {
        let journal = packed.read();
        if let Some(torn) = &journal.torn {
            tracing::warn!(contact = %id, entry = torn.seq, "a journal is broken, and is read up to there: {}", torn.why);
        }
        let mut entries = journal.entries;
        let found = find(&tenant, &entries);
        unseeded(&mut entries);
        match entries.is_empty() && ladder.signals.is_empty() {
            true => Err(match journal.torn.as_ref().and_then(Torn::hole) {
                Some(hole) => Problem::not_found(format!("contact {id} cannot be told of: {hole}")),
                None => unknown(&id),
            }),
            false => make(&entries, ladder, found),
        }
    });
    answer.await
}

/// Takes the seed out of the journal of a contact that lasts: who knows it can foretell what the contact's plugins will draw.
fn unseeded(entries: &mut [Entry]) {
    let over = entries
        .iter()
        .any(|entry| matches!(entry.kind, EntryKind::Ended(_)));
    for entry in entries {
        if let EntryKind::Started { seed, .. } = &mut entry.kind
            && !over
        {
            *seed = None;
        }
    }
}

pub(super) fn store(api: &Api) -> Result<&Store, Problem> {
    api.node
        .store
        .as_ref()
        .ok_or_else(|| Problem::internal("this engine keeps no journal"))
}

pub(super) fn unknown(id: &str) -> Problem {
    let shown = quoted(id);
    Problem::not_found(format!(
        "there is no contact `{shown}`; /v1/contacts lists them"
    ))
}
