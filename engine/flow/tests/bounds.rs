//! The bounds that check prints hold: how long it is silent, and how long somebody who does nothing is on the way.

mod support;
#[path = "support/told.rs"]
mod told;
#[path = "support/whole.rs"]
mod whole;

use strowger_flow::Checked;
use strowger_flow::diagnostic::Language;
use strowger_flow::speak::speech_ms;
use whole::{checked, findings, first_of, flow, rules, surveyed};

mod silence {
    use super::*;

    #[test]
    fn silence_goes_on_in_the_flow_that_takes_over() {
        let quiet = "flow: b\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - wait: 7s\n    - goto: flow:c\n";
        let quieter = "flow: c\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - wait: 3s\n    - say: Goodbye.\n    - hangup: completed\n";
        let of = |head: &str, steps: &str| {
            let found = first_of(&[&flow(head, steps), quiet, quieter]);
            let worst = found.worst.as_ref().expect("no error");
            let mut told = rules(&found);
            told.retain(|rule| *rule != "unreachable");
            (worst.silence_ms, worst.silence_line, told)
        };
        let leaves = "  start:\n    - say: Hello.\n    - wait: 5s\n    - goto: flow:b\n";
        // 5 s here, 7 s there and 3 s in the one after that.
        assert_eq!(of("", leaves), (15_000, 8, vec![]));
        let leaves = leaves.replace("flow:b", "flow:c");
        assert_eq!(of("", &leaves), (8_000, 8, vec![]));
        let waits = leaves.replace("5s", "6s");
        assert_eq!(of("", &waits), (9_000, 8, vec!["dead-air"]));
        // Where something is said between, nothing adds up.
        let says = leaves.replace("    - goto", "    - say: One moment.\n    - goto");
        assert_eq!(of("", &says).0, 5_000);
        // After the limit of its time, too.
        let long = "  start:\n    - say: Hello.\n    - wait: 58s\n    - wait: 58s\n    - hangup: completed\n";
        let head = "defaults: { max_duration: 1m }\nglobal: { too_long: flow:b }\n";
        assert_eq!(of(head, long).0, 70_000);
        let head = "defaults: { max_duration: 1m }\nglobal: { too_long: late }\n";
        let late = format!("{long}  late:\n    - wait: 2s\n    - goto: flow:b\n");
        assert_eq!(of(head, &late).0, 72_000);
    }

    #[test]
    fn after_the_sentence_of_a_busy_step_it_is_silent() {
        let busy = |before: &str, meanwhile: &str| {
            let steps = format!(
                "  start:\n    - say: Hello.\n{before}    - use: crm/caller@2\n      with: {{ phone: \"${{call.from}}\" }}\n      timeout: 12s\n      meanwhile: {{ after: 1s, {meanwhile} }}\n      then: {{ else: bye }}\n"
            );
            let told = findings(&flow("", &steps));
            told.into_iter()
                .filter(|told| told.starts_with("dead-air"))
                .collect::<Vec<_>>()
        };
        let told = "the caller may hear nothing for 11 seconds after the sentence of `meanwhile`";
        let say = "say: One moment.";
        assert_eq!(busy("", say), [format!("dead-air 7: {told}")]);
        // What was before does not add to that, and is not told as if it did.
        let wait = "    - wait: 250ms\n";
        assert_eq!(busy(wait, say), [format!("dead-air 8: {told}")]);
        let music = "say: One moment., music: audio/hold.wav";
        assert_eq!(busy(wait, music), [""; 0]);
    }

