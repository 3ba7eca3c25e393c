use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use domain::push::Platform;

use super::{
    message::{FcmRequest, Message, VALIDATE_ONLY},
    notice::Notice,
    record::{Notification, Profile, Reachability, UndisplayedMessage, UndisplayedReason},
};

/// Maximum of pending messages without collapse key per phone. If exceeded, FCM drops all of them.
const MAX_PENDING: usize = 100;
/// Maximum of collapse keys with pending messages per phone.
const MAX_COLLAPSE_KEYS: usize = 4;
/// Maximum of displayed notifications per app on Android.
const MAX_DISPLAYED: usize = 50;

/// FCM's response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FcmResponse {
    /// The message is accepted.
    Accepted,
    /// `UNREGISTERED`.
    Unregistered,
    /// `INVALID_ARGUMENT`.
    InvalidArgument,
}

/// The token, endpoint and ids of a message.
#[derive(Debug, Clone)]
pub struct DeliveryContext {
    /// FCM token.
    pub token: String,
    /// ARN of the endpoint.
    pub endpoint_arn: String,
    /// SNS message id.
    pub message_id: String,
    /// When SNS accepted the message, in milliseconds since 1970.
    pub accepted_at: i64,
}

/// A phone and its messages.
#[derive(Debug, Clone)]
pub struct Phone {
    /// The profile.
    pub profile: Profile,
    /// The reachability.
    pub reach: Reachability,
    /// The displayed notifications, oldest first.
    pub screen: Vec<Arc<Notification>>,
    pending: Vec<PendingMessage>,
}

#[derive(Debug, Clone)]
struct PendingMessage {
    context: DeliveryContext,
    message: Message,
    /// Notifications without a key share the empty key.
    collapse_key: Option<String>,
    expires_at: i64,
}

/// FCM and the phones. The current time is a parameter, in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct Fcm {
    phones: BTreeMap<String, Phone>,
    notifications: VecDeque<Arc<Notification>>,
    undisplayed: VecDeque<UndisplayedMessage>,
    sequence: u64,
    /// Number of notifications, and of undisplayed messages, that are kept.
    history_limit: usize,
}

impl Fcm {
    /// FCM without phones.
    pub fn new(history_limit: usize) -> Self {
        Self { history_limit, ..Self::default() }
    }

    /// Registers a phone or changes its profile. Displayed notifications stay.
    pub fn register_phone(&mut self, token: &str, profile: Profile) {
        self.phone(token).profile = profile;
    }

    /// The phones, keyed by token.
    pub fn phones(&self) -> &BTreeMap<String, Phone> {
        &self.phones
    }

    /// The notifications after sequence number `since`, oldest first.
    pub fn notifications(&self, since: u64) -> impl Iterator<Item = &Notification> {
        let known = self.notifications.partition_point(|notification| notification.sequence <= since);
        self.notifications.range(known..).map(Arc::as_ref)
    }

    /// The undisplayed messages after sequence number `since`, oldest first.
    pub fn undisplayed(&self, since: u64) -> impl Iterator<Item = &UndisplayedMessage> {
        let known = self.undisplayed.partition_point(|undisplayed| undisplayed.sequence <= since);
        self.undisplayed.range(known..)
    }

    /// Sequence number of the latest event.
    pub fn head(&self) -> u64 {
        self.sequence
    }

    /// Sends a message to a phone.
    pub fn send(&mut self, context: DeliveryContext, request: FcmRequest, now: i64) -> FcmResponse {
        let message = match (self.phone(&context.token).reach, request.message) {
            (Reachability::Stale, _) => {
                self.record_undisplayed(&context, UndisplayedReason::Stale, now);
                return FcmResponse::Unregistered;
            }
            (_, Err(reason)) if reason == VALIDATE_ONLY => {
                self.record_undisplayed(&context, UndisplayedReason::ValidateOnly, now);
                return FcmResponse::Accepted;
            }
            (Reachability::Invalid, Ok(_)) => {
                let reason = "The registration token is not a valid FCM registration token".to_owned();
                self.record_undisplayed(&context, UndisplayedReason::Invalid(reason), now);
                return FcmResponse::InvalidArgument;
            }
            (_, Err(reason)) => {
                self.record_undisplayed(&context, UndisplayedReason::Invalid(reason), now);
                return FcmResponse::InvalidArgument;
            }
            (Reachability::Online, Ok(message)) => {
                self.deliver(context, &message, now);
                return FcmResponse::Accepted;
            }
            (Reachability::Offline, Ok(message)) => message,
        };
        self.enqueue(context, message, request.ttl, now);
        FcmResponse::Accepted
    }

    /// Changes the reachability of a phone. If it is online, pending messages are delivered.
    pub fn set_reachability(&mut self, token: &str, reach: Reachability, now: i64) {
        let phone = self.phone(token);
        phone.reach = reach;
        if reach != Reachability::Online {
            return;
        }
        for PendingMessage { context, message, expires_at, .. } in std::mem::take(&mut phone.pending) {
            if now < expires_at {
                self.deliver(context, &message, now);
            } else {
                self.record_undisplayed(&context, UndisplayedReason::Expired, now);
            }
        }
    }

