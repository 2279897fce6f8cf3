//! The dashboard: a page and its parts, embedded in the program.

use http::{StatusCode, header};
use poem::web::Path;
use poem::{Body, Request, Response, handler};
use rust_embed::{Embed, EmbeddedFile};

use super::hardening;
use super::problem::Problem;

#[derive(Embed)]
#[folder = "src/server/dashboard/"]
#[exclude = "*.rs"]
struct Files;

/// `GET /dashboard`.
#[handler]
pub(super) fn page(request: &Request) -> Result<Response, Problem> {
    serve(request, "index.html")
}

/// `GET /dashboard/...`: what the page is made of.
#[handler]
pub(super) fn asset(request: &Request, Path(path): Path<String>) -> Result<Response, Problem> {
    if path.is_empty() {
        // The page's links are relative, and mean this address without the slash.
        return Ok(Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, "/dashboard")
            .finish());
    }
    serve(request, &path)
}

fn serve(request: &Request, path: &str) -> Result<Response, Problem> {
    let Some(file) = Files::get(path) else {
        let detail = format!("The dashboard has no file {path:?}.");
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_path", detail));
    };
    let tag = entity_tag(&file);
    let fresh = request.header(header::IF_NONE_MATCH).is_some_and(|known| known == tag);
    let response = Response::builder()
        .header(header::ETAG, tag)
        // Asked for each time, answered in a few bytes unless the daemon was upgraded.
        .header(header::CACHE_CONTROL, "no-cache");
    let mut response = if fresh {
        response.status(StatusCode::NOT_MODIFIED).finish()
    } else {
        response
            .content_type(content_type(path))
            .body(Body::from_bytes(file.data.into_owned().into()))
    };
    hardening::dashboard(response.headers_mut());
    Ok(response)
}

fn entity_tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    hash[..8].iter().fold("\"".to_owned(), |tag, byte| format!("{tag}{byte:02x}")) + "\""
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
