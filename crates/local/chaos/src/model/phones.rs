//! On which phones persons are signed in, and which of them show that an export is ready.

use std::collections::{BTreeMap, BTreeSet};

use super::Executed;
use crate::operation::Operation;

/// Rule of the notification that an export is ready.
pub const EXPORT_READY: &str = "export-ready";

/// Which phone each person is signed in on.
#[derive(Debug, Default)]
struct SignedIn(BTreeMap<usize, usize>);

impl SignedIn {
    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::SignIn { person, phone } => {
                self.0.retain(|_, used| *used != phone);
                self.0.insert(person, phone);
            }
            Operation::SignOut { person } | Operation::Erase { person, .. } => drop(self.0.remove(&person)),
            _ => {}
        }
    }
}

/// The phone on which a person is signed in when the account is erased.
pub fn phone_before_erasure(history: &[Executed], person: usize) -> Option<usize> {
    let mut signed_in = SignedIn::default();
    let is_erasure =
        |executed: &&Executed| matches!(executed.operation, Operation::Erase { person: other, .. } if other == person);
    history
        .iter()
        .take_while(|executed| !is_erasure(executed))
        .for_each(|executed| signed_in.apply(&executed.operation));
    signed_in.0.get(&person).copied()
}

/// The phones that show the notification of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportPhones {
    /// The phones that may show it.
    pub allowed: BTreeSet<usize>,
    /// The phone that must show it: the person was signed in there all the time.
    pub required: Option<usize>,
}

/// The phones for each person who requested an export.
pub fn exports(history: &[Executed]) -> BTreeMap<usize, ExportPhones> {
    let (mut signed_in, mut exports) = (SignedIn::default(), BTreeMap::<usize, ExportPhones>::new());
    for executed in history {
        signed_in.apply(&executed.operation);
        if let Operation::Export { person } = executed.operation {
            exports.entry(person).or_default().required = signed_in.0.get(&person).copied();
        }
        for (person, phones) in &mut exports {
            let phone = signed_in.0.get(person).copied();
            phones.allowed.extend(phone);
            phones.required = phones.required.filter(|required| Some(*required) == phone);
        }
    }
    exports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::executed;

    const EXPORT: Operation = Operation::Export { person: 0 };
    const SIGN_OUT: Operation = Operation::SignOut { person: 0 };

    fn sign_in(person: usize, phone: usize) -> Operation {
        Operation::SignIn { person, phone }
    }

    fn erase() -> Operation {
        Operation::Erase { person: 0, stories: vec![], comments: vec![] }
    }

    #[test]
    fn phone_belongs_to_who_signed_in_last() {
        let phone = |operations: &[Operation]| {
            phone_before_erasure(&executed([operations, &[erase(), sign_in(0, 4)]].concat()), 0)
        };
        assert_eq!(phone(&[]), None);
        assert_eq!(phone(&[sign_in(0, 1), sign_in(0, 2), sign_in(1, 1)]), Some(2));
        assert_eq!(phone(&[sign_in(0, 1), sign_in(1, 1)]), None);
        assert_eq!(phone(&[sign_in(0, 1), SIGN_OUT]), None);
    }

    #[test]
    fn export_is_shown_where_its_person_is_signed_in() {
        let phones = |operations: Vec<Operation>| {
            let ExportPhones { allowed, required } = exports(&executed(operations)).remove(&0).expect("an export");
            (allowed.into_iter().collect::<Vec<_>>(), required)
        };
        assert_eq!(phones(vec![sign_in(0, 1), EXPORT]), (vec![1], Some(1)));
        assert_eq!(phones(vec![sign_in(0, 1), EXPORT, sign_in(0, 2), sign_in(0, 1)]), (vec![1, 2], None));
        assert_eq!(phones(vec![sign_in(0, 1), EXPORT, sign_in(1, 1)]), (vec![1], None));
        assert_eq!(phones(vec![sign_in(0, 1), EXPORT, erase()]), (vec![1], None));
        assert_eq!(phones(vec![sign_in(0, 1), SIGN_OUT, EXPORT]), (vec![], None));
    }
}
