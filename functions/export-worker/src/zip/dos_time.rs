use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Years after 1980 that the format has.
const MAX_YEARS: u32 = 127;

/// A time in the format of MS-DOS, in UTC: date and time of two bytes each, from 1980 to 2107, with two seconds precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DosTime(pub u32);

impl DosTime {
    /// The nearest time that the format has.
    pub fn of(time: Timestamp) -> Self {
        let time = time.to_zoned(TimeZone::UTC);
        let part = |value: i8| u32::from(value.unsigned_abs());
        let years = i32::from(time.year()) - 1980;
        match u32::try_from(years) {
            Err(_) => Self(1 << 21 | 1 << 16),
            Ok(years) if years > MAX_YEARS => Self(MAX_YEARS << 25 | 12 << 21 | 31 << 16 | 23 << 11 | 59 << 5 | 29),
            Ok(years) => {
                let date = years << 9 | part(time.month()) << 5 | part(time.day());
                let time = part(time.hour()) << 11 | part(time.minute()) << 5 | (part(time.second()) / 2);
                Self(date << 16 | time)
            }
        }
    }

    /// The two bytes of the time.
    pub fn time(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// The two bytes of the date.
    pub fn date(self) -> u16 {
        (self.0 >> 16) as u16
    }
}