    /// Deletes phones and their messages. Sequence numbers continue.
    pub fn reset(&mut self) {
        self.phones.clear();
        self.notifications.clear();
        self.undisplayed.clear();
    }

    /// The phone with this token. The default for an unregistered token is an Android phone in English.
    fn phone(&mut self, token: &str) -> &mut Phone {
        self.phones.entry(token.to_owned()).or_insert_with(|| Phone {
            profile: Profile {
                name: token.chars().take(12).collect(),
                language: "en".to_owned(),
                platform: Platform::Android,
            },
            reach: Reachability::default(),
            screen: Vec::new(),
            pending: Vec::new(),
        })
    }

    fn enqueue(&mut self, context: DeliveryContext, message: Message, ttl: i64, now: i64) {
        if ttl == 0 {
            // A time to live of 0 means immediate delivery only.
            self.record_undisplayed(&context, UndisplayedReason::Expired, now);
            return;
        }
        let key = message.android.collapse_key.clone().or_else(|| message.is_displayed().then(String::new));
        let pending = &mut self.phone(&context.token).pending;
        let mut removed = Vec::new();
        match &key {
            Some(key) => {
                let same = |pending: &mut PendingMessage| pending.collapse_key.as_ref() == Some(key);
                removed.extend(
                    pending.extract_if(.., same).map(|pending| (pending.context, UndisplayedReason::Collapsed)),
                );
                let mut keys: Vec<_> = pending.iter().filter_map(|pending| pending.collapse_key.clone()).collect();
                // FCM does not document which keys it keeps; here, the newest.
                if keys.len() >= MAX_COLLAPSE_KEYS {
                    let oldest = keys.swap_remove(0);
                    let is_oldest = |pending: &mut PendingMessage| pending.collapse_key.as_ref() == Some(&oldest);
                    removed.extend(
                        pending.extract_if(.., is_oldest).map(|pending| (pending.context, UndisplayedReason::Dropped)),
                    );
                }
            }
            None if pending.iter().filter(|pending| pending.collapse_key.is_none()).count() >= MAX_PENDING => {
                let all = pending.extract_if(.., |pending| pending.collapse_key.is_none());
                removed.extend(all.map(|pending| (pending.context, UndisplayedReason::Dropped)));
            }
            None => {}
        }
        pending.push(PendingMessage {
            context,
            message,
            collapse_key: key,
            expires_at: now.saturating_add(ttl * 1000),
        });
        for (context, reason) in removed {
            self.record_undisplayed(&context, reason, now);
        }
    }

    fn deliver(&mut self, context: DeliveryContext, message: &Message, now: i64) {
        let sequence = self.sequence + 1;
        let phone = self.phone(&context.token);
        let Some(notice) = Notice::of(message, phone.profile.platform, &phone.profile.language) else {
            self.record_undisplayed(&context, UndisplayedReason::DataOnly, now);
            return;
        };
        let is_same = |shown: &Arc<Notification>| notice.tag.is_some() && shown.notice.tag == notice.tag;
        let index = phone.screen.iter().position(is_same);
        let notification = Arc::new(Notification {
            sequence,
            accepted_at: context.accepted_at,
            received_at: now,
            phone: phone.profile.name.clone(),
            language: phone.profile.language.clone(),
            platform: phone.profile.platform,
            replaced: index.is_some(),
            notice,
            data: message.data(),
            token: context.token,
            endpoint_arn: context.endpoint_arn,
            message_id: context.message_id,
        });
        match index.and_then(|index| phone.screen.get_mut(index)) {
            Some(shown) => *shown = notification.clone(),
            None => {
                if phone.screen.len() == MAX_DISPLAYED {
                    phone.screen.remove(0);
                }
                phone.screen.push(notification.clone());
            }
        }
        self.sequence = sequence;
        push_bounded(&mut self.notifications, notification, self.history_limit);
    }

