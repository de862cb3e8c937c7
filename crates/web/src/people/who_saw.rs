//! Who saw a notebook: what the person, and who acts for them, are told of the audit trail.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use jiff::civil::Date;
use liaison_app::{
    caller::Caller,
    error::Refusal,
    operation::{
        notebooks::{Notebook, Trail},
        who_saw::{Did, Seen, Visit, WhoSaw},
    },
};

use super::{
    People,
    local::see_other,
    request::{away, field, fields, page as answer, visitor},
};
use crate::{
    frame,
    html::escape,
    language::Language,
    messages::{messages, people::Sentences},
    missing,
};

/// The way to the page from a notebook, for who may see it.
pub fn link(notebook: &Notebook, language: Language) -> String {
    let text = &messages(language).people;
    match notebook.trail {
        Trail::ForOthers => String::new(),
        Trail::Shown => format!(" — <a href=\"/who-saw/{}\">{}</a>", escape(&notebook.person), text.who_saw),
    }
}

/// Who did what in a notebook, the latest first, some at a time.
pub async fn page(
    State(people): State<Arc<People>>,
    Path(person): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let language = frame::preferred(&headers);
    let session = match visitor(&people, &headers).await {
        Ok(Some(session)) => session,
        Ok(None) => return see_other(&format!("/sign-in?back=/who-saw/{}", in_address(&person))),
        Err(answer) => return answer,
    };
    let query = fields(query.unwrap_or_default().as_bytes());
    let before = field(&query, "before").map(str::to_owned);
    let caller = Caller::in_person(session.identity.clone(), Arc::clone(&people.bases));
    let asked = WhoSaw { person: person.clone(), before };
    match people.app.execute(&caller, asked).await {
        Ok(seen) => answer(messages(language).people.who_saw, &told(&people, &person, &seen, language), language),
        // Neither whether there is such a notebook.
        Err(error) if matches!(error.refusal, Refusal::Unknown | Refusal::NotUnderstood) => {
            missing::page(headers).await
        }
        Err(error) => away(&headers, &error),
    }
}

/// Ids have no other letters; what has is no id, and leads to a page that says so.
fn in_address(person: &str) -> String {
    person.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect()
}

fn told(people: &People, person: &str, seen: &Seen, language: Language) -> String {
    let text = &messages(language).people;
    let mut main = format!("<p>{}</p>\n", text.who_saw_explained);
    if seen.visits.is_empty() && seen.next.is_none() {
        let _ = writeln!(main, "<p>{}</p>", text.who_saw_nobody);
    }
    let mut day: Option<Date> = None;
    for visit in &seen.visits {
        let at = visit.at.to_zoned(people.zone.clone());
        if day != Some(at.date()) {
            main.push_str(if day.is_some() { "</ul>\n" } else { "" });
            day = Some(at.date());
            let form = match language {
                Language::French => "%d/%m/%Y",
                Language::English => "%Y-%m-%d",
            };
            let _ = writeln!(
                main,
                "<h2><time datetime=\"{}\">{}</time></h2>\n<ul class=\"plain\">",
                at.date(),
                at.strftime(form)
            );
        }
        let _ = writeln!(
            main,
            "<li><time datetime=\"{}\">{}</time> — <strong>{}</strong> {}</li>",
            visit.at,
            at.strftime("%H:%M"),
            escape(visit.who.as_deref().unwrap_or(text.somebody)),
            did(visit, text),
        );
    }
    main.push_str(if day.is_some() { "</ul>\n" } else { "" });
    if let Some(next) = &seen.next {
        let _ = writeln!(
            main,
            "<p><a class=\"button\" rel=\"next\" href=\"/who-saw/{}?before={}\">{}</a></p>",
            escape(person),
            escape(next),
            text.earlier
        );
    }
    let _ = writeln!(main, "<p><a href=\"/\">{}</a></p>", messages(language).home);
    main
}

/// What was done, in words.
fn did(visit: &Visit, text: &Sentences) -> String {
    let (verb, counted) = match visit.did {
        Did::Read => (text.did_read, true),
        Did::Wrote => (text.did_write, true),
        Did::Changed => (text.did_change, true),
        Did::Deleted => (text.did_delete, true),
        Did::OpenedInEmergency => (text.did_open, false),
        Did::Exported => (text.did_export, false),
    };
    let many = |count: usize, [one, several]: [&str; 2]| match count {
        0 => None,
        1 => Some(one.to_owned()),
        more => Some(format!("{more} {several}")),
    };
    let things = [many(visit.notes, text.notes), many(visit.others, text.others)];
    let things: Vec<String> = things.into_iter().flatten().filter(|_| counted).collect();
    match things.is_empty() {
        true => verb.to_owned(),
        false => format!("{verb} {}", things.join(text.and)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_was_done_is_told_in_words() {
        let visit = |did, notes, others| Visit { at: Timestamp::UNIX_EPOCH, who: None, did, notes, others };
        let french = |one: Visit| did(&one, &messages(Language::French).people);
        assert_eq!(french(visit(Did::Read, 1, 0)), "a lu une note");
        assert_eq!(french(visit(Did::Wrote, 0, 1)), "a écrit un autre élément");
        assert_eq!(french(visit(Did::Changed, 2, 3)), "a modifié 2 notes et 3 autres éléments");
        assert_eq!(french(visit(Did::OpenedInEmergency, 0, 1)), "a ouvert ce cahier en urgence");
        assert_eq!(
            did(&visit(Did::Deleted, 1, 1), &messages(Language::English).people),
            "deleted one note and one other thing"
        );
    }
}
