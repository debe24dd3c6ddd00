//! From prompts and values to what is said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use strowger_flow::expr::{self, Budget, Expr};
use strowger_flow::plan::{ExprId, Piece, Plan, Prompt as PlanPrompt, PromptId, Template};
use strowger_flow::speak;
use strowger_flow::unseen::quoted;
use strowger_flow::value::{Locale, MAX_DEPTH, Type, Value};

use crate::Millis;
use crate::call::{Binding, Bound, CallError, MAX_PROMPTS, Prompt, Utterance};
use crate::contact::{Contact, State};
use crate::facts::Channel;
use crate::given::{Given, within};
use crate::io::Segment;
use crate::scope::Names;

/// The first format of journals in which answers are of the type that the flow expects wherever the flow has a name for them.
const ANSWERS_TYPED: u32 = 7;

/// The first format of journals in which `last4` of an empty text is empty, and no list has an item at a place that is no whole number.
const SHORT_AND_BETWEEN: u32 = 8;

/// Values and prompts bound by a step.
#[derive(Default)]
pub(crate) struct Bindings<'a> {
    pub(crate) values: BTreeMap<String, Value>,
    prompts: BTreeMap<&'a str, &'a [Prompt]>,
}

impl Contact {
    pub(crate) fn locale(&self) -> Locale {
        Locale {
            language: self.language().to_owned(),
            spoken: self.facts.channel == Channel::Voice,
        }
    }

    /// The value of an expression of the running flow.
    pub(crate) fn evaluate(
        &self,
        now: Millis,
        expr: &Expr,
        bound: &BTreeMap<String, Value>,
    ) -> Result<Value, String> {
        self.evaluate_in(now, expr, bound, &self.locale())
    }

    /// The same with what it says in the language of the words around it.
    fn evaluate_in(
        &self,
        now: Millis,
        expr: &Expr,
        bound: &BTreeMap<String, Value>,
        locale: &Locale,
    ) -> Result<Value, String> {
        let names = Names {
            contact: self,
            now,
            bound,
        };
        expr::eval(expr, &names, locale, &mut Budget::default()).map_err(|e| e.to_string())
    }

    /// Makes a value out of a template; the handles it gives away are noted in `given`.
    ///
    /// # Errors
    ///
    /// An expression that has no value, or one that is nested more than [`MAX_DEPTH`] deep.
    pub(crate) fn fill(
        &self,
        now: Millis,
        template: &Template,
        given: &mut Given,
    ) -> Result<Value, String> {
        let value = self.put_in(now, template, given)?;
        match value.depth() > MAX_DEPTH {
            true => Err(format!(
                "the value is lists or objects in each other, more than {MAX_DEPTH} deep"
            )),
            false => Ok(value),
        }
    }

