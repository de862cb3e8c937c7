//! The moment of a resource: where it stands on the timeline of its type.

use liaison_fhir::search::index::{IndexRow, IndexValue};

use crate::contract::Instant;
use crate::dictionary::Kind;

/// A stretch of time, as kept beside each index row: start, and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// First microsecond; [`MISSING`] when the resource has none.
    pub(crate) instant: i64,
    /// Microseconds until the first one after.
    pub(crate) span: i64,
}

/// The instant of a resource without one: before all others, so that it comes last, newest first.
pub(crate) const MISSING: i64 = i64::MIN;

/// Open ends are kept as these, so that sums and differences of moments never overflow; all dates
/// FHIR can write lie between.
pub(crate) const FAR_PAST: i64 = -4_000_000_000_000_000_000;
/// See [`FAR_PAST`].
pub(crate) const FAR_FUTURE: i64 = 4_000_000_000_000_000_000;

impl Moment {
    /// The moment `[low, high)`.
    pub(crate) fn between(low: i64, high: i64) -> Self {
        let instant = low.clamp(FAR_PAST, FAR_FUTURE);
        Self { instant, span: high.clamp(instant, FAR_FUTURE) - instant }
    }

    /// The moment of a version: the value of the timeline parameter of its type, or its commit.
    pub(crate) fn of(kind: &Kind, rows: &[IndexRow], updated: Instant) -> Self {
        if kind.timeline.is_none() {
            return Self { instant: updated.0, span: 1 };
        }
        rows.iter()
            .filter(|row| Self::covers(kind, row))
            .filter_map(|row| match row.value {
                IndexValue::Date { low, high } => Some(Self::between(low, high)),
                _ => None,
            })
            .max_by_key(|moment| moment.instant)
            .unwrap_or(Self { instant: MISSING, span: 0 })
    }

    /// Whether an index row is a moment, and so needs no row of its own.
    pub(crate) fn covers(kind: &Kind, row: &IndexRow) -> bool {
        matches!(row.value, IndexValue::Date { .. })
            && *row.param.base == *kind.name
            && kind.timeline.as_deref() == Some(row.param.code)
    }

    /// First microsecond after.
    pub(crate) const fn end(self) -> i64 {
        self.instant + self.span
    }
}
