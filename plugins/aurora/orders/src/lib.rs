//! Aurora's orders: look up, place, cancel, at the shop's order service.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strowger_sdk::http::{Request, Response, encode};
use strowger_sdk::{Failure, Outcome, contact, env};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "lookup" => lookup, "place" => place, "cancel" => cancel },
}

/// What the operator configures.
#[derive(Deserialize)]
struct Config {
    /// Where the order service listens, without a slash at the end.
    base_url: String,
}

#[derive(Deserialize)]
struct Lookup {
    order_no: String,
    /// The caller's number, for the service's own log.
    phone: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Place {
    phone: String,
    sku: String,
    #[serde(default = "one")]
    quantity: u32,
}

#[derive(Deserialize)]
struct Cancel {
    order_no: String,
}

/// An order as the service tells it.
#[derive(Deserialize)]
struct Order {
    order_no: String,
    status: String,
    /// In words, by language.
    status_text: BTreeMap<String, String>,
    eta: Option<String>,
    total: Money,
}

/// An order as the flow gets it.
#[derive(Serialize)]
struct Told {
    order_no: String,
    status: String,
    status_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    eta: Option<String>,
    total: Money,
}

#[derive(Deserialize, Serialize)]
struct Money {
    amount: i64,
    currency: String,
}

/// Why the service will not do it.
#[derive(Deserialize, Serialize)]
struct Refusal {
    reason: String,
}

fn lookup(input: Lookup) -> Result<Outcome, Failure> {
    let mut url = format!("{}/orders/{}", base_url()?, encode(&input.order_no));
    if let Some(phone) = input.phone.filter(|phone| !phone.is_empty()) {
        url.push_str("?phone=");
        url.push_str(&encode(&phone));
    }
    let response = Request::get(url).send()?;
    match response.status {
        200 => told("found", &response),
        404 => Ok(Outcome::named("not_found")),
        _ => Err(response.unexpected(SERVICE)),
    }
}

fn place(input: Place) -> Result<Outcome, Failure> {
    // The engine adds the Idempotency-Key, so that a repeated request buys nothing twice.
    let response = Request::post(format!("{}/orders", base_url()?))
        .json(&input)?
        .send()?;
    match response.status {
        201 => told("placed", &response),
        422 => Outcome::with("refused", &response.json::<Refusal>()?),
        _ => Err(response.unexpected(SERVICE)),
    }
}

fn cancel(input: Cancel) -> Result<Outcome, Failure> {
    let url = format!("{}/orders/{}/cancel", base_url()?, encode(&input.order_no));
    let response = Request::post(url).send()?;
    match response.status {
        200 => told("cancelled", &response),
        404 => Ok(Outcome::named("not_found")),
        409 => Outcome::with("refused", &response.json::<Refusal>()?),
        _ => Err(response.unexpected(SERVICE)),
    }
}

/// An outcome that carries the order in a response, in the contact's language.
fn told(outcome: &str, response: &Response) -> Result<Outcome, Failure> {
    let order: Order = response.json()?;
    let status_text = contact::read()
        .choose(&order.status_text)
        .unwrap_or(&order.status)
        .to_owned();
    Outcome::with(
        outcome,
        &Told {
            order_no: order.order_no,
            status: order.status,
            status_text,
            eta: order.eta,
            total: order.total,
        },
    )
}

fn base_url() -> Result<String, Failure> {
    Ok(env::config::<Config>()?.base_url)
}

fn one() -> u32 {
    1
}

/// As failures name it.
const SERVICE: &str = "the order service";

#[cfg(test)]
mod tests;
