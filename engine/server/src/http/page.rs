//! Lists, a page at a time: `?limit=…&after=…` gives `{"items": […], "next": …}`, and `Link` leads to the next page.

use std::fmt::Display;
use std::marker::PhantomData;

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use strowger_contact::json_size;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use crate::store::is_audit_id;

/// Items of a page unless another number is asked for.
const DEFAULT_LIMIT: u32 = 50;
/// Bytes of JSON after which a page ends though more items were asked for: a record may have tens of KiB, and an answer is in
/// memory until it is read. One item is always on it.
const MAX_BYTES: usize = 1 << 20;
/// What a refusal of another parameter tells too.
const OWN: &str = "; every list takes `limit` and `after`";
/// Most items of a page.
pub(crate) const MAX_LIMIT: u32 = 200;
/// Longest cursor, in bytes: a time and an id.
const MAX_CURSOR_BYTES: usize = 256;
/// Most digits of a number or a time in a cursor: SQL's numbers have 64 bits and a sign.
const MAX_DIGITS: usize = 15;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is on it.
    items: Vec<T>,
    /// Give this as `after` for the next page; null on the last one.
    #[schema(required)]
    next: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    link: Option<String>,
}

/// The place of an item in its list, as `next` and `after` have it.
pub(crate) trait Cursor: Display + Sized {
    /// What one looks like, for the API's description.
    const PATTERN: &str;

    /// One that a page may have given. It has nothing but visible ASCII characters, and at least one.
    fn read(text: &str) -> Option<Self>;
}

/// A name or an id.
impl Cursor for String {
    const PATTERN: &str = "^[!-~]+$";

    fn read(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

/// The id of a line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditId(pub String);

impl Cursor for AuditId {
    const PATTERN: &str = "^[0-9a-f]{11,16}-[0-9a-f]{16}$";

    fn read(text: &str) -> Option<AuditId> {
        is_audit_id(text).then(|| AuditId(text.to_owned()))
    }
}

impl Display for AuditId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number.
impl Cursor for u64 {
    const PATTERN: &str = "^[0-9]{1,15}$";

    fn read(text: &str) -> Option<u64> {
        text.parse().ok().filter(|_| text.len() <= MAX_DIGITS)
    }
}

/// When something was, in milliseconds since 1970, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When.
    pub at: u64,
    /// The id.
    pub id: String,
}

impl Cursor for Moment {
    const PATTERN: &str = "^[0-9]{1,15}[.][!-~]+$";

    fn read(text: &str) -> Option<Moment> {
        let (at, id) = text
            .split_once('.')
            .filter(|(at, _)| at.len() <= MAX_DIGITS)?;
        Some(Moment {
            at: at.parse().ok()?,
            id: id.to_owned(),
        })
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

/// The part of a list that a request asks for; what else it says of the list is `W`.
#[derive(Debug)]
pub(crate) struct Listed<C, W = Everything> {
    limit: u32,
    /// The item after which the page begins.
    pub after: Option<C>,
    /// Which items it wants.
    pub which: W,
    uri: Uri,
}

/// A list from which nothing can be chosen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Everything {}

/// `limit` and `after` of a list, for the API's description.
pub(crate) struct PageOf<C>(PhantomData<C>);

/// A page of what is listed by name or id.
pub(crate) type PageOfNames = PageOf<String>;
/// A page of what is listed by number.
pub(crate) type PageOfNumbers = PageOf<u64>;
/// A page of the audit log.
pub(crate) type PageOfAudit = PageOf<AuditId>;
/// A page of what is listed by time.
pub(crate) type PageOfMoments = PageOf<Moment>;

impl<C: Cursor> IntoParams for PageOf<C> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT))
            .default(Some(DEFAULT_LIMIT.into()));
        let after = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MAX_CURSOR_BYTES))
            .pattern(Some(C::PATTERN));
        let named = |name: &str, what: &str| {
            let parameter = ParameterBuilder::new().name(name);
            let parameter = parameter.parameter_in(ParameterIn::Query);
            parameter.description(Some(what))
        };
        vec![
            named("limit", "Most items of the page. It has fewer, and a `next`, where they are large: it ends with the one that makes it 1 MiB.")
                .schema(Some(limit))
                .build(),
            named("after", "The `next` of the page before.")
                .schema(Some(after))
                .build(),
        ]
    }
}

