//! Every operation of the description, for every role: let in where the table says so, and nowhere else.

use anyhow::{Context, Result};
use serde_json::json;
use strowger_server::access::{PERMISSIONS, Role};
use strowger_tests::http::{get, send};

use crate::operations::{LetsIn, described};
use crate::world::{Client, engine};

#[test]
fn every_operation_lets_in_who_the_table_names_and_nobody_else() -> Result<()> {
    let engine = engine("requests_per_second = 100000\nburst = 100000")?;
    let clients = Role::ALL
        .into_iter()
        .map(|role| Ok((role, Client::new(&engine, role.name(), &[])?)));
    let clients: Vec<(Role, Client)> = clients.collect::<Result<_>>()?;
    let document = get(engine.http, "/v1/openapi.json")?.json()?;
    for (operation, permission) in described(&document)? {
        let name = operation.name();
        // Nothing is changed by it: nothing is there.
        let path = operation.path.replace("{number}", "1");
        let path = ["{id}", "{tenant}", "{name}"]
            .iter()
            .fold(path, |path, part| path.replace(part, "nobody"));
        let nobody = send(engine.http, operation.method, &path, &[], None)?;
        let asked = match &operation.lets_in {
            LetsIn::Anybody => {
                assert_ne!(nobody.status, 401, "{name}: {}", nobody.body);
                None
            }
            LetsIn::TheChat => {
                // Here none are taken; elsewhere a chat's own token opens it, and no other does.
                assert_eq!(nobody.status, 404, "{name}: {}", nobody.body);
                None
            }
            LetsIn::RolesOrNoToken(roles) => {
                assert_eq!(nobody.status, 200, "{name}: {}", nobody.body);
                Some(roles)
            }
            LetsIn::Roles(roles) => {
                assert_eq!(nobody.status, 401, "{name}: {}", nobody.body);
                let asks = nobody.header("www-authenticate");
                assert_eq!(asks, Some("Bearer"), "{name}");
                Some(roles)
            }
        };
        // The permission that the description names is that of these roles.
        let row = PERMISSIONS
            .iter()
            .find(|row| row.permission.name() == permission);
        let named = match (row, permission.as_str()) {
            (Some(row), _) => Some(row.roles.to_vec()),
            (None, "signed-in") => Some(Role::ALL.to_vec()),
            (None, "open" | "chat") => None,
            (None, other) => panic!("{name} needs {other}"),
        };
        assert_eq!(asked, named.as_ref(), "{name} needs {permission}");
        for (role, client) in &clients {
            // Whoever says who it is may no more than that one.
            let may = operation.may(*role);
            // A stream has no end: what it would begin after is wrong, so that it is refused when all else is right.
            let fields = [("Last-Event-ID", "now")];
            let answer = client.with(operation.method, &path, &fields, None)?;
            let shown = format!(
                "{name} as {}: {} {}",
                role.name(),
                answer.status,
                answer.body
            );
            assert_eq!(answer.status != 403, may, "{shown}");
            assert_ne!(answer.status, 401, "{shown}");
            assert!(answer.status < 500, "{shown}");
        }
    }
    Ok(())
}

#[test]
fn a_token_that_is_not_good_lets_nobody_in() -> Result<()> {
    let engine = engine("")?;
    let good = Client::new(&engine, "auditor", &[])?;
    assert_eq!(good.ask("GET", "/v1/me")?.status, 200);
    let last = if good.token.ends_with('0') { '1' } else { '0' };
    let mut another = good.token.clone();
    another.pop();
    another.push(last);
    for wrong in [
        format!("Bearer {another}"),
        format!("Bearer {}", &good.token[5..]),
        format!("Basic {}", good.token),
        "Bearer".to_owned(),
        "Bearer strw_0_0".to_owned(),
    ] {
        let answer = send(
            engine.http,
            "GET",
            "/v1/me",
            &[("Authorization", &wrong)],
            None,
        )?;
        assert_eq!(answer.status, 401, "{wrong}: {}", answer.body);
        assert!(!answer.body.contains(&another), "{}", answer.body);
    }
    // What was tried is in no log.
    assert!(!engine.program.log().contains(&another[30..]));
    Ok(())
}

#[test]
fn what_belongs_to_another_tenant_is_not_there() -> Result<()> {
    let engine = engine("")?;
    let id = crate::description::contact(&engine)?;
    let here = Client::new(&engine, "owner", &["--tenant", "bench"])?;
    let centre = Client::new(&engine, "owner", &[])?;
    let other = Client::new(&engine, "owner", &["--tenant", "borealis"])?;
    for (client, sees) in [(&here, true), (&centre, true), (&other, false)] {
        let list = client.ask("GET", "/v1/contacts")?.json()?;
        assert_eq!(
            list["items"].as_array().map(Vec::len),
            Some(usize::from(sees)),
            "{list}"
        );
        for query in ["", "?tenant=bench"] {
            let list = client.ask("GET", &format!("/v1/records{query}"))?.json()?;
            let shown = list["items"].as_array().map(Vec::len);
            assert_eq!(shown, Some(usize::from(sees)), "{query}: {list}");
        }
        for part in ["", "/journal", "/trace", "/transcript", "/record"] {
            let answer = client.ask("GET", &format!("/v1/contacts/{id}{part}"))?;
            let expected = if sees { 200 } else { 404 };
            assert_eq!(answer.status, expected, "{part}: {}", answer.body);
        }
    }
    // Nor the tokens and the log of others, and none is made for them.
    let tokens = other.ask("GET", "/v1/tokens")?.json()?;
    assert_eq!(
        tokens["items"].as_array().map(Vec::len),
        Some(1),
        "{tokens}"
    );
    assert_eq!(
        other
            .ask("GET", &format!("/v1/tokens/{}", here.id()))?
            .status,
        404
    );
    assert_eq!(
        other
            .ask("DELETE", &format!("/v1/tokens/{}", centre.id()))?
            .status,
        404
    );
    for tenant in ["*", "bench"] {
        let wanted = json!({ "name": "x", "role": "auditor", "tenant": tenant });
        assert_eq!(other.post("/v1/tokens", &wanted)?.status, 403, "{tenant}");
    }
    let made = other.post("/v1/tokens", &json!({ "name": "x", "role": "auditor" }))?;
    assert_eq!(
        (made.status, made.json()?["tenant"].as_str()),
        (201, Some("borealis"))
    );
    let log = other.ask("GET", "/v1/audit")?.json()?;
    let items = log["items"].as_array().context("items")?;
    assert!(
        items.iter().all(|line| line["tenant"] == "borealis"),
        "{log}"
    );
    assert_eq!(
        items
            .iter()
            .filter(|line| line["action"] == "token.make")
            .count(),
        2,
        "{log}"
    );
    Ok(())
}
