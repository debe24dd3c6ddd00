//! The example projects of `flows/`: each is checked whole, tested by its own tests, and walked once.

use anyhow::{Context, Result};
use strowger_tests::OrderService;
use strowger_tests::program::{copy, edit, repository, strowger};

/// A project's folder, a flow, what its caller does, and what is to be heard.
type Walk = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// Every example, in English.
const WALKS: [Walk; 6] = [
    (
        "customer-service",
        "reception",
        "2,1,1,4,hangup",
        &[
            "We're open Monday to Friday",
            "You won't get marketing calls",
        ],
    ),
    (
        "technical-support",
        "support",
        "2,9,,transfer=done",
        &[
            "unplug the device now",
            "[transfers to sip:duty@127.0.0.1:5068]",
        ],
    ),
    (
        "complaints",
        "complaints",
        "2,1,2,20260302#,4111111111111111#",
        &[
            "card ending in 1, 1, 1, 1",
            "call you back within one working day",
        ],
    ),
    (
        "orders",
        "order-desk",
        "2,1,20260302#,1,2,2,2,1,3,20260303#,1,hangup",
        &[
            "should arrive on March 5",
            "one hundred ninety-eight yuan",
            "Your order number is",
            "It's cancelled",
        ],
    ),
    (
        "promotions",
        "promotions",
        "2,3,1,hangup",
        &["You won't hear offers from us any more"],
    ),
    (
        "vip",
        "vip",
        "2,1,transfer=busy,transfer=no_answer",
        &["Ms Wang", "partner", "We'll call you back"],
    ),
];

/// Every example, in Chinese.
const CHINESE: [Walk; 6] = [
    (
        "customer-service",
        "reception",
        "1,1,1,hangup",
        &["欢迎致电客户服务中心", "我们周一至周五八点半到二十点营业"],
    ),
    (
        "technical-support",
        "support",
        "1,1,1",
        &["灯亮了吗", "很高兴为您解决问题"],
    ),
    (
        "complaints",
        "complaints",
        "1,1,4",
        &["请在提示音后说出您的建议", "再见"],
    ),
    (
        "orders",
        "order-desk",
        "1,1,20260302#,1,hangup",
        &["您输入的是 二零二六，零三零二", "您的订单已发货"],
    ),
    (
        "promotions",
        "promotions",
        "1,3,1,hangup",
        &["您不会再收到我们的优惠通知"],
    ),
    (
        "vip",
        "vip",
        "1,2",
        &["王女士，您好", "我们会在 30 分钟内回拨"],
    ),
];

/// Every folder of `flows/` with a `strowger.toml`.
fn projects() -> Result<Vec<String>> {
    let mut projects = Vec::new();
    for entry in std::fs::read_dir(repository().join("flows"))? {
        let entry = entry?;
        if entry.path().join("strowger.toml").is_file() {
            projects.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    projects.sort();
    Ok(projects)
}

#[test]
fn every_project_checks_without_a_warning() -> Result<()> {
    let projects = projects()?;
    for (project, ..) in WALKS {
        assert!(
            projects.iter().any(|known| known == project),
            "{project} is not there"
        );
    }
    for project in &projects {
        let folder = repository().join("flows").join(project);
        let shown = folder.display().to_string();
        let (code, out, err) = strowger(&["check", "--format", "json", &shown])?;
        assert_eq!(code, 0, "{project}: {out}{err}");
        // That nobody runs the order service now is the machine's matter.
        let findings: Vec<_> = out
            .lines()
            .filter(|line| !line.contains("which does not answer"))
            .filter(|line| !line.contains(r#""level":"note""#))
            .collect();
        assert!(findings.is_empty(), "{project}: {findings:#?}");
        if WALKS.iter().any(|walk| walk.0 == project) {
            assert!(
                folder.join("README.md").is_file(),
                "{project} has no README.md"
            );
        }
    }
    Ok(())
}

/// Least share of the ways out of an example's steps that its tests walk, in percent. What is left is what a test cannot bring about, such
/// as a recorder that has no line.
const LEAST_COVERAGE: u32 = 90;

#[test]
fn the_tests_of_every_example_pass_and_walk_every_step_and_nearly_every_way_out() -> Result<()> {
    for (project, ..) in WALKS {
        let folder = repository().join("flows").join(project);
        let folder = folder.display().to_string();
        let (code, out, err) = strowger(&["test", "--coverage", &folder])?;
        assert_eq!(code, 0, "{project}: {out}{err}");
        let steps: Vec<&str> = out
            .lines()
            .filter_map(|line| line.trim().strip_prefix("steps ")?.strip_suffix(" walked"))
            .collect();
        assert!(!steps.is_empty(), "{project}: {out}");
        for counted in steps {
            let (walked, all) = counted.split_once(" of ").context("a number of steps")?;
            assert_eq!(walked.trim(), all, "{project}: {out}");
        }
        let shares = out.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("coverage of ")?.split_once(' ')?;
            let (_, share) = rest.strip_suffix(" %")?.rsplit_once(": ")?;
            Some((name, share))
        });
        for (name, share) in shares {
            let share: u32 = share.parse().context("a share of the ways out")?;
            assert!(share >= LEAST_COVERAGE, "{project}, {name}: {out}");
        }
        let (code, out, err) = strowger(&["fmt", "--check", &folder])?;
        assert_eq!((code, out.as_str()), (0, ""), "{project}: {err}");
    }
    Ok(())
}

#[test]
fn every_step_repeats_itself_when_its_instance_is_dropped_at_each_call() -> Result<()> {
    for (project, ..) in WALKS {
        let folder = repository().join("flows").join(project);
        let (code, out, err) = strowger(&["test", "--rebuild", &folder.display().to_string()])?;
        assert_eq!(code, 0, "{project}: {out}{err}");
    }
    Ok(())
}

#[test]
fn every_example_answers_a_call() -> Result<()> {
    let orders = OrderService::start()?;
    for (project, flow, script, heard) in WALKS.into_iter().chain(CHINESE) {
        let folder = copy(project)?;
        edit(&folder.path().join("strowger.toml"), |text| {
            text.replace("127.0.0.1:8090", &orders.address.to_string())
        })?;
        let project_folder = folder.path().display().to_string();
        let data = folder.path().join(".strowger").display().to_string();
        let places = ["--project", &project_folder, "--data", &data];
        let call = [&["call", flow, "--script", script][..], &places].concat();
        let (code, out, err) = strowger(&call).context(project)?;
        assert_eq!(code, 0, "{project}: {out}{err}");
        for words in heard {
            assert!(
                out.contains(words),
                "{project}: `{words}` was not heard in\n{out}{err}"
            );
        }
        // What the caller did is a test that passes.
        let (code, journal, err) = strowger(&[&call[..], &["--format", "json"]].concat())?;
        assert_eq!(code, 0, "{project}: {err}");
        let file = folder.path().join("call.jsonl");
        std::fs::write(&file, journal)?;
        let file = file.display().to_string();
        let save = [&["trace", &file, "--save-as-test", "x"][..], &places].concat();
        let (code, case, told) = strowger(&save)?;
        assert_eq!(code, 0, "{project}: {script}: {case}{told}");
        assert!(told.contains("it passes"), "{project}: {script}: {told}");
    }
    Ok(())
}