    #[test]
    fn a_queue_is_silent_but_for_what_the_flow_lets_be_heard() {
        let queue = |lines: &str| {
            let steps = format!(
                "  start:\n    queue: front-desk\n    {lines}\n    then: {{ done: bye, else: bye }}\n"
            );
            let found = checked(&flow("", &steps));
            let silence = found.worst.as_ref().expect("no error").silence_ms;
            (silence, rules(&found))
        };
        let heard = |meanwhile: &str| queue(&format!("meanwhile: {{ {meanwhile} }}"));
        let told = |silence: u64| (silence, vec!["dead-air"]);
        assert_eq!(queue("max_wait: 10m"), told(600_000));
        assert_eq!(queue("priority: 5"), told(600_000));
        assert_eq!(queue("max_wait: 8s"), (8_000, vec![]));
        // The first sentence comes when that time is over.
        assert_eq!(heard("say: Please hold., every: 5m"), told(300_000));
        assert_eq!(heard("say: Please hold."), told(30_000));
        assert_eq!(heard("say: Please hold., every: 8s"), (8_000, vec![]));
        // No words break no silence.
        assert_eq!(heard("say: \"<break time='2s'/>\""), told(600_000));
        assert_eq!(heard("music: audio/hold.wav"), (0, vec![]));
        let both = "music: audio/hold.wav, say: Please hold., every: 5m";
        assert_eq!(heard(both), (0, vec![]));
        let rings = "  start:\n    transfer: supplier-a\n    ring: 60s\n    then: { done: bye, else: bye }\n";
        assert_eq!(
            checked(&flow("", rings))
                .worst
                .expect("no error")
                .silence_ms,
            0
        );
    }

    #[test]
    fn silence_goes_on_over_a_queue_unless_somebody_comes() {
        let around = |queue: &str, then: &str| {
            let steps = format!(
                "  start:\n    - wait: 5s\n    - queue: front-desk\n      {queue}\n      then: {{ {then} }}\n  after:\n    - wait: 5s\n    - goto: bye\n"
            );
            checked(&flow("", &steps))
                .worst
                .expect("no error")
                .silence_ms
        };
        // A queue that is full says nothing, whatever is heard in it.
        let music = "meanwhile: { music: audio/hold.wav }";
        assert_eq!(around(music, "done: bye, else: after"), 10_000);
        assert_eq!(around("max_wait: 3s", "done: bye, else: after"), 13_000);
        assert_eq!(around("max_wait: 3s", "done: after, else: bye"), 8_000);
        let says = "meanwhile: { say: Please hold., every: 4s }";
        assert_eq!(around(says, "done: bye, else: after"), 14_000);
    }

    #[test]
    fn a_called_flow_that_lasts_too_long_is_silent_as_long_as_its_caller_says() {
        let caller = flow(
            "defaults: { max_duration: 1m }\n",
            "  start:\n    - say: Hello.\n    - wait: 8s\n    - call: b\n      then: { done: bye, error: bye }\n",
        );
        let called = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\ndefaults: { max_duration: 1m }\nglobal: { too_long: late }\nsteps:\n  start:\n    - wait: 4m\n    - return: done\n  late:\n    - wait: 50s\n    - return: done\n";
        let found = first_of(&[&caller, called]);
        // Nobody counts what of that is before the time is over and what after it: the caller's minute, and the one to leave.
        assert_eq!(found.worst.expect("no error").silence_ms, 120_000);
    }

