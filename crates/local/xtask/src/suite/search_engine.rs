use anyhow::Result;
use stack::search_server::Engine;

/// The search engine of the tests, installed. Prints which it is.
pub fn search_engine() -> Result<Engine> {
    let engine = Engine::for_tests()?;
    println!("The tests search with {engine}.");
    Ok(engine)
}
