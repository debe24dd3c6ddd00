//! A layered layout: rows from top to bottom, few crossings, straight long arrows.
//!
//! Every arrow is a chain of items, one in each row that it passes; an item that carries the arrow's label is as wide as
//! the label, so that no two texts ever overlap. Cards stand in even rows, labels in odd ones.

use super::measure::{LINE, cut, label, label_size, text_width};
use super::order::ordered;
use super::{DrawError, Graph, place, rank};

/// Most cards of a picture: beyond that nobody finds anything in it.
const MAX_CARDS: usize = 400;

/// Most arrows of a picture: bounds time.
const MAX_ARROWS: usize = 2_000;

/// Most items of a picture, the bends of arrows included: bounds time and memory.
const MAX_ITEMS: usize = 20_000;

/// Between a card's edge and its text.
pub(super) const PAD: f64 = 10.0;

/// Between rows.
const ROW_GAP: f64 = 22.0;

/// Where everything is, in pixels.
pub(super) struct Layout {
    pub width: f64,
    pub height: f64,
    /// Cards in the order of the graph.
    pub cards: Vec<Rect>,
    /// Arrows in the order of the graph.
    pub arrows: Vec<Way>,
}

/// A rectangle by its middle.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// The way of an arrow.
pub(super) struct Way {
    /// From the first card to the last, as the arrow points.
    pub points: Vec<(f64, f64)>,
    /// Where the label is, and its lines.
    pub label: Option<(Rect, Vec<String>)>,
    /// Whether it leads from a card to the same card.
    pub own: bool,
}

/// What stands in a row: a card, or a piece of an arrow.
pub(super) struct Item {
    pub row: usize,
    pub width: f64,
    pub height: f64,
    /// Neighbours in the rows above and below.
    pub up: Vec<usize>,
    pub down: Vec<usize>,
    /// A card may not be pulled as strongly as a long arrow, which is to be straight.
    pub bend: bool,
}

pub(super) fn layout(graph: &Graph) -> Result<Layout, DrawError> {
    let too_large = || DrawError::TooLarge {
        cards: graph.cards.len(),
        arrows: graph.arrows.len(),
    };
    if graph.cards.len() > MAX_CARDS || graph.arrows.len() > MAX_ARROWS {
        return Err(too_large());
    }
    let ranked = rank::rank(graph);
    let mut items: Vec<Item> = graph
        .cards
        .iter()
        .enumerate()
        .map(|(index, card)| {
            let lines = 1 + card.lines.len();
            let widest = card.lines.iter().map(|line| text_width(&cut(line)));
            let widest = widest.fold(text_width(&cut(&card.name)) * 1.1, f64::max);
            Item {
                row: 2 * ranked.row[index],
                width: widest.max(60.0) + 2.0 * PAD,
                height: LINE * lines as f64 + PAD,
                up: Vec::new(),
                down: Vec::new(),
                bend: false,
            }
        })
        .collect();
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for (index, arrow) in graph.arrows.iter().enumerate() {
        let (from, to) = match ranked.turned[index] {
            true => (arrow.to, arrow.from),
            false => (arrow.from, arrow.to),
        };
        let mut chain = vec![from];
        let label = label(&arrow.labels);
        for row in items[from].row + 1..items[to].row {
            if items.len() >= MAX_ITEMS {
                return Err(too_large());
            }
            // The label stands where the arrow leaves its step.
            let labelled = match ranked.turned[index] {
                true => row + 1 == items[to].row,
                false => row == items[from].row + 1,
            };
            let (width, height) = match labelled {
                true => label_size(&label),
                false => (4.0, 0.0),
            };
            items.push(Item {
                row,
                width,
                height,
                up: Vec::new(),
                down: Vec::new(),
                bend: true,
            });
            chain.push(items.len() - 1);
        }
        if from == to {
            // A loop of one is drawn beside its card, which is wider by it.
            let (width, _) = label_size(&label);
            items[from].width += 2.0 * (OWN + width);
        } else {
            chain.push(to);
        }
        for pair in chain.windows(2) {
            items[pair[0]].down.push(pair[1]);
            items[pair[1]].up.push(pair[0]);
        }
        chains.push(chain);
    }
    let rows = ordered(&items);
    let x = place::across(&items, &rows);
    let down = down(&items, &rows);
    Ok(drawn(graph, &ranked, &items, &chains, &x, &down))
}

/// How far a loop of one goes beside its card.
const OWN: f64 = 26.0;

/// Where the rows are.
struct Down {
    /// The middle of each row.
    middle: Vec<f64>,
    /// The height of each row.
    height: Vec<f64>,
    /// The height of all.
    total: f64,
}

