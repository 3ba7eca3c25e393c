use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use domain::push::Platform;

use super::{
    message::{Message, FcmRequest, VALIDATE_ONLY},
    notice::Notice,
    record::{Notification, Profile, Reachability, UndisplayedMessage, UndisplayedReason},
};

/// Messages that wait for a phone, without a collapse key; one more, and FCM drops them all.
const MAX_PENDING: usize = 100;
/// Collapse keys that FCM keeps for a phone.
const MAX_COLLAPSE_KEYS: usize = 4;
/// Notifications that Android shows of one app.
const MAX_SHOWN: usize = 50;

/// What FCM answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FcmResponse {
    /// It has taken the message.
    Accepted,
    /// `UNREGISTERED`.
    Unregistered,
    /// `INVALID_ARGUMENT`.
    InvalidArgument,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct DeliveryContext {
    /// The phone's token.
    pub token: String,
    /// The endpoint that was published to.
    pub endpoint_arn: String,
    /// SNS's id.
    pub message_id: String,
    /// When SNS took it.
    pub accepted_at: i64,
}

/// A phone and what it shows.
#[derive(Debug, Clone)]
pub struct Phone {
    /// How it is set up.
    pub profile: Profile,
    /// Whether it can be reached.
    pub reach: Reachability,
    /// What it shows, the oldest first.
    pub screen: Vec<Arc<Notification>>,
    pending: Vec<PendingMessage>,
}

#[derive(Debug, Clone)]
struct PendingMessage {
    context: DeliveryContext,
    message: Message,
    /// Notifications that name no key share one: the app's.
    collapse_key: Option<String>,
    expires_at: i64,
}

/// FCM, and the phones that it reaches. It has no clock: `now` is told, in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct Fcm {
    phones: BTreeMap<String, Phone>,
    notifications: VecDeque<Arc<Notification>>,
    undisplayed: VecDeque<UndisplayedMessage>,
    sequence: u64,
    /// How many notifications, and how many that are not shown, are remembered.
    history_limit: usize,
}

impl Fcm {
    /// One that remembers so much.
    pub fn new(history_limit: usize) -> Self {
        Self { history_limit, ..Self::default() }
    }

    /// Sets up a phone, or sets it up anew; what it shows stays.
    pub fn register_phone(&mut self, token: &str, profile: Profile) {
        self.phone(token).profile = profile;
    }

    /// The phones, by token.
    pub fn phones(&self) -> &BTreeMap<String, Phone> {
        &self.phones
    }

    /// Notifications after `since`, the oldest first.
    pub fn notifications(&self, since: u64) -> impl Iterator<Item = &Notification> {
        let known = self.notifications.partition_point(|notification| notification.sequence <= since);
        self.notifications.range(known..).map(Arc::as_ref)
    }

    /// What was not shown after `since`, the oldest first.
    pub fn undisplayed(&self, since: u64) -> impl Iterator<Item = &UndisplayedMessage> {
        let known = self.undisplayed.partition_point(|undisplayed| undisplayed.sequence <= since);
        self.undisplayed.range(known..)
    }

    /// The number of what happened last.
    pub fn head(&self) -> u64 {
        self.sequence
    }