    #[test]
    fn who_has_lasted_too_long_may_have_heard_nothing_before() {
        let steps = "  start:\n    - say: Hello.\n    - wait: 58s\n    - wait: 58s\n    - hangup: completed\n  late:\n    - wait: 50s\n    - say: Goodbye.\n    - hangup: completed\n";
        let text = flow(
            "defaults: { max_duration: 1m }\nglobal: { too_long: late }\n",
            steps,
        );
        // Of the first minute, which is as long as it lasts, and the 50 seconds after it.
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 110_000);
    }

    #[test]
    fn after_a_short_time_there_is_still_a_minute_of_silence() {
        let head = "defaults: { max_duration: 30s }\nglobal: { too_long: late }\n";
        let menu = |name: &str, next: &str| {
            format!(
                "  {name}:\n    menu: Press 1.\n    press: {{ 1: {next} }}\n    then: {{ else: bye }}\n"
            )
        };
        let (start, late) = (menu("start", "start"), menu("late", "quiet"));
        let silence_ms = |late: &str| {
            let worst = checked(&flow(head, &format!("{start}{late}"))).worst;
            worst.expect("no error").silence_ms
        };
        let quiet =
            "  quiet:\n    - wait: 25s\n    - wait: 25s\n    - say: Goodbye.\n    - goto: bye\n";
        assert_eq!(silence_ms(&format!("{late}{quiet}")), 50_000);
        let quieter = quiet.replace("    - say", "    - wait: 50s\n    - say");
        assert_eq!(silence_ms(&format!("{late}{quieter}")), 60_000);
        // What is silent in the minute was not silent before it, too.
        let alone = quiet.replace("quiet", "late");
        assert_eq!(silence_ms(&alone), 50_000);
        // A step that a contact may come to in its time lasts no longer than that, nor does one with nowhere to go then.
        let once = format!("{}{}", menu("start", "quiet"), quiet);
        let worst = |head: &str, steps: &str| checked(&flow(head, steps)).worst.expect("no error");
        let head = "defaults: { max_duration: 30s }\n";
        assert_eq!(worst(head, &once).silence_ms, 30_000);
        let head = "defaults: { max_duration: 30s }\nglobal: { too_long: bye }\n";
        assert_eq!(worst(head, &once).silence_ms, 30_000);
    }

    #[test]
    fn a_flow_called_in_the_last_minute_is_silent_as_long_as_that() {
        let caller = flow(
            "defaults: { max_duration: 30s }\nglobal: { too_long: late }\n",
            "  start:\n    menu: Press 1.\n    press: { 1: start }\n    then: { else: bye }\n  late:\n    - say: Goodbye soon.\n    - call: b\n      then: { done: bye, error: bye }\n",
        );
        let called = |steps: &str| {
            let text = format!(
                "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\ndefaults: {{ max_duration: 30s }}\nsteps:\n  start:\n{steps}    - return: done\n"
            );
            let found = first_of(&[&caller, &text]);
            found.worst.expect("no error").silence_ms
        };
        assert_eq!(called("    - wait: 50s\n"), 50_000);
        assert_eq!(
            called("    - say: Hello.\n    - wait: 50s\n    - say: Hello.\n"),
            50_000
        );
        assert_eq!(called("    - say: Hello.\n    - wait: 50s\n"), 50_000);
    }

    #[test]
    fn a_file_that_is_not_there_is_its_text_which_may_be_empty() {
        let head = "vars: { x: { type: text, default: \"\" } }\n";
        let steps = "  start:\n    - set: { x: \"${call.from | digits}\" }\n    - wait: 7s\n    - say: { any: [ { audio: audio/none.wav, text: \"${x}\" } ] }\n    - wait: 7s\n    - say: Goodbye.\n    - hangup: completed\n";
        let text = flow(head, steps);
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 14_000);
        assert!(rules(&checked(&text)).contains(&"dead-air"));
    }

    #[test]
    fn a_pause_between_attempts_is_a_minute_at_most() {
        let steps = "  start:\n    use: crm/caller@2\n    with: { phone: \"${call.from}\" }\n    timeout: 3s\n    retry: { times: 10, wait: 10s, factor: 100, only: [ONLY] }\n    then: { else: bye }\n";
        // Eleven attempts of 3 s; pauses of 10 s, and of a minute nine times.
        let told = "dead-air 9: the caller may hear nothing for 583 seconds";
        for only in ["timeout, error", "timeout", "error"] {
            let text = flow("", &steps.replace("ONLY", only));
            assert_eq!(findings(&text), [told]);
            let worst = checked(&text).worst.expect("no error");
            assert_eq!((worst.silence_ms, worst.to_person_ms), (583_000, 583_000));
        }
    }

    #[test]
    fn nobody_hears_silence_after_a_hang_up() {
        let quiet = "  quiet:\n    - wait: 9s\n    - use: crm/caller@2\n      with: { phone: \"${call.from}\" }\n      timeout: 60s\n      then: { else: bye }\n";
        let menu =
            "  start:\n    menu: Press 1.\n    press: { 1: bye }\n    then: { else: NEXT }\n";
        let text = flow(
            "global: { hangup: quiet }\n",
            &format!("{}{quiet}", menu.replace("NEXT", "bye")),
        );
        assert_eq!(findings(&text), [""; 0]);
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 0);
        // Whoever comes there over the line hears it.
        let text = flow(
            "global: { hangup: quiet }\n",
            &format!("{}{quiet}", menu.replace("NEXT", "quiet")),
        );
        assert_eq!(rules(&checked(&text)), ["dead-air", "dead-air"]);
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 69_000);
    }
}

