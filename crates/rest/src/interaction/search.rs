//! `search`, by `GET` and by `POST _search`: <https://hl7.org/fhir/R4/search.html>.

use liaison_app::{
    error::{AppError, Refusal},
    operation::search::{Found, Search},
    query_string,
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};

use crate::{
    body::Content,
    bundle::Searchset,
    errors::Refused,
    exchange::{Answer, Exchange, Typed, is_of_form},
    negotiate::{self, MediaRange},
    respond,
};

/// Searches everything.
pub async fn system(exchange: Exchange) -> Answer {
    search(exchange, None).await
}

/// Searches a type.
pub async fn of_type(exchange: Exchange, Typed(resource_type): Typed) -> Answer {
    search(exchange, Some(resource_type)).await
}

/// Searches everything, parameters in the body.
pub async fn system_by_form(mut exchange: Exchange, content: Content) -> Answer {
    merge_form(&mut exchange, &content)?;
    search(exchange, None).await
}

/// Searches a type, parameters in the body.
pub async fn by_form(mut exchange: Exchange, Typed(resource_type): Typed, content: Content) -> Answer {
    merge_form(&mut exchange, &content)?;
    search(exchange, Some(resource_type)).await
}

async fn search(exchange: Exchange, resource_type: Option<&'static str>) -> Answer {
    let searchset = Searchset::of(resource_type, &exchange);
    let operation = Search {
        face: exchange.face.clone(),
        resource_type,
        pairs: exchange.query.clone(),
        handling: exchange.preferences.handling,
        write: move |found: Found| searchset.write(&found),
    };
    let json = exchange.execute(operation).await?;
    respond::bytes(json, &exchange.reply, exchange.face.release)
}

/// Parameters of the address and of the body are one query.
fn merge_form(exchange: &mut Exchange, content: &Content) -> Result<(), Refused> {
    let declared = negotiate::declared(&exchange.headers);
    let is_form = |range: MediaRange| range.name == "application/x-www-form-urlencoded";
    if !declared.and_then(MediaRange::read).is_some_and(is_form) && !content.0.is_empty() {
        let text = match declared {
            Some(declared) => text!(
                en: "Search parameters in a body are sent as application/x-www-form-urlencoded, not “{declared}”.",
                fr: "Les paramètres de recherche dans un corps sont envoyés en application/x-www-form-urlencoded, et non « {declared} ».",
            ),
            None => text!(
                en: "The request does not say what its body is: search parameters are sent with Content-Type application/x-www-form-urlencoded.",
                fr: "La requête ne dit pas ce qu'est son corps : les paramètres de recherche sont envoyés avec le Content-Type application/x-www-form-urlencoded.",
            ),
        };
        return Err(AppError::new(
            Refusal::Unsupported,
            Issue::error(IssueKind::NotSupported, "http.Content-Type", text),
        )
        .into());
    }
    let form = query_string::read(&content.0)?;
    exchange.take_form_of_answer(&form)?;
    exchange.query.extend(form.into_iter().filter(|(name, _)| !is_of_form(name)));
    Ok(())
}
