//! Running tests: each is a contact of its own, as many at a time as there are cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use strowger_contact::{Mark, Millis};
use strowger_flow::Test;

use super::script::{self, Miss};
use super::stub;
use super::suite::{FlowTests, Suite};
use super::world::World;

/// What became of a test.
#[derive(Debug)]
pub struct TestResult {
    /// The flow.
    pub flow: String,
    /// Its file.
    pub file: String,
    /// The test's name.
    pub name: String,
    /// What it shows, in words.
    pub title: Option<String>,
    /// Line of its name, from 1.
    pub line: u32,
    /// How it went.
    pub verdict: Verdict,
    /// How long the contact lasted, in virtual milliseconds.
    pub lasted_ms: Millis,
    /// Mocks that nothing asked for.
    pub unused_mocks: Vec<String>,
    /// Which way the contact went.
    pub trail: Vec<Mark>,
}

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was as expected.
    Passed,
    /// Something was not.
    Failed {
        /// What.
        miss: Miss,
        /// The whole conversation.
        transcript: String,
    },
    /// It was left out, for this reason.
    Skipped(String),
}

/// Tests to run: a flow and one of its tests.
pub type Chosen<'s> = Vec<(&'s FlowTests, &'s Test)>;

impl Suite {
    /// The tests whose `FLOW › NAME` contains the pattern, whatever its case. When one of them says
    /// `only`, the others are skipped when they run.
    pub fn choose(&self, pattern: Option<&str>) -> Chosen<'_> {
        let pattern = pattern.unwrap_or_default().to_lowercase();
        let all = self
            .flows
            .iter()
            .flat_map(|flow| flow.tests.iter().map(move |test| (flow, test)));
        all.filter(|(flow, test)| {
            format!("{} › {}", flow.plan.flow, test.name)
                .to_lowercase()
                .contains(&pattern)
        })
        .collect()
    }

    /// Runs tests, `jobs` at a time; results come in the order of the tests, `progress` in any.
    pub fn run(
        &self,
        chosen: &Chosen<'_>,
        jobs: usize,
        mut progress: impl FnMut(&TestResult),
    ) -> Vec<TestResult> {
        let only = chosen.iter().any(|(_, test)| test.only);
        let next = AtomicUsize::new(0);
        let (done, results) = mpsc::channel();
        let mut sorted: Vec<Option<TestResult>> = chosen.iter().map(|_| None).collect();
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, chosen.len().max(1)) {
                let (next, done) = (&next, done.clone());
                scope.spawn(move || {
                    let runtime = match tokio::runtime::Builder::new_current_thread()
                        .enable_time()
                        .build()
                    {
                        Ok(runtime) => runtime,
                        // The others do its work; the last one to fail leaves tests without a result.
                        Err(_) => return,
                    };
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some((flow, test)) = chosen.get(index) else {
                            break;
                        };
                        let result = runtime.block_on(self.test(flow, test, only));
                        let _ = done.send((index, result));
                    }
                });
            }
            drop(done);
            for (index, result) in results {
                progress(&result);
                sorted[index] = Some(result);
            }
        });
        sorted.into_iter().flatten().collect()
    }

    /// Runs one test.
    pub async fn test(&self, flow: &FlowTests, test: &Test, only: bool) -> TestResult {
        let mut result = TestResult {
            flow: flow.plan.flow.clone(),
            file: flow.file.clone(),
            name: test.name.clone(),
            title: test.title.clone(),
            line: test.line,
            verdict: Verdict::Passed,
            lasted_ms: 0,
            unused_mocks: Vec::new(),
            trail: Vec::new(),
        };
        if let Some(why) = &test.skip {
            result.verdict = Verdict::Skipped(why.clone());
            return result;
        }
        if only && !test.only {
            result.verdict = Verdict::Skipped("another test says `only: true`".to_owned());
            return result;
        }
        let program =
            match stub::program(test, &self.plans, &self.steps.descriptions, &self.configs) {
                Ok(program) => program.unwrap_or_else(|| self.program.clone()),
                Err(error) => {
                    result.verdict = unrunnable(test.line, &error.to_string());
                    return result;
                }
            };
        let flow_name = &flow.plan.flow;
        let Some(mut world) = World::new(program, self, flow_name, test) else {
            result.verdict = unrunnable(test.line, "the test mocks the flow that it tests");
            return result;
        };
        if let Err(miss) = script::play(&mut world, &flow.plan.flow, test).await {
            let transcript = world.record.transcript(&flow.plan.flow, world.started);
            result.verdict = Verdict::Failed { miss, transcript };
        }
        result.lasted_ms = world.now.saturating_sub(world.started);
        result.unused_mocks = world.unused_mocks().map(str::to_owned).collect();
        result.trail = world.contact.trail().to_vec();
        result
    }
}

fn unrunnable(line: u32, why: &str) -> Verdict {
    Verdict::Failed {
        miss: Miss {
            line,
            expected: "a test that can run".to_owned(),
            got: vec![why.to_owned()],
            help: None,
        },
        transcript: String::new(),
    }
}