    /// FCM is given a message.
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
                self.arrive(context, &message, now);
                return FcmResponse::Accepted;
            }
            (Reachability::Offline, Ok(message)) => message,
        };
        self.wait(context, message, request.ttl, now);
        FcmResponse::Accepted
    }

    /// The phone is switched on or off, or its token changes. What has waited arrives.
    pub fn set_reachability(&mut self, token: &str, reach: Reachability, now: i64) {
        let phone = self.phone(token);
        phone.reach = reach;
        if reach != Reachability::Online {
            return;
        }
        for PendingMessage { context, message, expires_at, .. } in std::mem::take(&mut phone.pending) {
            if now < expires_at {
                self.arrive(context, &message, now);
            } else {
                self.record_undisplayed(&context, UndisplayedReason::Expired, now);
            }
        }
    }

    /// Forgets phones and what they have got. Numbers go on.
    pub fn reset(&mut self) {
        self.phones.clear();
        self.notifications.clear();
        self.undisplayed.clear();
    }

    /// The phone with this token. Every token that an app has told SNS is some phone's: one that
    /// nobody has set up is an Android phone in English.
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

    fn wait(&mut self, context: DeliveryContext, message: Message, ttl: i64, now: i64) {
        if ttl == 0 {
            // Now or never.
            self.record_undisplayed(&context, UndisplayedReason::Expired, now);
            return;
        }
        let key = message.android.collapse_key.clone().or_else(|| message.is_shown().then(String::new));
        let pending = &mut self.phone(&context.token).pending;
        let mut gone = Vec::new();
        match &key {
            Some(key) => {
                let same = |pending: &mut PendingMessage| pending.collapse_key.as_ref() == Some(key);
                gone.extend(pending.extract_if(.., same).map(|pending| (pending.context, UndisplayedReason::Collapsed)));
                let mut keys: Vec<_> = pending.iter().filter_map(|pending| pending.collapse_key.clone()).collect();
                // FCM does not say which keys it keeps: here, the newest.
                if keys.len() >= MAX_COLLAPSE_KEYS {
                    let oldest = keys.swap_remove(0);
                    let is_oldest = |pending: &mut PendingMessage| pending.collapse_key.as_ref() == Some(&oldest);
                    gone.extend(pending.extract_if(.., is_oldest).map(|pending| (pending.context, UndisplayedReason::Dropped)));
                }
            }
            None if pending.iter().filter(|pending| pending.collapse_key.is_none()).count() >= MAX_PENDING => {
                let all = pending.extract_if(.., |pending| pending.collapse_key.is_none());
                gone.extend(all.map(|pending| (pending.context, UndisplayedReason::Dropped)));
            }
            None => {}
        }
        pending.push(PendingMessage { context, message, collapse_key: key, expires_at: now.saturating_add(ttl * 1000) });
        for (context, reason) in gone {
            self.record_undisplayed(&context, reason, now);
        }
    }

    fn arrive(&mut self, context: DeliveryContext, message: &Message, now: i64) {
        let sequence = self.sequence + 1;
        let phone = self.phone(&context.token);
        let Some(notice) = Notice::of(message, phone.profile.platform, &phone.profile.language) else {
            self.record_undisplayed(&context, UndisplayedReason::DataOnly, now);
            return;
        };
        let is_same = |shown: &Arc<Notification>| notice.tag.is_some() && shown.notice.tag == notice.tag;
        let place = phone.screen.iter().position(is_same);
        let notification = Arc::new(Notification {
            sequence,
            accepted_at: context.accepted_at,
            received_at: now,
            phone: phone.profile.name.clone(),
            language: phone.profile.language.clone(),
            platform: phone.profile.platform,
            replaced: place.is_some(),
            notice,
            data: message.data(),
            token: context.token,
            endpoint_arn: context.endpoint_arn,
            message_id: context.message_id,
        });
        match place.and_then(|place| phone.screen.get_mut(place)) {
            Some(shown) => *shown = notification.clone(),
            None => {
                if phone.screen.len() == MAX_SHOWN {
                    phone.screen.remove(0);
                }
                phone.screen.push(notification.clone());
            }
        }
        self.sequence = sequence;
        remember(&mut self.notifications, notification, self.history_limit);
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
        remember(&mut self.undisplayed, undisplayed, self.history_limit);
    }
}

