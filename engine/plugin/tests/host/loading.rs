//! What is refused at load, by name and all at once.

use strowger_plugin::{Grants, Host, HostConfig, HostError, Limits, LoadError};

use crate::guest::{Guest, OK};
use crate::world::{host, load};

#[tokio::test]
async fn a_plugin_says_what_it_is() {
    let keeper = Guest {
        imports: r#"(import "strowger:kv/store@1.0.0" "get" (func $get (param i32 i32 i32)))
                    (import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#,
        ..Guest::default()
    };
    let component = keeper.build();
    let plugin = load(&host(), &component).await.unwrap();
    assert_eq!(plugin.imports(), ["env", "kv"]);
    assert_eq!(plugin.digest().len(), 64);
    assert_eq!(plugin.description().steps["go"].outcomes_from, ["press"]);
    assert_eq!(
        plugin.digest(),
        load(&host(), &component).await.unwrap().digest()
    );
}

#[tokio::test]
async fn ungranted_imports_are_refused_by_name_together_with_a_bad_description() {
    let keeper = Guest {
        imports: r#"(import "strowger:kv/store@1.0.0" "get" (func $get (param i32 i32 i32)))
                    (import "strowger:env/env@1.0.0" "now" (func $now (result i64)))
                    (import "strowger:wait/wait@1.0.0" "sleep" (func $sleep (param i64 i32)))"#,
        description: "{}".into(),
        ..Guest::default()
    };
    let complaints = host()
        .load(&keeper.build(), &Grants::only(["env"]), &Limits::default())
        .await
        .unwrap_err();
    let codes: Vec<_> = complaints.iter().map(LoadError::code).collect();
    assert_eq!(
        codes,
        [
            "plugin-not-granted",
            "plugin-not-granted",
            "plugin-description"
        ],
        "{complaints:#?}"
    );
    assert!(
        complaints
            .iter()
            .any(|complaint| complaint.to_string().contains("`strowger:kv/store@1.0.0`"))
    );
    assert!(
        complaints
            .iter()
            .any(|complaint| complaint.to_string().contains("`wait`"))
    );
}

/// A component, as text, with these imports and no export.
fn outside(imports: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {imports})")).unwrap()
}

#[tokio::test]
async fn unknown_imports_are_refused_by_name() {
    let component = outside(
        r#"(import "wasi:cli/environment@0.3.0" (instance))
           (import "wasi:cli/stdout@0.2.3" (instance (export "fork" (func))))
           (import "wasi:http/outgoing-handler@0.2.3" (instance))
           (import "evil:corp/backdoor@1.0.0" (instance))
           (import "strowger:media/media@2.0.0" (instance))
           (import "strowger:media/shell@1.0.0" (instance))
           (import "strowger:env/env@1.0.0" (instance (export "exec" (func (param "command" string)))))
           (import "strowger:wait/wait@1.0.0" (instance (export "sleep" (func (param "ms" u32)))))
           (import "loose" (func))"#,
    );
    let complaints = load(&host(), &component).await.unwrap_err();
    let told: Vec<_> = complaints.iter().map(ToString::to_string).collect();
    for (code, name) in [
        ("plugin-wasi", "wasi:cli/environment@0.3.0"),
        ("plugin-unknown-function", "wasi:cli/stdout@0.2.3#fork"),
        ("plugin-wasi", "wasi:http/outgoing-handler@0.2.3"),
        ("plugin-unknown-import", "evil:corp/backdoor@1.0.0"),
        ("plugin-unknown-import", "strowger:media/media@2.0.0"),
        ("plugin-unknown-import", "strowger:media/shell@1.0.0"),
        ("plugin-unknown-function", "strowger:env/env@1.0.0#exec"),
        ("plugin-signature", "strowger:wait/wait@1.0.0#sleep"),
        ("plugin-unknown-import", "`loose`"),
        ("plugin-missing-export", "strowger:step/guest@1.0.0"),
    ] {
        assert!(
            complaints
                .iter()
                .any(|complaint| complaint.code() == code && complaint.to_string().contains(name)),
            "{code} {name}: {told:#?}"
        );
    }
}

