//! Strongly connected components: Tarjan's algorithm, without recursion.

/// All groups of nodes that lead to each other, single nodes too; a group comes after those it leads to.
pub(super) fn groups(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let count = next.len();
    let mut number = vec![NEW; count];
    let mut low = vec![0; count];
    let mut on_stack = vec![false; count];
    let mut stack = Vec::new();
    let mut groups = Vec::new();
    let mut counter = 0;
    for root in 0..count {
        if number[root] != NEW {
            continue;
        }
        let mut work: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some((index, edge)) = work.pop() {
            if edge == 0 {
                number[index] = counter;
                low[index] = counter;
                counter += 1;
                stack.push(index);
                on_stack[index] = true;
            }
            if let Some(to) = next[index].get(edge).copied() {
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
                let mut group = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    group.push(member);
                    if member == index {
                        break;
                    }
                }
                group.sort_unstable();
                groups.push(group);
            }
        }
    }
    groups
}
