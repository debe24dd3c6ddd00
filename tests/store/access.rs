//! Who may come in, and what was changed: on either database.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use strowger_server::access::Role;
use strowger_server::store::{
    AccessError, Answer, Change, Claim, MAX_KEYS_A_DAY, MAX_SESSIONS, MAX_TOKENS, Outcome, Record,
    Store, TokenRow, UserRow, Writer,
};

use crate::world::{Database, began, key, open};

/// A day and a bit, in milliseconds.
const DAY: u64 = 90_000_000;

pub fn token(id: &str, tenant: &str) -> TokenRow {
    TokenRow {
        id: id.to_owned(),
        hash: id.as_bytes().to_vec(),
        name: format!("name of {id}"),
        role: "owner".to_owned(),
        tenant: tenant.to_owned(),
        made_at: 1,
        made_by: "cli".to_owned(),
        expires_at: None,
        used_at: None,
    }
}

pub fn user(name: &str) -> UserRow {
    UserRow {
        name: name.to_owned(),
        password: "$argon2id$".to_owned(),
        role: "designer".to_owned(),
        tenant: "aurora".to_owned(),
        made_at: 1,
        made_by: "cli".to_owned(),
    }
}

pub fn change(object: &str, tenant: Option<&str>) -> Change {
    Change {
        at: 7,
        who: "cli".to_owned(),
        role: Role::Owner,
        tenant: tenant.map(str::to_owned),
        action: "thing.make".to_owned(),
        object: object.to_owned(),
        detail: json!({ "name": object }),
        outcome: Outcome::Done,
    }
}

async fn ids(store: &Store, tenant: Option<&str>, after: Option<&str>) -> Result<Vec<String>> {
    let tokens = store.tokens(tenant, after, 2).await?;
    Ok(tokens.into_iter().map(|token| token.id).collect())
}

pub async fn tokens_are_found_listed_and_revoked(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    assert!(!store.has_access().await?);
    for (id, tenant) in [
        ("a", "*"),
        ("b", "aurora"),
        ("c", "borealis"),
        ("d", "aurora"),
    ] {
        let _ = store
            .make_token(&token(id, tenant), &change(id, None))
            .await?;
    }
    assert!(store.has_access().await?);
    assert_eq!(ids(&store, None, None).await?, ["d", "c"]);
    assert_eq!(ids(&store, None, Some("c")).await?, ["b", "a"]);
    assert_eq!(ids(&store, Some("aurora"), None).await?, ["d", "b"]);
    let found = store.token("b").await?.context("it is there")?;
    assert_eq!(
        (found.hash.as_slice(), found.tenant.as_str()),
        (&b"b"[..], "aurora")
    );
    assert!(store.token("no").await?.is_none());

    // To the hour.
    store.token_used(&found, 10_000_000).await?;
    let used = store.token("b").await?.context("it is there")?;
    assert_eq!(used.used_at, Some(10_000_000));
    store.token_used(&used, 10_000_001).await?;
    assert_eq!(
        store.token("b").await?.context("there")?.used_at,
        Some(10_000_000)
    );
    store.token_used(&used, 14_000_000).await?;
    assert_eq!(
        store.token("b").await?.context("there")?.used_at,
        Some(14_000_000)
    );

    assert!(store.revoke_token("b", &change("b", None)).await?.is_some());
    assert!(store.revoke_token("b", &change("b", None)).await?.is_none());
    assert!(store.token("b").await?.is_none());
    for id in ["a", "c", "d"] {
        let _ = store
            .revoke_token(id, &change(id, None))
            .await?
            .context("there")?;
    }
    // That there were some is not forgotten with the last.
    assert!(store.has_access().await?);
    for number in 0..MAX_TOKENS {
        let _ = store
            .make_token(&token(&format!("n{number}"), "*"), &change("n", None))
            .await?;
    }
    let more = store
        .make_token(&token("more", "*"), &change("more", None))
        .await;
    assert!(matches!(more, Err(AccessError::Limit(_))), "{more:?}");
    assert!(store.token("more").await?.is_none());
    Ok(())
}

pub async fn users_sign_in_and_out(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let _ = store
        .set_user(&user("rosa"), None, &change("rosa", None))
        .await?;
    assert!(store.has_access().await?);
    let again = store
        .set_user(&user("rosa"), None, &change("rosa", None))
        .await;
    assert!(
        matches!(again, Err(AccessError::Limit(_))),
        "{:?}",
        again.is_ok()
    );
    assert_eq!(store.users().await?.len(), 1);

    let _ = store
        .make_session(b"one", "rosa", 100, &change("rosa", None))
        .await?;
    let session = store.session(b"one", 99).await?.context("it lasts")?;
    assert_eq!(
        (
            session.name.as_str(),
            session.role.as_str(),
            session.expires_at
        ),
        ("rosa", "designer", 100)
    );
    assert!(store.session(b"one", 100).await?.is_none());
    assert!(store.session(b"two", 1).await?.is_none());
    let _ = store.end_session(b"one", &change("rosa", None)).await?;
    assert!(store.session(b"one", 1).await?.is_none());

    // A further one ends the oldest.
    for number in 0..=MAX_SESSIONS {
        let hash = format!("s{number}");
        let expires = 1_000 + number.unsigned_abs();
        let _ = store
            .make_session(hash.as_bytes(), "rosa", expires, &change("rosa", None))
            .await?;
    }
    assert!(store.session(b"s0", 8).await?.is_none());
    assert!(store.session(b"s1", 8).await?.is_some());
    assert!(
        store
            .remove_user("rosa", &change("rosa", None))
            .await?
            .is_some()
    );
    assert!(
        store
            .remove_user("rosa", &change("rosa", None))
            .await?
            .is_none()
    );
    assert!(store.session(b"s1", 8).await?.is_none());
    Ok(())
}

