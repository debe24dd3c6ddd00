//! A project: a folder with `strowger.toml`, flows, prompts, `routes.yaml` and `queues.yaml`.

pub(crate) mod bytes;
mod channels;
mod chat;
mod complaint;
mod component;
mod config;
mod destination;
mod examined;
mod finding;
mod folder;
mod lengths;
mod queues;
mod reach;
mod reading;
mod resume;
mod retention;
mod routes;
mod side;
mod steps;
mod store;
mod vault;
mod webhooks;

pub use chat::ChatSection;
pub use complaint::Complaint;
pub use config::{
    Config, ConfigError, Grants, How, HttpSection, LogFormat, Loudness, PluginConfig,
    RecordingConfig, TransferSection, is_project_name,
};
pub(crate) use config::{is_service, key, told};
pub use destination::{Unreachable, destination};
pub use examined::{Examined, errors_of};
pub use finding::{Finding, PROJECT_RULE, Source};
pub(crate) use folder::hex;
pub use folder::{FlowFile, Project, ProjectError, catalog_of, has_errors, leave_echoes_out};
pub(crate) use lengths::lengths;
pub use queues::{Queue, QueuesFile, Supplier};
pub use reach::{HandOver, Reached, hand_overs};
pub use resume::{MAX_MINUTES, Resume};
pub use retention::{Keep, KeepAudit, KeepFiles, KeepRows, RetentionSection};
pub use routes::{Route, Routes};
pub use steps::{Steps, standard_components};
pub use store::StoreSection;
pub use vault::VaultSection;
pub use webhooks::{TelemetrySection, Webhook};
