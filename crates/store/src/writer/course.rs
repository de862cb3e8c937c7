//! What a write goes through, as spans of the request it belongs to: waiting for its turn, then being
//! written and committed.
//!
//! Spans of the target `traced` are those that leave the program: they hold no data of persons. Without
//! anybody who takes them they are never made.

use tracing::Span;

use crate::figures::Turn;

/// Where a write stands.
pub(super) struct Course {
    turn: Option<Turn>,
    request: Span,
    stage: Span,
}

impl Course {
    /// It waits for its turn.
    pub(super) fn wait() -> Self {
        let request = Span::current();
        let stage = if request.is_none() {
            Span::none()
        } else {
            tracing::info_span!(target: "traced", parent: &request, "store.wait")
        };
        Self { turn: Some(Turn::wait()), request, stage }
    }

    /// Its turn has come; when it is run again, it still has it.
    pub(super) fn turn(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        turn.came();
        if !self.stage.is_disabled() {
            // The one ends before the other begins.
            self.stage = Span::none();
            self.stage = tracing::info_span!(target: "traced", parent: &self.request, "store.commit");
        }
    }
}
