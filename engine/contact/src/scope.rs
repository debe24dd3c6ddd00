//! The names an expression may use while a contact walks.

use std::collections::BTreeMap;

use strowger_flow::expr::Scope;
use strowger_flow::value::Value;

use crate::contact::Contact;
use crate::facts::Channel;

/// The variables of the running flow, `call` and `now`, and names that a step bound.
pub(crate) struct Names<'a> {
    pub contact: &'a Contact,
    pub now: crate::Millis,
    pub bound: &'a BTreeMap<String, Value>,
}

impl Scope for Names<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.bound.get(name) {
            return Some(value.clone());
        }
        let contact = self.contact;
        match name {
            "call" => {
                let facts = &contact.facts;
                let text = |s: &str| Value::Text(s.to_owned());
                Some(Value::Object(BTreeMap::from([
                    ("id".into(), text(&facts.id)),
                    ("from".into(), Value::Phone(facts.from.clone())),
                    ("to".into(), Value::Phone(facts.to.clone())),
                    (
                        "channel".into(),
                        text(if facts.channel == Channel::Voice {
                            "voice"
                        } else {
                            "chat"
                        }),
                    ),
                    ("language".into(), text(contact.language())),
                    (
                        "priority".into(),
                        Value::Number(f64::from(contact.priority)),
                    ),
                    ("started_at".into(), moment(facts.started_at)),
                ])))
            }
            "now" => Some(moment(self.now)),
            _ => contact.frame().vars.get(name).cloned(),
        }
    }

    fn refuses_as_before(&self) -> bool {
        self.contact.refuses_as_before()
    }
}

/// A moment in UTC; expressions bring it to a place by a filter.
fn moment(at: crate::Millis) -> Value {
    let at = i64::try_from(at)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or(Value::None, |at| {
        Value::DateTime(at.to_zoned(jiff::tz::TimeZone::UTC))
    })
}
