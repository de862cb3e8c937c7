//! Dates and times: reading them, and what each type allows.

use super::shown;
use crate::{outcome::Text, text};

/// A date or time as written, at the precision it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// 1 to 9999.
    pub year: i16,
    /// The month, 1 to 12, and the day when there is one.
    pub month: Option<(i8, Option<i8>)>,
    /// The time of day, only with a day.
    pub clock: Option<Clock>,
    /// The offset from UTC in seconds, only with a time.
    pub offset: Option<i32>,
}

/// A time of day as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
    /// 0 to 60: FHIR allows the leap second. Not needed in searches.
    pub second: Option<Second>,
}

/// A second as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Second {
    /// 0 to 60.
    pub whole: i8,
    /// What is written after the point, in microseconds; the rest is cut off.
    pub microseconds: i32,
    /// How many digits are written after the point.
    pub digits: usize,
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not written as dates are.
    Form,
    /// There is no such day.
    Calendar,
    /// There is no such time of day.
    Clock,
    /// There is no such offset.
    Offset,
}

pub(super) fn check_date(value: &str) -> Result<(), Text> {
    match read(value) {
        Ok(Moment { clock: None, .. }) => Ok(()),
        Ok(_) => Err(wrong(value, Fault::Form, Kind::Date)),
        Err(fault) => Err(wrong(value, fault, Kind::Date)),
    }
}

pub(super) fn check_date_time(value: &str) -> Result<(), Text> {
    match read(value) {
        Ok(Moment { clock: None, .. } | Moment { clock: Some(Clock { second: Some(_), .. }), offset: Some(_), .. }) => {
            Ok(())
        }
        Ok(_) => Err(wrong(value, Fault::Form, Kind::DateTime)),
        Err(fault) => Err(wrong(value, fault, Kind::DateTime)),
    }
}

pub(super) fn check_instant(value: &str) -> Result<(), Text> {
    match read(value) {
        Ok(Moment { clock: Some(Clock { second: Some(_), .. }), offset: Some(_), .. }) => Ok(()),
        Ok(_) => Err(wrong(value, Fault::Form, Kind::Instant)),
        Err(fault) => Err(wrong(value, fault, Kind::Instant)),
    }
}

pub(super) fn check_time(value: &str) -> Result<(), Text> {
    match read_clock(value.as_bytes()) {
        Ok((Clock { second: Some(_), .. }, [])) => Ok(()),
        Ok(_) => Err(wrong(value, Fault::Form, Kind::Time)),
        Err(fault) => Err(wrong(value, fault, Kind::Time)),
    }
}

/// Reads a date, with or without a time, with or without seconds and zone.
pub(super) fn read(value: &str) -> Result<Moment, Fault> {
    let (year, rest) = number(value.as_bytes(), 4).ok_or(Fault::Form)?;
    if year == 0 {
        return Err(Fault::Calendar);
    }
    let mut moment = Moment { year, month: None, clock: None, offset: None };
    let Some(rest) = after(rest, b'-')? else { return Ok(moment) };
    let (month, rest) = number(rest, 2).ok_or(Fault::Form)?;
    if !(1..=12).contains(&month) {
        return Err(Fault::Calendar);
    }
    let month = narrow(month)?;
    moment.month = Some((month, None));
    let Some(rest) = after(rest, b'-')? else { return Ok(moment) };
    let (day, rest) = number(rest, 2).ok_or(Fault::Form)?;
    let day = narrow(day)?;
    if day < 1 || day > days_in_month(year, month) {
        return Err(Fault::Calendar);
    }
    moment.month = Some((month, Some(day)));
    let Some(rest) = after(rest, b'T')? else { return Ok(moment) };
    let (clock, rest) = read_clock(rest)?;
    moment.clock = Some(clock);
    if !rest.is_empty() {
        moment.offset = Some(read_offset(rest)?);
    }
    Ok(moment)
}

