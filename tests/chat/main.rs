//! Chats over HTTP: a whole one, ones whose engine is killed in the middle, with secrets too, and hostile ones.

mod going_on;
mod hostile;
mod killed;
mod left;
mod many;
mod promises;
mod saved;
mod secrets;
mod store_gone;
mod whole;
mod world;
