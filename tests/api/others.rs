//! Two tenants of one centre, each with all that a tenant can have: what tokens of the one find of the other's, at every operation.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};
use strowger_server::access::Role;
use strowger_tests::Hall;
use strowger_tests::hall::CHATS;
use strowger_tests::http::{self, Response, get};
use strowger_tests::program::{POLL, component, strowger};
use strowger_tests::projects::project;
use tempfile::TempDir;

use crate::operations::{Operation, Others, described};
use crate::world::Client;

/// A password that is long enough.
const PASSWORD: &str = "a-password-of-the-tests";

/// Longest time until a contact that is over has its record.
const RECORDED: Duration = Duration::from_secs(30);

/// What a tenant has, by the names under which the API has it.
struct Tenant {
    name: &'static str,
    number: &'static str,
    contact: String,
    token: String,
    user: &'static str,
    entry: &'static str,
}

impl Tenant {
    /// The address of an operation, with what is this one's.
    fn path(&self, operation: &Operation) -> String {
        let id = match operation.path.starts_with("/v1/tokens/") {
            true => &self.token,
            false => &self.contact,
        };
        let name = match operation.path.starts_with("/v1/users/") {
            true => self.user,
            false => self.entry,
        };
        operation
            .path
            .replace("{tenant}", self.name)
            .replace("{number}", "1")
            .replace("{name}", name)
            .replace("{id}", id)
    }

    /// By what it is known that something is this one's.
    fn marks(&self) -> [&str; 6] {
        let Tenant {
            name,
            number,
            contact,
            token,
            user,
            entry,
        } = self;
        [name, number, contact, token, user, entry]
    }

    /// One of whom there is nothing, though it has names of the same form; what was told of it, told of this one.
    fn nobody(&self) -> Tenant {
        let other = |id: &str| {
            let last = if id.ends_with('0') { "1" } else { "0" };
            format!("{}{last}", &id[..id.len() - 1])
        };
        Tenant {
            name: "nowhere",
            number: "4930700",
            contact: other(&self.contact),
            token: other(&self.token),
            user: "ulysses",
            entry: "no-key",
        }
    }