#[tokio::test]
async fn a_thousand_imports_are_told_in_part() {
    let imports: String = (0..1_000)
        .map(|n| format!(r#"(import "a:b/c{n}@1.0.0" (instance))"#))
        .collect();
    let complaints = load(&host(), &outside(&imports)).await.unwrap_err();
    assert_eq!(complaints.len(), 101);
    assert_eq!(complaints[100], LoadError::More { count: 901 });
}

#[tokio::test]
async fn a_guest_without_the_right_exports_is_refused() {
    let other = wat::parse_str(
        r#"(component
            (component $inner
              (core module $m (func (export "describe")))
              (core instance $i (instantiate $m))
              (func (export "describe") (canon lift (core func $i "describe"))))
            (instance $guest (instantiate $inner))
            (export "strowger:step/guest@1.0.0" (instance $guest)))"#,
    )
    .unwrap();
    let complaints = load(&host(), &other).await.unwrap_err();
    let codes: Vec<_> = complaints.iter().map(LoadError::code).collect();
    assert_eq!(
        codes,
        ["plugin-signature", "plugin-missing-export"],
        "{complaints:#?}"
    );
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let host = host();
    let core = Guest::default().module();
    assert_eq!(
        load(&host, &core).await.unwrap_err(),
        [LoadError::NotAComponent]
    );
    let whole = Guest::default().build();
    for (bytes, code, word) in [
        (&b""[..], "plugin-not-wasm", "empty"),
        (b"hello", "plugin-not-wasm", "text"),
        (b"\x7fELF", "plugin-not-wasm", "program"),
        (b"\xff\0", "plugin-not-wasm", "other bytes"),
        (b"\0as", "plugin-cut-off", "after 3 bytes"),
        (b"\0asm", "plugin-cut-off", "after 4 bytes"),
        (&whole[..whole.len() / 2], "plugin-cut-off", "copied"),
        (b"\0asm\x0d\0\x01\0\x63\x01\0", "plugin-invalid", "at byte"),
    ] {
        let complaints = load(&host, bytes).await.unwrap_err();
        let [complaint] = &complaints[..] else {
            panic!("{complaints:?}");
        };
        assert_eq!(complaint.code(), code, "{complaint}");
        let told = complaint.to_string();
        assert!(told.contains(word) && !told.contains('\n'), "{told}");
    }
    let limits = Limits {
        component_bytes: 100,
        ..Limits::default()
    };
    let complaints = host
        .load(&whole, &Grants::all(), &limits)
        .await
        .unwrap_err();
    assert_eq!(
        complaints,
        [LoadError::TooLarge {
            bytes: whole.len(),
            most: 100
        }]
    );
}

#[tokio::test]
async fn features_that_are_off_are_refused() {
    for (what, item) in [
        ("threads", "(memory 1 1 shared)"),
        ("memory64", "(memory i64 1)"),
        ("exceptions", "(tag)"),
        ("gc", "(type (struct))"),
        ("tail calls", "(func $f (return_call $f))"),
    ] {
        let component = wat::parse_str(format!("(component (core module {item}))")).unwrap();
        let complaints = load(&host(), &component).await.unwrap_err();
        assert!(
            matches!(&complaints[..], [LoadError::Invalid { .. }]),
            "{what}: {complaints:?}"
        );
    }
}

#[tokio::test]
async fn flipped_bytes_never_harm() {
    // Any byte of a component may be wrong: it is refused, or it runs and is contained.
    let host = host();
    let whole = Guest::default().build();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        if let Ok(plugin) = load(&host, &bytes).await {
            let _ = plugin.run(crate::world::go("{}")).await;
        }
    }
    let plugin = load(&host, &whole).await.unwrap();
    plugin
        .run(crate::world::go("{}"))
        .await
        .result
        .expect("the host is well");
}

#[test]
fn too_large_a_pool_is_refused_with_the_line_to_run() {
    let refusal = Host::new(HostConfig {
        pool: Some(15_999_999),
        ..HostConfig::default()
    })
    .unwrap_err();
    assert!(
        matches!(refusal, HostError::PoolBeyondAddressSpace { .. }),
        "{refusal}"
    );
    let map_count = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    if map_count.trim() == "65530" {
        let refusal = Host::new(HostConfig {
            pool: Some(9_000),
            ..HostConfig::default()
        })
        .unwrap_err();
        assert!(
            refusal.to_string().contains("sysctl -w vm.max_map_count="),
            "{refusal}"
        );
    }
}

#[test]
fn the_report_is_one_line() {
    let line = host().report().to_string();
    assert!(
        line.starts_with("step host: 16 instances (vm.max_map_count ") && !line.contains('\n'),
        "{line}"
    );
}

