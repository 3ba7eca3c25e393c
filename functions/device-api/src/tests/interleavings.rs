//! Concurrent requests for one phone, in every order of their calls. Each test asserts how many orders it has run.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use interleavings::{Actor, Bounds, Gate, Scenario, explore};
use jiff::Timestamp;

use super::{
    devices::{registration, unclaimed},
    in_memory_backend::InMemoryBackend,
};
use crate::{
    collection::collect,
    devices::{sign_in, sign_out},
    ports::Devices,
};

/// A request, or another process that uses the table.
#[derive(Debug, Clone, Copy)]
enum Process {
    /// User and token. The device's id is always the same.
    SignIn(&'static str, &'static str),
    SignOut(&'static str),
    /// Deletes endpoints without a device.
    Collect,
    /// `push-fanout` reads this user's device, and sends to its endpoint.
    Push(&'static str),
    /// `push-fanout` has sent to this user's device, and SNS reports that its endpoint is disabled.
    RemoveDisabled(&'static str),
}

/// What was there before, set up without concurrency.
type Before = fn(&InMemoryBackend);

struct Requests {
    backend: InMemoryBackend,
    processes: Vec<Process>,
    has_started: bool,
    crashed: Vec<usize>,
    /// Whether each process has succeeded.
    succeeded: Rc<RefCell<Vec<bool>>>,
    /// Whether a message has arrived at the phone of another user.
    strays: Rc<Cell<bool>>,
}

const NOW: Timestamp = Timestamp::constant(1_795_305_600, 0);

async fn run(backend: &InMemoryBackend, process: Process) -> bool {
    let ports = backend.ports();
    match process {
        Process::SignIn(user, token) => sign_in(&ports, NOW, user, "phone", registration(token)).await.is_ok(),
        Process::SignOut(user) => sign_out(&ports, user, "phone").await.is_ok(),
        Process::Collect => collect(&ports, NOW, || false).await.is_ok(),
        // Returns whether the message has arrived.
        Process::Push(user) => match Devices::get(backend, user, "phone").await.expect("a result") {
            Some(device) => backend.publish(&device.endpoint_arn).await,
            None => false,
        },
        Process::RemoveDisabled(user) => {
            let device = Devices::get(backend, user, "phone").await.expect("a result");
            let Some(device) = device else { return true };
            backend.unregister(&device).await.is_ok()
        }
    }
}

impl Requests {
    fn new(gate: Gate, before: Before, processes: &[Process]) -> Self {
        let backend = InMemoryBackend::behind(gate);
        before(&backend);
        let succeeded = Rc::new(RefCell::new(vec![false; processes.len()]));
        Self {
            backend,
            processes: processes.to_vec(),
            has_started: false,
            crashed: vec![],
            succeeded,
            strays: Rc::default(),
        }
    }
}

impl Scenario for Requests {
    fn start(&mut self) -> Vec<Actor> {
        if std::mem::replace(&mut self.has_started, true) {
            return Vec::new();
        }
        let actor = |(number, process): (usize, &Process)| -> Actor {
            let (backend, process, succeeded) = (self.backend.clone(), *process, self.succeeded.clone());
            let strays = self.strays.clone();
            Box::pin(async move {
                let has_succeeded = run(&backend, process).await;
                let mut succeeded = succeeded.borrow_mut();
                if matches!(process, Process::Push(_)) {
                    // After another user has signed in on the phone.
                    strays.set(strays.get() || has_succeeded && succeeded.contains(&true));
                    succeeded[number] = true;
                } else {
                    succeeded[number] = has_succeeded;
                }
            })
        };
        self.processes.iter().enumerate().map(actor).collect()
    }

    fn crashed(&mut self, actor: usize) {
        self.crashed.push(actor);
    }

    fn check(&self) -> Result<(), String> {
        let state = || {
            let claims: Vec<_> = self.backend.claims.borrow().values().cloned().collect();
            let devices: Vec<_> = self.backend.devices.borrow().values().cloned().collect();
            format!("{devices:?} {claims:?} {:?}", self.backend.endpoints.borrow())
        };
        for token in ["t", "u"] {
            if self.backend.users_at(token).len() > 1 {
                return Err(format!("two users at one phone: {}", state()));
            }
        }
        for device in self.backend.devices.borrow().values() {
            if !self.backend.endpoints.borrow().contains_key(&device.endpoint_arn) {
                return Err(format!("a device leads nowhere: {}", state()));
            }
            let claims = self.backend.claims.borrow();
            let claim = claims.get(device.token.as_str()).map(|claim| &claim.registration);
            if device.registration.is_some() && claim != device.registration.as_ref() {
                return Err(format!("a device has no claim: {}", state()));
            }
        }
        if self.strays.get() {
            return Err(format!("a message for another user: {}", state()));
        }
        let claims = self.backend.claims.borrow();
        let held = claims.values().filter(|claim| claim.holder.is_some()).count();
        if held > self.backend.devices.borrow().len() {
            return Err(format!("a claim has no device: {}", state()));
        }
        // The user who has signed in last is reached, unless one has signed out or the endpoint was disabled.
        let removes = |process: &Process| matches!(process, Process::SignOut(_) | Process::RemoveDisabled(_));
        let succeeded = self.succeeded.borrow();
        for token in ["t", "u"] {
            let has_signed_in = self.processes.iter().zip(&*succeeded).any(
                |(process, succeeded)| matches!(process, Process::SignIn(_, other) if *other == token && *succeeded),
            );
            // Between its two transactions, a crashed sign-in leaves no user on the phone.
            let has_crashed =
                self.crashed.iter().any(|crashed| matches!(self.processes[*crashed], Process::SignIn(..)));
            let others = has_crashed
                || self
                    .processes
                    .iter()
                    .any(|process| removes(process) || matches!(process, Process::SignIn(_, other) if *other != token));
            if has_signed_in && !others && self.backend.users_at(token).is_empty() {
                return Err(format!("no user is reached: {}", state()));
            }
        }
        if let Some(number) = (0..succeeded.len()).find(|number| !succeeded[*number] && !self.crashed.contains(number))
        {
            return Err(format!("process {number} has failed: {}", state()));
        }
        Ok(())
    }
}

/// Runs the setup, which needs no gate.
fn set_up(backend: &InMemoryBackend, processes: &[Process]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for process in processes {
        assert!(runtime.block_on(run(backend, *process)));
    }
}

const MINA_IN: Process = Process::SignIn("mina", "t");
const JUN_IN: Process = Process::SignIn("jun", "t");

fn nothing(_: &InMemoryBackend) {}

fn mina_is_in(backend: &InMemoryBackend) {
    set_up(backend, &[MINA_IN]);
}

fn mina_was_in(backend: &InMemoryBackend) {
    set_up(backend, &[MINA_IN, Process::SignOut("mina")]);
}

/// The version before wrote the device.
fn mina_is_in_unclaimed(backend: &InMemoryBackend) {
    backend.add_unclaimed(unclaimed("mina", "phone", "t", "old"));
}

/// As before, and the index does not show it yet.
fn mina_is_in_unindexed(backend: &InMemoryBackend) {
    mina_is_in_unclaimed(backend);
    backend.index_is_stale.set(true);
}

const ALL: Bounds = Bounds::ALL;
/// Where two sign-ins evict each other, every order takes minutes.
const THREE: Bounds = Bounds { preemptions: 3, crashes: 0 };

/// Every order of the calls of two processes, up to these bounds, and the number of orders.
const CASES: [(&str, Before, [Process; 2], Bounds, u64); 13] = [
    ("two sign in", nothing, [MINA_IN, JUN_IN], ALL, 924),
    ("one signs in again, another signs in", mina_is_in, [MINA_IN, JUN_IN], THREE, 337),
    ("one signs out, another signs in", mina_is_in, [Process::SignOut("mina"), JUN_IN], ALL, 97),
    ("one signs out and in", mina_is_in, [Process::SignOut("mina"), MINA_IN], ALL, 15),
    ("unclaimed, again and another", mina_is_in_unclaimed, [MINA_IN, JUN_IN], THREE, 550),
    ("unclaimed, out and another", mina_is_in_unclaimed, [Process::SignOut("mina"), JUN_IN], ALL, 162),
    ("unindexed, again and another", mina_is_in_unindexed, [MINA_IN, JUN_IN], ALL, 8887),
    ("new token, another takes it", mina_is_in, [Process::SignIn("mina", "u"), Process::SignIn("jun", "u")], ALL, 924),
    ("new token, another takes the old", mina_is_in, [Process::SignIn("mina", "u"), JUN_IN], THREE, 495),
    ("endpoint is collected, one signs in", mina_was_in, [Process::Collect, JUN_IN], ALL, 11_184),
    ("endpoint is collected twice", mina_was_in, [Process::Collect, Process::Collect], ALL, 2_466),
    ("one signs out, endpoints are collected", mina_is_in, [Process::SignOut("mina"), Process::Collect], ALL, 15),
    ("disabled while registering again", mina_is_in, [Process::RemoveDisabled("mina"), MINA_IN], ALL, 15),
];

#[test]
fn no_order_of_two_requests_reaches_two_users_or_none() {
    let mut counts = Vec::new();
    for (name, before, processes, bounds, _) in CASES {
        let explored = explore(bounds, |gate| Requests::new(gate, before, &processes));
        let explored = explored.unwrap_or_else(|violation| panic!("{name}: {violation:?}"));
        counts.push((name, explored.executions));
    }
    assert_eq!(counts, CASES.map(|(name, .., expected)| (name, expected)));
}

#[test]
fn no_order_of_two_requests_with_a_crash_reaches_two_users_or_none() {
    let bounds = Bounds { preemptions: 3, crashes: 1 };
    let mut executions = 0;
    for (name, before, processes, _, _) in CASES {
        let explored = explore(bounds, |gate| Requests::new(gate, before, &processes));
        executions += explored.unwrap_or_else(|violation| panic!("{name}: {violation:?}")).executions;
    }
    assert_eq!(executions, 33_742);
}

#[test]
fn three_requests_reach_one_user() {
    let bounds = Bounds { preemptions: 3, crashes: 0 };
    let mut executions = 0;
    for (before, third) in [
        (mina_was_in as Before, Process::Collect),
        (mina_is_in as Before, Process::SignOut("mina")),
        (mina_is_in_unclaimed as Before, Process::SignOut("mina")),
        (mina_is_in as Before, Process::SignIn("sora", "t")),
    ] {
        let processes = [MINA_IN, JUN_IN, third];
        let explored = explore(bounds, |gate| Requests::new(gate, before, &processes)).expect("no violation");
        executions += explored.executions;
    }
    assert_eq!(executions, 46_740);
}

#[test]
fn message_for_the_user_before_does_not_arrive_after_a_sign_in() {
    let mut executions = 0;
    for before in [mina_is_in as Before, mina_is_in_unclaimed as Before] {
        for bounds in [Bounds::ALL, Bounds { preemptions: 3, crashes: 1 }] {
            let new = |gate| Requests::new(gate, before, &[JUN_IN, Process::Push("mina")]);
            executions += explore(bounds, new).expect("no violation").executions;
        }
    }
    assert_eq!(executions, 701);
    // The test's own proof: the message arrives if the endpoint is kept.
    let defective = |gate| {
        let requests = Requests::new(gate, mina_is_in, &[JUN_IN, Process::Push("mina")]);
        requests.backend.keeps_endpoints.set(true);
        requests
    };
    explore(Bounds::ALL, defective).expect_err("a violation");
}

/// The test's own proof: without the claims, violations are found.
#[test]
fn violation_is_found_without_claims() {
    for processes in [[MINA_IN, JUN_IN], [Process::Collect, JUN_IN]] {
        let new = |gate| {
            let requests = Requests::new(gate, mina_was_in, &processes);
            requests.backend.ignores_claims.set(true);
            requests
        };
        explore(Bounds::ALL, new).expect_err("a violation");
    }
}
