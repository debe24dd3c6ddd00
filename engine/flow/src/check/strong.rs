//! Strongly connected components: Tarjan's algorithm, without recursion.

/// What each node leads to, in one list.
pub(super) struct Ways {
    to: Vec<usize>,
    /// Where the ways of each node end in the list.
    ends: Vec<usize>,
}

/// Nodes that lead to each other, in one list.
pub(super) struct Groups {
    members: Vec<usize>,
    /// Where each group ends in the list.
    ends: Vec<usize>,
}

impl Ways {
    /// The ways of as many nodes; `next` adds what a node leads to.
    pub fn new(count: usize, mut next: impl FnMut(usize, &mut Vec<usize>)) -> Ways {
        let (mut to, mut ends) = (Vec::with_capacity(2 * count), Vec::with_capacity(count));
        for index in 0..count {
            next(index, &mut to);
            ends.push(to.len());
        }
        Ways { to, ends }
    }

    /// What a node leads to.
    pub fn from(&self, index: usize) -> &[usize] {
        part(&self.to, &self.ends, index)
    }

    /// All groups of nodes that lead to each other, single nodes too; a group comes after those it leads to.
    pub fn groups(&self) -> Groups {
        const NEW: usize = usize::MAX;
        let count = self.ends.len();
        let mut number = vec![NEW; count];
        let mut low = vec![0; count];
        let mut on_stack = vec![false; count];
        let mut stack = Vec::new();
        let mut work: Vec<(usize, usize)> = Vec::new();
        let mut groups = Groups {
            members: Vec::with_capacity(count),
            ends: Vec::with_capacity(count),
        };
        let mut counter = 0;
        for root in 0..count {
            if number[root] != NEW {
                continue;
            }
            work.push((root, 0));
            while let Some((index, edge)) = work.pop() {
                if edge == 0 {
                    number[index] = counter;
                    low[index] = counter;
                    counter += 1;
                    stack.push(index);
                    on_stack[index] = true;
                }
                if let Some(to) = self.from(index).get(edge).copied() {
                    work.push((index, edge + 1));
                    if number[to] == NEW {
                        work.push((to, 0));
                    } else if on_stack[to] {
                        low[index] = low[index].min(number[to]);
                    }
                    continue;
                }
                if let Some((parent, _)) = work.last() {
                    low[*parent] = low[*parent].min(low[index]);
                }
                if low[index] == number[index] {
                    let begin = groups.members.len();
                    while let Some(member) = stack.pop() {
                        on_stack[member] = false;
                        groups.members.push(member);
                        if member == index {
                            break;
                        }
                    }
                    groups.members[begin..].sort_unstable();
                    groups.ends.push(groups.members.len());
                }
            }
        }
        groups
    }
}

impl Groups {
    /// Each group, its members in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[usize]> + ExactSizeIterator {
        (0..self.ends.len()).map(|number| part(&self.members, &self.ends, number))
    }
}

/// The part of a list that belongs to a number.
fn part<'l>(list: &'l [usize], ends: &[usize], number: usize) -> &'l [usize] {
    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
    &list[start..ends[number]]
}
