//! The API's description, OpenAPI 3.1: what `strowger openapi` prints and `/v1/openapi.json` serves.
//!
//! Endpoints say what is their own. What all have, since the guard does it, is written here.

use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required,
};
use utoipa::{PartialSchema, ToSchema};

use super::gate::COOKIE_NAME;
use super::problem::ProblemBody;
use super::routes::Access;

/// The name of a token among the security schemes.
const TOKEN: &str = "token";
/// The name of a session among them.
const SESSION: &str = "session";

const ABOUT: &str = "\
A token belongs to one tenant or to the whole centre, and has one role; `strowger token new` makes the first one. \
`x-permission` says what an endpoint needs. Lists come in pages: `after` takes the `next` of the page before. A POST may \
bear an `Idempotency-Key`. Refusals are `application/problem+json` (RFC 9457).";

/// The description without endpoints.
pub(super) fn blank() -> OpenApi {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("strw_ID_SECRET")
        .description(Some(
            "A token, made by `strowger token new` or POST /v1/tokens.",
        ))
        .build();
    let session = ApiKeyValue::with_description(
        COOKIE_NAME,
        "A session, begun by POST /v1/session. A change needs the header `X-Strowger: 1` or our own `Origin` besides.",
    );
    let mut components = Components::new();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token));
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    components
        .schemas
        .insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    let tag = |name: &str, about: &str| {
        TagBuilder::new()
            .name(name)
            .description(Some(about))
            .build()
    };
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Strowger")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(
                    LicenseBuilder::new()
                        .name("MIT OR Apache-2.0")
                        .identifier(Some("MIT OR Apache-2.0"))
                        .build(),
                ))
                .build(),
        )
        .tags(Some([
            tag("engine", "How the engine is, and what this API is."),
            tag(
                "chats",
                "Contacts that write, from a web page or a program; each with a token of its own.",
            ),
            tag("tenants", "What tenants pushed, and what is live."),
            tag("vault", "Secrets that plugins use and nobody reads."),
            tag("contacts", "Calls and chats: what was said and done."),
            tag(
                "access",
                "Who may use this API, and what was changed through it.",
            ),
        ]))
        .components(Some(components))
        .build()
}

/// Adds an endpoint.
pub(super) fn add(document: &mut OpenApi, path: String, mut item: PathItem, access: Access) {
    let operations = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
    ];
    for (method, operation) in operations {
        if let Some(operation) = operation {
            complete(method, operation, access);
        }
    }
    match document.paths.paths.get_mut(&path) {
        Some(there) => there.merge_operations(item),
        None => {
            document.paths.paths.insert(path, item);
        }
    }
}

/// Adds the types that endpoints name.
pub(super) fn add_schemas(document: &mut OpenApi, schemas: Vec<(String, RefOr<Schema>)>) {
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
}

fn complete(method: &str, operation: &mut Operation, access: Access) {
    let (security, permission) = match access {
        Access::Open => (vec![], "open"),
        Access::OwnToken => (vec![], "chat"),
        Access::OpenOnLoopback(permission) => (
            vec![SecurityRequirement::default(), by(TOKEN), by(SESSION)],
            permission.name(),
        ),
        Access::SignedIn => (vec![by(TOKEN), by(SESSION)], "signed-in"),
        Access::Needs(permission) => (vec![by(TOKEN), by(SESSION)], permission.name()),
    };
    operation.security = Some(security);
    let extension = ExtensionsBuilder::new()
        .add("x-permission", json!(permission))
        .build();
    operation
        .extensions
        .get_or_insert_default()
        .merge(extension);

    let changes = method != "get";
    let mut refusals = vec![
        (
            "429",
            "Too many requests: `Retry-After` says when to go on.",
        ),
        (
            "503",
            "The store is gone, or the answer would take too long.",
        ),
    ];
    if changes {
        refusals.push((
            "507",
            "There is no room in the store for this: nothing of it is kept.",
        ));
    }
    let known = !matches!(access, Access::Open | Access::OwnToken);
    if known {
        refusals.push(("401", "No token or session, or one that is not good."));
        if changes || access != Access::SignedIn {
            refusals.push((
                "403",
                "The role has not the permission, or another site's page sent this.",
            ));
        }
    }
    let parameters = operation.parameters.iter().flatten();
    if parameters.count() > 0 {
        refusals.push(("400", "A parameter that cannot be read."));
    }
    if operation.request_body.is_some() {
        refusals.push(("400", "The body is not JSON."));
        refusals.push(("413", "The body is too large."));
        refusals.push(("415", "`Content-Type` is not `application/json`."));
        refusals.push(("422", "The body is JSON and not what is asked for."));
    }
    if method == "post" && known {
        let key = text(Some(128))
            .min_length(Some(1))
            .pattern(Some("^[!-~]+$"));
        let about = "Made up for this request: sent again with the same key, it is done once. Kept for a day.";
        operation
            .parameters
            .get_or_insert_default()
            .push(header("Idempotency-Key", about, key).into());
        refusals.push(("400", "A key that cannot be one."));
        refusals.push(("409", "The same request is in progress."));
        refusals.push(("422", "Another request had this Idempotency-Key."));
    }
    if method == "put" {
        let about = "`*`: only if there is none yet.";
        operation
            .parameters
            .get_or_insert_default()
            .push(header("If-None-Match", about, text(None)).into());
        refusals.push(("412", "There is one already."));
    }
    if method == "get" && tagged(operation) {
        let about = "The `ETag` of what is known already.";
        operation
            .parameters
            .get_or_insert_default()
            .push(header("If-None-Match", about, text(None)).into());
        let known = ResponseBuilder::new().description("It is as it was.");
        let known = known
            .header("ETag", Header::new(text(None).build()))
            .build();
        operation
            .responses
            .responses
            .insert("304".to_owned(), known.into());
    }
    // OpenAPI 3.1 wants a description of each; of what an endpoint is for, its first line has it.
    let summary = operation.summary.clone().unwrap_or_default();
    for answer in operation.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            answer.description.clone_from(&summary);
        }
    }
    for (status, about) in refusals {
        let answers = &mut operation.responses.responses;
        answers
            .entry(status.to_owned())
            .or_insert_with(|| problem(status, about).into());
    }
}

/// Whether an endpoint's answer has an `ETag`.
fn tagged(operation: &Operation) -> bool {
    match operation.responses.responses.get("200") {
        Some(RefOr::T(answer)) => answer.headers.contains_key("ETag"),
        _ => false,
    }
}

fn by(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, [] as [&str; 0])
}

fn text(longest: Option<usize>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(longest)
}

fn header(name: &str, about: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(Schema::Object(schema.build())))
        .build()
}

fn problem(status: &str, about: &str) -> utoipa::openapi::Response {
    let body = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ProblemBody::name())))
        .build();
    let mut response = ResponseBuilder::new()
        .description(about)
        .content("application/problem+json", body);
    if status == "429" {
        let seconds = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1));
        response = response.header("Retry-After", Header::new(seconds.build()));
    }
    if status == "401" {
        response = response.header("WWW-Authenticate", Header::new(text(None).build()));
    }
    response.build()
}
