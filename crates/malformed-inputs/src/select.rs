use proptest::prelude::*;

/// One of `documents`.
pub(crate) fn one_of(documents: &[&str]) -> impl Strategy<Value = String> + use<> {
    prop::sample::select(documents.iter().map(|document| (*document).to_owned()).collect::<Vec<_>>())
}