impl<C: Cursor, W: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Listed<C, W> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Asked {
            limit: Option<u32>,
            after: Option<String>,
        }
        let query = parts.uri.query().unwrap_or_default();
        let (own, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| is_own(pair));
        let Asked { limit, after } = read(&own)?;
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::bad_request(format!(
                "`limit` is 1 to {MAX_LIMIT}, not {limit}"
            )));
        }
        let visible = |after: &String| {
            (1..=MAX_CURSOR_BYTES).contains(&after.len())
                && after.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let cursor = |after: String| {
            let cursor = Some(after)
                .filter(visible)
                .and_then(|after| C::read(&after));
            cursor.ok_or_else(|| {
                Problem::bad_request(
                    "`after` is what a page before had as `next`, unchanged; without it the list begins anew",
                )
            })
        };
        Ok(Listed {
            limit,
            after: after.map(cursor).transpose()?,
            which: read(&others).map_err(|refused| refused.adding(OWN))?,
            uri: parts.uri.clone(),
        })
    }
}

/// Whether a pair of a query says which page is wanted.
fn is_own(pair: &str) -> bool {
    has_name(pair, "limit") || has_name(pair, "after")
}

/// Whether a pair of a query has this name, however it is written.
fn has_name(pair: &str, wanted: &str) -> bool {
    let mut read = url::form_urlencoded::parse(pair.as_bytes());
    read.next().is_some_and(|(name, _)| name == wanted)
}

/// Reads some pairs of a query.
fn read<T: DeserializeOwned>(pairs: &[&str]) -> Result<T, Problem> {
    let uri = Uri::try_from(format!("/?{}", pairs.join("&")));
    // They are parts of a URI.
    let uri = uri.map_err(|error| Problem::bad_request(error.to_string()))?;
    let Query(read) = Query::try_from_uri(&uri)?;
    Ok(read)
}

impl<C: Cursor, W> Listed<C, W> {
    /// How many items to look for: one more than the page has, which says whether another page follows.
    pub fn rows(&self) -> u32 {
        self.limit + 1
    }

    /// The page, of the items that were looked for: as many as were asked for, or as have some [`MAX_BYTES`]. `cursor` is the
    /// place of an item.
    pub fn page<T: Serialize>(
        &self,
        rows: impl IntoIterator<Item = T>,
        cursor: impl FnOnce(&T) -> C,
    ) -> Page<T> {
        let mut rows = rows.into_iter();
        let (mut items, mut bytes) = (Vec::new(), 0);
        while items.len() < self.limit as usize
            && bytes < MAX_BYTES
            && let Some(item) = rows.next()
        {
            // What cannot be written is told when the answer is made.
            bytes += json_size(&item);
            items.push(item);
        }
        let more = rows.next().is_some();
        let last = items.last().filter(|_| more);
        let next = last.map(|last| cursor(last).to_string());
        let link = next.as_deref().map(|next| link(&self.uri, next));
        Page { items, next, link }
    }
}

impl<W> Listed<String, W> {
    /// Whether a name comes after those of the pages before.
    pub fn follows(&self, name: &str) -> bool {
        self.after.as_deref().is_none_or(|after| name > after)
    }
}

