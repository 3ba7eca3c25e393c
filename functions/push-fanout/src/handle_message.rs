//! Step 2: notifies the recipients of a message.

use domain::push::{Event, rules};
use function_kit::failure::Failure;

use crate::{
    erasure,
    follower_pages::PagePosition,
    inbox,
    message::{Continuation, FollowerPage, Message, PendingEvents},
    notify::Notifier,
    ports::Ports,
};

impl<P: Ports> Notifier<'_, P> {
    /// Notifies the recipients of a message, after the whole batch was projected.
    pub async fn handle(&self, message: Message) -> Result<(), Failure> {
        match message {
            Message::Change(received) => {
                self.resume_pending(&received.change, &received.id).await?;
                inbox::withdraw_removed(self.ports, &received).await?;
                match Event::of(&received) {
                    Some(event) => self.process(&event).await.map(drop),
                    None => Ok(()),
                }
            }
            Message::ExportReady(ready) => self.notify_of_export(ready).await,
            Message::Continuation(continuation) => match *continuation {
                Continuation::FollowerPage(FollowerPage {
                    event,
                    rule,
                    after,
                    number,
                    visible_since,
                    cooldown_holder,
                }) => {
                    let rule =
                        rules::by_id(&rule).ok_or_else(|| Failure::bug("continue an audience", "unknown rule"))?;
                    let page = PagePosition { after: Some(after), number, visible_since, cooldown_holder };
                    self.continue_audience(&event, rule, &page).await
                }
                Continuation::PendingEvents(PendingEvents { vertex, cause, after, number }) => {
                    self.process_pending(&vertex, &cause, Some(&after), number).await
                }
                Continuation::Erasure(page) => erasure::erase(self.ports, page).await,
                Continuation::InboxWithdrawal(page) => inbox::withdraw_from_followers(self.ports, page).await,
            },
        }
    }
}
