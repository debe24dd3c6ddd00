//! Calls as callers make them: SIPp signals, real RTP flows, and what is heard is compared with what should be.

mod api;
mod audio_paths;
mod bridges;
mod command_line;
mod durable;
mod examples;
mod export;
mod faults;
mod flows;
mod killed;
mod ladder;
mod many;
mod project_files;
mod promises;
mod records;
mod replay;
mod resume;
mod save_as_test;
mod saved_moments;
mod secret_message;
mod signalling;
mod store;
mod traced;
mod webhooks;
mod world;
