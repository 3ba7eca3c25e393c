#![doc = include_str!("../README.md")]

use std::{
    cell::Cell,
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// A concurrent future of a scenario.
pub type Actor = Pin<Box<dyn Future<Output = ()>>>;

/// Holds back the calls of actors until the scheduler chooses one. Outside an execution, calls pass at once.
#[derive(Clone, Default)]
pub struct Gate(Rc<State>);

#[derive(Default)]
struct State {
    is_closed: Cell<bool>,
    has_permit: Cell<bool>,
    call: Cell<&'static str>,
}

impl Gate {
    /// Waits for the turn of this call. `call` names it in the trace of a violation.
    pub async fn pass(&self, call: &'static str) {
        poll_fn(|context| {
            if !self.0.is_closed.get() || self.0.has_permit.take() {
                self.0.call.set(call);
                return Poll::Ready(());
            }
            // Combinators such as `buffer_unordered` poll only futures that were woken.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Runs `actor` through one call, up to its next call or its end. Returns whether it has ended.
    fn run_step(&self, actor: &mut Actor) -> bool {
        /// A combinator may poll other futures before the one that takes the permit.
        const POLLS: usize = 1_000;
        self.0.has_permit.set(true);
        for _ in 0..POLLS {
            if poll(actor) {
                return true;
            }
            if !self.0.has_permit.get() {
                return false;
            }
        }
        panic!("an actor waits for something else than its gate");
    }
}

fn poll(actor: &mut Actor) -> bool {
    actor.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// One execution.
pub trait Scenario {
    /// The actors that can start now. Called before each step.
    fn start(&mut self) -> Vec<Actor>;
    /// Called after the crash of an actor, by its number in the order of start. It has made no further call.
    fn crashed(&mut self, _actor: usize) {}
    /// Checks the final state.
    ///
    /// # Errors
    /// A description of the invariant that does not hold.
    fn check(&self) -> Result<(), String>;
}

/// Limits of the executions.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Switches to another actor while the current one could continue.
    pub preemptions: usize,
    /// Actors that stop before one of their calls.
    pub crashes: usize,
}

impl Bounds {
    /// Every order, without crashes.
    pub const ALL: Self = Self { preemptions: usize::MAX, crashes: 0 };
}

/// Numbers of what was run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explored {
    /// Executions, each with a different order.
    pub executions: u64,
    /// Steps of all executions.
    pub steps: u64,
}

/// An execution whose final state breaks an invariant.
pub struct Violation {
    message: String,
    trace: Vec<String>,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.message, self.trace.join("\n  "))
    }
}

/// A possible continuation of an execution.
#[derive(Clone, Copy)]
enum Choice {
    Step(usize),
    Crash(usize),
}

/// Runs a scenario in every order of steps within `bounds`. `new` sets up an execution; its calls pass at once.
///
/// # Errors
/// The first execution that breaks an invariant.
pub fn explore<S: Scenario>(bounds: Bounds, new: impl Fn(Gate) -> S) -> Result<Explored, Violation> {
    let mut explored = Explored::default();
    // The number of options and the chosen one at each point of the execution.
    let mut path: Vec<(usize, usize)> = Vec::new();
    loop {
        let mut depth = 0;
        let choose = |options: usize| {
            if depth == path.len() {
                path.push((options, 0));
            }
            let (known, chosen) = path[depth];
            assert_eq!(known, options, "the execution is not deterministic");
            depth += 1;
            chosen
        };
        run(bounds, choose, &new, &mut explored)?;
        while path.last().is_some_and(|(options, chosen)| chosen + 1 == *options) {
            path.pop();
        }
        match path.last_mut() {
            Some((_, chosen)) => *chosen += 1,
            None => return Ok(explored),
        }
    }
}

/// Runs a scenario `executions` times, each time in a random order of steps within `bounds`.
///
/// # Errors
/// The first execution that breaks an invariant.
pub fn sample<S: Scenario>(executions: u64, bounds: Bounds, new: impl Fn(Gate) -> S) -> Result<Explored, Violation> {
    let mut explored = Explored::default();
    for seed in 1..=executions {
        // SplitMix64 (Steele, Lea, Flood 2014).
        let mut state = seed;
        let choose = |options: usize| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut random = state;
            random = (random ^ (random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            random = (random ^ (random >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            usize::try_from((random ^ (random >> 31)) % options as u64).unwrap_or_default()
        };
        run(bounds, choose, &new, &mut explored)?;
    }
    Ok(explored)
}

fn run<S: Scenario>(
    mut bounds: Bounds,
    mut choose: impl FnMut(usize) -> usize,
    new: &impl Fn(Gate) -> S,
    explored: &mut Explored,
) -> Result<(), Violation> {
    let gate = Gate::default();
    let mut scenario = new(gate.clone());
    gate.0.is_closed.set(true);
    let mut actors: Vec<Option<Actor>> = Vec::new();
    let mut trace = Vec::new();
    let mut last = None;
    loop {
        for mut actor in scenario.start() {
            // Up to its first call.
            let has_ended = poll(&mut actor);
            actors.push(Some(actor).filter(|_| !has_ended));
        }
        let choices = choices(&actors, last, bounds);
        if choices.is_empty() {
            break;
        }
        let choice = choices[if choices.len() == 1 { 0 } else { choose(choices.len()) }];
        let (Choice::Step(number) | Choice::Crash(number)) = choice;
        if last.is_some_and(|last: usize| last != number && actors[last].is_some()) {
            bounds.preemptions = bounds.preemptions.saturating_sub(1);
        }
        last = Some(number);
        if let Choice::Crash(_) = choice {
            bounds.crashes -= 1;
            actors[number] = None;
            scenario.crashed(number);
            trace.push(format!("{number}: crash"));
            continue;
        }
        let has_ended = actors[number].as_mut().is_some_and(|actor| gate.run_step(actor));
        if has_ended {
            actors[number] = None;
        }
        explored.steps += 1;
        trace.push(format!("{number}: {}", gate.0.call.get()));
    }
    gate.0.is_closed.set(false);
    explored.executions += 1;
    scenario.check().map_err(|message| Violation { message, trace })
}

/// The possible continuations: first the actor that ran last.
fn choices(actors: &[Option<Actor>], last: Option<usize>, bounds: Bounds) -> Vec<Choice> {
    let is_runnable = |number: &usize| actors[*number].is_some();
    let last = last.filter(is_runnable);
    let others = (0..actors.len()).filter(is_runnable).filter(|number| Some(*number) != last);
    let others: Vec<_> = if last.is_none() || bounds.preemptions > 0 { others.collect() } else { Vec::new() };
    let numbers: Vec<_> = last.into_iter().chain(others).collect();
    let crashes = if bounds.crashes > 0 { numbers.as_slice() } else { &[] };
    numbers.iter().map(|number| Choice::Step(*number)).chain(crashes.iter().map(|n| Choice::Crash(*n))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two actors that increment a counter by a read and a write.
    struct LostUpdate {
        counter: Rc<Cell<u32>>,
        actors: Vec<Actor>,
        crashed: usize,
        expected: u32,
    }

    impl LostUpdate {
        fn new(gate: &Gate, expected: u32) -> Self {
            let counter = Rc::new(Cell::new(0));
            let actor = || -> Actor {
                let (gate, counter) = (gate.clone(), counter.clone());
                Box::pin(async move {
                    gate.pass("read").await;
                    let read = counter.get();
                    gate.pass("write").await;
                    counter.set(read + 1);
                })
            };
            Self { actors: vec![actor(), actor()], counter, crashed: 0, expected }
        }
    }

    impl Scenario for LostUpdate {
        fn start(&mut self) -> Vec<Actor> {
            self.actors.split_off(0)
        }

        fn crashed(&mut self, _: usize) {
            self.crashed += 1;
        }

        fn check(&self) -> Result<(), String> {
            let counter = self.counter.get();
            if counter + u32::try_from(self.crashed).unwrap_or_default() >= self.expected {
                return Ok(());
            }
            Err(format!("the counter is {counter}"))
        }
    }

    #[test]
    fn every_order_is_run_once() {
        let explored = explore(Bounds::ALL, |gate| LostUpdate::new(&gate, 1)).expect("no violation");
        // Four steps, two of each actor.
        assert_eq!(explored, Explored { executions: 6, steps: 24 });
    }

    #[test]
    fn violation_is_found_and_traced() {
        let violation = explore(Bounds::ALL, |gate| LostUpdate::new(&gate, 2)).expect_err("a violation");
        assert_eq!(violation.message, "the counter is 1");
        assert_eq!(violation.trace.len(), 4);
        sample(100, Bounds::ALL, |gate| LostUpdate::new(&gate, 2)).expect_err("a violation");
    }

    #[test]
    fn preemptions_and_crashes_are_bounded() {
        let sequential = Bounds { preemptions: 0, crashes: 0 };
        let explored = explore(sequential, |gate| LostUpdate::new(&gate, 2)).expect("no violation");
        assert_eq!(explored.executions, 2);
        let crash = Bounds { preemptions: 0, crashes: 1 };
        let explored = explore(crash, |gate| LostUpdate::new(&gate, 2)).expect("no violation");
        // Either actor first; no crash, or one of them before its first or second call.
        assert_eq!(explored.executions, 10);
    }
}
