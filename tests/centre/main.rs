//! A centre with tenants: what they push, what is refused, what is live, and that contacts never notice.

mod edited;
#[path = "../../engine/plugin/tests/host/guest.rs"]
#[allow(dead_code, reason = "the tests of the step host build more")]
mod guest;
mod laid_out;
mod large;
mod live;
mod many;
mod neighbours;
mod refused;
mod replay;
mod shadow;
mod shared;
mod shop;
mod sounds;
mod stream;
mod told;
mod uploads;
mod vault;
mod walked;
mod wasip2;
mod withdrawn;
