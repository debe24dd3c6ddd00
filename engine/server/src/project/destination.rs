//! Where a transfer leads: to a supplier, a SIP URI, or a number.

use std::collections::BTreeMap;

use strowger_flow::catalog::StepDescription;
use strowger_flow::diagnostic::{Text, text};
use strowger_flow::value::{Type, Value, parse_literal};
use strowger_flow::{Checked, Level};

use super::finding::{Finding, Source};
use super::folder::{FlowFile, Project};
use super::queues::QueuesFile;
use super::reach::{Named, named};
use super::transfer::{How, TransferSection};

/// Why a target cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// A number that the engine is to call, and no trunk to call it by.
    #[error(
        "the engine cannot call the number `{0}` itself: set transfer.trunk in strowger.toml, or name a SIP URI"
    )]
    NoTrunk(String),
    /// Nothing that could be called.
    #[error("`{0}` is no supplier in queues.yaml, no SIP URI and no number")]
    Nobody(String),
}

/// The URI of a transfer's target, and who calls it: a supplier's name, a URI, or a number on the caller's own side
/// or, where the engine calls, behind the trunk. Only the engine can whisper.
pub fn destination(
    queues: &QueuesFile,
    transfer: &TransferSection,
    target: &str,
    whispers: bool,
) -> Result<(String, How), Unreachable> {
    let supplier = queues.suppliers.get(target);
    let how = match supplier.and_then(|supplier| supplier.how) {
        _ if whispers => How::Bridge,
        Some(how) => how,
        None => transfer.how,
    };
    if let Some(supplier) = supplier {
        return Ok((supplier.sip.clone(), how));
    }
    if target.starts_with("sip:") || target.starts_with("sips:") {
        return Ok((target.to_owned(), how));
    }
    if let Some(number) = dialled(target) {
        return match (how, &transfer.trunk) {
            (How::Refer, _) => Ok((format!("tel:{number}"), how)),
            (How::Bridge, Some(trunk)) => {
                let host = trunk.trim_start_matches("sip:");
                Ok((format!("sip:{number}@{host}"), how))
            }
            (How::Bridge, None) => Err(Unreachable::NoTrunk(target.to_owned())),
        };
    }
    Err(Unreachable::Nobody(target.to_owned()))
}

/// The number of a target as it is dialled, without what makes it easy to read (RFC 3966, section 5.1.1); of a `tel:` URI,
/// without its parameters.
fn dialled(target: &str) -> Option<String> {
    let uri = target.strip_prefix("tel:");
    let number = uri.map_or(target, |rest| rest.split(';').next().unwrap_or(rest));
    match parse_literal(number, &Type::Phone) {
        Ok(Value::Phone(number)) => Some(number),
        _ => None,
    }
}

impl Project {
    /// Actions that name a number for the engine to call, where there is no trunk: warnings at their lines, for a project
    /// may be written on a machine that has none.
    pub fn numbers_without_trunk(
        &self,
        steps: &BTreeMap<String, StepDescription>,
        checked: &[(&FlowFile, Checked)],
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (file, checked) in checked {
            // Of an action with several, the first.
            let mut told = None;
            let places = checked.plan.iter().flat_map(|plan| named(plan, steps));
            for place in places.filter(|place| place.format == "destination") {
                let Named {
                    node,
                    written,
                    whispers,
                    ..
                } = place;
                let led = destination(&self.queues, &self.config.transfer, written, whispers);
                let at = (node.line, node.column);
                let Err(Unreachable::NoTrunk(number)) = led else {
                    continue;
                };
                if told.replace(at) == Some(at) {
                    continue;
                }
                let source = Source::new(&file.path, &String::from_utf8_lossy(&file.source));
                let at = source.line(node.line as usize, node.column as usize);
                findings.push(source.finding(
                    Level::Warning,
                    at,
                    no_trunk(&number, whispers),
                    Some(Text::fixed(
                        "set `transfer.trunk` in strowger.toml to the SIP URI of the trunk that numbers are called by, or \
                         name a SIP URI or a supplier",
                        "请在 `strowger.toml` 中把 `transfer.trunk` 设为呼叫号码所用中继的 SIP URI，或改写 SIP URI 或服务商",
                    )),
                ));
            }
        }
        findings
    }
}

fn no_trunk(number: &str, whispers: bool) -> Text {
    match whispers {
        true => text!(
            "a transfer with a `whisper` is placed by the engine, which has no trunk to call `{number}` by",
            "带 `whisper` 的转接由引擎呼出，而引擎没有中继可以呼叫 `{number}`"
        ),
        false => text!(
            "the engine places this transfer (`transfer.how`), and has no trunk to call `{number}` by",
            "这个转接由引擎呼出（`transfer.how`），而引擎没有中继可以呼叫 `{number}`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{How, QueuesFile, TransferSection, destination, dialled};

    #[test]
    fn a_number_is_dialled_however_it_is_written() {
        for (target, number) in [
            ("+86 138 0013 8000", "+8613800138000"),
            ("138-0013-8000", "13800138000"),
            ("(010)1234", "0101234"),
            ("tel:+86-138.0013.8000;ext=5", "+8613800138000"),
            ("13800138000", "13800138000"),
        ] {
            assert_eq!(dialled(target).as_deref(), Some(number));
            let transfer = TransferSection {
                how: How::Refer,
                ..TransferSection::default()
            };
            let led = destination(&QueuesFile::default(), &transfer, target, false);
            assert_eq!(led, Ok((format!("tel:{number}"), How::Refer)));
        }
        for target in ["", "tel:", "front desk", "+86+1", "1x"] {
            assert_eq!(dialled(target), None, "{target}");
        }
    }
}
