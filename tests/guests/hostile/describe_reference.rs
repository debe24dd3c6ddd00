//! Describes itself by what lies elsewhere: schemas at addresses of the machine's own network and in its files, one that refers
//! to itself, and a tree of references that doubles with each level.

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        let doubled: String = (1..=30)
            .map(|level| {
                let below = format!("{{\"$ref\":\"#/$defs/d{}\"}}", level - 1);
                format!(",\"d{level}\":{{\"allOf\":[{below},{below}]}}")
            })
            .collect();
        format!(
            r##"{{"name":"guest-describe-reference","version":"1.0.0","steps":{{
                "far":{{"input":{{"type":"object","$ref":"http://169.254.169.254/latest/meta-data"}},"outcomes":{{"done":{{}}}},"idempotent":true}},
                "file":{{"input":{{"type":"object","$ref":"file:///etc/passwd"}},"outcomes":{{"done":{{}}}},"idempotent":true}},
                "round":{{"input":{{"type":"object","properties":{{"a":{{"$ref":"#"}}}}}},"outcomes":{{"done":{{}}}},"idempotent":true}},
                "doubled":{{"input":{{"type":"object","properties":{{"a":{{"$ref":"#/$defs/d30"}}}},"$defs":{{"d0":{{}}{doubled}}}}},"outcomes":{{"done":{{}}}},"idempotent":true}}
            }}}}"##
        )
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
