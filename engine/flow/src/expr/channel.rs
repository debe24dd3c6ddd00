//! What an expression is on a channel, where nothing else matters.

use std::collections::BTreeMap;

use super::eval::{Budget, Scope, eval};
use super::tree::{Expr, Kind, Operator};
use crate::value::{Locale, Value};

/// Of a contact its channel alone.
struct Channel<'c>(&'c str);

impl Scope for Channel<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        let channel = Value::Text(self.0.to_owned());
        (name == "call").then(|| Value::Object(BTreeMap::from([("channel".to_owned(), channel)])))
    }
}

impl Expr {
    /// Its value for every contact on a channel, `voice` or `chat`; `None` where it depends on something else.
    pub fn on_channel(&self, channel: &str) -> Option<Value> {
        let truth = |of: &Expr| match of.on_channel(channel) {
            Some(Value::Bool(truth)) => Some(truth),
            _ => None,
        };
        match &self.kind {
            Kind::Not(of) => truth(of).map(|truth| Value::Bool(!truth)),
            Kind::Binary(operator @ (Operator::And | Operator::Or), a, b) => {
                // Whatever the other side is: one that is false decides an `and`, one that is true an `or`.
                let decides = *operator == Operator::Or;
                match (truth(a), truth(b)) {
                    (Some(a), _) if a == decides => Some(Value::Bool(decides)),
                    (_, Some(b)) if b == decides => Some(Value::Bool(decides)),
                    (Some(_), Some(_)) => Some(Value::Bool(!decides)),
                    _ => None,
                }
            }
            _ => {
                let mut only = true;
                self.each(&mut |part| only &= part.is_channel() || !part.reads_more());
                let locale = Locale {
                    language: "en".to_owned(),
                    spoken: channel == "voice",
                };
                let value = eval(self, &Channel(channel), &locale, &mut Budget::default());
                value.ok().filter(|_| only)
            }
        }
    }

    /// Whether it reads the contact's channel.
    pub fn reads_channel(&self) -> bool {
        let mut reads = false;
        self.each(&mut |part| reads |= part.is_channel());
        reads
    }

    fn is_channel(&self) -> bool {
        matches!(&self.kind, Kind::Field(of, name, _) if name == "channel" && of.as_name() == Some("call"))
    }

    /// Whether this part reads a variable, or something else of the contact than its channel.
    fn reads_more(&self) -> bool {
        match &self.kind {
            Kind::Name(name) => name != "call",
            Kind::Field(of, ..) | Kind::Index(of, _) => of.as_name() == Some("call"),
            _ => false,
        }
    }
}
