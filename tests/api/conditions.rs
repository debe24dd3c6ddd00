//! What a change may depend on, and what its body may be.

use anyhow::Result;
use serde_json::json;

use crate::world::{Client, engine};

#[test]
fn what_is_to_be_made_takes_no_place_of_what_is_there() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    let user = json!({ "password": "correct horse battery", "role": "auditor" }).to_string();
    let only_new = [("If-None-Match", "*")];
    let put = |fields: &[(&str, &str)]| owner.with("PUT", "/v1/users/rosa", fields, Some(&user));
    assert_eq!(put(&only_new)?.status, 200);
    let again = put(&only_new)?;
    assert_eq!(again.status, 412, "{}", again.body);
    assert!(again.body.contains("it is there already"), "{}", again.body);
    let now = owner.ask("GET", "/v1/users/rosa")?;
    let tag = now.header("etag").unwrap_or_default().to_owned();
    assert_eq!(put(&[("If-None-Match", &tag)])?.status, 412);
    assert_eq!(put(&[("If-None-Match", "\"another\"")])?.status, 200);
    assert_eq!(put(&[])?.status, 200);
    Ok(())
}

#[test]
fn a_body_is_an_object_and_no_list_of_its_members() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    for (method, path, body) in [
        ("POST", "/v1/tokens", json!(["pos", "auditor", null, 30])),
        (
            "PUT",
            "/v1/users/rosa",
            json!(["correct horse battery", "auditor", null]),
        ),
        ("POST", "/v1/tokens", json!("pos")),
    ] {
        let told = owner.with(method, path, &[], Some(&body.to_string()))?;
        assert_eq!(told.status, 422, "{path} {body}: {}", told.body);
        assert!(told.body.contains("expected an object"), "{}", told.body);
    }
    let hidden = json!({ "name": "a\u{202e}b", "role": "auditor" });
    assert_eq!(owner.post("/v1/tokens", &hidden)?.status, 422);
    Ok(())
}
