//! `routes.yaml`: which number leads to which flow.

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};

use super::resume::Resume;

/// One line of `routes.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The called number or the user part of the SIP URI. A `*` at its end stands for any rest; one at its beginning is
    /// the key, as in `*98`.
    pub to: String,
    /// The flow's name.
    pub flow: String,
    /// A caller of this number whose line dropped may go on where it broke: so many minutes long, and asked first.
    /// Whoever calls from the same number is taken for the same caller. Left out, nobody may.
    #[serde(default)]
    pub resume: Option<Resume>,
}

/// The file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    /// All routes; the most exact one wins, whatever their order.
    pub routes: Vec<Route>,
}

impl Routes {
    /// The flow of a called number.
    pub fn flow(&self, to: &str) -> Option<&str> {
        self.route(to).map(|route| route.flow.as_str())
    }

    /// The route of a called number: an exact match, else the longest prefix.
    pub fn route(&self, to: &str) -> Option<&Route> {
        let fits = |route: &&Route| match route.to.strip_suffix('*') {
            Some(prefix) => to.starts_with(prefix),
            None => route.to == to,
        };
        // An exact number beats a prefix of the same length.
        let exactness = |route: &&Route| {
            (
                route.to.strip_suffix('*').unwrap_or(&route.to).len(),
                !route.to.ends_with('*'),
            )
        };
        self.routes.iter().filter(fits).max_by_key(exactness)
    }

    /// Whether any of the numbers that a route's `to` stands for leads to a flow.
    pub fn leads(&self, to: &str, flow: &str) -> bool {
        let Some(prefix) = to.strip_suffix('*') else {
            return self.flow(to) == Some(flow);
        };
        let routes = self.routes.iter();
        let wider = routes.filter(|route| {
            let other = route.to.strip_suffix('*');
            other.is_some_and(|other| prefix.starts_with(other))
        });
        let most_exact = wider.max_by_key(|route| route.to.len());
        let below = |route: &Route| {
            let begins = route.to.strip_suffix('*').unwrap_or(&route.to);
            route.flow == flow && begins.starts_with(prefix)
        };
        most_exact.is_some_and(|route| route.flow == flow) || self.routes.iter().any(below)
    }

    /// The places in the list of routes that no call can take, each with what is wrong and what to do.
    pub fn unmatchable(&self) -> Vec<(usize, Text, Text)> {
        let routes = self.routes.iter().enumerate();
        routes
            .filter_map(|(index, route)| {
                let (message, help) = unmatchable(&route.to)?;
                Some((index, message, help))
            })
            .collect()
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

/// Why no called number is like this one.
fn unmatchable(to: &str) -> Option<(Text, Text)> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@:;?<>\"/".contains(c);
    if to.is_empty() {
        let message = Text::fixed(
            "`to` is empty, and no call is for no number",
            "`to` 是空的，没有呼叫会打给空号码",
        );
        let help = Text::fixed(
            "write the number; `*` takes every call",
            "请写上号码；`*` 接收所有呼叫",
        );
        return Some((message, help));
    }
    if to.contains(odd) {
        let to = to.escape_debug();
        let message = text!("`to: {to}` is no number", "`to: {to}` 不是号码");
        let help = Text::fixed(
            "write the number alone, or what stands before the `@` of a SIP address: no scheme, host, port, \
             space or parameter",
            "只写号码，或 SIP 地址中 `@` 之前的部分：不带协议、主机、端口、空格或参数",
        );
        return Some((message, help));
    }
    let inner = to.strip_suffix('*').unwrap_or(to);
    if inner.strip_prefix('*').unwrap_or(inner).contains('*') {
        let message = text!("`to: {to}` has a `*` within", "`to: {to}` 中间有 `*`");
        let help = Text::fixed(
            "`*` stands for any rest at the end of a number alone, and for the key at its beginning alone",
            "`*` 只有在号码末尾才表示任意后续，只有在开头才表示星号键",
        );
        return Some((message, help));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_route_wins() {
        let route = |to: &str, flow: &str| Route {
            to: to.into(),
            flow: flow.into(),
            resume: None,
        };
        let routes = Routes {
            routes: vec![
                route("*", "any"),
                route("40*", "forty"),
                route("400", "exact"),
                route("400*", "prefix"),
                route("**", "star"),
                route("*98", "mailbox"),
            ],
        };
        assert_eq!(routes.flow("400"), Some("exact"));
        assert_eq!(routes.flow("4001"), Some("prefix"));
        assert_eq!(routes.flow("401"), Some("forty"));
        assert_eq!(routes.flow("+86"), Some("any"));
        assert_eq!(Routes::default().flow("400"), None);
        assert_eq!(routes.flow("*98"), Some("mailbox"));
        assert_eq!(routes.flow("*1"), Some("star"));
        for (to, flow, leads) in [
            ("400", "exact", true),
            ("400", "forty", false),
            ("401", "forty", true),
            ("401*", "forty", true),
            ("401*", "any", false),
            ("4*", "forty", true),
            ("4*", "exact", true),
            ("*", "mailbox", true),
            ("5*", "any", true),
            ("400*", "exact", true),
            ("4000*", "exact", false),
        ] {
            assert_eq!(routes.leads(to, flow), leads, "{to}: {flow}");
        }
        assert!(!Routes::default().leads("*", "any"));
        assert!(routes.duplicates().is_empty());
        assert!(routes.unmatchable().is_empty());
    }
}
