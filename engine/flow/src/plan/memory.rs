//! What a plan takes of memory, and whether two are one to whoever walks them.

use super::{
    Action, Declaration, Edge, ExprId, Global, Into, KeyWords, Meanwhile, Node, NodeId, Piece,
    Plan, Prompt, PromptId, Retry, StepCall, Template, Voice,
};
use crate::beside::{Beside, nothing};

impl Plan {
    /// At most how many bytes of memory it takes.
    pub fn memory_bytes(&self) -> usize {
        let Plan {
            flow,
            file,
            hash,
            languages,
            inputs,
            outcomes,
            vars,
            prompts,
            expressions,
            nodes,
            start: _,
            global,
            max_duration_ms: _,
            max_steps: _,
        } = self;
        let names = flow.beside() + file.beside() + hash.beside();
        let declared = languages.beside() + inputs.beside() + outcomes.beside() + vars.beside();
        let walked = prompts.beside() + expressions.beside() + nodes.beside() + global.beside();
        size_of::<Plan>() + names + declared + walked
    }

    /// Whether contacts walk both alike: they are of the same text in files of the same name, wherever these lie, and mean the same
    /// by it.
    pub fn is_like(&self, other: &Plan) -> bool {
        let Plan {
            flow,
            file: _,
            hash,
            languages,
            inputs,
            outcomes,
            vars,
            prompts,
            expressions,
            nodes,
            start,
            global,
            max_duration_ms,
            max_steps,
        } = self;
        file_name(self) == file_name(other)
            && *flow == other.flow
            && *hash == other.hash
            && *languages == other.languages
            && *inputs == other.inputs
            && *outcomes == other.outcomes
            && *vars == other.vars
            && *start == other.start
            && *max_duration_ms == other.max_duration_ms
            && *max_steps == other.max_steps
            && *global == other.global
            && *expressions == other.expressions
            && *prompts == other.prompts
            && *nodes == other.nodes
    }
}

/// The name of a plan's file, wherever that lies.
fn file_name(plan: &Plan) -> Option<&str> {
    plan.file.rsplit('/').next()
}

nothing!(NodeId, PromptId, ExprId);

impl Beside for Declaration {
    fn beside(&self) -> usize {
        let Declaration {
            ty,
            default,
            secret: _,
        } = self;
        ty.beside() + default.beside()
    }
}

impl Beside for Global {
    fn beside(&self) -> usize {
        let Global {
            press,
            words,
            error,
            hangup,
            too_long,
            lines,
        } = self;
        let edges = error.beside() + hangup.beside() + too_long.beside();
        press.beside() + words.beside() + edges + lines.beside()
    }
}

impl Beside for KeyWords {
    fn beside(&self) -> usize {
        let KeyWords { label: _, words } = self;
        words.beside()
    }
}

impl Beside for Node {
    fn beside(&self) -> usize {
        let Node {
            step,
            line: _,
            column: _,
            verb,
            when,
            next,
            global_keys: _,
            action,
        } = self;
        step.beside() + verb.beside() + when.beside() + next.beside() + action.beside()
    }
}

impl Beside for Action {
    fn beside(&self) -> usize {
        match self {
            Action::Step(call) => call.beside(),
            Action::Call {
                flow,
                with,
                bind,
                edges,
                otherwise,
            } => {
                let names = flow.beside() + bind.beside();
                names + with.beside() + edges.beside() + otherwise.beside()
            }
            Action::Choose { arms, otherwise } => arms.beside() + otherwise.beside(),
            Action::Switch {
                value,
                arms,
                otherwise,
            } => value.beside() + arms.beside() + otherwise.beside(),
            Action::Set(values) => values.beside(),
            Action::Tag { values, word } => values.beside() + word.beside(),
            Action::Return { outcome, with } => outcome.beside() + with.beside(),
            Action::HangUp { reason } => reason.beside(),
            Action::Wait(_) | Action::Goto => 0,
        }
    }
}

impl Beside for StepCall {
    fn beside(&self) -> usize {
        let StepCall {
            step,
            input,
            bind,
            data,
            into,
            binds,
            timeout_ms: _,
            retry,
            meanwhile,
            edges,
            otherwise,
        } = self;
        let names = step.beside() + bind.beside() + into.beside();
        let types = data.beside() + binds.beside();
        let ways = retry.beside() + meanwhile.beside() + edges.beside() + otherwise.beside();
        names + input.beside() + types + ways
    }
}

impl Beside for Into {
    fn beside(&self) -> usize {
        let Into {
            variable,
            field,
            ty,
        } = self;
        variable.beside() + field.beside() + ty.beside()
    }
}

impl Beside for Retry {
    fn beside(&self) -> usize {
        let Retry {
            times: _,
            wait_ms: _,
            factor: _,
            only,
        } = self;
        only.beside()
    }
}

impl Beside for Meanwhile {
    fn beside(&self) -> usize {
        let Meanwhile {
            after_ms: _,
            say: _,
            music,
        } = self;
        music.beside()
    }
}

impl Beside for Edge {
    fn beside(&self) -> usize {
        match self {
            Edge::Flow(flow) => flow.beside(),
            Edge::Node(_) | Edge::Repeat | Edge::End => 0,
        }
    }
}

impl Beside for Template {
    fn beside(&self) -> usize {
        match self {
            Template::Literal(value) => value.beside(),
            Template::Expr(expr) => expr.beside(),
            Template::Text(pieces) => pieces.beside(),
            Template::List(items) => items.beside(),
            Template::Object(fields) => fields.beside(),
            Template::Prompt(_) | Template::Deferred(_) => 0,
        }
    }
}

impl Beside for Piece {
    fn beside(&self) -> usize {
        match self {
            Piece::Text(text) => text.beside(),
            Piece::Expr(expr) => expr.beside(),
        }
    }
}

impl Beside for Prompt {
    fn beside(&self) -> usize {
        let Prompt {
            name,
            line: _,
            voices,
        } = self;
        name.beside() + voices.beside()
    }
}

impl Beside for Voice {
    fn beside(&self) -> usize {
        let Voice {
            text,
            audio,
            chat,
            voice,
            language,
        } = self;
        let named = audio.beside() + voice.beside() + language.beside();
        text.beside() + chat.beside() + named
    }
}