pub async fn every_change_is_in_the_log_or_was_not_made(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let _ = store
        .make_token(&token("a", "*"), &change("a", None))
        .await?;
    // The same id again: neither a token nor a line.
    assert!(
        store
            .make_token(&token("a", "*"), &change("twice", None))
            .await
            .is_err()
    );
    for (object, tenant) in [
        ("b", Some("aurora")),
        ("c", Some("borealis")),
        ("d", Some("aurora")),
    ] {
        let later = Change {
            at: 8 + object.len() as u64,
            ..change(object, tenant)
        };
        let _ = store.audit(&later).await?;
    }
    let refused = Change {
        outcome: Outcome::Refused,
        at: 20,
        ..change("e", None)
    };
    let _ = store.audit(&refused).await?;
    let log = store.audit_log(None, None, 10).await?;
    let objects: Vec<&str> = log.iter().map(|line| line.object.as_str()).collect();
    assert_eq!(objects.len(), 5);
    assert_eq!((objects[0], objects[4]), ("e", "a"));
    assert_eq!(
        (log[0].outcome.as_str(), log[4].outcome.as_str()),
        ("refused", "done")
    );
    assert_eq!(
        (
            log[4].who.as_str(),
            log[4].role.as_str(),
            log[4].tenant.as_str()
        ),
        ("cli", "owner", "*")
    );
    assert_eq!((log[4].at, &log[4].detail), (7, &json!({ "name": "a" })));
    let rest = store.audit_log(None, Some(&log[0].id), 2).await?;
    assert_eq!(rest[0].id, log[1].id);
    assert_eq!(rest.len(), 2);
    let own = store.audit_log(Some("aurora"), None, 10).await?;
    assert_eq!(own.len(), 2);
    ensure!(own.iter().all(|line| line.tenant == "aurora"));
    Ok(())
}

pub async fn keys_of_visitors_are_settled_by_what_there_is(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let claim = async |key| {
        let claimed = store.claim_request("visitors", key, b"ask", DAY, None);
        claimed.await
    };
    for key in ["begun", "without a journal", "alone"] {
        assert!(matches!(claim(key).await?, Claim::New), "{key}");
    }
    assert!(matches!(
        store.claim_request("one", "k", b"ask", DAY, None).await?,
        Claim::New
    ));
    let (writer, _) = Writer::start(store.clone());
    for (id, visit) in [("a-0", "begun"), ("b-0", "without a journal")] {
        writer.write(began(id, id)).await;
        let chat = Record::Chat {
            id: id.to_owned(),
            token: [7; 32],
            visit: Some(visit.to_owned()),
        };
        writer.write(chat).await;
    }
    writer.write(key("a-0", 0)).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    for key in ["begun", "without a journal", "alone"] {
        assert!(matches!(claim(key).await?, Claim::InProgress), "{key}");
    }
    assert_eq!(store.settle_visits().await?, 3);
    let Claim::Done(answer) = claim("begun").await? else {
        anyhow::bail!("it was begun");
    };
    assert_eq!(answer.body.as_deref(), Some(b"a-0".as_slice()));
    for key in ["without a journal", "alone"] {
        assert!(matches!(claim(key).await?, Claim::New), "{key}");
    }
    // What somebody with a token does is theirs to look at.
    let asked = store.claim_request("one", "k", b"ask", DAY, None).await?;
    assert!(matches!(asked, Claim::InProgress));
    Ok(())
}

pub async fn a_key_is_for_one_request(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let claim = async |who, key, request: &[u8], now| {
        store
            .claim_request(who, key, request, now, Some(MAX_KEYS_A_DAY))
            .await
    };
    assert!(matches!(claim("one", "k", b"ask", DAY).await?, Claim::New));
    assert!(matches!(
        claim("one", "k", b"ask", DAY).await?,
        Claim::InProgress
    ));
    assert!(matches!(
        claim("one", "k", b"other", DAY).await?,
        Claim::Another
    ));
    assert!(matches!(
        claim("two", "k", b"other", DAY).await?,
        Claim::New
    ));
    let answer = Answer {
        status: 201,
        content_type: Some("application/json".to_owned()),
        location: Some("/v1/things/1".to_owned()),
        body: Some(b"{}".to_vec()),
    };
    store.finish_request("one", "k", &answer).await?;
    let Claim::Done(again) = claim("one", "k", b"ask", DAY + 1).await? else {
        anyhow::bail!("it was done");
    };
    assert_eq!(again, answer);
    store.forget_request("two", "k").await?;
    assert!(matches!(
        claim("two", "k", b"third", DAY).await?,
        Claim::New
    ));
    // A day later it is forgotten.
    assert!(matches!(
        claim("one", "k", b"other", 2 * DAY).await?,
        Claim::New
    ));
    Ok(())
}
