use serde::{Deserialize, Serialize};

use super::{call::Call, fault::Fault};

/// What is to go wrong, and how often.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultPlan {
    /// With the same seed, the same requests meet the same faults.
    pub seed: u64,
    /// The first that strikes counts.
    pub rules: Vec<FaultRule>,
    /// Messages that are tried again later wait for so many seconds at most; without, as long as they are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_visibility_timeout: Option<u32>,
}

/// A fault, and which requests it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// The service that it strikes; without, all but what clients send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The operation that it strikes; without, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The share of requests that it strikes, from 0 to 1.
    #[serde(default = "always")]
    pub chance: f64,
    /// How many requests it strikes at most; without, any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

fn always() -> f64 {
    1.0
}

impl FaultRule {
    /// `fault`, for this share of all requests.
    pub fn new(fault: Fault, chance: f64) -> Self {
        Self { fault, service: None, operation: None, chance, times: None }
    }

    /// The same, of one service only.
    #[must_use]
    pub fn for_service(self, service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..self }
    }

    /// The same, of one operation only.
    #[must_use]
    pub fn for_operation(self, operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..self }
    }

    /// The same, so often at most.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    fn is_about(&self, call: &Call) -> bool {
        let service = match &self.service {
            Some(service) => *service == call.service,
            None => call.service != super::CLIENT,
        };
        service && self.operation.as_ref().is_none_or(|operation| *operation == call.operation)
    }
}

/// Which rule strikes request `number` (from 0) among those for `call`, if one does. `hits` has
/// how often each rule has hits so far; rules that it does not name have not.
pub fn matching_rule(plan: &FaultPlan, hits: &[u32], call: &Call, number: u64) -> Option<usize> {
    plan.rules.iter().enumerate().position(|(index, rule)| {
        let hits = hits.get(index).copied().unwrap_or_default();
        rule.is_about(call)
            && rule.times.is_none_or(|times| hits < times)
            && share(seeded_hash(plan.seed, &[index as u64, name(call), number])) < rule.chance
    })
}

/// Numbers as good as random, the same for the same arguments (SplitMix64's mixing, for each of them).
pub fn seeded_hash(seed: u64, arguments: &[u64]) -> u64 {
    arguments.iter().fold(mix(seed), |state, argument| mix(state ^ mix(*argument)))
}

fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Between 0 and 1, without 1.
fn share(seeded_hash: u64) -> f64 {
    (seeded_hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// A call as a number (FNV-1a).
fn name(call: &Call) -> u64 {
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
        fn a_seed_is_a_sequence(seed in any::<u64>(), chance in 0.0..1.0_f64) {
            let plan = plan(seed, vec![FaultRule::new(Fault::Refused, chance)]);
            let call = Call::new("s3", "GetObject");
            prop_assert_eq!(hits(&plan, &call, 100), hits(&plan, &call, 100));
        }

        #[test]
        fn as_many_are_struck_as_ordered(seed in any::<u64>(), chance in 0.0..1.0_f64) {
            let plan = plan(seed, vec![FaultRule::new(Fault::Refused, chance)]);
            let hits = hits(&plan, &Call::new("sqs", "SendMessage"), 4_000).into_iter().flatten().count();
            // Five standard deviations and more.
            prop_assert!((hits as f64 / 4_000.0 - chance).abs() < 0.045, "{hits} for {chance}");
        }

        #[test]
        fn no_rule_strikes_more_often_than_it_may(
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
        fn never_and_always_are_meant(seed in any::<u64>(), number in any::<u64>()) {
            let call = Call::new("sns", "Publish");
            let rules = vec![FaultRule::new(Fault::Reset, 0.0), FaultRule::new(Fault::Refused, 1.0)];
            prop_assert_eq!(matching_rule(&plan(seed, rules), &[], &call, number), Some(1));
        }
    }

    #[test]
    fn rules_strike_their_services_and_operations() {
        let rules = vec![
            FaultRule::new(Fault::Reset, 1.0).for_service("s3").for_operation("GetObject"),
            FaultRule::new(Fault::LostAnswer, 1.0).for_service("sqs"),
            FaultRule::new(Fault::Refused, 1.0).for_operation("Publish"),
            FaultRule::new(Fault::Partial, 1.0).for_service(CLIENT),
        ];
        let order = plan(7, rules);
        let hits = |service, operation| matching_rule(&order, &[], &Call::new(service, operation), 0);
        assert_eq!(hits("s3", "GetObject"), Some(0));
        assert_eq!(hits("s3", "PutObject"), None);
        assert_eq!(hits("sqs", "SendMessage"), Some(1));
        assert_eq!(hits("sns", "Publish"), Some(2));
        assert_eq!(hits(CLIENT, "PutObject"), Some(3));
        assert_eq!(matching_rule(&plan(1, vec![FaultRule::new(Fault::Reset, 1.0)]), &[], &Call::new(CLIENT, "PutObject"), 0), None);
    }

    #[test]
    fn other_seeds_and_other_calls_are_other_sequences() {
        let rules = || vec![FaultRule::new(Fault::Refused, 0.5)];
        let call = Call::new("s3", "GetObject");
        assert_ne!(hits(&plan(1, rules()), &call, 64), hits(&plan(2, rules()), &call, 64));
        assert_ne!(hits(&plan(1, rules()), &call, 64), hits(&plan(1, rules()), &Call::new("s3", "PutObject"), 64));
    }

    #[test]
    fn plans_are_small_documents() {
        let text = r#"{"seed":7,"rules":[
            {"fault":{"answer":{"status":503,"retryAfter":2}},"service":"s3","operation":"GetObject","chance":0.1},
            {"fault":"lostAnswer","times":1},{"fault":{"hang":{"millis":500}}},{"fault":{"late":{"millis":5}}}],"longestPause":60}"#;
        let plan: FaultPlan = serde_json::from_str(text).expect("a plan");
        assert_eq!(plan.rules[1], FaultRule::new(Fault::LostAnswer, 1.0).times(1));
        assert_eq!(plan.max_visibility_timeout, Some(60));
        let again: FaultPlan = serde_json::from_value(serde_json::to_value(&plan).expect("JSON")).expect("a plan");
        assert_eq!(again, plan);
        for wrong in [
            r#"{"seed":7,"rules":[{"fault":"fire"}]}"#,
            r#"{"seed":7,"rules":[{"fault":{"answer":{"status":404}}}]}"#,
            r#"{"seed":7,"rules":[{"fault":"reset","often":1}]}"#,
        ] {
            assert!(serde_json::from_str::<FaultPlan>(wrong).is_err(), "{wrong}");
        }
    }
}