fn remember<T>(list: &mut VecDeque<T>, item: T, history_limit: usize) {
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

    /// A notification with a tag, and a collapse key.
    fn note(title: &str, tag: Option<&str>, key: Option<&str>, ttl: &str) -> Value {
        json!({"android": {"ttl": ttl, "collapse_key": key, "notification": {"title": title, "tag": tag}}})
    }

    fn screen(fcm: &Fcm) -> Vec<&str> {
        fcm.phones()["t"].screen.iter().map(|shown| shown.notice.title.as_str()).collect()
    }

    fn whys(fcm: &Fcm) -> Vec<UndisplayedReason> {
        fcm.undisplayed(0).map(|undisplayed| undisplayed.reason.clone()).collect()
    }

    #[test]
    fn the_same_tag_replaces_in_place() {
        let mut fcm = fcm();
        for (title, tag) in [("a1", Some("a")), ("b1", Some("b")), ("a2", Some("a")), ("n1", None), ("n2", None)] {
            assert_eq!(send(&mut fcm, note(title, tag, None, "60s")), FcmResponse::Accepted);
        }
        assert_eq!(screen(&fcm), ["a2", "b1", "n1", "n2"]);
        let replaced: Vec<_> = fcm.notifications(2).map(|shown| (shown.sequence, shown.replaced)).collect();
        assert_eq!(replaced, [(3, true), (4, false), (5, false)]);
    }

    #[test]
    fn what_waits_arrives_unless_it_is_too_old() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Offline, NOW);
        send(&mut fcm, note("soon", None, Some("1"), "10s"));
        send(&mut fcm, note("late", None, Some("2"), "5s"));
        send(&mut fcm, note("never", None, Some("3"), "0s"));
        assert_eq!(fcm.notifications(0).count(), 0);
        fcm.set_reachability("t", Reachability::Online, NOW + 9_999);
        assert_eq!(screen(&fcm), ["soon"]);
        assert_eq!(whys(&fcm), [UndisplayedReason::Expired, UndisplayedReason::Expired]);
        let arrived = fcm.notifications(0).next().unwrap();
        assert_eq!((arrived.accepted_at, arrived.received_at), (NOW, NOW + 9_999));
        fcm.set_reachability("t", Reachability::Online, NOW + 10_000);
        assert_eq!(screen(&fcm), ["soon"], "once");
    }

    #[test]
    fn only_the_last_of_a_collapse_key_waits_and_four_keys_do() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Offline, NOW);
        for (title, key) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("c1", "c"), ("d1", "d"), ("e1", "e")] {
            send(&mut fcm, note(title, None, Some(key), "60s"));
        }
        fcm.set_reachability("t", Reachability::Online, NOW);
        assert_eq!(screen(&fcm), ["a2", "c1", "d1", "e1"]);
        assert_eq!(whys(&fcm), [UndisplayedReason::Collapsed, UndisplayedReason::Dropped]);
    }

    #[test]
    fn notifications_without_a_key_share_the_apps_and_data_never_collapses() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Offline, NOW);
        send(&mut fcm, note("first", None, None, "60s"));
        send(&mut fcm, note("second", None, None, "60s"));
        for _ in 0..MAX_PENDING {
            send(&mut fcm, json!({"data": {"a": "b"}}));
        }
        assert_eq!(whys(&fcm), [UndisplayedReason::Collapsed]);
        send(&mut fcm, json!({"data": {"a": "b"}}));
        assert_eq!(whys(&fcm).iter().filter(|why| **why == UndisplayedReason::Dropped).count(), MAX_PENDING);
        fcm.set_reachability("t", Reachability::Online, NOW);
        assert_eq!(screen(&fcm), ["second"]);
        assert_eq!(whys(&fcm).last(), Some(&UndisplayedReason::DataOnly), "the one after those that were dropped");
    }

    #[test]
    fn fcm_says_what_is_wrong_with_a_token() {
        let mut fcm = fcm();
        fcm.set_reachability("t", Reachability::Stale, NOW);
        assert_eq!(send(&mut fcm, note("x", None, None, "60s")), FcmResponse::Unregistered);
        fcm.set_reachability("t", Reachability::Invalid, NOW);
        assert_eq!(send(&mut fcm, note("x", None, None, "60s")), FcmResponse::InvalidArgument);
        fcm.set_reachability("t", Reachability::Online, NOW);
        assert_eq!(send(&mut fcm, json!({"data": {"n": 1}})), FcmResponse::InvalidArgument);
        assert!(matches!(&whys(&fcm)[..], [UndisplayedReason::Stale, UndisplayedReason::Invalid(token), UndisplayedReason::Invalid(value)]
            if token.contains("registration token") && value.contains("TYPE_STRING")));
        assert!(screen(&fcm).is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut fcm = Fcm::new(10);
        for index in 0..60 {
            send(&mut fcm, note(&index.to_string(), None, None, "60s"));
        }
        assert_eq!((fcm.notifications(0).count(), fcm.head()), (10, 60));
        let titles = screen(&fcm);
        assert_eq!((titles.len(), titles.first(), titles.last()), (MAX_SHOWN, Some(&"10"), Some(&"59")));
    }
}