    fn put_in(&self, now: Millis, template: &Template, given: &mut Given) -> Result<Value, String> {
        let none = BTreeMap::new();
        let value = match template {
            Template::Literal(value) => value.clone(),
            Template::Expr(expr) => self.evaluate(now, expr, &none)?,
            Template::Text(pieces) => Value::Text(self.written_out(now, pieces)?),
            Template::Prompt(PromptId(id)) => {
                given.prompts.insert(*id);
                Value::Text(format!("p:{id}"))
            }
            Template::Deferred(ExprId(id)) => {
                given.expressions.insert(*id);
                Value::Text(format!("e:{id}"))
            }
            // What is in them is counted by itself.
            Template::List(items) => {
                let items = items.iter().map(|item| self.put_in(now, item, given));
                return Ok(Value::List(items.collect::<Result<_, _>>()?));
            }
            Template::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, field)| Ok((name.clone(), self.put_in(now, field, given)?)));
                return Ok(Value::Object(fields.collect::<Result<_, String>>()?));
            }
        };
        given.count(&value)?;
        Ok(value.shrunk())
    }

    /// Text for machines: values in the form in which a flow would write them, whatever the channel and language.
    fn written_out(&self, now: Millis, pieces: &[Piece]) -> Result<String, String> {
        let none = BTreeMap::new();
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Expr(expr) => {
                    let value = self.evaluate(now, expr, &none)?;
                    text.push_str(
                        &value
                            .to_literal()
                            .ok_or("a list, an object or a secret has no form as text")?,
                    );
                    within(text.len())?;
                }
            }
        }
        Ok(text)
    }

    /// Text for people.
    fn text(
        &self,
        now: Millis,
        pieces: &[Piece],
        bound: &BTreeMap<String, Value>,
        locale: &Locale,
    ) -> Result<String, String> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Expr(expr) => {
                    let value = self.evaluate_in(now, expr, bound, locale)?;
                    text.push_str(&speak::render(&value, locale));
                }
            }
        }
        Ok(text)
    }

    /// What an utterance of a step says.
    pub(crate) fn utter(
        &self,
        now: Millis,
        what: &Utterance,
        given: &Given,
    ) -> Result<Vec<Segment>, CallError> {
        let bindings = self.bindings(&what.bindings, given)?;
        let mut out = Vec::new();
        let mut left = MAX_PROMPTS;
        // A prompt of the flow stands for itself, so that what is fixed in it is made once and kept; what
        // the step put together is one sentence.
        for sentence in what.prompts.chunk_by(|a, b| !is_given(a) && !is_given(b)) {
            let mut segments = Vec::new();
            self.say_all(now, sentence, &bindings, given, &mut left, &mut segments)?;
            out.extend(join(segments));
        }
        Ok(out)
    }

    /// What a prompt of the flow says, without anything bound.
    pub(crate) fn say_prompt(
        &self,
        now: Millis,
        PromptId(id): PromptId,
    ) -> Result<Vec<Segment>, CallError> {
        let given = Given {
            prompts: BTreeSet::from([id]),
            ..Given::default()
        };
        let what = Utterance {
            prompts: vec![Prompt::Given(format!("p:{id}"))],
            bindings: Vec::new(),
        };
        self.utter(now, &what, &given)
    }

    /// The value of an expression that a step was given, as JSON.
    pub(crate) fn evaluate_given(
        &self,
        now: Millis,
        handle: &str,
        bindings: &[Binding],
        given: &Given,
    ) -> Result<Json, CallError> {
        let expr = &self.frame().plan.expressions[given.expression(handle)?];
        let bound = self.bindings(bindings, given)?.values;
        self.evaluate(now, expr, &bound)
            .map(|value| value.to_json())
            .map_err(CallError::Failed)
    }

    pub(crate) fn bindings<'a>(
        &self,
        bindings: &'a [Binding],
        given: &Given,
    ) -> Result<Bindings<'a>, CallError> {
        let mut bound = Bindings::default();
        for binding in bindings {
            match &binding.value {
                Bound::Prompts(prompts) => {
                    bound.prompts.insert(&binding.name, prompts);
                }
                Bound::Value(json) => {
                    let value = parse(json, self.type_of(&binding.name, given))?;
                    bound.values.insert(binding.name.clone(), value);
                }
            }
        }
        Ok(bound)
    }

    /// A bound name has the type that the checker took it for: what the flow expects, else what the step's description says, else
    /// that of the variable that it will fill.
    fn type_of(&self, name: &str, given: &Given) -> Type {
        if let Some(expected) = self.expected_of(name) {
            return expected.clone();
        }
        let declared = || {
            self.frame()
                .plan
                .vars
                .get(name)
                .map(|declaration| declaration.ty.clone())
        };
        given
            .step
            .as_ref()
            .and_then(|step| step.binds.get(name).cloned())
            .or_else(declared)
            .unwrap_or(Type::Any)
    }

    /// What the flow says of a name that the running step binds.
    fn expected_of(&self, name: &str) -> Option<&Type> {
        let State::Step(running) = &self.state else {
            return None;
        };
        let call = self.step_call(running.node)?;
        call.binds.get(name).filter(|_| self.types_answers())
    }

    /// In journals of older programs a bound name and the data that `as:` takes were what JSON has for them.
    pub(crate) fn types_answers(&self) -> bool {
        self.format >= ANSWERS_TYPED
    }

    /// In journals of older programs expressions with these had no value.
    pub(crate) fn refuses_as_before(&self) -> bool {
        self.format < SHORT_AND_BETWEEN
    }

    fn say_all(
        &self,
        now: Millis,
        prompts: &[Prompt],
        bindings: &Bindings<'_>,
        given: &Given,
        left: &mut usize,
        out: &mut Vec<Segment>,
    ) -> Result<(), CallError> {
        for prompt in prompts {
            *left = left.checked_sub(1).ok_or_else(|| {
                CallError::Limit(format!("an utterance has at most {MAX_PROMPTS} prompts"))
            })?;
            let language =
                |own: &Option<String>| own.clone().unwrap_or_else(|| self.language().to_owned());
            match prompt {
                Prompt::Given(handle) => {
                    let prompt = &self.frame().plan.prompts[given.prompt(handle)?];
                    self.say_given(now, prompt, bindings, given, left, out)?;
                }
                Prompt::Text(text) => out.push(Segment::Text {
                    text: text.text.clone(),
                    language: language(&text.language),
                    voice: None,
                }),
                Prompt::Audio(path) => {
                    if !is_below_the_project(path) {
                        return Err(CallError::InvalidArgument(format!(
                            "audio `{}`: name a file below the project's folder, with `/` between folders",
                            quoted(path)
                        )));
                    }
                    out.push(Segment::Audio {
                        path: path.clone(),
                        text: None,
                        language: self.language().to_owned(),
                    });
                }
                Prompt::Spoken(spoken) => {
                    let locale = Locale {
                        language: language(&spoken.language),
                        ..self.locale()
                    };
                    let value = parse(&spoken.value, Type::Any)?;
                    let empty = matches!(&value, Value::Text(text) if text.is_empty());
                    if empty && spoken.style == "last4" && self.refuses_as_before() {
                        return Err(CallError::InvalidArgument(speak::TOO_SHORT.to_owned()));
                    }
                    let text = speak::say_as(&value, &spoken.style, &locale)
                        .map_err(CallError::InvalidArgument)?;
                    out.push(Segment::Text {
                        text,
                        language: locale.language,
                        voice: None,
                    });
                }
            }
        }
        Ok(())
    }

    /// The words of a prompt of the running flow that inserts nothing.
    pub(crate) fn words_of(&self, now: Millis, prompt: PromptId) -> Result<String, CallError> {
        let plan = &self.frame().plan;
        let (bindings, given) = (Bindings::default(), Given::default());
        let (mut left, mut segments) = (MAX_PROMPTS, Vec::new());
        let prompt = &plan.prompts[prompt.0 as usize];
        self.say_given(now, prompt, &bindings, &given, &mut left, &mut segments)?;
        Ok(segments.iter().map(Segment::words).collect())
    }

    fn say_given(
        &self,
        now: Millis,
        prompt: &PlanPrompt,
        bindings: &Bindings<'_>,
        given: &Given,
        left: &mut usize,
        out: &mut Vec<Segment>,
    ) -> Result<(), CallError> {
        let (language, voices) = voices(&self.frame().plan, prompt, self.language());
        for voice in voices {
            let locale = Locale {
                language: voice.language.clone().unwrap_or_else(|| language.clone()),
                ..self.locale()
            };
            let written = self.facts.channel == Channel::Chat;
            let pieces = if written {
                voice.chat.as_ref().or(voice.text.as_ref())
            } else {
                voice.text.as_ref()
            };
            if let (Some(path), false) = (&voice.audio, written) {
                let text = pieces.map(|pieces| self.text(now, pieces, &bindings.values, &locale));
                out.push(Segment::Audio {
                    path: path.clone(),
                    text: text.transpose().map_err(CallError::Failed)?,
                    language: locale.language,
                });
                continue;
            }
            for piece in pieces.into_iter().flatten() {
                let slot = match piece {
                    Piece::Expr(expr) => expr.as_name().and_then(|name| bindings.prompts.get(name)),
                    Piece::Text(_) => None,
                };
                if let Some(prompts) = slot {
                    // Prompts inside prompts have no open names of their own.
                    self.say_all(now, prompts, &Bindings::default(), given, left, out)?;
                    continue;
                }
                let text = self
                    .text(now, std::slice::from_ref(piece), &bindings.values, &locale)
                    .map_err(CallError::Failed)?;
                out.push(Segment::Text {
                    text,
                    language: locale.language.clone(),
                    voice: voice.voice.clone(),
                });
            }
        }
        Ok(())
    }
}

