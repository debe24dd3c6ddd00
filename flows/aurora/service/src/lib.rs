//! The order service of Aurora, the demo tenant: orders, customers, notes and callbacks.
//!
//! It stands for the shop's own system that a client's plugin talks with: a separate program with a
//! database of its own (SQLite), reached over HTTP only. It knows nothing of calls, flows or plugins.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /healthz` | 200 when the database answers |
//! | `GET /orders/{no}?phone=` | 200 [`Order`](model::Order), or 404 |
//! | `POST /orders` `{"phone","sku","quantity"}`, `Idempotency-Key` needed | 201 order |
//! | `POST /orders/{no}/cancel` | 200 order, 409 with a `reason`, or 404 |
//! | `GET /customers?phone=&lang=` | 200 [`Customer`](model::Customer), or 404 |
//! | `POST /customers/notes` `{"phone","text"}` | 201 `{"id"}` |
//! | `POST /callbacks` `{"phone","priority","within_s"}` | 201 `{"id"}` |
//! | `GET /stats` | 200 requests by route, replays of idempotency keys |
//!
//! Everything but a success is a problem document (RFC 9457) with a `reason` for machines. Each `POST`
//! may carry an `Idempotency-Key`: the same request with the same key gets the same answer again and
//! changes nothing; another request with that key is refused (422).

pub mod api;
pub mod input;
pub mod model;
pub mod problem;
pub mod stats;
pub mod store;
