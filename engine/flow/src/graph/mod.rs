//! A flow as a picture: Mermaid, Graphviz' DOT, or an SVG with a layout of our own.
//!
//! A card is a named step with its actions; what leads from step to step is an arrow with the outcomes and keys
//! that take it. What lies between two actions of one step is not drawn. A project is drawn with a card for each flow.

mod dot;
mod flow;
mod layout;
mod measure;
mod mermaid;
mod order;
mod place;
mod project;
mod rank;
mod svg;

use crate::catalog::Catalog;
use crate::plan::Plan;

/// A flow, or a project's flows, as cards and arrows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// What is drawn: the flow's name, or the project's.
    pub title: String,
    /// The cards, in the order of the file; the first is where contacts come in.
    pub cards: Vec<Card>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
}

/// A step, or a place outside the flow; in a project's graph a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The step's name; `flow:NAME` for another flow.
    pub name: String,
    /// Its actions, a line each: `menu main_menu`.
    pub lines: Vec<String>,
    /// What it is.
    pub kind: Kind,
}

/// What a card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A step.
    Step,
    /// A step where contacts come in.
    Start,
    /// A step after which nothing comes in this flow.
    End,
    /// Another flow, without coming back.
    Flow,
    /// What holds everywhere: `global`.
    Global,
}

/// A way from card to card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// Index of the card that it leaves.
    pub from: usize,
    /// Index of the card that it leads to.
    pub to: usize,
    /// Outcomes and keys that take it; empty when it is taken always.
    pub labels: Vec<String>,
}

/// Why a graph cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// It is too large for a picture.
    #[error(
        "it has {cards} cards and {arrows} arrows, too many for a picture that anybody could read; use --format dot or \
         mermaid, or split the flow with `call:`"
    )]
    TooLarge {
        /// How many cards there are.
        cards: usize,
        /// How many arrows there are.
        arrows: usize,
    },
}

impl Graph {
    /// The graph of a checked flow. The catalogue says which input of a step is worth showing.
    pub fn new(plan: &Plan, catalog: &Catalog) -> Graph {
        flow::Builder::new(plan, catalog).build()
    }

    /// The graph of a project: a card for each flow, an arrow for each flow that it calls or goes on in. `routes` are
    /// pairs of a number and its flow.
    pub fn of_project(title: &str, plans: &[&Plan], routes: &[(&str, &str)]) -> Graph {
        project::build(title, plans, routes)
    }

    /// As a flowchart of Mermaid, which many wikis and forges draw.
    pub fn mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// In the language of Graphviz.
    pub fn dot(&self) -> String {
        dot::write(self)
    }

    /// As a picture.
    pub fn svg(&self) -> Result<String, DrawError> {
        Ok(svg::write(self, &layout::layout(self)?))
    }
}