pub(super) const fn days_in_month(year: i16, month: i8) -> i8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn read_clock(text: &[u8]) -> Result<(Clock, &[u8]), Fault> {
    let (hour, rest) = number(text, 2).ok_or(Fault::Form)?;
    let rest = rest.strip_prefix(b":").ok_or(Fault::Form)?;
    let (minute, rest) = number(rest, 2).ok_or(Fault::Form)?;
    if hour > 23 || minute > 59 {
        return Err(Fault::Clock);
    }
    let (hour, minute) = (narrow(hour)?, narrow(minute)?);
    let Some(rest) = rest.strip_prefix(b":") else {
        return Ok((Clock { hour, minute, second: None }, rest));
    };
    let (whole, rest) = number(rest, 2).ok_or(Fault::Form)?;
    if whole > 60 {
        return Err(Fault::Clock);
    }
    let mut second = Second { whole: narrow(whole)?, microseconds: 0, digits: 0 };
    let Some(fraction) = rest.strip_prefix(b".") else {
        return Ok((Clock { hour, minute, second: Some(second) }, rest));
    };
    second.digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
    if second.digits == 0 {
        return Err(Fault::Form);
    }
    let (digits, rest) = fraction.split_at(second.digits);
    second.microseconds =
        digits.iter().chain(std::iter::repeat(&b'0')).take(6).fold(0, |sum, b| sum * 10 + i32::from(b - b'0'));
    Ok((Clock { hour, minute, second: Some(second) }, rest))
}

/// `Z`, or hours and minutes up to 14:00 either way.
fn read_offset(text: &[u8]) -> Result<i32, Fault> {
    let (sign, rest) = match text.split_first() {
        Some((b'Z', [])) => return Ok(0),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        _ => return Err(Fault::Form),
    };
    let (hours, rest) = number(rest, 2).ok_or(Fault::Form)?;
    let rest = rest.strip_prefix(b":").ok_or(Fault::Form)?;
    let (minutes, rest) = number(rest, 2).ok_or(Fault::Form)?;
    if !rest.is_empty() {
        return Err(Fault::Form);
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    if minutes > 59 || seconds > 14 * 3600 {
        return Err(Fault::Offset);
    }
    Ok(sign * seconds)
}

/// Exactly that many digits, and what follows them.
fn number(text: &[u8], digits: usize) -> Option<(i16, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    if !head.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((head.iter().fold(0, |sum, b| sum * 10 + i16::from(b - b'0')), rest))
}

/// What follows that separator, or nothing at the end of the text.
fn after(text: &[u8], separator: u8) -> Result<Option<&[u8]>, Fault> {
    match text.split_first() {
        None => Ok(None),
        Some((first, rest)) if *first == separator => Ok(Some(rest)),
        Some(_) => Err(Fault::Form),
    }
}

fn narrow(number: i16) -> Result<i8, Fault> {
    i8::try_from(number).map_err(|_| Fault::Form)
}

#[derive(Clone, Copy)]
enum Kind {
    Date,
    DateTime,
    Instant,
    Time,
}

fn wrong(value: &str, fault: Fault, kind: Kind) -> Text {
    let value = shown(value);
    match fault {
        Fault::Calendar => text!(
            en: "\"{value}\" is not a date of the calendar.",
            fr: "« {value} » n'est pas une date du calendrier.",
        ),
        Fault::Clock => text!(
            en: "\"{value}\" holds no time of day that exists (00:00:00 to 23:59:59).",
            fr: "« {value} » contient une heure qui n'existe pas (00:00:00 à 23:59:59).",
        ),
        Fault::Offset => text!(
            en: "\"{value}\" holds no time zone offset that exists (-14:00 to +14:00).",
            fr: "« {value} » contient un décalage horaire qui n'existe pas (-14:00 à +14:00).",
        ),
        Fault::Form => match kind {
            Kind::Date => text!(
                en: "\"{value}\" is not a date; write YYYY, YYYY-MM or YYYY-MM-DD.",
                fr: "« {value} » n'est pas une date ; écrire AAAA, AAAA-MM ou AAAA-MM-JJ.",
            ),
            Kind::DateTime => text!(
                en: "\"{value}\" is not a dateTime; write YYYY, YYYY-MM, YYYY-MM-DD, or a day with a time with seconds and zone such as 2024-05-01T10:00:00+02:00.",
                fr: "« {value} » n'est pas un dateTime ; écrire AAAA, AAAA-MM, AAAA-MM-JJ, ou un jour avec une heure avec secondes et fuseau comme 2024-05-01T10:00:00+02:00.",
            ),
            Kind::Instant => text!(
                en: "\"{value}\" is not an instant; write a day, a time with seconds and a zone such as 2024-05-01T10:00:00+02:00.",
                fr: "« {value} » n'est pas un instant ; écrire un jour, une heure avec secondes et un fuseau comme 2024-05-01T10:00:00+02:00.",
            ),
            Kind::Time => text!(
                en: "\"{value}\" is not a time; write hh:mm:ss.",
                fr: "« {value} » n'est pas une heure ; écrire hh:mm:ss.",
            ),
        },
    }
}
