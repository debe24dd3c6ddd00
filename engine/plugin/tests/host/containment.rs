//! Guests that misbehave, each beside a neighbour that must not notice.

use std::time::Duration;

use serde_json::json;
use strowger_plugin::{
    Grants, Host, INTERPRETER_BYTES, INTERPRETER_STACKS, Limits, LoadError, RunRequest, STACKS,
    Share, StepError, TrapKind,
};

use crate::guest::{self, Guest, OK};
use crate::world::{Answer, POOL, Scripted, go, host, load};

/// Steps that the neighbour runs meanwhile.
const NEIGHBOUR_STEPS: usize = 20;

/// Runs the guest four times at once, beside a neighbour; gives how each of the four ended.
async fn beside_a_neighbour(host: &Host, component: &[u8], limits: &Limits) -> Vec<StepError> {
    let hostile = load(host, component)
        .await
        .unwrap_or_else(|complaints| panic!("{complaints:#?}"));
    let neighbour = load(host, &guest::answers("number", r#"{"n":1}"#))
        .await
        .unwrap();
    let attacks: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn(hostile.run(RunRequest {
                limits: limits.clone(),
                ..go("{}")
            }))
        })
        .collect();
    for _ in 0..NEIGHBOUR_STEPS {
        let report = neighbour.run(go("{}")).await;
        report.result.expect("the neighbour's step ends well");
    }
    let mut errors = Vec::new();
    for attack in attacks {
        let report = attack.await.expect("a report, whatever happens");
        errors.push(report.result.expect_err("the attack is contained"));
    }
    neighbour
        .run(go("{}"))
        .await
        .result
        .expect("the neighbour's step ends well afterwards");
    assert_eq!(host.report().in_use, 0);
    errors
}

/// The usual limits, with time on the wall for all that a guest may compute: a busy machine gives guests little of it.
fn unhurried() -> Limits {
    Limits {
        busy_ms: 60_000,
        ..Limits::default()
    }
}

/// Checks that every attack ended so.
async fn check(component: Vec<u8>, expected: StepError) {
    for error in beside_a_neighbour(&host(), &component, &unhurried()).await {
        assert_eq!(error, expected);
    }
}

fn loops() -> StepError {
    StepError::CpuLimit {
        limit: Duration::from_millis(100),
    }
}

#[tokio::test]
async fn an_endless_loop_in_run() {
    check(
        crate::world::runs("(loop $again (br $again)) unreachable"),
        loops(),
    )
    .await;
}

#[tokio::test]
async fn an_endless_loop_that_fills_memory() {
    let filling = Guest {
        run: "(loop $again (memory.fill (i32.const 65536) (i32.const 1) (i32.const 8000000)) (br $again)) unreachable"
            .into(),
        memory: "130",
        ..Guest::default()
    };
    check(filling.build(), loops()).await;
}

#[tokio::test]
async fn an_endless_loop_in_the_allocator() {
    let allocating = Guest {
        realloc: Some("(loop $again (br $again)) unreachable"),
        ..Guest::default()
    };
    check(allocating.build(), loops()).await;
}

#[tokio::test]
async fn a_trap() {
    check(
        crate::world::runs("unreachable"),
        StepError::Trap {
            kind: TrapKind::Unreachable,
        },
    )
    .await;
    check(
        crate::world::runs("(i32.load (i32.const 100000000))"),
        StepError::Trap {
            kind: TrapKind::OutOfBounds,
        },
    )
    .await;
    check(
        crate::world::runs("(i32.div_u (i32.const 1) (local.get $i))"),
        StepError::Trap {
            kind: TrapKind::Arithmetic,
        },
    )
    .await;
    let calling = Guest {
        run: "(call_indirect (result i32) (local.get $i))".into(),
        items: "(table 1 funcref)".into(),
        ..Guest::default()
    };
    check(
        calling.build(),
        StepError::Trap {
            kind: TrapKind::BadTable,
        },
    )
    .await;
}

