//! Moves transactions from the assembler to the outbox.

use std::{future::pending, mem};

use domain::graph::LaterRecords;
use neptune_streams::Part;

use super::state::{Closing, LookAhead, Worker};
use crate::{
    look_ahead::later_records,
    message::{is_unreadable, messages},
    run_error::RunError,
    run_outcome::RunOutcome,
};

impl<B, C> Worker<'_, B, C> {
    /// Moves transactions to the outbox while it has room.
    pub(super) fn fill_outbox(&mut self) {
        while !matches!(self.closing, Closing::Halt(_))
            && self.outbox.bytes() < self.settings.max_outbox_bytes
            && !self.is_looking_ahead()
        {
            let Some(part) = self.assembler.next_part() else { break };
            if self.task.last_commit.is_some_and(|last| part.commit_num > last) {
                self.closing = Closing::Finish(RunOutcome::Replayed);
                break;
            }
            self.push(part);
        }
    }

    /// Adds a part to the outbox. The first part of a transaction that has more waits until the others are known.
    pub(super) fn push(&mut self, part: Part) {
        // A part is never empty.
        let Some(last) = part.records.last() else { return };
        let (end, committed_at) = (last.position, last.commit_timestamp);
        let is_known = matches!(&self.look_ahead, LookAhead::Done(commit_num, _) if *commit_num == part.commit_num);
        if part.end.is_none() && !is_known {
            let (stream, settings, has_marks) = (self.stream, self.settings, self.assembler.has_seen_marks());
            let call = Box::pin(async move { later_records(stream, end, has_marks, settings).await });
            self.look_ahead = LookAhead::Running(part, call);
            return;
        }
        if part.end.is_some() {
            self.metrics.count("Transactions", 1);
        }
        let unreadable = part.records.iter().filter(|record| is_unreadable(record)).count();
        if unreadable > 0 {
            self.metrics.count_kind("Failures", ("Kind", "unreadable-record"), unreadable as u64);
        }
        let messages = messages(part.records, &self.task.id_prefix, |changes| match &self.look_ahead {
            LookAhead::Done(_, later) if part.end.is_none() => later.mark_partial(changes, end),
            _ => {}
        });
        self.metrics.count("Changes", messages.len() as u64);
        self.outbox.push(end, committed_at, messages);
    }

    pub(super) fn is_looking_ahead(&self) -> bool {
        matches!(self.look_ahead, LookAhead::Running(..))
    }

    /// Adds the part that waited.
    ///
    /// # Errors
    /// If the records behind it cannot be read.
    pub(super) fn finish_look_ahead(&mut self, result: Result<LaterRecords, RunError>) -> Result<(), RunError> {
        let later = result?;
        if let LookAhead::Running(part, _) = mem::take(&mut self.look_ahead) {
            self.look_ahead = LookAhead::Done(part.commit_num, later);
            self.push(part);
        }
        Ok(())
    }
}

/// The result of reading ahead; pending while nothing is read.
pub(super) async fn look_ahead(look_ahead: &mut LookAhead<'_>) -> Result<LaterRecords, RunError> {
    match look_ahead {
        LookAhead::Running(_, call) => call.await,
        LookAhead::Nothing | LookAhead::Done(..) => pending().await,
    }
}
