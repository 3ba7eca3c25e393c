use fault_proxy::{CLIENT, Fault, FaultPlan, FaultRule, ServiceError, seeded_hash};

/// Maximum visibility timeout in seconds. The functions' backoff of up to 18 minutes would take too long.
const MAX_VISIBILITY_TIMEOUT: u32 = 60;

/// The writes of functions to DynamoDB. Most have a condition.
pub const CONDITIONAL_WRITES: [&str; 5] =
    ["BatchExecuteStatement", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"];

/// The fault plan of a seed: all kinds of faults, at rates at which retries eventually succeed.
pub fn plan(seed: u64) -> FaultPlan {
    let error = |error, retry_after| Fault::Answer { error, retry_after };
    let shares = [
        (Fault::Refused, 0.010),
        (Fault::Reset, 0.010),
        (Fault::LostAnswer, 0.015),
        (Fault::Late { millis: 400 }, 0.030),
        (error(ServiceError::Throttled, None), 0.010),
        (error(ServiceError::Throttled, Some(1)), 0.005),
        (error(ServiceError::InternalError, None), 0.010),
        (error(ServiceError::Unavailable, None), 0.005),
        (error(ServiceError::Unavailable, Some(1)), 0.005),
        (Fault::Partial, 0.150),
        (error(ServiceError::ExpiredCredentials, None), 0.003),
        (error(ServiceError::UnknownCredentials, None), 0.002),
        (error(ServiceError::WrongClock, None), 0.002),
        (error(ServiceError::AccessDenied, None), 0.003),
        (error(ServiceError::KeyDenied, None), 0.002),
        (error(ServiceError::MissingResource, None), 0.002),
        (error(ServiceError::Conflict, None), 0.010),
        // Longer than the functions' timeout per attempt.
        (Fault::Hang { millis: 12_000 }, 0.001),
    ];
    let mut rules: Vec<_> = shares
        .into_iter()
        .zip(0..)
        .map(|((fault, share), at)| FaultRule::new(fault, share * fault_rate_multiplier(seed, at)))
        .collect();
    // Clients also have unreliable networks.
    rules.extend([
        FaultRule::new(Fault::LostAnswer, 0.05).for_service(CLIENT).for_operation("PutObject"),
        FaultRule::new(Fault::Refused, 0.05).for_service(CLIENT).for_operation("PutObject"),
    ]);
    // The conditions of these writes must recognise what an attempt with a lost answer has written.
    rules.extend(
        CONDITIONAL_WRITES
            .map(|operation| FaultRule::new(Fault::LostAnswer, 0.05).for_service("dynamodb").for_operation(operation)),
    );
    FaultPlan { seed, rules, max_visibility_timeout: Some(MAX_VISIBILITY_TIMEOUT) }
}

/// Varies the rate of a fault by seed: half, one or double.
fn fault_rate_multiplier(seed: u64, at: u64) -> f64 {
    match seeded_hash(seed, &[at]) % 3 {
        0 => 0.5,
        1 => 1.0,
        _ => 2.0,
    }
}
