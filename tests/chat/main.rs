//! Chats over HTTP: a whole one, ones whose engine is killed in the middle, and hostile ones.

mod going_on;
mod hostile;
mod killed;
mod many;
mod whole;
mod world;
