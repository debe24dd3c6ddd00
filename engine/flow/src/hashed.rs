//! Hash maps and sets for the names of a file, which are short: the hash of the standard library takes longer than the rest of a look-up.

use foldhash::fast::RandomState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
