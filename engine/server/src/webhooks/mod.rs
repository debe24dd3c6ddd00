//! Telling others what happened, by signed requests that are tried again.
//!
//! An event is written in the commit of what happened (`store/writer`). Each webhook has a task, a [`Courier`], which notes
//! in the store what it is still to tell, tells it, and crosses it out: what was committed is told at least once, whatever
//! is killed when. What cannot be told for a day is a dead letter, listed until somebody sends it again.

mod address;
mod courier;
mod flight;
mod payload;
mod sign;

pub use address::is_private;
pub use courier::{Courier, CourierError, couriers, give_up_others};
pub use payload::payload;
pub use sign::signature;