fn down(items: &[Item], rows: &[Vec<usize>]) -> Down {
    let height = |row: &Vec<usize>| {
        row.iter()
            .map(|item| items[*item].height)
            .fold(0.0, f64::max)
    };
    let height: Vec<f64> = rows.iter().map(height).collect();
    let mut total = ROW_GAP;
    let mut middle = Vec::with_capacity(rows.len());
    for row in &height {
        middle.push(total + row / 2.0);
        total += row + ROW_GAP;
    }
    Down {
        middle,
        height,
        total,
    }
}

fn drawn(
    graph: &Graph,
    ranked: &rank::Ranked,
    items: &[Item],
    chains: &[Vec<usize>],
    x: &[f64],
    down: &Down,
) -> Layout {
    let y = &down.middle;
    let rect = |item: usize| Rect {
        x: x[item],
        y: y[items[item].row],
        width: items[item].width,
        height: items[item].height,
    };
    let mut cards: Vec<Rect> = (0..graph.cards.len()).map(rect).collect();
    for arrow in graph.arrows.iter().filter(|arrow| arrow.from == arrow.to) {
        cards[arrow.from].width -= 2.0 * (OWN + label_size(&label(&arrow.labels)).0);
    }
    let mut arrows = Vec::new();
    for (index, chain) in chains.iter().enumerate() {
        let lines = label(&graph.arrows[index].labels);
        let text = (!lines.is_empty()).then_some(lines);
        let first = cards[chain[0]];
        if let [only] = chain.as_slice() {
            let card = cards[*only];
            let (width, height) = text.as_deref().map_or((0.0, 0.0), label_size);
            let right = card.x + card.width / 2.0;
            arrows.push(Way {
                points: vec![
                    (right, card.y - card.height / 4.0),
                    (right + OWN, card.y),
                    (right, card.y + card.height / 4.0),
                ],
                label: text.map(|lines| {
                    let place = Rect {
                        x: right + OWN * 0.8 + width / 2.0,
                        y: card.y,
                        width,
                        height,
                    };
                    (place, lines)
                }),
                own: true,
            });
            continue;
        }
        let last = cards[*chain.last().unwrap_or(&chain[0])];
        let mut points = vec![(first.x, first.y + first.height / 2.0)];
        for item in &chain[1..chain.len() - 1] {
            let place = rect(*item);
            // Straight through the whole height of the row, so that it touches no card beside it.
            let row = items[*item].row;
            let half = down.height[row] / 2.0;
            points.push((place.x, y[row] - half));
            if half > 0.0 {
                points.push((place.x, y[row] + half));
            }
        }
        points.push((last.x, last.y - last.height / 2.0));
        let turned = ranked.turned[index];
        let carrier = match turned {
            true => chain[chain.len() - 2],
            false => chain[1],
        };
        if turned {
            points.reverse();
        }
        spread(&mut points, index, chain, chains, x, &cards);
        arrows.push(Way {
            points,
            label: text.map(|lines| (rect(carrier), lines)),
            own: false,
        });
    }
    let width = items
        .iter()
        .enumerate()
        .map(|(item, size)| x[item] + size.width / 2.0)
        .fold(0.0, f64::max)
        + place::GAP;
    Layout {
        width,
        height: down.total,
        cards,
        arrows,
    }
}

/// Arrows leave and reach a card side by side, in the order of where they come from.
fn spread(
    points: &mut [(f64, f64)],
    index: usize,
    chain: &[usize],
    chains: &[Vec<usize>],
    x: &[f64],
    cards: &[Rect],
) {
    let shift = |card: usize, own: usize, near: &dyn Fn(&Vec<usize>) -> Option<usize>| {
        let mut beside: Vec<(f64, usize)> = chains
            .iter()
            .enumerate()
            .filter_map(|(at, chain)| Some((x[near(chain)?], at)))
            .collect();
        beside.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let place = beside.iter().position(|(_, at)| *at == own).unwrap_or(0);
        let room = cards[card].width * 0.7;
        let step = (room / beside.len() as f64).min(24.0);
        (place as f64 - (beside.len() as f64 - 1.0) / 2.0) * step
    };
    let (first, last) = (chain[0], chain[chain.len() - 1]);
    let below = |chain: &Vec<usize>| (chain.len() > 1 && chain[0] == first).then(|| chain[1]);
    let above = |chain: &Vec<usize>| {
        let count = chain.len();
        (count > 1 && chain[count - 1] == last).then(|| chain[count - 2])
    };
    let (top, bottom) = match points[0].1 <= points[points.len() - 1].1 {
        true => (0, points.len() - 1),
        false => (points.len() - 1, 0),
    };
    points[top].0 += shift(first, index, &below);
    points[bottom].0 += shift(last, index, &above);
}