#[test]
fn a_module_that_names_no_world_does_not_become_a_component() {
    let module = wat::parse_str("(module)").unwrap();
    assert!(
        strowger_plugin::componentize(&module).is_ok(),
        "an empty component is one"
    );
    let module = wat::parse_str(r#"(module (import "env" "f" (func)))"#).unwrap();
    let error = strowger_plugin::componentize(&module).unwrap_err();
    assert!(error.to_string().contains("WIT"), "{error}");
    assert!(strowger_plugin::componentize(b"junk").is_err());
    assert!(!crate::world::runs(OK).is_empty());
}

#[tokio::test]
async fn functions_that_compile_for_minutes_are_refused_before() {
    let adding = "(global.set $heap (i32.add (global.get $heap) (i32.const 1)))";
    let large = Guest {
        items: format!("(func $small) (func $large {})", adding.repeat(100_000)),
        ..Guest::default()
    };
    let complaints = load(&host(), &large.build()).await.unwrap_err();
    let [complaint @ LoadError::FunctionTooLarge { count, .. }] = &complaints[..] else {
        panic!("{complaints:?}");
    };
    assert_eq!(complaint.code(), "plugin-function-too-large");
    assert!(*count > 650_000, "{complaint}");
    // Each is small enough, all together are not.
    let function = format!("(func {})", adding.repeat(50_000));
    let many = Guest {
        items: function.repeat(7),
        ..Guest::default()
    };
    let complaints = load(&host(), &many.build()).await.unwrap_err();
    assert!(
        matches!(complaints[..], [LoadError::CodeTooLarge { .. }]),
        "{complaints:?}"
    );
    // Much code in functions of a sane size is no offence.
    let function = format!("(func {})", adding.repeat(2_000));
    let many = Guest {
        items: function.repeat(5),
        ..Guest::default()
    };
    load(&host(), &many.build()).await.unwrap();
}

/// A function of so many variables, with so many loops in one another, and again after one another.
fn looping(variables: usize, deep: usize, again: usize) -> String {
    let mut text = format!("(func (local {})", "i32 ".repeat(variables));
    for n in 0..again {
        let variable = |n: usize| n % variables;
        for at in 0..deep {
            let (one, other) = (variable(n + at), variable(n + 7 * at));
            text += &format!("(loop (local.set {one} (local.get {other}))");
        }
        for at in 0..deep {
            text += &format!("(br_if 0 (local.get {})))", variable(at));
        }
    }
    text + ")"
}

#[tokio::test]
async fn small_code_of_which_the_compiler_makes_much_is_refused_before() {
    let wide = "(type (func (param i32) (result".to_owned() + &" i32".repeat(64) + ")))";
    // Two bytes that give sixty values, again and again.
    let giving = format!(
        "(func $giving (result {}) unreachable) (func {} unreachable)",
        "i32 ".repeat(60),
        "call $giving ".repeat(20_000)
    );
    for (items, one, what) in [
        // Many variables at many branches: minutes and gigabytes, from 60 KB.
        (looping(2_000, 1, 900), true, "524288 are allowed"),
        // The same in many functions of which each is sane.
        (
            looping(250, 1, 400).repeat(50),
            false,
            "12582912 are allowed",
        ),
        // Few variables, loops deep in one another.
        (looping(4, 50, 1), true, "at most 1000 are allowed"),
        (
            looping(4, 40, 1).repeat(60),
            false,
            "at most 40000 are allowed",
        ),
        // Operands that lie there at each branch.
        (
            format!(
                "(func (param i32) {} {} {})",
                "(i32.load (i32.const 0))".repeat(4_000),
                "(block (br_if 0 (local.get 0)))".repeat(1_000),
                "drop ".repeat(4_000)
            ),
            true,
            "524288 are allowed",
        ),
        ("(func)".repeat(40_001), false, "40000 are allowed"),
        (wide, false, "64 are allowed"),
        (giving, true, "1048576 are allowed"),
    ] {
        let guest = Guest {
            items,
            ..Guest::default()
        };
        let complaints = load(&host(), &guest.build()).await.unwrap_err();
        let [complaint] = &complaints[..] else {
            panic!("{what}: {complaints:?}");
        };
        assert_eq!(complaint.code(), "plugin-function-too-large");
        let of_one = matches!(complaint, LoadError::FunctionTooLarge { .. });
        assert_eq!(of_one, one, "{complaint}");
        assert!(complaint.to_string().contains(what), "{what}: {complaint}");
    }
}

#[tokio::test]
async fn the_worst_that_a_function_may_be_is_compiled() {
    for items in [looping(250, 1, 500), looping(250, 43, 1)] {
        let guest = Guest {
            items: items.repeat(2),
            ..Guest::default()
        };
        load(&host(), &guest.build()).await.unwrap();
    }
}
