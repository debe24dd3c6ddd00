//! Reading an entry from its line.
//!
//! Every writer begins a line with `seq`, `at` and `kind`, so that it is known what follows: the rest goes field by
//! field to where it belongs. A line whose fields some tool put into another order is read too.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StringDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value as Json};

use super::{Entry, Read};

/// Deepest nesting of an entry that is read. Values are far less deep; journals of older programs hold such as flows
/// once put together without an end.
const MAX_NESTING: usize = 512;

impl Entry {
    /// Reads an entry from its line in a journal.
    ///
    /// # Errors
    ///
    /// A line that is broken, nested more than 512 deep, or tells what this program does not know.
    pub fn read(line: &[u8]) -> serde_json::Result<Entry> {
        if is_deep(line) {
            let why = format!("it is nested more than {MAX_NESTING} deep");
            return Err(Error::custom(why));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        deserializer.disable_recursion_limit();
        let entry = Entry::deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(entry)
    }
}

/// Whether brackets in a line are nested too deep; hardly any line has so many that it must be looked at closely.
fn is_deep(line: &[u8]) -> bool {
    let open = line.iter().filter(|byte| matches!(byte, b'[' | b'{'));
    if open.count() <= MAX_NESTING {
        return false;
    }
    let (mut depth, mut most, mut within, mut escaped) = (0_usize, 0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if within => escaped = true,
            b'"' => within = !within,
            b'[' | b'{' if !within => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !within => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most > MAX_NESTING
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entry, D::Error> {
        deserializer.deserialize_map(Line)
    }
}

struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry of a journal")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Entry, A::Error> {
        let (mut seq, mut at) = (None, None);
        while let Some(Word(name)) = fields.next_key()? {
            match (&*name, seq, at) {
                ("seq", None, _) => seq = Some(fields.next_value()?),
                ("at", _, None) => at = Some(fields.next_value()?),
                ("kind", Some(seq), Some(at)) => {
                    let Word(kind) = fields.next_value()?;
                    let kind = Read::deserialize(Kind { kind, fields })?;
                    return Ok(Entry { seq, at, kind });
                }
                _ => {
                    let mut rest = Map::new();
                    rest.insert(name.into_owned(), fields.next_value()?);
                    return in_any_order(seq, at, rest, fields);
                }
            }
        }
        Err(missing(seq, at))
    }
}

/// An entry whose fields come in another order than that in which they are written.
fn in_any_order<'de, A: MapAccess<'de>>(
    seq: Option<u32>,
    at: Option<u64>,
    mut rest: Map<String, Json>,
    mut fields: A,
) -> Result<Entry, A::Error> {
    while let Some((name, value)) = fields.next_entry()? {
        rest.insert(name, value);
    }
    let number = |rest: &mut Map<String, Json>, name: &str| {
        let value = rest.remove(name)?;
        Some(u64::deserialize(value).map_err(A::Error::custom))
    };
    let at = match at {
        Some(at) => Some(at),
        None => number(&mut rest, "at").transpose()?,
    };
    let seq = match seq {
        Some(seq) => Some(seq),
        None => {
            let seq = number(&mut rest, "seq").transpose()?;
            seq.map(u32::try_from)
                .transpose()
                .map_err(A::Error::custom)?
        }
    };
    let (Some(seq), Some(at), Some(Json::String(kind))) = (seq, at, rest.remove("kind")) else {
        return Err(missing(seq, at));
    };
    let kind = Read::deserialize(Kind {
        kind: kind.into(),
        fields: serde::de::value::MapDeserializer::new(rest.into_iter()),
    });
    Ok(Entry {
        seq,
        at,
        kind: kind.map_err(|error: serde_json::Error| A::Error::custom(error))?,
    })
}

fn missing<E: Error>(seq: Option<u32>, at: Option<u64>) -> E {
    E::missing_field(match (seq, at) {
        (None, _) => "seq",
        (_, None) => "at",
        _ => "kind",
    })
}

/// A text that is borrowed from the line where it can be.
struct Word<'de>(std::borrow::Cow<'de, str>);

impl<'de> Deserialize<'de> for Word<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word<'de>, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Word<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Word<'de>, E> {
                Ok(Word(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Word<'de>, E> {
                Ok(Word(text.to_owned().into()))
            }

            fn visit_string<E>(self, text: String) -> Result<Word<'de>, E> {
                Ok(Word(text.into()))
            }
        }
        deserializer.deserialize_str(Any)
    }
}

