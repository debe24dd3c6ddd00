//! What lies beside a value in memory: behind its pointers.

use std::collections::BTreeMap;

use crate::value::{Type, Value, map_bytes};

/// What one allocation takes at most beside what was asked for.
const ALLOCATION: usize = 32;

/// How much lies beside it.
pub(crate) trait Beside {
    /// At most how many bytes lie beside it, those of all that it holds counted.
    fn beside(&self) -> usize;
}

/// An allocation of so many bytes, of which there is none where there are no bytes.
fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        bytes => bytes + ALLOCATION,
    }
}

/// Of what has no pointer.
macro_rules! nothing {
    ($($plain:ty),*) => {
        $(impl $crate::beside::Beside for $plain {
            fn beside(&self) -> usize {
                0
            }
        })*
    };
}

pub(crate) use nothing;

nothing!(bool, u32, u64, f64);

impl Beside for String {
    fn beside(&self) -> usize {
        allocated(self.capacity())
    }
}

impl<T: Beside> Beside for Option<T> {
    fn beside(&self) -> usize {
        self.as_ref().map_or(0, T::beside)
    }
}

impl<T: Beside> Beside for Box<T> {
    fn beside(&self) -> usize {
        allocated(size_of::<T>()) + (**self).beside()
    }
}

impl<T: Beside> Beside for Vec<T> {
    fn beside(&self) -> usize {
        let below = self.iter().map(T::beside);
        allocated(self.capacity() * size_of::<T>()) + below.sum::<usize>()
    }
}

impl<A: Beside, B: Beside> Beside for (A, B) {
    fn beside(&self) -> usize {
        self.0.beside() + self.1.beside()
    }
}

impl<K: Beside, V: Beside> Beside for BTreeMap<K, V> {
    fn beside(&self) -> usize {
        let below = self
            .iter()
            .map(|(key, value)| key.beside() + value.beside());
        // A node is an allocation, and there are fewer of these than entries.
        map_bytes::<K, V>(self.len()) + ALLOCATION * self.len() + below.sum::<usize>()
    }
}

impl Beside for Value {
    fn beside(&self) -> usize {
        match self {
            Value::Text(text) | Value::Phone(text) => text.beside(),
            Value::List(items) => items.beside(),
            Value::Object(fields) => fields.beside(),
            other => allocated(other.memory_bytes() - size_of::<Value>()),
        }
    }
}

impl Beside for Type {
    fn beside(&self) -> usize {
        match self {
            Type::OneOf(texts) => texts.beside(),
            Type::List(of) | Type::Optional(of) => of.beside(),
            Type::Object { fields, open: _ } => fields.beside(),
            Type::Any
            | Type::None
            | Type::Bool
            | Type::Number
            | Type::Text
            | Type::Date
            | Type::Time
            | Type::DateTime
            | Type::Duration
            | Type::Money
            | Type::Phone
            | Type::Secret => 0,
        }
    }
}