#[tokio::test]
async fn memory_growth() {
    let growing = crate::world::runs(
        "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) unreachable",
    );
    let errors = beside_a_neighbour(&host(), &growing, &unhurried()).await;
    for error in errors {
        assert!(
            matches!(
                error,
                StepError::MemoryLimit {
                    most: 16_777_216,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn memory_that_is_large_from_the_start() {
    let large = Guest {
        memory: "300",
        ..Guest::default()
    };
    // It cannot even describe itself.
    let complaints = load(&host(), &large.build()).await.unwrap_err();
    assert!(
        matches!(
            &complaints[..],
            [LoadError::Describe(StepError::MemoryLimit {
                wanted: 19_660_800,
                ..
            })]
        ),
        "{complaints:?}"
    );
}

#[tokio::test]
async fn a_modules_own_bound_is_no_offence() {
    let bounded = Guest {
        run: format!(
            "(if (i32.ne (memory.grow (i32.const 9)) (i32.const -1)) (then unreachable)) {OK}"
        ),
        memory: "1 2",
        ..Guest::default()
    };
    let host = host();
    let plugin = load(&host, &bounded.build()).await.unwrap();
    plugin
        .run(go("{}"))
        .await
        .result
        .expect("growing fails, the step goes on");
}

#[tokio::test]
async fn table_growth() {
    let growing = Guest {
        run: "(loop $again (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $again)) unreachable".into(),
        items: "(table $t 1 funcref)".into(),
        ..Guest::default()
    };
    for error in beside_a_neighbour(&host(), &growing.build(), &unhurried()).await {
        assert!(
            matches!(
                error,
                StepError::MemoryLimit {
                    unit: "table elements",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn deep_recursion() {
    check(
        crate::world::runs(
            "(call $run (local.get $step) (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
        StepError::StackLimit,
    )
    .await;
}

/// How deep a component may call itself under limits: the most bytes of input that it gets through, a call for each.
async fn depth(host: &Host, component: &[u8], limits: &Limits) -> usize {
    let plugin = host.load(component, &Grants::all(), limits).await;
    let plugin = plugin.unwrap_or_else(|complaints| panic!("{complaints:#?}"));
    let empty = json!({ "press": { "x": "" } }).to_string().len();
    let (mut gone, mut ended) = (empty, limits.input_bytes);
    while ended - gone > 1 {
        let calls = gone + (ended - gone) / 2;
        let input = json!({ "press": { "x": "x".repeat(calls - empty) } });
        let request = RunRequest {
            limits: limits.clone(),
            ..go(&input.to_string())
        };
        match plugin.run(request).await.result {
            Ok(_) => gone = calls,
            Err(error) => {
                assert_eq!(error, StepError::StackLimit, "{calls} calls");
                ended = calls;
            }
        }
    }
    gone
}

#[tokio::test]
async fn recursion_goes_as_deep_as_the_stack_of_the_limits() {
    let host = host();
    let guest = Guest {
        run: format!("(drop (call $deeper (local.get $input_len))) {OK}"),
        items: "(func $deeper (param $left i32) (result i32)
                  (if (result i32) (local.get $left)
                    (then (i32.add (call $deeper (i32.sub (local.get $left) (i32.const 1))) (local.get $left)))
                    (else (i32.const 0))))"
            .into(),
        ..Guest::default()
    };
    let large = {
        let mut bytes = guest.build();
        crate::guest::pad(&mut bytes, INTERPRETER_BYTES);
        bytes
    };
    let usual = Limits {
        input_bytes: 1 << 20,
        cpu_ms: 10_000,
        ..Limits::default()
    };
    let native = STACKS.map(|stack_bytes| Limits {
        stack_bytes,
        ..usual.clone()
    });
    let interpreters = INTERPRETER_STACKS.map(|interpreter_stack_bytes| Limits {
        interpreter_stack_bytes,
        ..usual.clone()
    });
    for (component, limits) in [(guest.build(), &native[..]), (large, &interpreters[..])] {
        let mut depths = Vec::new();
        for limits in limits {
            depths.push(depth(&host, &component, limits).await);
        }
        // Each is twice the one before, but for the few frames that a guest has anyway.
        for pair in depths.windows(2) {
            let (less, more) = (pair[0], pair[1]);
            assert!(less * 7 / 4 < more && more < less * 9 / 4, "{depths:?}");
        }
        // The usual one is what it is where nothing is said.
        let unsaid = depth(&host, &component, &usual).await;
        assert!(depths.contains(&unsaid), "{unsaid} of {depths:?}");
        // What is between two of them counts as the lower one.
        let between = Limits {
            stack_bytes: STACKS[1] + 1,
            interpreter_stack_bytes: INTERPRETER_STACKS[1] + 1,
            ..usual.clone()
        };
        assert_eq!(depth(&host, &component, &between).await, depths[1]);
    }
    assert_eq!(host.report().in_use, 0);
}

#[tokio::test]
async fn an_endless_loop_in_describe() {
    let host = host();
    let looping = Guest {
        describe: Some("(loop $again (br $again)) unreachable"),
        ..Guest::default()
    };
    let complaints = load(&host, &looping.build()).await.unwrap_err();
    assert_eq!(complaints, [LoadError::Describe(loops())]);
    assert_eq!(host.report().in_use, 0);
}

#[tokio::test]
async fn an_endless_loop_at_instantiation() {
    let host = host();
    let starting = Guest {
        items: "(func $begin (loop $again (br $again))) (start $begin)".into(),
        ..Guest::default()
    };
    let complaints = load(&host, &starting.build()).await.unwrap_err();
    assert_eq!(complaints, [LoadError::Describe(loops())]);
}

#[tokio::test]
async fn a_host_call_in_describe() {
    let asking = Guest {
        imports: r#"(import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#,
        describe: Some("(drop (call $now)) (i32.const 8)"),
        ..Guest::default()
    };
    let complaints = load(&host(), &asking.build()).await.unwrap_err();
    assert!(
        matches!(
            &complaints[..],
            [LoadError::Describe(StepError::Cancelled(_))]
        ),
        "{complaints:?}"
    );
}

#[tokio::test]
async fn more_steps_than_instances_wait_their_turn() {
    let host = host();
    let plugin = load(&host, &guest::answers("ok", "{}")).await.unwrap();
    let steps: Vec<_> = (0..200)
        .map(|_| tokio::spawn(plugin.run(go("{}"))))
        .collect();
    for step in steps {
        step.await.unwrap().result.expect("a slot became free");
    }
}

#[tokio::test]
async fn a_full_pool_is_no_fault_of_what_is_loaded() {
    let host = host();
    let calls = Guest {
        imports: r#"(import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#,
        run: format!("(drop (call $now)) {OK}"),
        ..Guest::default()
    };
    let plugin = load(&host, &calls.build()).await.unwrap();
    let held: Vec<_> = (0..POOL)
        .map(|_| {
            let (calls, _) = Scripted::new(|_, _| Answer::Never);
            let request = RunRequest { calls, ..go("{}") };
            tokio::spawn(plugin.run(request))
        })
        .collect();
    while host.report().in_use < POOL {
        tokio::task::yield_now().await;
    }
    let complaints = load(&host, &guest::answers("ok", "{}")).await.unwrap_err();
    let [LoadError::Describe(busy)] = &complaints[..] else {
        panic!("{complaints:?}");
    };
    assert!(busy.of_the_engine(), "{busy}");
    assert!(
        busy.to_string().contains("no instance became free"),
        "{busy}"
    );
    for step in held {
        step.abort();
        let _ = step.await;
    }
    while host.report().in_use > 0 {
        tokio::task::yield_now().await;
    }
    load(&host, &guest::answers("ok", "{}")).await.unwrap();
}

/// A step with this schema of what it takes and gives under the name `a`, which answers a list of 32,000 ones.
fn lists(schema: &serde_json::Value) -> Guest {
    let data = format!("{{\"a\":[{}]}}", vec!["1"; 32_000].join(","));
    let object = serde_json::json!({"type": "object", "properties": {"a": schema}});
    let description = serde_json::json!({"name": "lists", "version": "1.0.0", "steps": {"go": {
        "input": object, "outcomes": {"ok": object}
    }}});
    Guest {
        run: format!(
            "(call $outcome (i32.const 64) (i32.const 2) (i32.const 131072) (i32.const {}))",
            data.len()
        ),
        items: format!(
            "(data (i32.const 131072) {})",
            guest::literal(data.as_bytes())
        ),
        memory: "4",
        description: description.to_string(),
        ..Guest::default()
    }
}

/// As many alternatives as a schema may have, none of which a one satisfies.
fn alternatives() -> serde_json::Value {
    let branches: Vec<_> = (0..950)
        .map(|n| serde_json::json!({"minimum": n + 5}))
        .collect();
    serde_json::json!({ "anyOf": branches })
}

#[tokio::test]
async fn an_outcome_with_thirty_million_faults() {
    let component = lists(&serde_json::json!({"items": alternatives()})).build();
    let errors = beside_a_neighbour(&host(), &component, &unhurried()).await;
    for error in errors {
        assert!(
            matches!(&error, StepError::BadOutput(why) if why.contains("where is not looked for")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_outcome_and_an_input_that_take_long_to_check() {
    let component = lists(&serde_json::json!({"items": {"not": alternatives()}})).build();
    let over = |what| StepError::CheckLimit {
        what,
        limit: Duration::from_millis(100),
    };
    let host = host();
    for error in beside_a_neighbour(&host, &component, &unhurried()).await {
        assert_eq!(error, over("outcome"));
    }
    let plugin = load(&host, &component).await.unwrap();
    let report = plugin.run(go("{}")).await;
    assert_eq!(report.result, Err(over("outcome")));
    assert!(
        report.meters.cpu >= Duration::from_millis(90),
        "what it took is on the step's bill: {:?}",
        report.meters
    );
    let long = format!("{{\"a\":[{}]}}", vec!["1"; 32_000].join(","));
    assert_eq!(
        plugin.takes("go", &long, &Limits::default()),
        Err(over("input"))
    );
    let report = plugin.run(go(&long)).await;
    assert_eq!(report.result, Err(over("input")));
    assert!(
        report.meters.cpu >= Duration::from_millis(90),
        "{:?}",
        report.meters
    );
}

/// A guest that fills eight MiB and then waits.
fn hoarder() -> Guest {
    Guest {
        imports: r#"(import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#,
        run: format!(
            "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 8000000)) (drop (call $now)) {OK}"
        ),
        memory: "128",
        ..Guest::default()
    }
}

#[tokio::test]
async fn the_memory_of_all_steps_of_a_tenant() {
    let host = host();
    let plugin = load(&host, &hoarder().build()).await.unwrap();
    let (tenant, neighbour) = (host.runtime().share(), host.runtime().share());
    tenant.set_memory_most(32 << 20);
    let step = |share: &Share| {
        let (calls, _) = Scripted::new(|_, _| Answer::Never);
        let (plugin, share) = (plugin.clone(), share.clone());
        let request = RunRequest { calls, ..go("{}") };
        tokio::spawn(async move { plugin.run_for(&share, request).await })
    };
    let held: Vec<_> = (0..4).map(|_| step(&tenant)).collect();
    while tenant.memory_held() < 32 << 20 {
        tokio::task::yield_now().await;
    }
    let report = step(&tenant).await.unwrap();
    let error = report.result.expect_err("there is no memory for a fifth");
    assert_eq!(
        error,
        StepError::TenantMemoryLimit {
            wanted: 40 << 20,
            most: 32 << 20
        }
    );
    assert_eq!(error.code(), "step-memory-limit");
    assert!(error.of_the_engine() && error.retryable());
    // Another tenant's step has its own.
    let (calls, _) = Scripted::new(|_, _| Answer::Now(1.into()));
    let request = RunRequest { calls, ..go("{}") };
    let report = plugin.run_for(&neighbour, request).await;
    report.result.expect("the neighbour's step ends well");
    for step in held {
        step.abort();
        let _ = step.await;
    }
    while tenant.memory_held() > 0 {
        tokio::task::yield_now().await;
    }
    let (calls, _) = Scripted::new(|_, _| Answer::Now(1.into()));
    let request = RunRequest { calls, ..go("{}") };
    let report = plugin.run_for(&tenant, request).await;
    report.result.expect("the memory came back");
}