/// The rest of a line whose kind is known, as serde wants a variant of an enum.
struct Kind<'de, A> {
    kind: std::borrow::Cow<'de, str>,
    fields: A,
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Kind<'de, A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for Kind<'de, A> {
    type Error = A::Error;
    type Variant = Fields<A>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Fields<A>), A::Error> {
        let kind = match self.kind {
            std::borrow::Cow::Borrowed(kind) => {
                seed.deserialize(BorrowedStrDeserializer::<A::Error>::new(kind))
            }
            std::borrow::Cow::Owned(kind) => {
                seed.deserialize(StringDeserializer::<A::Error>::new(kind))
            }
        };
        Ok((kind?, Fields(self.fields)))
    }
}

/// The fields of a kind.
struct Fields<A>(A);

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Fields<A> {
    type Error = A::Error;

    fn unit_variant(mut self) -> Result<(), A::Error> {
        // What a newer program wrote beside it.
        while self.0.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        seed.deserialize(MapAccessDeserializer::new(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, A::Error> {
        Err(A::Error::custom(
            "no kind of entry has fields without names",
        ))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::entry::Entry;

    /// An entry of each form that a kind can have: fields, none, those of a struct; and a field that may lack.
    fn lines() -> Vec<serde_json::Value> {
        vec![
            json!({"seq": 3, "at": 9, "kind": "asked", "activation": 1, "call": 2, "function": "env.now", "request": []}),
            json!({"seq": 0, "at": 9, "kind": "tick"}),
            json!({"seq": 1, "at": 0, "kind": "ended", "reason": "done", "by_caller": true, "error": null}),
            json!({"seq": 1, "at": 0, "kind": "played", "play": 7}),
            json!({"seq": 1, "at": 0, "kind": "wrote", "text": "a\"b\n", "late": true}),
        ]
    }

    #[test]
    fn a_line_is_read_as_it_was_written_in_whatever_order() {
        for line in lines() {
            // Sorted: `at`, then whatever comes before `kind` and `seq`.
            let sorted: Entry = serde_json::from_str(&line.to_string()).expect("sorted");
            let written = serde_json::to_string(&sorted).expect("written");
            let head = format!(r#"{{"seq":{},"at":{},"kind":"#, sorted.seq, sorted.at);
            assert!(written.starts_with(&head), "{written}");
            let again: Entry = serde_json::from_str(&written).expect("as written");
            assert_eq!(again, sorted);
            assert_eq!(serde_json::to_value(&again).expect("a value"), line);
            let more = written.replacen(r#""kind""#, r#""newer":[{"kind":1}],"kind""#, 1);
            let more: Entry = serde_json::from_str(&more).expect("with what a newer program says");
            assert_eq!(more, sorted);
            let more = written.replacen('}', r#","newer":{"kind":1}}"#, 1);
            if line["kind"] != "asked" {
                let more: Entry =
                    serde_json::from_str(&more).expect("with what a newer program says");
                assert_eq!(more, sorted);
            }
            let from_value: Entry = serde_json::from_value(line).expect("from a value");
            assert_eq!(from_value, sorted);
        }
    }

    #[test]
    fn what_is_no_entry_is_told() {
        for (line, why) in [
            (r#"{"seq":1,"at":2}"#, "missing field `kind`"),
            (r#"{"at":2,"kind":"tick"}"#, "missing field `seq`"),
            (r#"{"seq":1,"kind":"tick"}"#, "missing field `at`"),
            (r#"{"seq":1,"at":2,"kind":"toc"}"#, "unknown variant `toc`"),
            (r#"{"kind":"toc","seq":1,"at":2}"#, "unknown variant `toc`"),
            (r#"{"seq":1,"at":2,"kind":"key"}"#, "missing field `key`"),
            (r#"{"kind":"key","seq":1,"at":2}"#, "missing field `key`"),
            (r#"{"seq":-1,"at":2,"kind":"tick"}"#, "invalid value"),
            (r#"{"kind":"tick","at":2,"seq":4294967296}"#, "out of range"),
            (r#"{"seq":1,"at":2,"kind":"tick""#, "EOF"),
            ("[]", "an entry of a journal"),
        ] {
            let error = serde_json::from_str::<Entry>(line).expect_err(line);
            assert!(error.to_string().contains(why), "{line}: {error}");
        }
    }
}
