//! The page where there is none.

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};

use crate::{
    frame::{self, Keep, Page},
    messages::messages,
};

/// 404, in the language that the reader prefers, with the way back.
pub async fn page(headers: HeaderMap) -> Response {
    let language = frame::preferred(&headers);
    let text = messages(language);
    let main = format!("<p>{}</p><p><a href=\"/\">{}</a></p>\n", text.nothing_here_explained, text.home);
    let page = Page { title: text.nothing_here, lead: "", main: &main, footer: "", keep: Keep::Checked };
    page.answer(StatusCode::NOT_FOUND, language)
}
