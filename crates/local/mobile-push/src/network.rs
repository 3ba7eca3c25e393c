use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use domain::push::Platform;

use super::{
    message::{Message, Outgoing, VALIDATE_ONLY},
    notice::Notice,
    record::{Notification, Profile, Reach, Unshown, Why},
};

/// Messages that wait for a phone, without a collapse key; one more, and FCM drops them all.
const MAX_WAITING: usize = 100;
/// Collapse keys that FCM keeps for a phone.
const MAX_COLLAPSE_KEYS: usize = 4;
/// Notifications that Android shows of one app.
const MAX_SHOWN: usize = 50;

/// What FCM answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has taken the message.
    Accepted,
    /// `UNREGISTERED`.
    Unregistered,
    /// `INVALID_ARGUMENT`.
    InvalidArgument,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Parcel {
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
    pub reach: Reach,
    /// What it shows, the oldest first.
    pub screen: Vec<Arc<Notification>>,
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone)]
struct Waiting {
    parcel: Parcel,
    message: Message,
    /// Notifications that name no key share one: the app's.
    collapse_key: Option<String>,
    expires_at: i64,
}

/// FCM, and the phones that it reaches. It has no clock: `now` is told, in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct Network {
    phones: BTreeMap<String, Phone>,
    notifications: VecDeque<Arc<Notification>>,
    unshown: VecDeque<Unshown>,
    sequence: u64,
    /// How many notifications, and how many that are not shown, are remembered.
    memory: usize,
}

impl Network {
    /// One that remembers so much.
    pub fn new(memory: usize) -> Self {
        Self { memory, ..Self::default() }
    }

