//! A project: a folder with `strowger.toml`, flows, prompts, `routes.yaml` and `queues.yaml`.

mod config;
mod folder;
mod queues;
mod routes;
mod steps;

pub use config::{Config, ConfigError, Grants, LogFormat, Loudness, PluginConfig, RecordingConfig};
pub(crate) use folder::hex;
pub use folder::{FlowFile, Project, ProjectError, catalog_of, has_errors};
pub use queues::{Queue, QueuesFile, Supplier};
pub use routes::{Route, Routes};
pub use steps::{Steps, StepsError, standard_components};