mod texts {
    use super::*;

    /// Waits of seven seconds with something said between and after them.
    fn between(head: &str, prompt: &str) -> Checked {
        let steps = format!(
            "  start:\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - say: Goodbye.\n    - goto: bye\n"
        );
        checked(&flow(head, &steps))
    }

    #[test]
    fn what_may_be_no_words_ends_no_silence() {
        let text = "vars: { x: { type: text, default: \"\" }, y: { type: text, default: word } }\n";
        let set = "vars: { x: { type: text, default: word } }\nglobal: { press: { 9: other } }\n";
        for (head, prompt, silence_ms) in [
            (text, "\"${x}\"", 21_000),
            (text, "\" ${x} \"", 21_000),
            (text, "\"${x} ... ${x}\"", 21_000),
            (text, "\"<p>${x}</p>\"", 21_000),
            (text, "\"${x | upper}\"", 21_000),
            (text, "\"${x ~ x}\"", 21_000),
            (text, "\"${x if call.priority > 50 else y}\"", 21_000),
            (text, "\"${call.id}\"", 21_000),
            (text, "\"${call.from | phone}\"", 7_000),
            (text, "\"<break time='2s'/>\"", 25_000),
            (text, "\"<break time='2s'/>${x}\"", 25_000),
            (text, "{ en: { chat: Only to read. } }", 21_000),
            (set, "\"${x}\"", 21_000),
            // Something is always heard.
            (text, "\"Word.\"", 7_000),
            (text, "\"${y}\"", 7_000),
            (text, "\"${x} and ${x}\"", 7_000),
            (text, "\"${x ~ y}\"", 7_000),
            (text, "\"${x}<p>Word.</p>\"", 7_000),
            (text, "\"${call.priority}\"", 7_000),
            (text, "\"${now | date}\"", 7_000),
            (text, "\"${call.channel}\"", 7_000),
            (
                text,
                "{ en: { audio: audio/hold.wav, chat: Music. } }",
                7_000,
            ),
            // A pause before and behind the words adds up with what is around.
            (
                text,
                "\"<break time='500ms'/>Word.<break time='2s'/>\"",
                9_500,
            ),
            (text, "\"Word.<break time='8s'/>Word.\"", 8_000),
        ] {
            let mut found = between(head, prompt);
            if head == set {
                // It is given another value somewhere.
                let steps = format!(
                    "  start:\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - menu: Press 1.\n      press: {{ 1: bye }}\n      then: {{ else: bye }}\n  other:\n    - set: {{ x: \"${{call.id}}\" }}\n    - goto: bye\n"
                );
                found = checked(&flow(head, &steps));
            }
            let worst = found
                .worst
                .as_ref()
                .unwrap_or_else(|| panic!("{prompt}: {:?}", rules(&found)));
            assert_eq!(worst.silence_ms, silence_ms, "{prompt}");
            assert_eq!(
                rules(&found).contains(&"dead-air"),
                silence_ms > 8_000,
                "{prompt}"
            );
        }
    }

    #[test]
    fn a_pause_in_a_text_is_told_where_it_is_too_long() {
        for prompt in [
            "\"<break time='9s'/>\"",
            "\"Word.<break time='9s'/>Word.\"",
            "\"<break time='9s'/>Word.\"",
        ] {
            let found = checked(&flow(
                "",
                &format!("  start:\n    - say: {prompt}\n    - goto: bye\n"),
            ));
            assert_eq!(rules(&found), ["dead-air"], "{prompt}");
            assert_eq!(found.worst.expect("no error").silence_ms, 9_000, "{prompt}");
        }
    }

