//! Where a transfer leads: to a supplier, a SIP URI, or a number.

use std::collections::BTreeMap;

use strowger_flow::catalog::StepDescription;
use strowger_flow::destination::Destination;
use strowger_flow::diagnostic::{Text, text};
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
    /// A URI that the engine is to call, and cannot: `sips:`, or a supplier's `tel:`.
    #[error(
        "the engine calls `sip:` URIs alone, and not `{0}`: name the SIP URI of a proxy that does, or let the caller's telephone call it"
    )]
    NoSip(String),
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
    let called = |uri: String| {
        let sip = uri
            .get(..4)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:"));
        match how {
            How::Bridge if !sip => Err(Unreachable::NoSip(uri)),
            How::Bridge | How::Refer => Ok((uri, how)),
        }
    };
    if let Some(supplier) = supplier {
        return called(supplier.sip.clone());
    }
    match (Destination::read(target), how, &transfer.trunk) {
        (Ok(Destination::Uri(uri)), ..) => called(uri),
        (Ok(Destination::Number(number)), How::Refer, _) => Ok((format!("tel:{number}"), how)),
        (Ok(Destination::Number(number)), How::Bridge, Some(trunk)) => {
            let host = trunk.trim_start_matches("sip:");
            Ok((format!("sip:{number}@{host}"), how))
        }
        (Ok(Destination::Number(_)), How::Bridge, None) => {
            Err(Unreachable::NoTrunk(target.to_owned()))
        }
        (Err(_), ..) => Err(Unreachable::Nobody(target.to_owned())),
    }
}

impl Project {
    /// Actions that name a number for the engine to call, where there is no trunk, or a URI that only a telephone can call: warnings
    /// at their lines, for a project may be written on a machine that calls otherwise.
    pub fn beyond_the_engine(
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
                let (message, help) = match led {
                    Err(Unreachable::NoTrunk(number)) => (
                        no_trunk(&number, whispers),
                        Text::fixed(
                            "set `transfer.trunk` in strowger.toml to the SIP URI of the trunk that numbers are called by, or \
                             name a SIP URI or a supplier",
                            "请在 `strowger.toml` 中把 `transfer.trunk` 设为呼叫号码所用中继的 SIP URI，或改写 SIP URI 或服务商",
                        ),
                    ),
                    Err(Unreachable::NoSip(uri)) => (
                        text!(
                            "the engine places this transfer, and calls `sip:` URIs alone, not `{uri}`",
                            "这个转接由引擎呼出，而引擎只能呼叫 `sip:` 地址，不能呼叫 `{uri}`"
                        ),
                        Text::fixed(
                            "name the `sip:` URI of a proxy that leads there",
                            "请写通往那里的代理的 `sip:` 地址",
                        ),
                    ),
                    Err(Unreachable::Nobody(_)) | Ok(_) => continue,
                };
                if told.replace(at) == Some(at) {
                    continue;
                }
                let source = Source::new(&file.path, &String::from_utf8_lossy(&file.source));
                let at = source.line(node.line as usize, node.column as usize);
                findings.push(source.finding(Level::Warning, at, message, Some(help)));
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
    use super::{How, QueuesFile, TransferSection, Unreachable, destination};

    fn led(target: &str, how: How) -> Result<String, Unreachable> {
        let transfer = TransferSection {
            how,
            trunk: Some("sip:192.0.2.1:5070".to_owned()),
            ..TransferSection::default()
        };
        let led = destination(&QueuesFile::default(), &transfer, target, false);
        led.map(|(uri, _)| uri)
    }

    #[test]
    fn a_number_is_dialled_however_it_is_written() {
        for (target, number) in [
            ("+86 138 0013 8000", "+8613800138000"),
            ("138-0013-8000", "13800138000"),
            ("(010)1234", "0101234"),
            ("tel:+86-138.0013.8000;ext=5", "+8613800138000"),
            ("13800138000", "13800138000"),
        ] {
            assert_eq!(led(target, How::Refer), Ok(format!("tel:{number}")));
            let trunk = format!("sip:{number}@192.0.2.1:5070");
            assert_eq!(led(target, How::Bridge), Ok(trunk));
        }
        for target in ["", "tel:", "front desk", "+86+1", "1x", "sip:", "sip:a b@c"] {
            let nobody = Err(Unreachable::Nobody(target.to_owned()));
            assert_eq!(led(target, How::Refer), nobody, "{target}");
            assert_eq!(led(target, How::Bridge), nobody, "{target}");
        }
    }

    #[test]
    fn what_is_accepted_is_taken_by_the_side_that_calls() {
        for target in [
            "sip:example.com",
            "SIP:desk@example.com",
            "sip:desk:word@example.com:5061;transport=tls;lr",
            "sip:192.0.2.1:5060;transport=TCP;ttl=15;maddr=192.0.2.2;user=phone;method=INVITE",
            "sip:1000@[2001:db8::1]:5060;rport;ob;x",
            "sip:*31#100@pbx_1",
            "sip:a%3Bb@example.com?Subject=late%20order&Priority=urgent",
        ] {
            for how in [How::Refer, How::Bridge] {
                let uri = led(target, how).unwrap_or_else(|error| panic!("{target}: {error}"));
                let taken = crate::sip::checked_uri(&uri);
                assert_eq!(taken.ok().as_deref(), Some(uri.as_str()), "{target}");
            }
        }
        let secure = "sips:desk@example.com";
        assert_eq!(led(secure, How::Refer).as_deref(), Ok(secure));
        let refused = Err(Unreachable::NoSip(secure.to_owned()));
        assert_eq!(led(secure, How::Bridge), refused);
    }
}
