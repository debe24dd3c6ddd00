//! `routes.yaml`: which number leads to which flow.

use serde::Deserialize;

/// One line of `routes.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The called number or the user part of the SIP URI; a trailing `*` stands for any rest.
    pub to: String,
    /// The flow's name.
    pub flow: String,
}

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    /// All routes; the most exact one wins, whatever their order.
    pub routes: Vec<Route>,
}

impl Routes {
    /// The flow of a called number: an exact match, else the longest prefix.
    pub fn flow(&self, to: &str) -> Option<&str> {
        let fits = |route: &&Route| match route.to.strip_suffix('*') {
            Some(prefix) => to.starts_with(prefix),
            None => route.to == to,
        };
        // An exact number beats a prefix of the same length.
        let exactness = |route: &&Route| {
            (
                route.to.trim_end_matches('*').len(),
                !route.to.ends_with('*'),
            )
        };
        self.routes
            .iter()
            .filter(fits)
            .max_by_key(exactness)
            .map(|route| route.flow.as_str())
    }

    /// The places in the list of routes for a number that an earlier one has: which one wins would be chance.
    pub fn duplicates(&self) -> Vec<usize> {
        let mut seen = std::collections::BTreeSet::new();
        let mut duplicates = Vec::new();
        for (index, route) in self.routes.iter().enumerate() {
            if !seen.insert(&route.to) {
                duplicates.push(index);
            }
        }
        duplicates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_route_wins() {
        let route = |to: &str, flow: &str| Route {
            to: to.into(),
            flow: flow.into(),
        };
        let routes = Routes {
            routes: vec![
                route("*", "any"),
                route("40*", "forty"),
                route("400", "exact"),
                route("400*", "prefix"),
            ],
        };
        assert_eq!(routes.flow("400"), Some("exact"));
        assert_eq!(routes.flow("4001"), Some("prefix"));
        assert_eq!(routes.flow("401"), Some("forty"));
        assert_eq!(routes.flow("+86"), Some("any"));
        assert_eq!(Routes::default().flow("400"), None);
        assert!(routes.duplicates().is_empty());
    }
}