    #[test]
    fn markup_without_a_word_says_nothing() {
        for prompt in ["\"<p></p>\"", "\"<p> <s/> </p>\""] {
            let found = findings(&flow(
                "",
                &format!("  start:\n    - say: {prompt}\n    - goto: bye\n"),
            ));
            assert_eq!(found, ["bad-value 6: this prompt says nothing"], "{prompt}");
        }
    }

    #[test]
    fn an_inserted_value_counts_with_the_longest_of_its_kind() {
        let long = "word ".repeat(380);
        let vars = format!(
            "vars: {{ x: {{ type: text, default: \"{long}\" }}, n: {{ type: number, default: 0 }}, w: {{ one_of: [red, {}] }}, p: text }}\n",
            "b".repeat(150)
        );
        let ms = |prompt: &str| {
            let steps = format!(
                "  start:\n    - set: {{ n: \"${{n + 1}}\", w: red }}\n    - ask: Your number?\n      expect: {{ digits: 2..6 }}\n      into: d\n      attempts: 1\n      timeout: 1s\n      then: {{ no_input: bye, no_match: bye }}\n    - say: \"{prompt}\"\n    - goto: bye\n"
            );
            // Nobody who does nothing comes there, so the way is looked at without the question.
            let steps = steps
                .replace("no_input: bye", "no_input: said")
                .replace("    - say:", "    - goto: said\n  said:\n    - say:");
            let steps = match prompt.contains("${d") {
                true => {
                    steps.replace("no_input: said", "no_input: other")
                        + "  other:\n    - set: { d: \"12\" }\n    - goto: said\n"
                }
                false => steps,
            };
            let found = checked(&flow(&vars, &steps));
            let worst = found
                .worst
                .as_ref()
                .unwrap_or_else(|| panic!("{prompt}: {:?}", findings(&flow(&vars, &steps))));
            let question = speech_ms("Your number?") + 1_000;
            (
                worst.to_person_ms.saturating_sub(question),
                worst.unmeasured.join(" "),
            )
        };
        // Measured: it stands in the flow.
        assert_eq!(ms("${x}"), (speech_ms(&long), String::new()));
        assert_eq!(ms("${w}"), (speech_ms(&"b".repeat(150)), String::new()));
        let digits = "${'12345678901234567890' | digits}".replace('\'', "\\\"");
        let words = "1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0";
        assert_eq!(ms(&digits), (speech_ms(words), String::new()));
        // By its type.
        let (number, unknown) = ms("${n}");
        assert!(
            (20_000..25_000).contains(&number) && unknown.is_empty(),
            "{number} {unknown}"
        );
        let (number, unknown) = ms("${n | number}");
        assert!(
            (15_000..35_000).contains(&number) && unknown.is_empty(),
            "{number} {unknown}"
        );
        let (date, unknown) = ms("${now | date}");
        assert!(
            (4_000..7_000).contains(&date) && unknown.is_empty(),
            "{date} {unknown}"
        );
        // Nobody knows.
        for (prompt, name) in [
            ("${call.id}", "call.id"),
            ("${call.from | phone}", "call.from | phone"),
            ("${call.id ~ x}", "call.id ~ x"),
        ] {
            assert_eq!(ms(prompt).1, name, "{prompt}");
        }
    }

