//! In which order the items of a row stand, so that few arrows cross.

use super::layout::Item;

/// Rounds of sorting rows against each other.
const SWEEPS: usize = 24;

/// The rows with their items from left to right: as they come, then sorted by the middle of their neighbours, once by
/// those above, once by those below; the order with the fewest crossings is kept.
pub(super) fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
    let depth = items.iter().map(|item| item.row + 1).max().unwrap_or(0);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); depth];
    // A walk downwards keeps what belongs together side by side.
    let mut seen = vec![false; items.len()];
    for root in 0..items.len() {
        let mut open = vec![root];
        while let Some(item) = open.pop() {
            if !std::mem::replace(&mut seen[item], true) {
                rows[items[item].row].push(item);
                open.extend(items[item].down.iter().rev());
            }
        }
    }
    let mut best = (crossings(items, &rows), rows.clone());
    for sweep in 0..SWEEPS {
        let downwards = sweep % 2 == 0;
        let mut order: Vec<usize> = (0..depth).collect();
        if !downwards {
            order.reverse();
        }
        let mut position = vec![0.0; items.len()];
        for row in &rows {
            for (at, item) in row.iter().enumerate() {
                position[*item] = at as f64;
            }
        }
        for row in order {
            let mut keyed: Vec<(f64, usize)> = rows[row]
                .iter()
                .map(|item| {
                    let near = match downwards {
                        true => &items[*item].up,
                        false => &items[*item].down,
                    };
                    let middle = match near.len() {
                        0 => position[*item],
                        count => {
                            near.iter().map(|near| position[*near]).sum::<f64>() / count as f64
                        }
                    };
                    (middle, *item)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows[row] = keyed.into_iter().map(|(_, item)| item).collect();
            for (at, item) in rows[row].iter().enumerate() {
                position[*item] = at as f64;
            }
        }
        let count = crossings(items, &rows);
        if count < best.0 {
            best = (count, rows.clone());
        }
    }
    best.1
}

/// How often arrows cross between rows that follow each other.
fn crossings(items: &[Item], rows: &[Vec<usize>]) -> usize {
    let mut position = vec![0usize; items.len()];
    for row in rows {
        for (at, item) in row.iter().enumerate() {
            position[*item] = at;
        }
    }
    let mut count = 0;
    for row in rows {
        let width = row
            .iter()
            .flat_map(|item| &items[*item].down)
            .map(|below| position[*below] + 1)
            .max()
            .unwrap_or(0);
        // A Fenwick tree: how many arrows seen so far end to the right.
        let mut tree = vec![0usize; width + 1];
        let mut seen = 0;
        for item in row {
            let mut ends: Vec<usize> = items[*item].down.iter().map(|to| position[*to]).collect();
            ends.sort_unstable();
            for end in &ends {
                let mut at = end + 1;
                let mut left = 0;
                while at > 0 {
                    left += tree[at];
                    at &= at - 1;
                }
                count += seen - left;
            }
            for end in ends {
                let mut at = end + 1;
                while at <= width {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                seen += 1;
            }
        }
    }
    count
}