    fn record_undisplayed(&mut self, context: &DeliveryContext, reason: UndisplayedReason, now: i64) {
        self.sequence += 1;
        let undisplayed = UndisplayedMessage {
            sequence: self.sequence,
            at: now,
            token: context.token.clone(),
            endpoint_arn: context.endpoint_arn.clone(),
            message_id: context.message_id.clone(),
            reason,
        };
        push_bounded(&mut self.undisplayed, undisplayed, self.history_limit);
    }
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T, history_limit: usize) {
    if list.len() >= history_limit {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn fcm() -> Fcm {
        let mut fcm = Fcm::new(1000);
        fcm.register_phone("t", Profile { name: "Mina".into(), language: "ko".into(), platform: Platform::Android });
        fcm
    }

    fn context() -> DeliveryContext {
        DeliveryContext { token: "t".into(), endpoint_arn: "arn".into(), message_id: "m".into(), accepted_at: NOW }
    }

    fn send(fcm: &mut Fcm, message: Value) -> FcmResponse {
        let gcm = json!({"fcmV1Message": {"message": message}}).to_string();
        let body = json!({"default": "d", "GCM": gcm}).to_string();
        fcm.send(context(), FcmRequest::of(&body, true, &BTreeMap::new()).unwrap(), NOW)
    }

    /// A notification with a tag and a collapse key.
    fn note(title: &str, tag: Option<&str>, key: Option<&str>, ttl: &str) -> Value {
        json!({"android": {"ttl": ttl, "collapse_key": key, "notification": {"title": title, "tag": tag}}})
    }

    fn screen(fcm: &Fcm) -> Vec<&str> {
        fcm.phones()["t"].screen.iter().map(|shown| shown.notice.title.as_str()).collect()
    }

    fn reasons(fcm: &Fcm) -> Vec<UndisplayedReason> {
        fcm.undisplayed(0).map(|undisplayed| undisplayed.reason.clone()).collect()
    }

    #[test]
    fn notification_replaces_the_one_with_the_same_tag() {
        let mut fcm = fcm();
        for (title, tag) in [("a1", Some("a")), ("b1", Some("b")), ("a2", Some("a")), ("n1", None), ("n2", None)] {
            assert_eq!(send(&mut fcm, note(title, tag, None, "60s")), FcmResponse::Accepted);
        }
        assert_eq!(screen(&fcm), ["a2", "b1", "n1", "n2"]);
        let replaced: Vec<_> = fcm.notifications(2).map(|shown| (shown.sequence, shown.replaced)).collect();
        assert_eq!(replaced, [(3, true), (4, false), (5, false)]);
    }

    #[test]
    fn pending_message_is_delivered_unless_expired() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Offline, NOW);
        send(&mut fcm, note("soon", None, Some("1"), "10s"));
        send(&mut fcm, note("late", None, Some("2"), "5s"));
        send(&mut fcm, note("never", None, Some("3"), "0s"));
        assert_eq!(fcm.notifications(0).count(), 0);
        fcm.set_reachability("t", Reachability::Online, NOW + 9_999);
        assert_eq!(screen(&fcm), ["soon"]);
        assert_eq!(reasons(&fcm), [UndisplayedReason::Expired, UndisplayedReason::Expired]);
        let arrived = fcm.notifications(0).next().unwrap();
        assert_eq!((arrived.accepted_at, arrived.received_at), (NOW, NOW + 9_999));
        fcm.set_reachability("t", Reachability::Online, NOW + 10_000);
        assert_eq!(screen(&fcm), ["soon"], "delivered once");
    }

    #[test]
    fn latest_message_of_four_collapse_keys_is_kept() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Offline, NOW);
        for (title, key) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("c1", "c"), ("d1", "d"), ("e1", "e")] {
            send(&mut fcm, note(title, None, Some(key), "60s"));
        }
        fcm.set_reachability("t", Reachability::Online, NOW);
        assert_eq!(screen(&fcm), ["a2", "c1", "d1", "e1"]);
        assert_eq!(reasons(&fcm), [UndisplayedReason::Collapsed, UndisplayedReason::Dropped]);
    }

    #[test]
    fn notifications_without_key_collapse_and_data_messages_do_not() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Offline, NOW);
        send(&mut fcm, note("first", None, None, "60s"));
        send(&mut fcm, note("second", None, None, "60s"));
        for _ in 0..MAX_PENDING {
            send(&mut fcm, json!({"data": {"a": "b"}}));
        }
        assert_eq!(reasons(&fcm), [UndisplayedReason::Collapsed]);
        send(&mut fcm, json!({"data": {"a": "b"}}));
        assert_eq!(reasons(&fcm).iter().filter(|reason| **reason == UndisplayedReason::Dropped).count(), MAX_PENDING);
        fcm.set_reachability("t", Reachability::Online, NOW);
        assert_eq!(screen(&fcm), ["second"]);
        assert_eq!(reasons(&fcm).last(), Some(&UndisplayedReason::DataOnly), "the message after the dropped ones");
    }

    #[test]
    fn stale_or_invalid_token_is_rejected() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Stale, NOW);
        assert_eq!(send(&mut fcm, note("x", None, None, "60s")), FcmResponse::Unregistered);
        fcm.set_reachability("t", Reachability::Invalid, NOW);
        assert_eq!(send(&mut fcm, note("x", None, None, "60s")), FcmResponse::InvalidArgument);
        fcm.set_reachability("t", Reachability::Online, NOW);
        assert_eq!(send(&mut fcm, json!({"data": {"n": 1}})), FcmResponse::InvalidArgument);
        assert!(
            matches!(&reasons(&fcm)[..], [UndisplayedReason::Stale, UndisplayedReason::Invalid(token), UndisplayedReason::Invalid(value)]
            if token.contains("registration token") && value.contains("TYPE_STRING"))
        );
        assert!(screen(&fcm).is_empty());
    }

    #[test]
    fn history_is_bounded() {
        let mut fcm = Fcm::new(10);
        for index in 0..60 {
            send(&mut fcm, note(&index.to_string(), None, None, "60s"));
        }
        assert_eq!((fcm.notifications(0).count(), fcm.head()), (10, 60));
        let titles = screen(&fcm);
        assert_eq!((titles.len(), titles.first(), titles.last()), (MAX_DISPLAYED, Some(&"10"), Some(&"59")));
    }
}
