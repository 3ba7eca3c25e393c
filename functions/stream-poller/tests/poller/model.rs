//! An exhaustive model of the checkpoint's row, the lease and fast resets: two pollers, one call to Neptune, SNS or
//! DynamoDB per step, in every order, with crashes, expired leases, a lagging replica and a changed policy.
//!
//! It follows the poller's protocol and does not run its code; `resets.rs` does, with one poller at a time. Each rule of
//! the protocol can be left out, and the model then finds a violation.

use std::collections::HashSet;

/// Commits per stream.
const MAX_COMMITS: u8 = 3;
const MAX_RESETS: u8 = 1;

/// The rules of the protocol.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// The stream is compared with the commit time of the last commit.
    compare: bool,
    /// A later generation starts with the oldest record, although the policy is to start with the latest.
    oldest: bool,
    /// Writes require owner and epoch.
    fence: bool,
}

const ALL: Rules = Rules { compare: true, oldest: true, fence: true };

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Row {
    position: Option<u8>,
    /// The stream of the commit at `position`, as its commit time shows it.
    committed: Option<u8>,
    generation: u8,
    is_stopped: bool,
    is_held: bool,
}

/// The next call of a poller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Step {
    #[default]
    Acquire,
    Start,
    Resolve,
    Read,
    Publish,
    Advance,
    Mark,
    StartGeneration,
    Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Poller {
    step: Step,
    /// Whether owner and epoch of the row are this poller's.
    holds: bool,
    generation: u8,
    position: u8,
    /// The stream of the last commit read, if it is known.
    last: Option<u8>,
    must_compare: bool,
    /// The stream of the commit that was read and is not checkpointed.
    read: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    stream: u8,
    commits: u8,
    /// A replica shows one commit less.
    lags: bool,
    policy_is_oldest: bool,
    row: Row,
    pollers: [Poller; 2],
    /// A bit for each published (generation, stream, commit).
    bus: u64,
}

fn bit(generation: u8, stream: u8, commit: u8) -> u64 {
    1 << ((generation * (MAX_RESETS + 1) + stream) * MAX_COMMITS + commit - 1)
}

impl State {
    /// Two published commits.
    fn initial() -> Self {
        let row = Row { position: Some(2), committed: Some(0), ..Row::default() };
        let bus = bit(0, 0, 1) | bit(0, 0, 2);
        let (pollers, policy_is_oldest) = ([Poller::default(); 2], false);
        Self { stream: 0, commits: 2, lags: false, policy_is_oldest, row, pollers, bus }
    }

    fn next(&self, rules: Rules) -> Vec<Self> {
        let mut states = self.environment();
        for index in 0..2 {
            states.extend(self.poll(index, rules));
        }
        states
    }

    fn environment(&self) -> Vec<Self> {
        let mut states = Vec::new();
        if self.commits < MAX_COMMITS {
            states.push(Self { commits: self.commits + 1, ..*self });
        }
        // A poller that has read no commit cannot recognise the stream: a documented limit.
        let is_known = |poller: &Poller| poller.step == Step::Acquire || poller.last.is_some();
        if self.stream < MAX_RESETS && self.row.position.is_some() && self.pollers.iter().all(is_known) {
            let mut reset = Self { stream: self.stream + 1, commits: 0, lags: false, ..*self };
            // A reset takes long enough for a read to fail.
            reset.pollers.iter_mut().for_each(|poller| poller.must_compare = true);
            states.push(reset);
        }
        states.push(Self { lags: !self.lags && self.commits > 0, ..*self });
        states.push(Self { policy_is_oldest: true, ..*self });
        // The lease expires; its holder may still run.
        let mut expired = Self { row: Row { is_held: false, ..self.row }, ..*self };
        expired.pollers.iter_mut().for_each(|poller| poller.holds = false);
        states.push(expired);
        for index in 0..2 {
            let mut crashed = *self;
            crashed.pollers[index] = Poller::default();
            states.push(crashed);
        }
        states
    }

