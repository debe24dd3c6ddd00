//! Calls that end before their flow begins.

/// The caller gave up before the answer.
pub const CANCELLED: &str = "cancelled";
/// Nobody's number, or a tenant's without a route: 404.
pub const NO_ROUTE: &str = "no-route";
/// The tenant has nothing live: 480.
pub const NOTHING_LIVE: &str = "nothing-live";
/// As many calls as may be, or more than can be taken: 503.
pub const OVERLOADED: &str = "overloaded";
/// The engine takes no more calls, because it is to stop: 503.
pub const DRAINING: &str = "draining";
/// No audio that both sides know: 415, 488, or an answer in the ACK that cannot be used.
pub const NOT_ACCEPTABLE: &str = "not-acceptable";
/// An extension, a scheme or a session interval that the engine does not take: 416, 420, 422.
pub const UNSUPPORTED: &str = "unsupported";
/// No SIP that can be understood: 400, 505, 513.
pub const MALFORMED: &str = "malformed";
/// The answer was never acknowledged.
pub const NO_ACK: &str = "no-ack";

/// All of them but the caller's own.
pub(super) const REASONS: [&str; 8] = [
    NO_ROUTE,
    NOTHING_LIVE,
    OVERLOADED,
    DRAINING,
    NOT_ACCEPTABLE,
    UNSUPPORTED,
    MALFORMED,
    NO_ACK,
];

/// The reason of a call that was refused with a status before anybody was told of it.
pub fn of_status(status: u16, draining: bool) -> &'static str {
    match status {
        404 => NO_ROUTE,
        480 => NOTHING_LIVE,
        503 if draining => DRAINING,
        503 => OVERLOADED,
        415 | 488 => NOT_ACCEPTABLE,
        416 | 420 | 422 => UNSUPPORTED,
        _ => MALFORMED,
    }
}