    /// A text in which this one's names stand, with another's in their place.
    fn told_of(&self, other: &Tenant, text: &str) -> String {
        let names = self.marks().into_iter().zip(other.marks());
        names.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

/// A body with which it would be done.
fn body(operation: &Operation, tenant: &Tenant) -> Option<Json> {
    Some(match (operation.method, operation.path) {
        ("POST", "/v1/tokens") => {
            json!({ "name": "x", "role": "auditor", "tenant": tenant.name })
        }
        ("POST", "/v1/session") => json!({ "name": tenant.user, "password": "not-the-password" }),
        ("POST", "/v1/chats") => json!({ "to": "nobody" }),
        ("POST", "/v1/chats/{id}/messages") => json!({ "text": "hello", "client_id": "m1" }),
        ("PUT", "/v1/users/{name}") => json!({ "password": PASSWORD, "role": "auditor" }),
        ("PUT", "/v1/tenants/{tenant}/release") => json!({ "revision": 1, "accept": ["all"] }),
        ("PUT", "/v1/tenants/{tenant}/shadow") => json!({ "revision": 2 }),
        ("PUT", "/v1/tenants/{tenant}/vault/{name}") => {
            json!({ "value": "another-secret", "hosts": ["example.com:443"] })
        }
        _ => return None,
    })
}

/// Makes what a tenant can have, but for tokens and users: before there are any, whoever is on this machine may.
fn furnish(
    hall: &Hall,
    name: &'static str,
    number: &'static str,
    user: &'static str,
    entry: &'static str,
) -> Result<Tenant> {
    let text = "flow: greeting\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    \
        use: guest-env/exercise@1\n    then: { done: well, error: well, else: well }\n  well: { hangup: done }\n";
    let flows = [(number, "greeting", text.to_owned())];
    let plugins = [("guest-env", component("guest-env")?)];
    let project = project(name, &plugins, "", &flows)?;
    hall.publish(&project)?;
    // The second revision, which shadows the first.
    let other = text.replace("hangup: done", "hangup: finished");
    std::fs::write(project.path().join("greeting.flow.yaml"), other)?;
    hall.done(&["push", &project.path().display().to_string()])?;
    let put = |path: String, body: Json| -> Result<()> {
        let answer = http::ask(hall.engine.http, "PUT", &path, None, Some(&body))?;
        ensure!(
            answer.status < 300,
            "{path}: {} {}",
            answer.status,
            answer.body
        );
        Ok(())
    };
    put(
        format!("/v1/tenants/{name}/shadow"),
        json!({ "revision": 2 }),
    )?;
    put(
        format!("/v1/tenants/{name}/vault/{entry}"),
        json!({ "value": "a-secret-of-the-tests", "hosts": ["example.com:443"] }),
    )?;
    let contact = hall.begin(number)?;
    hall.over(&contact)?;
    // Its record is written after its end.
    let end = Instant::now() + RECORDED;
    while http::get(hall.engine.http, &format!("/v1/contacts/{contact}/record"))?.status != 200 {
        ensure!(Instant::now() < end, "{contact} has no record");
        std::thread::sleep(POLL);
    }
    Ok(Tenant {
        name,
        number,
        contact,
        token: String::new(),
        user,
        entry,
    })
}

/// Makes a token and a user of each tenant.
fn people(hall: &Hall, tenants: [&mut Tenant; 2]) -> Result<()> {
    for tenant in tenants {
        let owner = Client::new(&hall.engine, "owner", &["--tenant", tenant.name])?;
        tenant.token = owner.id().to_owned();
        let body = json!({ "password": PASSWORD, "role": "auditor" }).to_string();
        let path = format!("/v1/users/{}", tenant.user);
        let made = owner.with("PUT", &path, &[], Some(&body))?;
        ensure!(made.status == 200, "{} {}", made.status, made.body);
    }
    Ok(())
}

#[test]
fn what_is_another_tenants_is_found_nowhere() -> Result<()> {
    let rules = |number: &str, entry: &str| {
        format!("numbers = [\"{number}\"]\n[grants]\nvault = [\"{entry}\"]\n")
    };
    let keys = TempDir::new()?;
    let key = keys.path().join("vault.key").display().to_string();
    let (code, _, said) = strowger(&["vault", "key", &key])?;
    ensure!(code == 0, "{said}");
    let hall = Hall::open_with(
        &format!("[vault]\nkey_file = \"{key}\"\n{CHATS}"),
        &[
            ("wombat", &rules("4930771", "wombats-key")),
            ("quoll", &rules("4930772", "quolls-key")),
        ],
    )?;
    let mut wombat = furnish(&hall, "wombat", "4930771", "wanda", "wombats-key")?;
    let mut quoll = furnish(&hall, "quoll", "4930772", "quentin", "quolls-key")?;
    people(&hall, [&mut wombat, &mut quoll])?;
    let nobody = wombat.nobody();
    let document = get(hall.engine.http, "/v1/openapi.json")?.json()?;
    let operations = described(&document)?;
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let client = Client::new(&hall.engine, role.name(), &["--tenant", quoll.name])?;
        for (operation, _) in &operations {
            let ask = |tenant: &Tenant, query: &str| -> Result<Response> {
                let body = body(operation, tenant).map(|body| body.to_string());
                let path = tenant.path(operation) + query;
                // A stream has no end: one that would begin after what is no number is refused when all else is right.
                let fields = [("Last-Event-ID", "now")];
                client.with(operation.method, &path, &fields, body.as_deref())
            };
            let answer = ask(&wombat, "")?;
            let shown = format!(
                "{} as {}: {} {}",
                operation.name(),
                role.name(),
                answer.status,
                answer.body
            );
            let fault = match operation.others {
                _ if !operation.may(role) => (answer.status != 403).then_some("not 403"),
                Others::Nothing if answer.status != 404 => Some("not 404"),
                Others::Nothing => {
                    let none = ask(&nobody, "")?;
                    let told = nobody.told_of(&wombat, &none.body);
                    let same = (none.status, told) == (answer.status, answer.body.clone());
                    (!same).then_some("told from what is not there")
                }
                Others::Refused => (answer.status != 403).then_some("not 403"),
                Others::AName => (answer.status != 409).then_some("not 409"),
                Others::ItsOwn => its_own(operation, &answer, &wombat, &quoll),
                Others::NobodysThere => wombat
                    .marks()
                    .iter()
                    .any(|mark| answer.body.contains(mark))
                    .then_some("names it"),
            };
            wrong.extend(fault.map(|fault| format!("{fault}: {shown}")));
            // Nor where the other is asked for.
            if operation.path == "/v1/records" && operation.may(role) {
                let asked = ask(&wombat, "?tenant=wombat")?;
                if asked.body.contains(&wombat.contact) {
                    wrong.push(format!("by its name: {}", asked.body));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    // All of it is there still, as whoever may sees.
    let all = Client::new(&hall.engine, "owner", &[])?;
    for (operation, _) in &operations {
        if operation.method == "GET" && operation.others == Others::Nothing {
            let path = wombat.path(operation);
            if path.starts_with("/v1/chats/") {
                continue;
            }
            let answer = all.ask("GET", &path)?;
            ensure!(
                answer.status == 200,
                "{path}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
    let release = all.ask("GET", "/v1/tenants/wombat/release")?.json()?;
    ensure!(release["live"] == 1, "{release}");
    Ok(())
}

/// What is wrong with a list that one tenant's token got, of which another tenant has something too.
fn its_own(
    operation: &Operation,
    answer: &Response,
    other: &Tenant,
    own: &Tenant,
) -> Option<&'static str> {
    let of_another = |text: &str| other.marks().iter().any(|mark| text.contains(mark));
    if operation.path == "/v1/audit" {
        // What was asked of the other's stands there as refused, by those who asked.
        let lines = answer.json().ok()?["items"].as_array()?.clone();
        let strange = |line: &Json| {
            line["tenant"] != own.name || line["outcome"] == "done" && of_another(&line.to_string())
        };
        return lines.iter().any(strange).then_some("names it");
    }
    if of_another(&answer.body) {
        return Some("names it");
    }
    if operation.path == "/v1/events" {
        // What it tells is tested where it is read to some length.
        return (answer.status != 400).then_some("not let in");
    }
    // Nothing was refused to its plugins, which is all that is counted by tenant.
    let counted = operation.path == "/metrics";
    let named = counted || own.marks().iter().any(|mark| answer.body.contains(mark));
    (answer.status != 200 || !named).then_some("nothing of its own")
}
