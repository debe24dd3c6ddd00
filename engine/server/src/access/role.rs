//! Roles, and the one table of what each may do.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is in a contact centre. A token or a user has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers for the centre or a tenant: everything, and who else may do what.
    Owner,
    /// Writes plugins.
    Developer,
    /// Writes flows and prompts.
    Designer,
    /// Keeps the engine running.
    Operator,
    /// Looks at what was done, and changes nothing.
    Auditor,
}

impl Role {
    /// All, the strongest first.
    pub const ALL: [Role; 5] = [
        Role::Owner,
        Role::Developer,
        Role::Designer,
        Role::Operator,
        Role::Auditor,
    ];

    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Developer => "developer",
            Role::Designer => "designer",
            Role::Operator => "operator",
            Role::Auditor => "auditor",
        }
    }

    /// Whose it is, as the documentation says it.
    pub fn about(self) -> &'static str {
        match self {
            Role::Owner => "answers for the centre or a tenant",
            Role::Developer => "writes plugins",
            Role::Designer => "writes flows and prompts",
            Role::Operator => "keeps the engine running",
            Role::Auditor => "looks at what was done, and changes nothing",
        }
    }

    /// By its name.
    pub fn of_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it has a permission.
    pub fn may(self, permission: Permission) -> bool {
        PERMISSIONS
            .iter()
            .any(|row| row.permission == permission && row.roles.contains(&self))
    }

    /// Everything it may do.
    pub fn permissions(self) -> Vec<Permission> {
        let rows = PERMISSIONS.iter().filter(|row| row.roles.contains(&self));
        rows.map(|row| row.permission).collect()
    }

    /// Whether it may do all that another may: nobody hands out more than he has.
    pub fn covers(self, other: Role) -> bool {
        other
            .permissions()
            .into_iter()
            .all(|permission| self.may(permission))
    }
}

/// Something that an endpoint asks for. Each endpoint names the one it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
pub enum Permission {
    /// Records, journals, traces and transcripts of contacts.
    #[serde(rename = "contacts:read")]
    ContactsRead,
    /// Records in pages, and the stream of events.
    #[serde(rename = "records:read")]
    RecordsRead,
    /// Counters of the engine.
    #[serde(rename = "metrics:read")]
    MetricsRead,
    /// The audit log.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// Tenants, their revisions, plugins' versions and releases.
    #[serde(rename = "tenants:read")]
    TenantsRead,
    /// Pushing projects: flows, prompts and plugins together.
    #[serde(rename = "projects:push")]
    ProjectsPush,
    /// Pushing plugins.
    #[serde(rename = "plugins:push")]
    PluginsPush,
    /// Making revisions live, and rolling back.
    #[serde(rename = "releases:make")]
    ReleasesMake,
    /// Starting and stopping shadows.
    #[serde(rename = "shadows:run")]
    ShadowsRun,
    /// Setting, listing and removing what is in vaults. Reading it is nobody's.
    #[serde(rename = "vault:manage")]
    VaultManage,
    /// Making, listing and revoking tokens.
    #[serde(rename = "tokens:manage")]
    TokensManage,
    /// Setting, listing and removing users.
    #[serde(rename = "users:manage")]
    UsersManage,
}

impl Permission {
    /// As the API's description and the documentation name it.
    pub fn name(self) -> &'static str {
        match self {
            Permission::ContactsRead => "contacts:read",
            Permission::RecordsRead => "records:read",
            Permission::MetricsRead => "metrics:read",
            Permission::AuditRead => "audit:read",
            Permission::TenantsRead => "tenants:read",
            Permission::ProjectsPush => "projects:push",
            Permission::PluginsPush => "plugins:push",
            Permission::ReleasesMake => "releases:make",
            Permission::ShadowsRun => "shadows:run",
            Permission::VaultManage => "vault:manage",
            Permission::TokensManage => "tokens:manage",
            Permission::UsersManage => "users:manage",
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Granted {
    /// The permission.
    pub permission: Permission,
    /// What it lets one do, as the documentation says it.
    pub what: &'static str,
    /// Who has it.
    pub roles: &'static [Role],
}

/// Who may do what: the whole of it. `docs/operations.md` shows it, and a test holds the two against each other.
pub const PERMISSIONS: &[Granted] = &[
    Granted {
        permission: Permission::ContactsRead,
        what: "look at contacts: records, journals, traces, transcripts",
        roles: &Role::ALL,
    },
    Granted {
        permission: Permission::RecordsRead,
        what: "read records in pages, and events as they happen, with callers' numbers",
        roles: &[Role::Owner, Role::Operator, Role::Auditor],
    },
    Granted {
        permission: Permission::MetricsRead,
        what: "read the engine's counters",
        roles: &[Role::Owner, Role::Operator, Role::Auditor],
    },
    Granted {
        permission: Permission::AuditRead,
        what: "read the audit log",
        roles: &[Role::Owner, Role::Auditor],
    },
    Granted {
        permission: Permission::TenantsRead,
        what: "look at tenants: revisions, plugins' versions, releases",
        roles: &Role::ALL,
    },
    Granted {
        permission: Permission::ProjectsPush,
        what: "push projects",
        roles: &[Role::Owner, Role::Developer, Role::Designer],
    },
    Granted {
        permission: Permission::PluginsPush,
        what: "push plugins",
        roles: &[Role::Owner, Role::Developer],
    },
    Granted {
        permission: Permission::ReleasesMake,
        what: "make revisions live and roll back",
        roles: &[Role::Owner, Role::Operator],
    },
    Granted {
        permission: Permission::ShadowsRun,
        what: "let a revision shadow what is live, and stop it",
        roles: &[Role::Owner, Role::Developer, Role::Designer, Role::Operator],
    },
    Granted {
        permission: Permission::VaultManage,
        what: "set, list and remove secrets in the vault; nobody reads them",
        roles: &[Role::Owner, Role::Operator],
    },
    Granted {
        permission: Permission::TokensManage,
        what: "make, list and revoke tokens",
        roles: &[Role::Owner],
    },
    Granted {
        permission: Permission::UsersManage,
        what: "set, list and remove users",
        roles: &[Role::Owner],
    },
];

#[cfg(test)]
mod tests {
    use super::{PERMISSIONS, Role};

    #[test]
    fn an_owner_may_everything_and_covers_everybody() {
        for row in PERMISSIONS {
            assert!(Role::Owner.may(row.permission), "{}", row.permission.name());
            let rows = PERMISSIONS.iter();
            let same = rows.filter(|other| other.permission == row.permission);
            assert_eq!(same.count(), 1, "{}", row.permission.name());
        }
        for role in Role::ALL {
            assert!(Role::Owner.covers(role) && role.covers(role));
            assert_eq!(Role::of_name(role.name()), Some(role));
            assert_eq!(role.covers(Role::Owner), role == Role::Owner);
        }
        assert_eq!(Role::of_name("root"), None);
    }

    #[test]
    fn names_are_those_of_the_json() {
        for row in PERMISSIONS {
            let json = serde_json::to_value(row.permission).expect("a unit variant");
            assert_eq!(json, row.permission.name());
        }
    }
}
