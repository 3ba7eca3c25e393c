//! Notifications on people's phones: whom they reach, and how they want to be told.

mod platform;
mod preferences;
mod token;

pub use platform::Platform;
pub use preferences::{Category, Delivery, InvalidQuietHours, Preferences, QuietHours};
pub use token::{InvalidToken, MAX_TOKEN_BYTES, Token};
