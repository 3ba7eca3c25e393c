//! `cargo xtask`: everything a developer does with the stack.

mod costs;
mod linters;
mod openapi;
mod ops;
mod suite;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use stack::{Stack, block_on, docs, emulator, functions, search, state_file, tools};

/// The name of the stack that `demo`, `up` and `down` share.
const DEVELOPMENT: &str = "development";

/// IYAGI's backend on one machine: sets itself up, needs no AWS account and no Docker.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the main jobs: photographs go in, variants and metadata come out; a story is told and
    /// heard; what happens in the graph reaches phones, and is found.
    ///
    /// Installs what is missing, builds the functions, starts emulators of AWS with IAM enforced, of
    /// Neptune Streams and of phones, deploys template.yaml, uploads the photographs in tests/photos,
    /// tells a story, plays a short day in the graph, and shows what becomes of them here and in
    /// target/demo/index.html.
    Demo {
        /// Leave the stack running afterwards and print how to reach it.
        #[arg(long)]
        keep: bool,
    },
    /// Run every check and test: format, lints, unit, contract and end-to-end tests.
    ///
    /// The end-to-end tests run against template.yaml, deployed to an emulator of its own with IAM
    /// enforced. The last line counts what passed and failed.
    Test,
    /// Measure how fast it is, in release builds: prints a table, keeps it in target/bench.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Say what a month would cost, by the arithmetic of docs/operations/costs.md.
    Costs(costs::Arguments),
    /// Write docs/api/openapi.json, the document of the REST API, anew from the types that the functions use.
    Openapi,
    /// Build and deploy the stack, and leave it running to develop against.
    ///
    /// If it runs already, what has changed is deployed to it; its data stays.
    Up {
        /// Deploy the functions and the template as they were last built.
        #[arg(long)]
        as_built: bool,
    },
    /// Look after a deployed stack, on AWS or, with --local, on this machine: its stream, its dead letters, its media.
    Ops(ops::Arguments),
    /// End the stack that `up` or `demo --keep` left running.
    Down,
    /// Run the page to try the API with until SIGTERM or Ctrl-C; its first line is its endpoint.
    ///
    /// It is at /docs there: every operation of the API's document, and a form to sign up and in. At
    /// /stories is a page that tells and plays stories.
    Docs(docs::Arguments),
    /// Run an edge of CloudFront before an emulator of AWS until SIGTERM or Ctrl-C; its first line is its endpoint.
    ///
    /// It lets pass what is open, or signed for, and has the emulator serve it.
    Edge(cloudfront::Arguments),
    /// Play random histories on a stack of its own, under faults, and hold their ends against a model.
    ///
    /// Functions are to be built: `cargo xtask up` does. Prints figures, keeps them in target/chaos; a
    /// history is repeated by its seed.
    Chaos(chaos::Arguments),
    /// Run a proxy that makes calls to AWS fail until SIGTERM or Ctrl-C; its first line is its endpoint.
    ///
    /// Order faults with PUT /_faults. The documents are described in the module `fault_proxy`.
    Faults(fault_proxy::Arguments),
    /// Hold what the functions of a running stack may do against what they were seen doing, as `test` does at its end.
    Privileges {
        /// The stack.
        #[arg(default_value = DEVELOPMENT)]
        name: String,
    },
    /// Run an emulator of Neptune Streams until SIGTERM or Ctrl-C; its first line is its endpoint.
    ///
    /// Write to it with POST /emulator/commit, read GET /propertygraph/stream, and order faults
    /// with POST /emulator/faults. The documents are described in the module `neptune`.
    Neptune(neptune::Arguments),
    /// Run a stand-in for SNS mobile push, FCM and phones until SIGTERM or Ctrl-C; its first line is
    /// its endpoint.
    ///
    /// Let AWS_ENDPOINT_URL_SNS name it, set phones up with PUT /_phones/{token}, and see what they
    /// show with GET /_phones/notifications. The calls are described in the module `mobile_push`.
    Phones(mobile_push::Arguments),
    /// Run a server that speaks OpenSearch's language until SIGTERM or Ctrl-C; its first line is its
    /// endpoint.
    ///
    /// It keeps everything in memory, and asks nobody who they are.
    Search(search::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo { keep } => show(keep),
        Command::Test => suite::run(),
        Command::Bench(bench) => bench::run(&bench),
        Command::Costs(arguments) => costs::run(&arguments),
        Command::Openapi => openapi::write(),
        Command::Up { as_built } => up(as_built).and_then(|stack| describe(&stack)),
        Command::Ops(arguments) => ops::run(&arguments),
        Command::Down => down(),
        Command::Docs(arguments) => block_on(docs::run(arguments)),
        Command::Edge(arguments) => arguments.try_into().and_then(|options| block_on(cloudfront::run(options))),
        Command::Chaos(arguments) => tools::install().and_then(|()| chaos::run(&arguments)),
        Command::Faults(arguments) => block_on(fault_proxy::run(arguments.into())),
        Command::Privileges { name } => privileges(&name),
        Command::Neptune(arguments) => block_on(neptune::run(arguments.into())),
        Command::Phones(arguments) => block_on(mobile_push::run(arguments.into())),
        Command::Search(arguments) => block_on(search::run(arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn show(keep: bool) -> Result<()> {
    let was_running = Stack::running(DEVELOPMENT).is_some();
    let stack = up(false)?;
    let shown = block_on(demo::run(&stack));
    if keep || was_running {
        describe(&stack)?;
    } else {
        stack.stop()?;
    }
    shown
}

fn up(as_built: bool) -> Result<Stack> {
    tools::install()?;
    if !as_built {
        functions::build(functions::BuildProfile::Local)?;
    }
    match Stack::running(DEVELOPMENT) {
        Some(mut stack) => {
            stack.redeploy(DEVELOPMENT)?;
            Ok(stack)
        }
        None => Stack::start(DEVELOPMENT),
    }
}

fn down() -> Result<()> {
    let was_there = Stack::stop_named(DEVELOPMENT)?;
    println!("{}", if was_there { "The stack is down." } else { "There is no stack to end." });
    Ok(())
}

fn privileges(name: &str) -> Result<()> {
    let stack = Stack::load(&state_file(name)).with_context(|| format!("no stack {name} is running"))?;
    iam_coverage::check(&stack, &emulator::usage_file(name))
}

fn describe(stack: &Stack) -> Result<()> {
    println!("\nThe stack is running. End it with: cargo xtask down\n");
    println!("  API        {}", stack.api_url("/v1/media")?);
    println!("  to try it  {}/docs", stack.docs_endpoint());
    println!("  stories    {}/stories", stack.docs_endpoint());
    println!("  AWS        {}   (AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test)", stack.emulator.endpoint());
    println!("  originals  s3://{}", stack.output("OriginalsBucketName")?);
    println!("  derived    s3://{}", stack.output("DerivedBucketName")?);
    println!("  graph      {}   (POST /emulator/commit)", stack.neptune().endpoint());
    println!("  phones     {}   (GET /_phones)", stack.mobile_push().endpoint());
    println!("  search     {}   (GET /search/_search)", stack.search_endpoint());
    Ok(())
}