    /// Sets up a phone, or sets it up anew; what it shows stays.
    pub fn set_up(&mut self, token: &str, profile: Profile) {
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
    pub fn unshown(&self, since: u64) -> impl Iterator<Item = &Unshown> {
        let known = self.unshown.partition_point(|unshown| unshown.sequence <= since);
        self.unshown.range(known..)
    }

    /// The number of what happened last.
    pub fn head(&self) -> u64 {
        self.sequence
    }

    /// FCM is given a message.
    pub fn send(&mut self, parcel: Parcel, outgoing: Outgoing, now: i64) -> Verdict {
        let message = match (self.phone(&parcel.token).reach, outgoing.message) {
            (Reach::Stale, _) => {
                self.not_shown(&parcel, Why::Stale, now);
                return Verdict::Unregistered;
            }
            (_, Err(reason)) if reason == VALIDATE_ONLY => {
                self.not_shown(&parcel, Why::ValidateOnly, now);
                return Verdict::Accepted;
            }
            (Reach::Invalid, Ok(_)) => {
                let reason = "The registration token is not a valid FCM registration token".to_owned();
                self.not_shown(&parcel, Why::Invalid(reason), now);
                return Verdict::InvalidArgument;
            }
            (_, Err(reason)) => {
                self.not_shown(&parcel, Why::Invalid(reason), now);
                return Verdict::InvalidArgument;
            }
            (Reach::Online, Ok(message)) => {
                self.arrive(parcel, &message, now);
                return Verdict::Accepted;
            }
            (Reach::Offline, Ok(message)) => message,
        };
        self.wait(parcel, message, outgoing.ttl, now);
        Verdict::Accepted
    }

    /// The phone is switched on or off, or its token changes. What has waited arrives.
    pub fn set_reach(&mut self, token: &str, reach: Reach, now: i64) {
        let phone = self.phone(token);
        phone.reach = reach;
        if reach != Reach::Online {
            return;
        }
        for Waiting { parcel, message, expires_at, .. } in std::mem::take(&mut phone.waiting) {
            if now < expires_at {
                self.arrive(parcel, &message, now);
            } else {
                self.not_shown(&parcel, Why::Expired, now);
            }
        }
    }

    /// Forgets phones and what they have got. Numbers go on.
    pub fn reset(&mut self) {
        self.phones.clear();
        self.notifications.clear();
        self.unshown.clear();
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
            reach: Reach::default(),
            screen: Vec::new(),
            waiting: Vec::new(),
        })
    }

    fn wait(&mut self, parcel: Parcel, message: Message, ttl: i64, now: i64) {
        if ttl == 0 {
            // Now or never.
            self.not_shown(&parcel, Why::Expired, now);
            return;
        }
        let key = message.android.collapse_key.clone().or_else(|| message.is_shown().then(String::new));
        let waiting = &mut self.phone(&parcel.token).waiting;
        let mut gone = Vec::new();
        match &key {
            Some(key) => {
                let same = |waiting: &mut Waiting| waiting.collapse_key.as_ref() == Some(key);
                gone.extend(waiting.extract_if(.., same).map(|waiting| (waiting.parcel, Why::Collapsed)));
                let mut keys: Vec<_> = waiting.iter().filter_map(|waiting| waiting.collapse_key.clone()).collect();
                // FCM does not say which keys it keeps: here, the newest.
                if keys.len() >= MAX_COLLAPSE_KEYS {
                    let oldest = keys.swap_remove(0);
                    let is_oldest = |waiting: &mut Waiting| waiting.collapse_key.as_ref() == Some(&oldest);
                    gone.extend(waiting.extract_if(.., is_oldest).map(|waiting| (waiting.parcel, Why::Dropped)));
                }
            }
            None if waiting.iter().filter(|waiting| waiting.collapse_key.is_none()).count() >= MAX_WAITING => {
                let all = waiting.extract_if(.., |waiting| waiting.collapse_key.is_none());
                gone.extend(all.map(|waiting| (waiting.parcel, Why::Dropped)));
            }
            None => {}
        }
        waiting.push(Waiting { parcel, message, collapse_key: key, expires_at: now.saturating_add(ttl * 1000) });
        for (parcel, why) in gone {
            self.not_shown(&parcel, why, now);
        }
    }

    fn arrive(&mut self, parcel: Parcel, message: &Message, now: i64) {
        let sequence = self.sequence + 1;
        let phone = self.phone(&parcel.token);
        let Some(notice) = Notice::of(message, phone.profile.platform, &phone.profile.language) else {
            self.not_shown(&parcel, Why::DataOnly, now);
            return;
        };
        let is_same = |shown: &Arc<Notification>| notice.tag.is_some() && shown.notice.tag == notice.tag;
        let place = phone.screen.iter().position(is_same);
        let notification = Arc::new(Notification {
            sequence,
            accepted_at: parcel.accepted_at,
            received_at: now,
            phone: phone.profile.name.clone(),
            language: phone.profile.language.clone(),
            platform: phone.profile.platform,
            replaced: place.is_some(),
            notice,
            data: message.data(),
            token: parcel.token,
            endpoint_arn: parcel.endpoint_arn,
            message_id: parcel.message_id,
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
        remember(&mut self.notifications, notification, self.memory);
    }

    fn not_shown(&mut self, parcel: &Parcel, why: Why, now: i64) {
        self.sequence += 1;
        let unshown = Unshown {
            sequence: self.sequence,
            at: now,
            token: parcel.token.clone(),
            endpoint_arn: parcel.endpoint_arn.clone(),
            message_id: parcel.message_id.clone(),
            why,
        };
        remember(&mut self.unshown, unshown, self.memory);
    }
}

fn remember<T>(list: &mut VecDeque<T>, item: T, memory: usize) {
    if list.len() >= memory {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn network() -> Network {
        let mut network = Network::new(1000);
        network.set_up("t", Profile { name: "Mina".into(), language: "ko".into(), platform: Platform::Android });
        network
    }

    fn parcel() -> Parcel {
        Parcel { token: "t".into(), endpoint_arn: "arn".into(), message_id: "m".into(), accepted_at: NOW }
    }

    fn send(network: &mut Network, message: Value) -> Verdict {
        let gcm = json!({"fcmV1Message": {"message": message}}).to_string();
        let body = json!({"default": "d", "GCM": gcm}).to_string();
        network.send(parcel(), Outgoing::of(&body, true, &BTreeMap::new()).unwrap(), NOW)
    }

    /// A notification with a tag, and a collapse key.
    fn note(title: &str, tag: Option<&str>, key: Option<&str>, ttl: &str) -> Value {
        json!({"android": {"ttl": ttl, "collapse_key": key, "notification": {"title": title, "tag": tag}}})
    }

    fn screen(network: &Network) -> Vec<&str> {
        network.phones()["t"].screen.iter().map(|shown| shown.notice.title.as_str()).collect()
    }

    fn whys(network: &Network) -> Vec<Why> {
        network.unshown(0).map(|unshown| unshown.why.clone()).collect()
    }

    #[test]
    fn the_same_tag_replaces_in_place() {
        let mut network = network();
        for (title, tag) in [("a1", Some("a")), ("b1", Some("b")), ("a2", Some("a")), ("n1", None), ("n2", None)] {
            assert_eq!(send(&mut network, note(title, tag, None, "60s")), Verdict::Accepted);
        }
        assert_eq!(screen(&network), ["a2", "b1", "n1", "n2"]);
        let replaced: Vec<_> = network.notifications(2).map(|shown| (shown.sequence, shown.replaced)).collect();
        assert_eq!(replaced, [(3, true), (4, false), (5, false)]);
    }

    #[test]
    fn what_waits_arrives_unless_it_is_too_old() {
        let mut network = network();
        network.set_reach("t", Reach::Offline, NOW);
        send(&mut network, note("soon", None, Some("1"), "10s"));
        send(&mut network, note("late", None, Some("2"), "5s"));
        send(&mut network, note("never", None, Some("3"), "0s"));
        assert_eq!(network.notifications(0).count(), 0);
        network.set_reach("t", Reach::Online, NOW + 9_999);
        assert_eq!(screen(&network), ["soon"]);
        assert_eq!(whys(&network), [Why::Expired, Why::Expired]);
        let arrived = network.notifications(0).next().unwrap();
        assert_eq!((arrived.accepted_at, arrived.received_at), (NOW, NOW + 9_999));
        network.set_reach("t", Reach::Online, NOW + 10_000);
        assert_eq!(screen(&network), ["soon"], "once");
    }

    #[test]
    fn only_the_last_of_a_collapse_key_waits_and_four_keys_do() {
        let mut network = network();
        network.set_reach("t", Reach::Offline, NOW);
        for (title, key) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("c1", "c"), ("d1", "d"), ("e1", "e")] {
            send(&mut network, note(title, None, Some(key), "60s"));
        }
        network.set_reach("t", Reach::Online, NOW);
        assert_eq!(screen(&network), ["a2", "c1", "d1", "e1"]);
        assert_eq!(whys(&network), [Why::Collapsed, Why::Dropped]);
    }

    #[test]
    fn notifications_without_a_key_share_the_apps_and_data_never_collapses() {
        let mut network = network();
        network.set_reach("t", Reach::Offline, NOW);
        send(&mut network, note("first", None, None, "60s"));
        send(&mut network, note("second", None, None, "60s"));
        for _ in 0..MAX_WAITING {
            send(&mut network, json!({"data": {"a": "b"}}));
        }
        assert_eq!(whys(&network), [Why::Collapsed]);
        send(&mut network, json!({"data": {"a": "b"}}));
        assert_eq!(whys(&network).iter().filter(|why| **why == Why::Dropped).count(), MAX_WAITING);
        network.set_reach("t", Reach::Online, NOW);
        assert_eq!(screen(&network), ["second"]);
        assert_eq!(whys(&network).last(), Some(&Why::DataOnly), "the one after those that were dropped");
    }

    #[test]
    fn fcm_says_what_is_wrong_with_a_token() {
        let mut network = network();
        network.set_reach("t", Reach::Stale, NOW);
        assert_eq!(send(&mut network, note("x", None, None, "60s")), Verdict::Unregistered);
        network.set_reach("t", Reach::Invalid, NOW);
        assert_eq!(send(&mut network, note("x", None, None, "60s")), Verdict::InvalidArgument);
        network.set_reach("t", Reach::Online, NOW);
        assert_eq!(send(&mut network, json!({"data": {"n": 1}})), Verdict::InvalidArgument);
        assert!(matches!(&whys(&network)[..], [Why::Stale, Why::Invalid(token), Why::Invalid(value)]
            if token.contains("registration token") && value.contains("TYPE_STRING")));
        assert!(screen(&network).is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut network = Network::new(10);
        for index in 0..60 {
            send(&mut network, note(&index.to_string(), None, None, "60s"));
        }
        assert_eq!((network.notifications(0).count(), network.head()), (10, 60));
        let titles = screen(&network);
        assert_eq!((titles.len(), titles.first(), titles.last()), (MAX_SHOWN, Some(&"10"), Some(&"59")));
    }
}
