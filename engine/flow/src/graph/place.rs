//! Where the items of rows stand from left to right: as near to their neighbours as their widths allow.

use super::layout::Item;

/// Between items of a row.
pub(super) const GAP: f64 = 18.0;

/// Rounds of pulling rows towards each other.
const ROUNDS: usize = 40;

/// The middle of each item. Every row in turn is pulled to where its neighbours are; what would overlap is pushed apart
/// as little as can be.
pub(super) fn across(items: &[Item], rows: &[Vec<usize>]) -> Vec<f64> {
    let mut x = vec![0.0; items.len()];
    for row in rows {
        let wanted: Vec<f64> = row.iter().map(|_| 0.0).collect();
        set(items, row, &wanted, &mut x);
    }
    for round in 0..ROUNDS {
        let downwards = round % 2 == 0;
        let order: Vec<usize> = match downwards {
            true => (0..rows.len()).collect(),
            false => (0..rows.len()).rev().collect(),
        };
        for at in order {
            let row = &rows[at];
            let wanted: Vec<f64> = row
                .iter()
                .map(|item| {
                    let found = &items[*item];
                    let near: Vec<usize> = match (round + 2 < ROUNDS, downwards) {
                        (true, true) => found.up.clone(),
                        (true, false) => found.down.clone(),
                        // At the end both sides count.
                        (false, _) => found.up.iter().chain(&found.down).copied().collect(),
                    };
                    match near.len() {
                        0 => x[*item],
                        count => near.iter().map(|near| x[*near]).sum::<f64>() / count as f64,
                    }
                })
                .collect();
            set(items, row, &wanted, &mut x);
        }
    }
    let left = items
        .iter()
        .enumerate()
        .map(|(item, size)| x[item] - size.width / 2.0)
        .fold(f64::INFINITY, f64::min);
    if left.is_finite() {
        x.iter_mut().for_each(|x| *x += GAP - left);
    }
    x
}

/// Places a row as near as possible to what is wanted, by least squares, in order and without overlaps: where two
/// would overlap they form a block, which stands at the mean of its wishes (pool adjacent violators).
fn set(items: &[Item], row: &[usize], wanted: &[f64], x: &mut [f64]) {
    struct Block {
        /// Sum of weighted wishes, each less its offset in the row.
        sum: f64,
        weight: f64,
        count: usize,
    }
    let mut offsets = Vec::with_capacity(row.len());
    let mut offset = 0.0;
    for (at, item) in row.iter().enumerate() {
        if at > 0 {
            offset += items[row[at - 1]].width / 2.0 + GAP + items[*item].width / 2.0;
        }
        offsets.push(offset);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for at in 0..row.len() {
        // Bends are held more firmly: long arrows are to be straight.
        let weight = if items[row[at]].bend { 4.0 } else { 1.0 };
        let mut block = Block {
            sum: weight * (wanted[at] - offsets[at]),
            weight,
            count: 1,
        };
        while let Some(before) =
            blocks.pop_if(|before| before.sum / before.weight > block.sum / block.weight)
        {
            block.sum += before.sum;
            block.weight += before.weight;
            block.count += before.count;
        }
        blocks.push(block);
    }
    let mut at = 0;
    for block in blocks {
        for _ in 0..block.count {
            x[row[at]] = block.sum / block.weight + offsets[at];
            at += 1;
        }
    }
}
