//! Enumerates the interleavings of a system's tasks, up to a bound of preemptions and crashes.

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
    /// Why the state is wrong, if it is.
    fn violation(&self) -> Option<String>;
    /// Why the state is wrong after the last step, if it is.
    fn violation_at_end(&self) -> Option<String>;
    /// The steps so far.
    fn trace(&self) -> String;
}

/// The bounds of one schedule.
#[derive(Debug, Clone, Copy)]
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

/// Runs every schedule within `bounds`, each on a new system. Returns their number.
///
/// # Errors
/// The first violation, with the steps that lead to it.
pub fn explore<S: System>(start: impl Fn() -> S, bounds: Bounds) -> Result<usize, String> {
    let mut schedules = 0;
    let mut open = vec![Vec::new()];
    while let Some(prefix) = open.pop() {
        schedules += 1;
        let mut system = start();
        run(&mut system, prefix, bounds, &mut open).map_err(|violation| format!("{violation}\n{}", system.trace()))?;
    }
    Ok(schedules)
}

/// Runs the schedule that begins with `prefix`, and adds the other schedules that branch off behind it to `open`.
fn run(system: &mut impl System, prefix: Vec<Move>, bounds: Bounds, open: &mut Vec<Vec<Move>>) -> Result<(), String> {
    let (mut moves, mut left, mut last) = (Vec::new(), bounds, None);
    loop {
        let enabled = system.enabled();
        let Some(first) = enabled.first() else { return system.violation_at_end().map_or(Ok(()), Err) };
        let running = last.filter(|task| enabled.contains(task));
        let default = Move::Step(running.unwrap_or(*first));
        if moves.len() >= prefix.len() {
            let steps = enabled.iter().map(|task| Move::Step(*task));
            let crashes = enabled.iter().filter(|task| system.can_crash(**task)).map(|task| Move::Crash(*task));
            let others =
                steps.chain(crashes).filter(|other| *other != default && within(*other, running, left).is_some());
            open.extend(others.map(|other| [&moves[..], &[other]].concat()));
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
