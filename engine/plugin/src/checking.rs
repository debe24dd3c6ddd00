//! What checking a value against a stranger's schema costs, and where it ends: a validator cannot be stopped from outside,
//! so each part of the schema begins with a keyword of ours that counts, and says no when the time is over.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::paths::{LazyLocation, Location};
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

use crate::meter::thread_cpu_nanos;

/// The keyword that counts. It sorts before all others, so that what comes after it is not looked at when the time is over.
pub(crate) const COUNTED: &str = "!counted";

/// Comparisons between two looks at the clock. Count; some ten microseconds, which is a hundred times what a look costs.
const UNITS_PER_LOOK: u64 = 1_024;

/// What a comparison is taken for where many are made in one piece, which nothing interrupts. Nanoseconds.
const UNIT_NANOS: u64 = 10;

/// Comparisons for which a state of a pattern counts, held against one byte, as a fraction of one: an automaton has to look at
/// all its states for each byte in the worst case.
const STATES_PER_UNIT: u64 = 5;

/// Bytes of text that are counted or decoded in the time of a comparison.
const BYTES_PER_UNIT: u64 = 8;

/// Keywords whose value maps names to schemas.
pub(crate) const NAMED: [&str; 6] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
];

/// Keywords whose value is data or names, no schema.
const DATA: [&str; 6] = [
    "const",
    "enum",
    "default",
    "examples",
    "dependentRequired",
    "$vocabulary",
];

/// Puts the counting keyword into each schema of a schema.
pub(crate) fn count(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords.iter_mut() {
                match (keyword.as_str(), value) {
                    (keyword, Value::Object(named)) if NAMED.contains(&keyword) => {
                        named.values_mut().for_each(count);
                    }
                    (keyword, _) if DATA.contains(&keyword) => {}
                    (_, value) => count(value),
                }
            }
            let mut others = std::mem::take(keywords);
            keywords.insert(COUNTED.to_owned(), Value::Bool(true));
            keywords.append(&mut others);
        }
        Value::Array(items) => items.iter_mut().for_each(count),
        _ => {}
    }
}

/// Whether a part of a schema that was gone through by [`count`] is one whose cost is counted.
pub(crate) fn is_counted(part: &Value) -> bool {
    part.is_boolean() || part.get(COUNTED).is_some()
}

/// How many values there are in a value, names of fields included. Count.
pub(crate) fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(fields) => fields.values().map(|field| 1 + values(field)).sum(),
        _ => 0,
    }
}

/// What the check under way on this thread may still take.
#[derive(Clone, Copy)]
struct Allowance {
    /// How long it may take. Nanoseconds.
    left: u64,
    /// What the thread's processor time may come to, from the first look at the clock on: that costs as much as a small check.
    until: Option<u64>,
    /// Comparisons until the next look at the clock.
    unlooked: u64,
    over: bool,
}

thread_local! {
    static ALLOWANCE: Cell<Allowance> = const {
        Cell::new(Allowance { left: u64::MAX, until: None, unlooked: UNITS_PER_LOOK, over: false })
    };
}

/// Does a check within so much processor time. None when that did not suffice.
pub(crate) fn within<T>(left: Duration, check: impl FnOnce() -> T) -> Option<T> {
    /// Puts back what was there, even when a check panics.
    struct Before(Allowance);
    impl Drop for Before {
        fn drop(&mut self) {
            ALLOWANCE.set(self.0);
        }
    }
    let left = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
    let allowance = Allowance {
        left,
        until: None,
        unlooked: UNITS_PER_LOOK,
        over: false,
    };
    let _before = Before(ALLOWANCE.replace(allowance));
    let result = check();
    (!over()).then_some(result)
}

/// Whether the check under way on this thread has used up its time.
pub(crate) fn over() -> bool {
    ALLOWANCE.get().over
}

/// Takes so many comparisons off what is left; false when there is no time for them.
fn spend(units: u64) -> bool {
    let mut allowance = ALLOWANCE.get();
    if allowance.over {
        return false;
    }
    if units < allowance.unlooked {
        allowance.unlooked -= units;
    } else {
        // What is done in one piece must have its time before it begins.
        let ahead = match units > UNITS_PER_LOOK {
            true => units.saturating_mul(UNIT_NANOS),
            false => 0,
        };
        let now = thread_cpu_nanos();
        let left = allowance.left;
        let until = *allowance.until.get_or_insert(now.saturating_add(left));
        allowance.over = left == 0 || now.saturating_add(ahead) > until;
        allowance.unlooked = UNITS_PER_LOOK;
    }
    ALLOWANCE.set(allowance);
    !allowance.over
}

