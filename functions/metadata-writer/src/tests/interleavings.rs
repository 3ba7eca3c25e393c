//! Enumerates the interleavings of a system's tasks, up to a bound of preemptions and crashes.
//!
//! Steps that do not touch each other lead to the same state in either order. What follows a state is run once for each rest
//! of the bounds.

use std::collections::HashSet;

/// Tasks that take one step at a time.
pub trait System {
    /// The tasks that can take a step.
    fn enabled(&self) -> Vec<usize>;
    /// Lets a task take its next step.
    fn step(&mut self, task: usize);
    /// Whether the task may crash now and start again.
    fn can_crash(&self, task: usize) -> bool;
    /// Ends the task; its message is delivered again.
    fn crash(&mut self, task: usize);
    /// A hash of all that decides what can follow: what is stored, and what each task has seen. A hash of 64 bits can hide
    /// a state; among a million states, with a probability of one in ten million.
    fn fingerprint(&self) -> u64;
    /// Why the state is wrong, if it is.
    fn violation(&self) -> Option<String>;
    /// Why the state is wrong after the last step, if it is.
    fn violation_at_end(&self) -> Option<String>;
    /// The steps so far.
    fn trace(&self) -> String;
}

/// The bounds of one schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Switches away from a task that could go on.
    pub preemptions: usize,
    /// Tasks that crash.
    pub crashes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Step(usize),
    Crash(usize),
}

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// Executions, some of which end in a state that was there before.
    pub schedules: usize,
    /// States, each with what is left of the bounds.
    pub states: usize,
}

/// The branches that are left to run, and the states from which all was run, or will be.
#[derive(Default)]
struct Search {
    open: Vec<Vec<Move>>,
    seen: HashSet<(u64, Option<usize>, Bounds)>,
}

/// Runs every schedule within `bounds`, each on a new system.
///
/// # Errors
/// The first violation, with the steps that lead to it.
pub fn explore<S: System>(start: impl Fn() -> S, bounds: Bounds) -> Result<Explored, String> {
    let mut schedules = 0;
    let mut search = Search { open: vec![Vec::new()], ..Search::default() };
    while let Some(prefix) = search.open.pop() {
        schedules += 1;
        let mut system = start();
        run(&mut system, prefix, bounds, &mut search)
            .map_err(|violation| format!("{violation}\n{}", system.trace()))?;
    }
    Ok(Explored { schedules, states: search.seen.len() })
}

/// Runs the schedule that begins with `prefix`, up to its end or a known state, and adds the schedules that branch off.
fn run(system: &mut impl System, prefix: Vec<Move>, bounds: Bounds, search: &mut Search) -> Result<(), String> {
    let (mut moves, mut left, mut last) = (Vec::new(), bounds, None);
    loop {
        let enabled = system.enabled();
        let Some(first) = enabled.first() else { return system.violation_at_end().map_or(Ok(()), Err) };
        let running = last.filter(|task| enabled.contains(task));
        let default = Move::Step(running.unwrap_or(*first));
        if moves.len() >= prefix.len() {
            if !search.seen.insert((system.fingerprint(), running, left)) {
                return Ok(());
            }
            let steps = enabled.iter().map(|task| Move::Step(*task));
            let crashes = enabled.iter().filter(|task| system.can_crash(**task)).map(|task| Move::Crash(*task));
            let others =
                steps.chain(crashes).filter(|other| *other != default && within(*other, running, left).is_some());
            search.open.extend(others.map(|other| [&moves[..], &[other]].concat()));
        }
        let chosen = prefix.get(moves.len()).copied().unwrap_or(default);
        left = within(chosen, running, left).ok_or("a schedule beyond its bounds")?;
        match chosen {
            Move::Step(task) => {
                system.step(task);
                last = Some(task);
            }
            Move::Crash(task) => {
                system.crash(task);
                last = None;
            }
        }
        moves.push(chosen);
        if let Some(violation) = system.violation() {
            return Err(violation);
        }
    }
}

/// The bounds that are left after a move; `None` if it exceeds them.
fn within(chosen: Move, running: Option<usize>, left: Bounds) -> Option<Bounds> {
    Some(match chosen {
        Move::Step(task) if running.is_none_or(|running| running == task) => left,
        Move::Step(_) => Bounds { preemptions: left.preemptions.checked_sub(1)?, ..left },
        Move::Crash(_) => Bounds { crashes: left.crashes.checked_sub(1)?, ..left },
    })
}