    #[test]
    fn the_line_says_what_it_does_not_know_and_what_a_chat_is_like() {
        let steps = "  start:\n    menu: \"Press 1, ${call.id}.\"\n    press: { 1: bye }\n    then: { else: bye }\n";
        let found = checked(&flow("", steps));
        let worst = found.worst.as_ref().expect("no error");
        // Three times five seconds, six times as long in a chat, where nothing is spoken.
        assert_eq!(worst.chat_to_person_ms, 90_000);
        assert!(
            (29_000..30_000).contains(&worst.to_person_ms),
            "{}",
            worst.to_person_ms
        );
        let line = found.render_worst(Language::English).expect("no error");
        assert_eq!(
            line,
            "worst case of `a`: 30 s to a person or a goodbye (90 s in a chat; 3 s for each of call.id, whose length is not known), never silent, over after 1880 s"
        );
        let line = found.render_worst(Language::Chinese).expect("no error");
        assert_eq!(
            line,
            "`a` 的最坏情况：30 秒后接通人工或道别（聊天中为 90 秒；call.id 长度未知，各按 3 秒计算），没有静默，1880 秒后结束"
        );
        let json = found
            .render_worst_json("a.flow.yaml", Language::English)
            .expect("no error");
        for part in [
            "\"toPersonMs\":29",
            "\"chatToPersonMs\":90000",
            "\"unmeasured\":[\"call.id\"]",
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
    }

    #[test]
    fn a_chat_is_counted_over_calls_too() {
        let called = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start:\n    menu: Press 1.\n    press: { 1: [{ return: done }] }\n    then: { else: [{ return: done }] }\n";
        let caller = flow(
            "",
            "  start:\n    - wait: 1s\n    - call: b\n    - goto: bye\n",
        );
        let all = surveyed(&[&caller, called]);
        let worst = all[0].worst.as_ref().expect("no error");
        assert_eq!(worst.chat_to_person_ms, 91_000);
        assert!(worst.to_person_ms < 25_000);
    }

    /// Nine questions of five seconds each, six times as long in a chat.
    const MENU: &str = "  m:\n    menu: Press 1.\n    attempts: 9\n    press: { 1: bye }\n    then: { no_input: bye, no_match: bye }\n";
    const IN_A_CHAT: u64 = 270_000;

    /// What these flows, by name `a`, `b` and so on, take of somebody who does nothing in a chat. Milliseconds.
    fn in_a_chat(flows: &[&str]) -> u64 {
        let all = surveyed(flows);
        let worst = all[0].worst.as_ref();
        let told = || all.iter().flat_map(|found| &found.diagnostics);
        worst
            .unwrap_or_else(|| panic!("{:#?}", told().collect::<Vec<_>>()))
            .chat_to_person_ms
    }

    #[test]
    fn a_recording_fails_in_a_chat_wherever_that_leads() {
        let record = |head: &str, lines: &str| {
            let steps = format!("  start:\n    - record: {{ max: 10s }}\n{lines}{MENU}");
            in_a_chat(&[&flow(head, &steps)])
        };
        let then = |then: &str| format!("      then: {then}\n");
        // By a line of its own, by `else:`, by `global.error`.
        assert_eq!(record("", &then("{ done: bye, error: m }")), IN_A_CHAT);
        assert_eq!(record("", &then("{ done: bye, else: m }")), IN_A_CHAT);
        assert_eq!(record("global: { error: m }\n", &then("bye")), IN_A_CHAT);
        // What comes after a recording is not come to, and the recording takes no time.
        assert_eq!(record("", &then("{ done: m, error: bye }")), 0);
        // Led back to, what fails counts as skipped.
        let again = "    - wait: 5s\n    - goto: m\n";
        assert_eq!(
            record("global: { error: start }\n", again),
            5_000 + IN_A_CHAT
        );
    }

    #[test]
    fn a_recording_that_fails_in_a_called_flow_leads_on_where_it_was_called() {
        let called = |head: &str, steps: &str| {
            format!(
                "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done, lost]\n{head}steps:\n{steps}"
            )
        };
        let records = "  start:\n    - record: { max: 10s }\n    - return: done\n";
        let fails = called("", records);
        let caller = |head: &str, then: &str| {
            let steps = format!("  start:\n    - call: b\n      then: {then}\n{MENU}");
            flow(head, &steps)
        };
        let around = "{ done: bye, lost: bye, error: m }";
        assert_eq!(in_a_chat(&[&caller("", around), &fails]), IN_A_CHAT);
        let other = "{ done: bye, lost: bye, else: m }";
        assert_eq!(in_a_chat(&[&caller("", other), &fails]), IN_A_CHAT);
        let outer = caller("global: { error: m }\n", "{ done: bye, lost: bye }");
        assert_eq!(in_a_chat(&[&outer, &fails]), IN_A_CHAT);
        // The called flow's own `global.error` may lead to an outcome that nothing else does, and takes its own time.
        let lost = format!("{records}  x: [ {{ wait: 7s }}, {{ return: lost }} ]\n");
        let own = called("global: { error: x }\n", &lost);
        let leads = "{ done: bye, lost: m, error: bye }";
        assert_eq!(in_a_chat(&[&caller("", leads), &own]), 7_000 + IN_A_CHAT);
        let between = "flow: c\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start:\n    - call: b\n      then: { done: out, lost: out }\n  out: { return: done }\n";
        let far = caller("", "{ done: bye, error: m }").replace("call: b", "call: c");
        assert_eq!(in_a_chat(&[&far, &fails, between]), IN_A_CHAT);
    }

    #[test]
    fn a_transfer_in_a_chat_ends_in_failed_at_once() {
        let transfer = |then: &str| {
            let steps = format!(
                "  start:\n    transfer: \"+8613800138000\"\n    ring: 20s\n    then: {then}\n{MENU}"
            );
            let found = checked(&flow("", &steps));
            let worst = found.worst.as_ref().expect("no error");
            (worst.to_person_ms, worst.chat_to_person_ms)
        };
        // Whoever is on the telephone is with somebody, or hears that nobody comes.
        assert_eq!(transfer("{ failed: m, else: bye }"), (0, IN_A_CHAT));
        assert_eq!(transfer("{ done: m, failed: bye, else: bye }"), (0, 0));
    }

    /// `max_duration` and `max_steps` are those of the flow in which the contact began.
    #[test]
    fn a_called_flow_lasts_as_long_as_its_caller_says() {
        let called = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\ndefaults: { max_duration: 30s, max_steps: 1 }\nsteps:\n  start:\n    menu: Press 1.\n    attempts: 3\n    timeout: 25s\n    press: { 1: [{ return: done }] }\n    then: { else: rest }\n  rest: { wait: 20s, then: out }\n  out: { return: done }\n";
        let caller = flow("", "  start:\n    - call: b\n    - goto: bye\n");
        let all = surveyed(&[&caller, called]);
        let worst = |index: usize| all[index].worst.as_ref().expect("no error");
        // Three questions of 25 s, and 20 s.
        let whole = worst(0).to_person_ms;
        assert!((95_000..110_000).contains(&whole), "{whole}");
        assert_eq!(worst(0).silence_ms, 20_000);
        assert_eq!(worst(1).to_person_ms, 110_000);
    }

    #[test]
    fn who_has_had_too_many_actions_hears_a_goodbye_too() {
        let steps =
            "  start:\n    - wait: 1s\n    - say: Still here.\n    - wait: 1s\n    - goto: bye\n";
        let most = |actions: &str| {
            let checked = checked(&flow(
                &format!("defaults: {{ max_steps: {actions} }}\n"),
                steps,
            ));
            checked.worst.expect("no error").to_person_ms
        };
        let whole = most("100");
        assert!(whole < 5_000, "{whole}");
        assert_eq!(most("3"), whole + 80_000);
    }

    #[test]
    fn a_step_that_outlasts_the_contact_is_told() {
        let rules_of =
            |steps: &str| rules(&checked(&flow("defaults: { max_duration: 30m }\n", steps)));
        let queue = |wait: &str| {
            format!(
                "  start:\n    queue: front-desk\n    max_wait: {wait}\n    meanwhile: {{ music: audio/hold.wav }}\n    then: {{ done: bye, else: bye }}\n"
            )
        };
        assert_eq!(rules_of(&queue("1h")), ["over-max-duration"]);
        assert_eq!(rules_of(&queue("30m")), [""; 0]);
        let menu = "  start:\n    menu: Press 1.\n    attempts: 10\n    timeout: 4m\n    press: { 1: bye }\n    then: { else: bye }\n";
        assert_eq!(rules_of(menu), ["over-max-duration"]);
    }
}