/// The same address, another place (RFC 8288; a reference that begins with `?` keeps the path).
fn link(uri: &Uri, next: &str) -> String {
    let query = uri.query().unwrap_or_default().split('&');
    let kept = query.filter(|pair| !pair.is_empty() && !has_name(pair, "after"));
    let mut pairs: Vec<&str> = kept.collect();
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let after = format!("after={next}");
    pairs.push(&after);
    format!("<?{}>; rel=\"next\"", pairs.join("&"))
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let link = self
            .link
            .as_deref()
            .and_then(|link| HeaderValue::from_str(link).ok());
        let mut response = Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    /// Reads a query: `after` and whose it wants, or the refusal.
    async fn listed<C: Cursor>(
        query: &str,
    ) -> Result<(u32, Option<String>, Option<String>), String> {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whose {
            whose: Option<String>,
        }
        let request = Request::get(format!("/things{query}")).body(());
        let (mut parts, ()) = request.expect("a request").into_parts();
        let listed = Listed::<C, Whose>::from_request_parts(&mut parts, &()).await;
        let Listed {
            limit,
            after,
            which,
            ..
        } = listed.map_err(|problem| format!("{problem:?}"))?;
        Ok((limit, after.map(|after| after.to_string()), which.whose))
    }

    #[tokio::test]
    async fn a_page_is_asked_for_beside_what_else_a_list_takes() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(listed::<u64>("").await, Ok((50, None, None)));
        let (limit, after, whose) = ("limit=7", "after=12", "whose=a%26b");
        for query in [
            format!("?{limit}&{after}&{whose}"),
            format!("?{whose}&&{after}&{limit}&"),
            format!("?{after}&{whose}&%6cimit=7"),
        ] {
            let read = listed::<u64>(&query).await;
            assert_eq!(read, Ok((7, text("12"), text("a&b"))), "{query}");
        }
        let read = listed::<Moment>("?after=17.a.b").await;
        assert_eq!(read, Ok((50, text("17.a.b"), None)));
        for (query, words) in [
            ("?limit=0", "`limit` is 1 to 200, not 0"),
            ("?limit=201", "`limit` is 1 to 200, not 201"),
            ("?limit=many", "limit"),
            ("?limit=1&limit=2", "duplicate field `limit`"),
            ("?after=", "`after` is what a page before had"),
            ("?after=a%20b", "`after` is what a page before had"),
            (
                "?after=1234567890123456",
                "`after` is what a page before had",
            ),
            ("?after=-1", "`after` is what a page before had"),
            (
                "?befor=1",
                "unknown field `befor`, expected `whose`; every list takes `limit` and `after`",
            ),
            ("?whose=a&whose=b", "duplicate field `whose`"),
        ] {
            let refused = listed::<u64>(query).await.expect_err(query);
            assert!(refused.contains(words), "{query}: {refused}");
        }
        for query in ["?after=1", "?after=x.y", "?after=1234567890123456.a"] {
            let refused = listed::<Moment>(query).await.expect_err(query);
            assert!(refused.contains("`after` is what"), "{query}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_page_of_the_audit_log_begins_at_a_line_of_it() {
        let id = "0000000001f-00112233445566ff";
        let read = listed::<AuditId>(&format!("?after={id}")).await;
        assert_eq!(read, Ok((50, Some(id.to_owned()), None)));
        for after in [
            "zz",
            "0000000001f",
            "0000000001F-00112233445566ff",
            "1f-00112233445566ff",
            "0000000001f-00112233445566f",
            "0000000001f-00112233445566ff0",
        ] {
            let refused = listed::<AuditId>(&format!("?after={after}")).await;
            let refused = refused.expect_err(after);
            assert!(refused.contains("`after` is what"), "{after}: {refused}");
        }
    }

    #[tokio::test]
    async fn the_last_page_leads_nowhere() {
        let request = Request::get("/things?limit=2&whose=a%26b&aft%65r=1").body(());
        let (mut parts, ()) = request.expect("a request").into_parts();
        let listed = Listed::<u64, std::collections::BTreeMap<String, String>>::from_request_parts(
            &mut parts,
            &(),
        );
        let listed = listed.await.expect("a list");
        assert_eq!((listed.rows(), listed.after), (3, Some(1)));
        let page = listed.page([2_u64, 3, 4], |number| *number);
        assert_eq!((page.items, page.next.as_deref()), (vec![2, 3], Some("3")));
        let link = page.link.expect("another page follows");
        assert_eq!(link, "<?limit=2&whose=a%26b&after=3>; rel=\"next\"");
        let page = listed.page([2_u64, 3], |number| *number);
        assert_eq!((page.items, page.next, page.link), (vec![2, 3], None, None));
    }

    #[tokio::test]
    async fn a_page_of_large_items_ends_early() {
        let request = Request::get("/things?limit=5").body(());
        let (mut parts, ()) = request.expect("a request").into_parts();
        let listed = Listed::<String>::from_request_parts(&mut parts, &()).await;
        let listed = listed.expect("a list");
        // Bytes of the items that are there, how many of them a page has, and whether another follows.
        for (sizes, on_it, more) in [
            (&[3 << 20][..], 1, false),
            (&[3 << 20, 1], 1, true),
            (&[600 << 10, 600 << 10, 1, 1], 2, true),
            (&[600 << 10, 600 << 10], 2, false),
            (&[300 << 10; 6], 4, true),
            (&[100 << 10; 6], 5, true),
        ] {
            let items = sizes.iter().map(|size| "x".repeat(*size));
            let page = listed.page(items, |item| item.len().to_string());
            assert_eq!(
                (page.items.len(), page.next.is_some()),
                (on_it, more),
                "{sizes:?}"
            );
            assert_eq!(page.link.is_some(), more);
        }
    }
}
