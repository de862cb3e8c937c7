//! The files that pages load: embedded in the program.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// Where the style sheet is.
pub const STYLE_ADDRESS: &str = "/assets/liaison.css";
/// Where the icon is.
pub const ICON_ADDRESS: &str = "/assets/liaison.svg";

/// An hour: after an upgrade the pages look right again soon, without a name per version.
const KEEP: &str = "public, max-age=3600";

/// The style sheet.
pub async fn style() -> Response {
    answer("text/css; charset=utf-8", include_str!("assets/liaison.css"))
}

/// The icon.
pub async fn icon() -> Response {
    answer("image/svg+xml", include_str!("assets/liaison.svg"))
}

fn answer(media_type: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, KEEP)], body).into_response()
}
