//! A survey and a call back in writing.

use anyhow::{Context, Result};
use serde_json::json;
use strowger_tests::http;

use crate::world::{Talk, World};

const FLOW: &str = r#"flow: rated
format: 1
languages: [en, zh]
prompts:
  may_we: { en: "May we ask?", zh: 可以问几个问题吗？ }
  score: { en: "How was it?", zh: 请打分。 }
  words: { en: "Anything else?", zh: 还有什么建议？ }
steps:
  start:
    survey:
      - { name: score, ask: score, expect: { number: 1..5 } }
      - { name: words, ask: words, expect: text }
    invite: may_we
    skip: star
    timeout: 60s
    then: { done: again, else: bye }
  again:
    callback:
    within: 1h
    priority: 90
    timeout: 60s
    then: { booked: bye, declined: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

#[test]
fn a_survey_and_a_call_back_survive_the_engine() -> Result<()> {
    let mut world = World::with("rated", FLOW)?;
    let mut talk = Talk::begin(world.engine.http, "700", Some("zh"))?;
    talk.asked("可以问几个问题吗？")?;
    let listening = talk.shown.last().context("it listens")?;
    assert_eq!(
        listening["choices"],
        json!([{ "key": "1", "label": "是" }, { "key": "2", "label": "否" }])
    );
    talk.write("是")?;
    talk.asked("请打分。")?;
    let listening = talk.shown.last().context("it listens")?;
    let points =
        (1..=5).map(|point| json!({ "key": point.to_string(), "label": point.to_string() }));
    let buttons: Vec<_> = points
        .chain([json!({ "key": "*", "label": "跳过" })])
        .collect();
    assert_eq!(listening["choices"], json!(buttons));
    talk.write("4")?;
    talk.asked("还有什么建议？")?;
    // Between two questions the engine is killed: the step goes on with the answers that it had.
    world.crash()?;
    talk.write("再快一点")?;
    // The step's own words, in which a number stands as it is read.
    talk.asked("我们可以在1小时内回拨 138 0013 8000。需要回电请按一")?;
    let listening = talk.shown.last().context("it listens")?;
    assert_eq!(
        listening["choices"][1],
        json!({ "key": "2", "label": "换一个号码" })
    );
    // A number in place of an answer is the one that is wanted.
    talk.write("021-6123 4567")?;
    talk.asked("我们将回拨")?;
    world.crash()?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "completed");
    let record = http::get(
        world.engine.http,
        &format!("/v1/contacts/{}/record", talk.id),
    )?
    .json()?;
    let tags = &record["tags"];
    assert_eq!(
        (&tags["score"], &tags["words"]),
        (&json!(4), &json!("再快一点"))
    );
    assert_eq!(
        (&tags["callback"], &tags["callback_priority"]),
        (&json!("02161234567"), &json!(90))
    );
    let list = http::get(world.engine.http, "/v1/records?tag=callback")?.json()?;
    assert_eq!(list["items"][0]["id"], talk.id.as_str());
    Ok(())
}
