use serde::{Deserialize, Serialize};

use super::{call::Call, fault::Fault};

/// Which faults to inject, and how often.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultPlan {
    /// Equal seeds make equal decisions for equal sequences of requests.
    pub seed: u64,
    /// The first matching rule applies.
    pub rules: Vec<FaultRule>,
    /// Maximum visibility timeout in seconds that functions can set for a message. `None`: no maximum.
    #[serde(rename = "longestPause", default, skip_serializing_if = "Option::is_none")]
    pub max_visibility_timeout: Option<u32>,
}

/// A fault and the requests that it affects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// The fault.
    pub fault: Fault,
    /// The service. `None`: all services, except requests of clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The operation. `None`: all operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The share of requests that are affected, from 0 to 1.
    #[serde(default = "always")]
    pub chance: f64,
    /// Maximum number of affected requests. `None`: no maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

fn always() -> f64 {
    1.0
}

impl FaultRule {
    /// Injects `fault` into this share of all requests.
    pub fn new(fault: Fault, chance: f64) -> Self {
        Self { fault, service: None, operation: None, chance, times: None }
    }

    /// Restricts the rule to a service.
    #[must_use]
    pub fn for_service(self, service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..self }
    }

    /// Restricts the rule to an operation.
    #[must_use]
    pub fn for_operation(self, operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..self }
    }

    /// Restricts the number of affected requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    fn matches(&self, call: &Call) -> bool {
        let service = match &self.service {
            Some(service) => *service == call.service,
            None => call.service != super::CLIENT,
        };
        service && self.operation.as_ref().is_none_or(|operation| *operation == call.operation)
    }
}

/// The index of the rule that applies to request `number` (from 0) for `call`. `hits` has the previous hits by rule; the
/// default is 0.
pub fn matching_rule(plan: &FaultPlan, hits: &[u32], call: &Call, number: u64) -> Option<usize> {
    plan.rules.iter().enumerate().position(|(index, rule)| {
        let hits = hits.get(index).copied().unwrap_or_default();
        rule.matches(call)
            && rule.times.is_none_or(|times| hits < times)
            && unit_interval(seeded_hash(plan.seed, &[index as u64, call_hash(call), number])) < rule.chance
    })
}

/// A pseudo-random number that depends only on the seed and the arguments (SplitMix64's mixing function).
pub fn seeded_hash(seed: u64, arguments: &[u64]) -> u64 {
    arguments.iter().fold(mix(seed), |state, argument| mix(state ^ mix(*argument)))
}

fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number in `[0, 1)`.
fn unit_interval(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// Hash of a call (FNV-1a).
fn call_hash(call: &Call) -> u64 {
    let bytes = call.service.bytes().chain([0]).chain(call.operation.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::CLIENT;

    fn plan(seed: u64, rules: Vec<FaultRule>) -> FaultPlan {
        FaultPlan { seed, rules, ..FaultPlan::default() }
    }

    fn hits(plan: &FaultPlan, call: &Call, requests: u64) -> Vec<Option<usize>> {
        (0..requests).map(|number| matching_rule(plan, &[], call, number)).collect()
    }

    proptest! {
        #[test]
        fn equal_seeds_make_equal_sequences(seed in any::<u64>(), chance in 0.0..1.0_f64) {
            let plan = plan(seed, vec![FaultRule::new(Fault::Refused, chance)]);
            let call = Call::new("s3", "GetObject");
            prop_assert_eq!(hits(&plan, &call, 100), hits(&plan, &call, 100));
        }

        #[test]
        fn share_of_affected_requests_matches_the_chance(seed in any::<u64>(), chance in 0.0..1.0_f64) {
            let plan = plan(seed, vec![FaultRule::new(Fault::Refused, chance)]);
            let hits = hits(&plan, &Call::new("sqs", "SendMessage"), 4_000).into_iter().flatten().count();
            // More than five standard deviations.
            prop_assert!((hits as f64 / 4_000.0 - chance).abs() < 0.045, "{hits} for {chance}");
        }

        #[test]
        fn rule_never_exceeds_its_maximum(
            seed in any::<u64>(), times in 0..20_u32, requests in 0..200_u64, chance in 0.0..=1.0_f64,
        ) {
            let plan = plan(seed, vec![FaultRule::new(Fault::Reset, chance).times(times)]);
            let mut hits = [0];
            for number in 0..requests {
                if matching_rule(&plan, &hits, &Call::new("sns", "Publish"), number).is_some() {
                    hits[0] += 1;
                }
            }
            prop_assert!(hits[0] <= times);
            if chance == 1.0 {
                prop_assert_eq!(u64::from(hits[0]), requests.min(times.into()));
            }
        }

        #[test]
        fn chance_0_never_applies_and_chance_1_always(seed in any::<u64>(), number in any::<u64>()) {
            let call = Call::new("sns", "Publish");
            let rules = vec![FaultRule::new(Fault::Reset, 0.0), FaultRule::new(Fault::Refused, 1.0)];
            prop_assert_eq!(matching_rule(&plan(seed, rules), &[], &call, number), Some(1));
        }
    }

    #[test]
    fn rule_applies_to_its_service_and_operation_only() {
        let rules = vec![
            FaultRule::new(Fault::Reset, 1.0).for_service("s3").for_operation("GetObject"),
            FaultRule::new(Fault::LostAnswer, 1.0).for_service("sqs"),
            FaultRule::new(Fault::Refused, 1.0).for_operation("Publish"),
            FaultRule::new(Fault::Partial, 1.0).for_service(CLIENT),
        ];
        let plan_of_rules = plan(7, rules);
        let hits = |service, operation| matching_rule(&plan_of_rules, &[], &Call::new(service, operation), 0);
        assert_eq!(hits("s3", "GetObject"), Some(0));
        assert_eq!(hits("s3", "PutObject"), None);
        assert_eq!(hits("sqs", "SendMessage"), Some(1));
        assert_eq!(hits("sns", "Publish"), Some(2));
        assert_eq!(hits(CLIENT, "PutObject"), Some(3));
        assert_eq!(
            matching_rule(&plan(1, vec![FaultRule::new(Fault::Reset, 1.0)]), &[], &Call::new(CLIENT, "PutObject"), 0),
            None
        );
    }

    #[test]
    fn other_seeds_or_calls_make_other_sequences() {
        let rules = || vec![FaultRule::new(Fault::Refused, 0.5)];
        let call = Call::new("s3", "GetObject");
        assert_ne!(hits(&plan(1, rules()), &call, 64), hits(&plan(2, rules()), &call, 64));
        assert_ne!(hits(&plan(1, rules()), &call, 64), hits(&plan(1, rules()), &Call::new("s3", "PutObject"), 64));
    }

    #[test]
    fn plan_is_read_from_json() {
        let text = r#"{"seed":7,"rules":[
            {"fault":{"answer":{"error":"throttled","retryAfter":2}},"service":"s3","operation":"GetObject","chance":0.1},
            {"fault":"lostAnswer","times":1},{"fault":{"hang":{"millis":500}}},{"fault":{"late":{"millis":5}}}],"longestPause":60}"#;
        let plan: FaultPlan = serde_json::from_str(text).expect("a plan");
        assert_eq!(plan.rules[1], FaultRule::new(Fault::LostAnswer, 1.0).times(1));
        assert_eq!(plan.max_visibility_timeout, Some(60));
        let parsed: FaultPlan = serde_json::from_value(serde_json::to_value(&plan).expect("JSON")).expect("a plan");
        assert_eq!(parsed, plan);
        for wrong in [
            r#"{"seed":7,"rules":[{"fault":"fire"}]}"#,
            r#"{"seed":7,"rules":[{"fault":{"answer":{"error":"tired"}}}]}"#,
            r#"{"seed":7,"rules":[{"fault":"reset","often":1}]}"#,
        ] {
            assert!(serde_json::from_str::<FaultPlan>(wrong).is_err(), "{wrong}");
        }
    }
}
