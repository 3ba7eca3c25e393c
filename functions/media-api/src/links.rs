use std::time::{Duration, SystemTime};

use aws_sdk_s3::{Client, presigning::PresigningConfig};
use function_kit::failure::Failure;
use jiff::Timestamp;

/// How long a link works, from the start of its epoch. A link also dies with the session that
/// signed it, at the earliest some hours after this function started.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long links stay the same, in seconds.
const EPOCH_SECONDS: i64 = 5 * 60;

/// Signs links to derived files; the bucket itself is closed.
pub struct Links {
    pub s3: Client,
    pub bucket: String,
}

/// A time in which links are signed alike, so that what holds them may be kept and asked for again
/// by its `ETag`: whoever is told in an epoch that nothing changed has links from that epoch, which
/// work for ten more minutes at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(i64);

impl Epoch {
    /// The epoch of `now`.
    pub fn of(now: Timestamp) -> Self {
        Self(now.as_second().div_euclid(EPOCH_SECONDS))
    }

    /// Its number.
    pub fn number(self) -> i64 {
        self.0
    }

    fn start(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(self.0 * EPOCH_SECONDS).unwrap_or_default())
    }
}

impl Links {
    /// A link that lets whoever has it fetch the file at `key`, until 15 minutes after the start of
    /// `epoch`. No call to AWS.
    pub async fn to(&self, key: &str, epoch: Epoch) -> Result<String, Failure> {
        let signing = PresigningConfig::builder().start_time(epoch.start()).expires_in(LIFETIME).build();
        let signing = signing.map_err(|error| Failure::bug("sign a link", error))?;
        let request = self.s3.get_object().bucket(&self.bucket).key(key).presigned(signing).await;
        request.map(|request| request.uri().to_owned()).map_err(|error| Failure::aws("sign a link", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_the_same_for_five_minutes() {
        let at = |text: &str| Epoch::of(text.parse().expect("a time"));
        assert_eq!(at("2026-11-22T00:00:00Z"), at("2026-11-22T00:04:59.999Z"));
        assert_ne!(at("2026-11-22T00:04:59.999Z"), at("2026-11-22T00:05:00Z"));
        let start = Timestamp::try_from(at("2026-11-22T00:09:59Z").start()).expect("a time");
        assert_eq!(start.to_string(), "2026-11-22T00:05:00Z");
    }
}
