use fault_proxy::{CLIENT, Fault, Plan, Rule, Status, seeded_hash};

/// In place of the 18 minutes that a message waits which failed four times (`function_kit::batch`), in
/// seconds: what matters is that it comes again.
const LONGEST_PAUSE: u32 = 60;

/// The faults under which the history of this seed is played: all kinds of them, few enough that what
/// is tried again and again is done at some time.
pub fn plan(seed: u64) -> Plan {
    let unable = |status, retry_after| Fault::Answer { status, retry_after };
    let shares = [
        (Fault::Refused, 0.010),
        (Fault::Reset, 0.010),
        (Fault::LostAnswer, 0.015),
        (Fault::Late { millis: 400 }, 0.030),
        (unable(Status::TooManyRequests, None), 0.010),
        (unable(Status::TooManyRequests, Some(1)), 0.005),
        (unable(Status::InternalError, None), 0.010),
        (unable(Status::Unavailable, None), 0.005),
        (unable(Status::Unavailable, Some(1)), 0.005),
        (Fault::Partial, 0.150),
        (Fault::ExpiredCredentials, 0.003),
        // Longer than the functions wait for one try of a call.
        (Fault::Hang { millis: 12_000 }, 0.001),
    ];
    let mut rules: Vec<_> =
        shares.into_iter().zip(0..).map(|((fault, share), at)| Rule::new(fault, share * strength(seed, at))).collect();
    // MobilePushEmulator' networks are no better.
    rules.extend([
        Rule::new(Fault::LostAnswer, 0.05).of(CLIENT).only("PutObject"),
        Rule::new(Fault::Refused, 0.05).of(CLIENT).only("PutObject"),
    ]);
    Plan { seed, rules, longest_pause: Some(LONGEST_PAUSE) }
}

/// Half, the whole or the double of it: each seed has a weather of its own.
fn strength(seed: u64, at: u64) -> f64 {
    match seeded_hash(seed, &[at]) % 3 {
        0 => 0.5,
        1 => 1.0,
        _ => 2.0,
    }
}
