//! `Binary`, as bytes and as resources: <https://hl7.org/fhir/R4/binary.html#rest>.
//!
//! Whoever asks for FHIR gets FHIR; everybody else, browsers among them, gets the bytes, with
//! headers that keep a browser from executing them.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use liaison_app::{
    content::{self, Raw},
    operation::{
        create::Create,
        download::{Download, Downloaded},
        update::{Target, Update},
        vread::Vread,
    },
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};

use crate::{
    body::{self, Content},
    errors::Refused,
    exchange::{Answer, BinaryExchange, Exchange, Named, Versioned, Wants},
    interaction::{read, update::expected},
    negotiate::{self, MediaRange},
    preconditions::{IDEMPOTENCY_KEY, IF_NONE_EXIST, is_known, text_of},
    respond,
};

static SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");

/// Stores bytes, or a `Binary` sent as a resource.
pub async fn upload(BinaryExchange(exchange): BinaryExchange, content: Content) -> Answer {
    exchange.only(&[])?;
    let operation = Create {
        face: exchange.face.clone(),
        resource_type: "Binary",
        content: sent(content, &exchange)?,
        if_none_exist: exchange.header(&IF_NONE_EXIST)?,
        idempotency_key: exchange.header(&IDEMPOTENCY_KEY)?,
    };
    let written = exchange.execute(operation).await?;
    respond::written(&written, &exchange)
}

/// Replaces the bytes of a `Binary`.
pub async fn replace(BinaryExchange(exchange): BinaryExchange, Named(name): Named, content: Content) -> Answer {
    exchange.only(&[])?;
    let operation = Update {
        face: exchange.face.clone(),
        target: Target::Named(name),
        content: sent(content, &exchange)?,
        expected: expected(&exchange)?,
    };
    let written = exchange.execute(operation).await?;
    respond::written(&written, &exchange)
}

/// What was sent: a resource when the type says FHIR and nothing but FHIR, bytes otherwise. Plain
/// `application/json` and `application/xml` are the types of many attachments.
fn sent(content: Content, exchange: &Exchange) -> Result<content::Content, Refused> {
    let declared = text_of(&exchange.headers, &header::CONTENT_TYPE)?.unwrap_or("application/octet-stream");
    let is_fhir = MediaRange::read(declared).is_some_and(|range| negotiate::is_only_fhir(&range.name));
    if is_fhir {
        return Ok(content::Content::Resource(body::resource(&content, exchange)?));
    }
    Ok(content::Content::Raw(Raw {
        content_type: declared.to_owned(),
        bytes: content.0,
        security_context: exchange.header(&SECURITY_CONTEXT)?,
    }))
}

/// The bytes of a `Binary`, or the resource for those who ask for FHIR.
pub async fn download(BinaryExchange(exchange): BinaryExchange, Named(name): Named) -> Answer {
    if exchange.wants == Wants::Fhir {
        return read::read(exchange, Named(name)).await;
    }
    exchange.only(&[])?;
    let downloaded = exchange.execute(Download { name, version: None }).await?;
    send(downloaded, &exchange).await
}

/// As [`download`], of one version.
pub async fn download_version(BinaryExchange(exchange): BinaryExchange, Versioned(name, version): Versioned) -> Answer {
    exchange.only(&[])?;
    if exchange.wants == Wants::Fhir {
        let stored = exchange.execute(Vread { name, version }).await?;
        return respond::stored(&stored, &exchange);
    }
    let downloaded = exchange.execute(Download { name, version: Some(version) }).await?;
    send(downloaded, &exchange).await
}

async fn send(downloaded: Downloaded, exchange: &Exchange) -> Answer {
    exchange.accepts(&downloaded.content_type)?;
    if is_known(&exchange.headers, downloaded.resource.version(), downloaded.resource.updated())? {
        return Ok(respond::not_modified(&downloaded.resource));
    }
    let length = downloaded.length();
    let range = range(exchange, &downloaded, length)?;
    let content_type =
        HeaderValue::from_str(&downloaded.content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let stamped = downloaded.resource.clone();
    let sent = range.clone().unwrap_or(0..length);
    // The first piece is read before the status is out, so that what cannot be read is refused.
    let mut downloaded = downloaded.range(sent.clone());
    let first = downloaded.next().await?;
    let rest = stream::unfold(first.is_some().then_some(downloaded), |downloaded| async {
        let mut downloaded = downloaded?;
        match downloaded.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(downloaded))),
            Ok(None) => None,
            // The status is out: all that can be done is to cut the body short.
            Err(error) => Some((Err(error), None)),
        }
    });
    let mut response = Response::new(Body::from_stream(stream::iter(first.map(Ok)).chain(rest)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(sent.end - sent.start));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    respond::stamp(headers, &stamped);
    if let Some(range) = range {
        respond::put(
            headers,
            header::CONTENT_RANGE,
            &format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1)),
        );
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// The part asked for by `Range`; the whole when there is none, when several are asked for, or when
/// `If-Range` names another version.
fn range(exchange: &Exchange, downloaded: &Downloaded, length: u64) -> Result<Option<Range<u64>>, Refused> {
    let Some(asked) = text_of(&exchange.headers, &header::RANGE)? else { return Ok(None) };
    if let Some(of) = text_of(&exchange.headers, &header::IF_RANGE)?
        && of.trim_start_matches("W/").trim_matches('"') != downloaded.resource.version().to_string()
    {
        return Ok(None);
    }
    match read_range(asked, length) {
        Asked::Whole => Ok(None),
        Asked::Part(range) => Ok(Some(range)),
        Asked::Outside => Err(Refused::range(length)),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Outside,
}

/// Reads `bytes=a-b`, `bytes=a-` or `bytes=-n`. What is not of this form is left aside, as HTTP says.
fn read_range(text: &str, length: u64) -> Asked {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else {
        return Asked::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return Asked::Whole,
    };
    if range.start < range.end { Asked::Part(range) } else { Asked::Outside }
}

/// 406 for bytes of a type that the caller does not take.
pub(crate) fn not_accepted(content_type: &str) -> Refused {
    let text = text!(
        en: "The content is {content_type}: ask for that, for */*, or for application/fhir+json.",
        fr: "Le contenu est de type {content_type} : demandez ce type, */*, ou application/fhir+json.",
    );
    Refused::new(StatusCode::NOT_ACCEPTABLE, Issue::error(IssueKind::NotSupported, "http.Accept", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_http() {
        for (text, asked) in [
            ("bytes=0-3", Asked::Part(0..4)),
            ("bytes=4-", Asked::Part(4..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=8-99", Asked::Part(8..10)),
            ("bytes=10-", Asked::Outside),
            ("bytes=-0", Asked::Outside),
            ("bytes=3-1", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("lines=1-2", Asked::Whole),
        ] {
            assert_eq!(read_range(text, 10), asked, "{text}");
        }
        assert_eq!(read_range("bytes=0-", 0), Asked::Outside);
    }
}