/// The voices of a prompt in a language: its own, else `any`, else the flow's first language, else whatever there is.
fn voices<'p>(
    plan: &Plan,
    prompt: &'p PlanPrompt,
    language: &str,
) -> (String, &'p [strowger_flow::plan::Voice]) {
    let first = plan.languages.first().map_or("en", String::as_str);
    for (key, spoken) in [(language, language), ("any", language), (first, first)] {
        if let Some(voices) = prompt.voices.get(key) {
            return (spoken.to_owned(), voices);
        }
    }
    match prompt.voices.first_key_value() {
        Some((key, voices)) => (key.clone(), voices),
        None => (language.to_owned(), &[]),
    }
}

/// Whether a path of an audio file stays where a plugin's own files can be: no root, no way up, nothing that another
/// system takes for a separator. Whoever reads the file looks at links too.
fn is_below_the_project(path: &str) -> bool {
    let named = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(named) && !path.contains(['\\', '\0', ':'])
}

fn is_given(prompt: &Prompt) -> bool {
    matches!(prompt, Prompt::Given(_))
}

/// Neighbouring texts of one language and voice are one sentence; empty texts are nothing.
fn join(segments: Vec<Segment>) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    for segment in segments {
        if let (
            Some(Segment::Text {
                text,
                language,
                voice,
            }),
            Segment::Text {
                text: more,
                language: more_language,
                voice: more_voice,
            },
        ) = (out.last_mut(), &segment)
            && language == more_language
            && voice == more_voice
        {
            text.push_str(more);
            continue;
        }
        out.push(segment);
    }
    out.retain(|segment| !matches!(segment, Segment::Text { text, .. } if text.trim().is_empty()));
    out
}

fn parse(json: &str, ty: Type) -> Result<Value, CallError> {
    let json: Json = serde_json::from_str(json)
        .map_err(|e| CallError::InvalidArgument(format!("not JSON: {e}")))?;
    strowger_flow::value::from_json(&json, &ty).map_err(CallError::InvalidArgument)
}
