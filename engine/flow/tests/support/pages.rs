//! The examples on the pages of the rules.

/// The examples of a page, in order: first what is wrong, then what is right.
pub fn examples(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        // Doc comments keep the blank after `///`.
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (&mut open, line.starts_with("```")) {
            (None, true) => open = Some(String::new()),
            (Some(_), true) => examples.extend(open.take()),
            (Some(example), false) => *example += &format!("{line}\n"),
            (None, false) => {}
        }
    }
    examples
}

/// The flow that an example is a part of: steps, and what a flow declares. A whole flow stays as it is.
pub fn whole(example: &str) -> String {
    const DECLARED: [&str; 5] = ["languages", "vars", "prompts", "hours", "global"];
    if example.contains("steps:") {
        return example.to_owned();
    }
    let (mut declared, mut steps, mut first) = (String::new(), String::new(), None);
    let mut declares = false;
    for line in example.lines() {
        if !line.starts_with(' ') {
            let key = line.split(':').next().unwrap_or_default();
            declares = DECLARED.contains(&key);
            if !declares {
                first.get_or_insert(key);
            }
        }
        match declares {
            true => declared += &format!("{line}\n"),
            false => steps += &format!("  {line}\n"),
        }
    }
    let mut words = steps.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    if steps.is_empty() || words.any(|word| word == "bye") {
        steps += "  bye: { hangup: completed }\n";
    }
    let first = first.unwrap_or("bye");
    format!("flow: page\nformat: 1\n{declared}start: {first}\nsteps:\n{steps}")
}