    /// The states after the next call of a poller.
    fn poll(&self, index: usize, rules: Rules) -> Vec<Self> {
        let mut next = *self;
        let visible = self.commits - u8::from(self.lags);
        let State { row, pollers, bus, .. } = &mut next;
        let poller = &mut pollers[index];
        let holds = !rules.fence || poller.holds;
        poller.step = match poller.step {
            Step::Acquire => {
                if row.is_held {
                    return Vec::new();
                }
                row.is_held = true;
                let Row { position, committed, generation, .. } = *row;
                let (holds, position) = (true, position.unwrap_or(0));
                *poller = Poller { holds, generation, position, last: committed, must_compare: true, ..*poller };
                match (row.is_stopped, row.position) {
                    (true, _) => Step::Resolve,
                    (false, None) => Step::Start,
                    (false, Some(_)) => Step::Read,
                }
            }
            // The policy is to start with the latest record.
            Step::Start if !rules.oldest && visible > 0 => {
                if holds {
                    (row.position, row.committed) = (Some(visible), Some(self.stream));
                }
                (poller.position, poller.last) = (visible, Some(self.stream));
                Step::Read
            }
            Step::Start => Step::Read,
            Step::Resolve => {
                let is_same = rules.compare && poller.last == Some(self.stream) && poller.position <= visible;
                match (is_same, self.policy_is_oldest) {
                    (true, _) => {
                        if holds {
                            row.is_stopped = false;
                        }
                        Step::Read
                    }
                    (false, true) => Step::StartGeneration,
                    (false, false) => Step::Release,
                }
            }
            Step::Read => {
                let is_there = poller.position > 0 && poller.position <= visible;
                let is_replaced = is_there && poller.last.is_some_and(|last| last != self.stream);
                if rules.compare && poller.must_compare && is_replaced {
                    Step::Mark
                } else if visible < poller.position {
                    // The head stays before the last commit: a reset, or a replica that lags for too long.
                    poller.must_compare = true;
                    Step::Mark
                } else if visible == poller.position {
                    poller.must_compare = false;
                    // Idle: the run ends, at the latest by its deadline.
                    Step::Release
                } else {
                    (poller.must_compare, poller.position, poller.read) = (false, poller.position + 1, self.stream);
                    Step::Publish
                }
            }
            Step::Publish => {
                *bus |= bit(poller.generation, poller.read, poller.position);
                poller.last = Some(poller.read);
                Step::Advance
            }
            Step::Advance if holds && row.position.is_none_or(|position| position <= poller.position) => {
                (row.position, row.committed) = (Some(poller.position), Some(poller.read));
                Step::Read
            }
            // The lease is lost.
            Step::Advance => Step::Acquire,
            Step::Mark => {
                if holds {
                    row.is_stopped = true;
                }
                if self.policy_is_oldest { Step::StartGeneration } else { Step::Release }
            }
            Step::StartGeneration if holds => {
                let generation = row.generation.max(poller.generation + 1);
                (row.generation, row.position, row.committed, row.is_stopped) = (generation, None, None, false);
                (poller.generation, poller.position, poller.last) = (generation, 0, None);
                Step::Read
            }
            Step::StartGeneration => Step::Acquire,
            Step::Release => {
                if holds {
                    row.is_held = false;
                }
                Step::Acquire
            }
        };
        if poller.step == Step::Acquire {
            *poller = Poller::default();
        }
        // Generations are bounded: a lagging replica may start one more under the policy `oldest`.
        if next.row.generation > MAX_RESETS + 1 { Vec::new() } else { vec![next] }
    }

    fn has(&self, generation: u8, stream: u8, commit: u8) -> bool {
        self.bus & bit(generation, stream, commit) != 0
    }

    fn violation(&self) -> Option<&'static str> {
        for generation in 0..=MAX_RESETS + 1 {
            for commit in 1..=MAX_COMMITS {
                let of = (0..=MAX_RESETS).filter(|stream| self.has(generation, *stream, commit)).count();
                if of > 1 {
                    return Some("commits of two streams have the same event id");
                }
            }
        }
        let Row { position: Some(position), generation, committed: Some(stream), .. } = self.row else { return None };
        (1..=position).any(|commit| !self.has(generation, stream, commit)).then_some("the checkpoint passes a commit")
    }
}

/// Visits all states. Returns their number, or a violation with its length in steps.
fn explore(rules: Rules) -> Result<usize, (&'static str, usize)> {
    let mut level = vec![State::initial()];
    let mut seen: HashSet<_> = level.iter().copied().collect();
    for steps in 0.. {
        if let Some(violation) = level.iter().find_map(State::violation) {
            return Err((violation, steps));
        }
        level = level.iter().flat_map(|state| state.next(rules)).filter(|state| seen.insert(*state)).collect();
        if level.is_empty() {
            break;
        }
    }
    Ok(seen.len())
}

#[test]
fn protocol_loses_no_commit_in_any_order() {
    let states = explore(ALL).expect("no violation");
    assert!(states > 100_000, "only {states} states");
    println!("{states} states");
}

#[test]
fn each_rule_is_necessary() {
    for rules in [Rules { compare: false, ..ALL }, Rules { oldest: false, ..ALL }, Rules { fence: false, ..ALL }] {
        let (violation, steps) = explore(rules).expect_err("a violation");
        println!("{rules:?}: {violation} after {steps} steps");
    }
}
