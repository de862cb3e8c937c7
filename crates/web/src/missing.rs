//! The page where there is none.

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use crate::{assets, home, messages::messages};

/// 404, in the language that the reader prefers, with the way back.
pub async fn page(headers: HeaderMap) -> Response {
    let language = home::preferred(&headers);
    let text = messages(language);
    let page = format!(
        r#"<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
<link rel="icon" type="image/svg+xml" href="{icon}">
</head>
<body>
<main id="content"><h1>{title}</h1><p>{explained}</p><p><a href="/">{home}</a></p></main>
</body>
</html>
"#,
        lang = language.code(),
        title = text.nothing_here,
        style = assets::STYLE_ADDRESS,
        icon = assets::ICON_ADDRESS,
        explained = text.nothing_here_explained,
        home = text.home,
    );
    (StatusCode::NOT_FOUND, home::fields(language), page).into_response()
}
