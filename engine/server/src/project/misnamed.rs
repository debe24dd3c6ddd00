//! Queues and suppliers whose name is misspelt in `queues.yaml`: `front-dek`, while several places of the flows lead to `front-desk`.
//! That is one slip, as it is with a flow that is misspelt where it is defined.

use std::collections::{BTreeMap, BTreeSet};

use strowger_flow::catalog::Catalog;
use strowger_flow::check::{MANY, mentions};
use strowger_flow::diagnostic::{Text, text};
use strowger_flow::expr::closest;
use strowger_flow::{Checked, Level};

use super::finding::Finding;
use super::folder::Project;

/// What `queues.yaml` defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Under `queues:`.
    Queue,
    /// Under `suppliers:`.
    Supplier,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Queue, Kind::Supplier];

    /// The key in `queues.yaml`.
    pub(super) fn key(self) -> &'static str {
        match self {
            Kind::Queue => "queues",
            Kind::Supplier => "suppliers",
        }
    }

    /// The rule that tells of a use of what is not there.
    fn rule(self) -> &'static str {
        match self {
            Kind::Queue => "unknown-queue",
            Kind::Supplier => "unknown-destination",
        }
    }

    fn names(self, catalog: &mut Catalog) -> Option<&mut BTreeSet<String>> {
        match self {
            Kind::Queue => catalog.queues.as_mut(),
            Kind::Supplier => catalog.destinations.as_mut(),
        }
    }
}

/// A name that is misspelt where it is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed {
    /// What it is the name of.
    pub kind: Kind,
    /// As it is defined.
    pub defined: String,
    /// As it is used.
    pub meant: String,
}

impl Project {
    /// A name that is misspelt in `queues.yaml`.
    pub(super) fn misnamed(&self, slip: &Misnamed) -> Finding {
        let (defined, meant) = (&slip.defined, &slip.meant);
        let message = match slip.kind {
            Kind::Queue => text!(
                "nothing leads to a queue called `{defined}`, and several places to `{meant}`",
                "没有地方通往队列 `{defined}`，却有多处通往 `{meant}`"
            ),
            Kind::Supplier => text!(
                "nothing leads to a supplier called `{defined}`, and several places to `{meant}`",
                "没有地方通往供应商 `{defined}`，却有多处通往 `{meant}`"
            ),
        };
        let help = Text::did_you_mean(meant);
        self.in_queues(&[slip.kind.key(), defined], message, Some(help))
    }

    /// Queues that plugins are granted and that `queues.yaml` does not have.
    pub(super) fn no_queues(&self, misnamed: &[Misnamed]) -> Vec<Finding> {
        if !self.queues_known {
            return Vec::new();
        }
        let plugins = self.config.plugins.iter();
        let named = plugins.flat_map(|(plugin, settings)| {
            let queues = settings.grants.queues.iter().flatten();
            queues.map(move |queue| (plugin, queue))
        });
        // One that is misspelt where it is defined is told of there.
        let meant = |queue: &String| {
            let mut slips = misnamed.iter();
            slips.any(|slip| slip.kind == Kind::Queue && slip.meant == *queue)
        };
        let unknown =
            named.filter(|(_, queue)| !self.queues.queues.contains_key(*queue) && !meant(queue));
        let told = unknown.map(|(plugin, queue)| {
            let message = text!(
                "plugin {plugin} is granted the queue `{queue}`, which is not there",
                "授予插件 `{plugin}` 的队列 `{queue}` 不存在"
            );
            let help = Text::fixed(
                "correct the name, or add the queue to queues.yaml",
                "请改正名字，或在 `queues.yaml` 里添加这个队列",
            );
            let key = ["plugins", plugin.as_str(), "grants", "queues"];
            self.at_key(Level::Error, &key, message, Some(help))
        });
        told.collect()
    }
}

/// Finds such names, and takes into the catalogue what was meant. `granted` are the queues that plugins are granted.
pub(super) fn find(
    texts: &[&str],
    all: &[Checked],
    granted: &[&str],
    catalog: &mut Catalog,
) -> Vec<Misnamed> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let Some(names) = kind.names(catalog) else {
            continue;
        };
        let granted = match kind {
            Kind::Queue => granted,
            Kind::Supplier => &[],
        };
        let slips = slips(kind, texts, all, granted, names);
        names.extend(slips.iter().map(|slip| slip.meant.clone()));
        found.extend(slips);
    }
    found
}

fn slips(
    kind: Kind,
    texts: &[&str],
    all: &[Checked],
    granted: &[&str],
    names: &BTreeSet<String>,
) -> Vec<Misnamed> {
    // How often the flows use a name that is nearly one that there is: by this one and by that.
    let mut uses: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (text, checked) in texts.iter().zip(all) {
        let found = checked.diagnostics.iter();
        let fixes = found
            .filter(|found| found.rule == kind.rule())
            .filter_map(|found| found.fix.as_ref());
        for fix in fixes {
            if let Some(written) = text.get(fix.span.start..fix.span.end) {
                let written = written.trim_matches(['"', '\'']);
                let pair = (fix.replacement.clone(), written.to_owned());
                *uses.entry(pair).or_default() += 1;
            }
        }
    }
    for name in granted.iter().filter(|name| !names.contains(**name)) {
        if let Some(meant) = closest(name, names.iter().map(String::as_str)) {
            let pair = (meant.to_owned(), (*name).to_owned());
            *uses.entry(pair).or_default() += 1;
        }
    }
    let unused =
        |name: &str| !granted.contains(&name) && texts.iter().all(|text| mentions(text, name) == 0);
    let of = |defined: &str| uses.keys().filter(|(name, _)| name == defined).count();
    let slips = uses.iter().filter(|((defined, meant), times)| {
        **times >= MANY && of(defined) == 1 && !names.contains(meant) && unused(defined)
    });
    slips
        .map(|((defined, meant), _)| Misnamed {
            kind,
            defined: defined.clone(),
            meant: meant.clone(),
        })
        .collect()
}
