//! Which components run again.

/// Of many contacts, one in so many is replayed with every step run.
const WHOLE_ONE_IN: usize = 32;

/// Which steps' components run when a contact is walked again.
///
/// A guest sees nothing but its input and the answers to its calls. Where its component, its input and each answer
/// are those of then, it asks and ends as the journal says, so it need not run to tell: unless it is one that does
/// not repeat itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerun {
    /// All of them.
    Every,
    /// Those that could do something else than then: whose component or input is another one, or that the
    /// engine ended then.
    /// What the others did is taken from the journal.
    Changed,
}

impl Rerun {
    /// For the contact of this number, from 0, among many: the changed ones, and from time to time every one, so that a
    /// plugin that does not repeat itself is found.
    pub fn of_many(number: usize) -> Rerun {
        match number % WHOLE_ONE_IN {
            0 => Rerun::Every,
            _ => Rerun::Changed,
        }
    }
}
