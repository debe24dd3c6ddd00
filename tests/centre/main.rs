//! A centre with tenants: what they push, what is refused, what is live, and that contacts never notice.

mod hall;
mod hostile;
mod live;
mod refused;
mod replay;
mod shop;
mod uploads;
mod vault;
