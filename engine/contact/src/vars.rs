//! The variables of a flow that is walked, with what they take of memory: it is counted as they change, for whoever bounds it
//! asks after every input.

use std::collections::BTreeMap;

use strowger_flow::value::{Value, map_bytes};

/// Values by name.
#[derive(Debug)]
pub(crate) struct Vars {
    values: BTreeMap<String, Value>,
    /// What the names and values take beyond the map's own nodes.
    bytes: usize,
}

impl Vars {
    pub fn new(values: BTreeMap<String, Value>) -> Vars {
        let bytes = values
            .iter()
            .map(|(name, value)| name.capacity() + value.memory_bytes())
            .sum();
        Vars { values, bytes }
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Sets one, in place of what it was.
    pub fn set(&mut self, name: String, value: Value) {
        let bytes = value.memory_bytes();
        match self.values.get_mut(&name) {
            Some(old) => {
                self.bytes -= old.memory_bytes();
                *old = value;
            }
            None => {
                self.bytes += name.capacity();
                self.values.insert(name, value);
            }
        }
        self.bytes += bytes;
    }

    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.values()
    }

    /// At most how many bytes of memory they take, but for what the allocator adds.
    pub fn memory_bytes(&self) -> usize {
        map_bytes::<String, Value>(self.values.len()) + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_as_they_change_is_what_they_take() {
        let mut vars = Vars::new(BTreeMap::from([(
            "old".to_owned(),
            Value::Text("a".repeat(100)),
        )]));
        let texts = ["", "x", &"y".repeat(10_000)];
        for (turn, name) in ["a", "b", "a", "old", "c", "b", "a"]
            .into_iter()
            .enumerate()
        {
            vars.set(
                name.to_owned(),
                Value::Text(texts[turn % texts.len()].to_owned()),
            );
            let anew = Vars::new(vars.values.clone());
            assert_eq!(vars.memory_bytes(), anew.memory_bytes(), "turn {turn}");
        }
        assert_eq!(vars.values().count(), 4);
        assert!(vars.memory_bytes() > 10_000);
        assert_eq!(vars.get("old"), Some(&Value::Text(texts[0].to_owned())));
    }
}