/// What a check of one value against one schema costs, without the values and schemas within.
struct Cost {
    /// Whatever the value is.
    always: u64,
    /// For each eight bytes of a text.
    text: u64,
    /// States of patterns, held against each byte of a text.
    states: u64,
    /// The same, of names of fields.
    name_states: u64,
    /// For each value within, for keywords that compare them with one another.
    within: u64,
    /// For each field or item.
    unevaluated: u64,
}

impl Cost {
    /// `states` has the states of the patterns.
    fn of(keywords: &Map<String, Value>, states: &HashMap<String, u64>) -> Cost {
        let pattern = |pattern: &str| states.get(pattern).copied().unwrap_or(0);
        let mut cost = Cost {
            always: 0,
            text: 0,
            states: 0,
            name_states: 0,
            within: 0,
            unevaluated: 0,
        };
        for (keyword, value) in keywords {
            cost.always += 1;
            match (keyword.as_str(), value) {
                ("pattern", Value::String(text)) => cost.states += pattern(text),
                ("patternProperties", Value::Object(named)) => {
                    // Those that match nothing are looked for again by `additionalProperties`.
                    cost.name_states += 2 * named.keys().map(|name| pattern(name)).sum::<u64>();
                }
                (
                    "minLength" | "maxLength" | "format" | "contentMediaType" | "contentEncoding",
                    _,
                ) => cost.text += 1,
                ("uniqueItems", _) => cost.within += 1,
                ("unevaluatedProperties" | "unevaluatedItems", _) => {
                    // Each field is looked for in all that is beside this keyword.
                    let beside: usize = keywords.values().map(values).sum();
                    cost.unevaluated += beside as u64;
                }
                (keyword, value) if DATA.contains(&keyword) => cost.always += values(value) as u64,
                (_, Value::Array(items)) => cost.always += items.len() as u64,
                (_, Value::Object(fields)) => cost.always += fields.len() as u64,
                _ => {}
            }
        }
        cost
    }

    fn at(&self, value: &Value) -> u64 {
        let mut cost = self.always;
        match value {
            Value::String(text) => {
                let bytes = text.len() as u64;
                cost += self.text * bytes / BYTES_PER_UNIT;
                cost += self.states.saturating_mul(bytes) / STATES_PER_UNIT;
            }
            Value::Array(items) => {
                cost += items.len() as u64 * self.unevaluated;
                if self.within > 0 {
                    cost += self.within * values(value) as u64;
                }
            }
            Value::Object(fields) => {
                cost += fields.len() as u64 * self.unevaluated;
                if self.name_states > 0 {
                    let bytes: usize = fields.keys().map(String::len).sum();
                    cost += self.name_states.saturating_mul(bytes as u64) / STATES_PER_UNIT;
                }
            }
            _ => {}
        }
        cost
    }
}

impl Keyword for Cost {
    fn validate<'i>(
        &self,
        instance: &'i Value,
        location: &LazyLocation,
    ) -> Result<(), ValidationError<'i>> {
        match spend(self.at(instance)) {
            true => Ok(()),
            // Ends the search; nobody sees it, since `within` then gives nothing.
            false => Err(ValidationError::custom(
                Location::new(),
                location.into(),
                instance,
                "the time is over",
            )),
        }
    }

    fn is_valid(&self, instance: &Value) -> bool {
        spend(self.at(instance))
    }
}

/// Makes the counting keyword of a schema, for one whose patterns have so many states.
#[allow(
    clippy::type_complexity,
    reason = "it is what the validator takes for a keyword"
)]
pub(crate) fn keyword(
    states: HashMap<String, u64>,
) -> impl for<'a> Fn(
    &'a Map<String, Value>,
    &'a Value,
    Location,
) -> Result<Box<dyn Keyword>, ValidationError<'a>>
+ Send
+ Sync
+ 'static {
    let states = Arc::new(states);
    move |keywords, _, _| Ok(Box::new(Cost::of(keywords, &states)))
}
