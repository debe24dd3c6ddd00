//! What the API lets whom do: one table of all its operations, held against the description and the engine.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value as Json;
use strowger_server::access::Role;

/// Every operation; who is let in, as far as that is a matter of who asks; and what a token of one tenant finds there of
/// another tenant's. Whoever is not let in is answered 403, in a tenant of its own too.
///
/// | lets in | |
/// |---|---|
/// | roles, or `all roles` | a token or a session of these |
/// | roles, `or no token` | these, and on loopback who does not say who it is, for what is no tenant's |
/// | `anybody` | no token is asked for |
/// | `the chat` | the chat's own token, and no other |
///
/// | of another tenant | |
/// |---|---|
/// | `its own` | a list, of what is its own tenant's alone |
/// | `nothing` | 404, as for what is not there |
/// | `refused` | 403: nobody makes anything for another tenant |
/// | `a name` | 409: users' names are one list for all tenants, so that a name can be taken |
/// | `-` | nothing here is a tenant's |
const TABLE: &str = "
GET    /healthz                                | anybody                               | -
GET    /metrics                                | owner operator auditor, or no token   | its own
GET    /v1/openapi.json                        | anybody                               | -
POST   /v1/session                             | anybody                               | -
DELETE /v1/session                             | all roles                             | -
GET    /v1/me                                  | all roles                             | -

GET    /v1/contacts                            | all roles                             | its own
GET    /v1/contacts/{id}                       | all roles                             | nothing
GET    /v1/contacts/{id}/journal               | all roles                             | nothing
GET    /v1/contacts/{id}/trace                 | all roles                             | nothing
GET    /v1/contacts/{id}/transcript            | all roles                             | nothing
GET    /v1/contacts/{id}/record                | all roles                             | nothing
GET    /v1/records                             | owner operator auditor                | its own
GET    /v1/events                              | owner operator auditor                | its own

POST   /v1/chats                               | anybody                               | -
POST   /v1/chats/{id}/messages                 | the chat                              | nothing
GET    /v1/chats/{id}/events                   | the chat                              | nothing
DELETE /v1/chats/{id}                          | the chat                              | nothing

GET    /v1/tenants                             | all roles                             | its own
GET    /v1/tenants/{tenant}                    | all roles                             | nothing
GET    /v1/tenants/{tenant}/revisions          | all roles                             | nothing
GET    /v1/tenants/{tenant}/revisions/{number} | all roles                             | nothing
POST   /v1/tenants/{tenant}/revisions          | owner developer designer              | nothing
GET    /v1/tenants/{tenant}/plugins            | all roles                             | nothing
POST   /v1/tenants/{tenant}/plugins            | owner developer                       | nothing
GET    /v1/tenants/{tenant}/release            | all roles                             | nothing
PUT    /v1/tenants/{tenant}/release            | owner operator                        | nothing
POST   /v1/tenants/{tenant}/release/rollback   | owner operator                        | nothing
GET    /v1/tenants/{tenant}/releases           | all roles                             | nothing
GET    /v1/tenants/{tenant}/shadow             | all roles                             | nothing
PUT    /v1/tenants/{tenant}/shadow             | owner developer designer operator     | nothing
DELETE /v1/tenants/{tenant}/shadow             | owner developer designer operator     | nothing

GET    /v1/tenants/{tenant}/vault              | owner operator                        | nothing
GET    /v1/tenants/{tenant}/vault/{name}       | owner operator                        | nothing
PUT    /v1/tenants/{tenant}/vault/{name}       | owner operator                        | nothing
DELETE /v1/tenants/{tenant}/vault/{name}       | owner operator                        | nothing

GET    /v1/tokens                              | owner                                 | its own
POST   /v1/tokens                              | owner                                 | refused
GET    /v1/tokens/{id}                         | owner                                 | nothing
DELETE /v1/tokens/{id}                         | owner                                 | nothing
GET    /v1/users                               | owner                                 | its own
GET    /v1/users/{name}                        | owner                                 | nothing
PUT    /v1/users/{name}                        | owner                                 | a name
DELETE /v1/users/{name}                        | owner                                 | nothing
GET    /v1/audit                               | owner auditor                         | its own
";

/// A row of the table.
#[derive(Debug)]
pub struct Operation {
    pub method: &'static str,
    /// With `{…}` where a name goes.
    pub path: &'static str,
    pub lets_in: LetsIn,
    pub others: Others,
}

/// Who is let in.
#[derive(Debug, PartialEq, Eq)]
pub enum LetsIn {
    Anybody,
    TheChat,
    Roles(Vec<Role>),
    RolesOrNoToken(Vec<Role>),
}

/// What a token of one tenant finds of another tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    ItsOwn,
    Nothing,
    Refused,
    AName,
    NobodysThere,
}

impl Operation {
    /// Whether a role is let in.
    pub fn may(&self, role: Role) -> bool {
        match &self.lets_in {
            LetsIn::Anybody | LetsIn::TheChat => true,
            LetsIn::Roles(roles) | LetsIn::RolesOrNoToken(roles) => roles.contains(&role),
        }
    }

    /// Method and address, as the table has them.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The table.
pub fn operations() -> Result<Vec<Operation>> {
    let rows = TABLE.lines().filter(|line| !line.is_empty());
    rows.map(|row| operation(row).with_context(|| row.to_owned()))
        .collect()
}

fn operation(row: &'static str) -> Result<Operation> {
    let cells: Vec<&'static str> = row.split('|').map(str::trim).collect();
    let [what, who, others] = cells[..] else {
        bail!("three cells");
    };
    let (method, path) = what.split_once(' ').context("a method and an address")?;
    let lets_in = match who {
        "anybody" => LetsIn::Anybody,
        "the chat" => LetsIn::TheChat,
        "all roles" => LetsIn::Roles(Role::ALL.to_vec()),
        words => {
            let without = words.strip_suffix(", or no token");
            let roles = without.unwrap_or(words).split_whitespace();
            let roles: Option<Vec<Role>> = roles.map(Role::of_name).collect();
            let roles = roles.context("roles")?;
            match without {
                Some(_) => LetsIn::RolesOrNoToken(roles),
                None => LetsIn::Roles(roles),
            }
        }
    };
    let others = match others {
        "its own" => Others::ItsOwn,
        "nothing" => Others::Nothing,
        "refused" => Others::Refused,
        "a name" => Others::AName,
        "-" => Others::NobodysThere,
        other => bail!("`{other}` is nothing that is found"),
    };
    Ok(Operation {
        method,
        path: path.trim(),
        lets_in,
        others,
    })
}

/// Method, address and needed permission of every operation of the description. The table must have the same ones.
pub fn described(document: &Json) -> Result<Vec<(Operation, String)>> {
    let mut table = operations()?;
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        for (method, operation) in item.as_object().context("operations")? {
            let method = method.to_uppercase();
            let permission = operation["x-permission"].as_str();
            let permission = permission.with_context(|| format!("{method} {path} needs what?"))?;
            let row = table
                .iter()
                .position(|row| row.method == method && row.path == path);
            let row = row.with_context(|| format!("{method} {path} stands in no row"))?;
            found.push((table.remove(row), permission.to_owned()));
        }
    }
    ensure!(table.is_empty(), "there is no such operation: {table:?}");
    Ok(found)
}
