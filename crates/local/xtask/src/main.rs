//! `cargo xtask`: the commands of a developer.

mod costs;
mod development;
mod linters;
mod openapi;
mod ops;
mod prose;
mod sam_local;
mod suite;

use std::{process::ExitCode, thread};

use anyhow::{Context, Error, Result, anyhow, ensure};
use clap::{Parser, Subcommand};
use stack::{
    Stack, block_on, docs, emulator, functions,
    sam_local::{self as sam_files, containers},
    search_server::{self, Engine},
    state_file,
    tools::{self, Tool},
};

use self::development::DEVELOPMENT;

/// IYAGI's backend on one machine. Installs its tools; needs no AWS account and no Docker.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Demonstrate the backend: photographs, a recording, notifications and search.
    ///
    /// Installs missing tools, builds the functions, starts emulators of AWS with IAM enforced, of Neptune Streams and of
    /// mobile push, and deploys template.yaml. Uploads the photographs in tests/photos and a recording, changes the graph,
    /// and shows the results here and in target/demo/index.html.
    Demo {
        /// Leave the stack running and print its endpoints.
        #[arg(long)]
        keep: bool,
        /// Search engine of a stack that does not run yet.
        #[arg(long, value_enum)]
        search: Option<Engine>,
    },
    /// Run all checks and tests: format, lints, unit, contract and end-to-end tests.
    ///
    /// The end-to-end tests use template.yaml, deployed to a separate emulator with IAM enforced. The last line counts
    /// passed and failed tests.
    Test(suite::Arguments),
    /// List what this machine lacks for the other commands, with the commands that install it.
    Doctor,
    /// Run a benchmark with release builds: prints a table and writes it to target/bench.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Calculate the costs of a month from the tables of docs/operations/costs.md.
    Costs(costs::Arguments),
    /// Write docs/api/openapi.json, the document of the REST API, from the types of the code.
    Openapi,
    /// Build and deploy the stack for development, and leave it running.
    ///
    /// If the stack is running, deploys the changes; its data stays.
    Up {
        /// Deploy the last build.
        #[arg(long)]
        as_built: bool,
        /// Search engine of a stack that does not run yet: the embedded one by default; opensearch needs Java.
        #[arg(long, value_enum)]
        search: Option<Engine>,
    },
    /// Operate a stack on AWS or, with --local, on this machine: its stream, dead letters and media.
    Ops(ops::Arguments),
    /// Check a deployed stack as an app uses it: `ops smoke`.
    ///
    /// `cargo xtask smoke --stack NAME` for a stack on AWS, `cargo xtask smoke --local development` for that of `up`.
    Smoke(ops::Arguments),
    /// Make the ZIP of the Lambda layer with ffmpeg, for `ops setup --ffmpeg-layer`.
    ///
    /// ffmpeg comes from PyPI; its digest is compared with infra/tools/ffmpeg-layer.txt.
    Layer {
        /// The functions' instruction set: x86_64 or arm64.
        #[arg(long, default_value = "x86_64", value_parser = ["x86_64", "arm64"])]
        architecture: String,
    },
    /// Send the files of tests/events through `sam local invoke` against the stack of `up`; needs a Docker engine.
    SamLocal(sam_local::Arguments),
    /// Stop the stack that `up` or `demo --keep` left running.
    Down,
    /// Serve the pages /docs and /stories until SIGTERM or Ctrl-C. The first line of output is the endpoint.
    ///
    /// /docs is Swagger UI with a form to sign up and in. /stories uploads and plays stories.
    Docs(docs::Arguments),
    /// Run a CloudFront edge in front of an AWS emulator until SIGTERM or Ctrl-C. The first line of output is the endpoint.
    ///
    /// Checks signed URLs and forwards allowed requests to the emulator.
    Edge(cloudfront::Arguments),
    /// Execute random histories under faults on a separate stack, and compare the final states with a model.
    ///
    /// Requires built functions (`cargo xtask up`). Prints figures and writes them to target/chaos. A seed reproduces a
    /// history.
    Chaos(chaos::Arguments),
    /// Run a proxy that injects faults into calls to AWS until SIGTERM or Ctrl-C. The first line of output is the endpoint.
    ///
    /// PUT /_faults sets a fault plan. The crate `fault-proxy` documents the format.
    Faults(fault_proxy::Arguments),
    /// Compare the permissions of a running stack's functions with their recorded calls, as `test` does at its end.
    Privileges {
        /// Name of the stack.
        #[arg(default_value = DEVELOPMENT)]
        name: String,
    },
    /// Forward ports of the bridge between containers and this machine to its loopback interface until SIGTERM or Ctrl-C.
    #[command(hide = true)]
    Forward(containers::Arguments),
    /// Run an emulator of Neptune Streams until SIGTERM or Ctrl-C. The first line of output is the endpoint.
    ///
    /// POST /emulator/commit writes, GET /propertygraph/stream reads, POST /emulator/faults injects faults. The crate
    /// `neptune` documents the formats.
    Neptune(neptune::Arguments),
    /// Run an emulator of SNS mobile push, FCM and phones until SIGTERM or Ctrl-C. The first line of output is the endpoint.
    ///
    /// Set AWS_ENDPOINT_URL_SNS to the endpoint. PUT /_phones/{token} registers a phone, GET /_phones/notifications returns
    /// its notifications. The crate `mobile-push` documents the calls.
    Phones(mobile_push::Arguments),
    /// Run a server with OpenSearch's API until SIGTERM or Ctrl-C. The first line of output is the endpoint.
    ///
    /// It has no access control.
    Search(search_server::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo { keep, search } => demonstrate(keep, search),
        Command::Test(arguments) => suite::run(&arguments),
        Command::Doctor => launcher::doctor::run().map_err(Error::msg),
        Command::Bench(bench) => bench::run(&bench),
        Command::Costs(arguments) => costs::run(&arguments),
        Command::Openapi => openapi::write(),
        Command::Up { as_built, search } => up(as_built, search).and_then(|stack| {
            sam_files::prepare(&stack, DEVELOPMENT)?;
            print_endpoints(&stack)
        }),
        Command::Layer { architecture } => layer(&architecture),
        Command::SamLocal(arguments) => sam_local::run(&arguments),
        Command::Forward(arguments) => block_on(containers::run(arguments)),
        Command::Ops(arguments) => ops::run(&arguments),
        Command::Smoke(arguments) => ops::smoke(arguments),
        Command::Down => down(),
        Command::Docs(arguments) => block_on(docs::run(arguments)),
        Command::Edge(arguments) => arguments.try_into().and_then(|options| block_on(cloudfront::run(options))),
        Command::Chaos(arguments) => tools::install().and_then(|()| chaos::run(&arguments)),
        Command::Faults(arguments) => block_on(fault_proxy::run(arguments.into())),
        Command::Privileges { name } => privileges(&name),
        Command::Neptune(arguments) => block_on(neptune::run(arguments.into())),
        Command::Phones(arguments) => block_on(mobile_push::run(arguments.into())),
        Command::Search(arguments) => block_on(search_server::run(arguments)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(keep: bool, search: Option<Engine>) -> Result<()> {
    let was_running = Stack::running(DEVELOPMENT).is_some();
    let stack = up(false, search)?;
    let result = block_on(demo::run(&stack));
    if keep || was_running {
        print_endpoints(&stack)?;
    } else {
        stack.stop()?;
    }
    result
}

fn up(as_built: bool, search: Option<Engine>) -> Result<Stack> {
    let running = Stack::running(DEVELOPMENT);
    if let Some((stack, search)) = running.as_ref().zip(search) {
        let engine = stack.search_engine();
        ensure!(engine == search, "the running stack searches with {engine}; stop it first: cargo xtask down");
    }
    let build = || if as_built { Ok(()) } else { functions::build(functions::BuildProfile::Local) };
    // Installing waits for the network most of the time.
    let (built, installed) = thread::scope(|scope| {
        let installation = scope.spawn(tools::install);
        (build(), installation.join().unwrap_or_else(|_| Err(anyhow!("the installation panicked"))))
    });
    built.and(installed)?;
    match running {
        Some(mut stack) => {
            stack.redeploy(DEVELOPMENT)?;
            Ok(stack)
        }
        None => Stack::start(DEVELOPMENT, search.unwrap_or_default()),
    }
}

fn layer(architecture: &str) -> Result<()> {
    Tool::Audio.install()?;
    println!("{}", tools::ffmpeg_layer(architecture)?.display());
    Ok(())
}

fn down() -> Result<()> {
    let was_running = Stack::stop_named(DEVELOPMENT)?;
    println!("{}", if was_running { "The stack is stopped." } else { "No stack is running." });
    Ok(())
}

fn privileges(name: &str) -> Result<()> {
    let stack = Stack::load(&state_file(name)).with_context(|| format!("the stack {name} is not running"))?;
    iam_coverage::check(&stack, &emulator::usage_file(name))
}

fn print_endpoints(stack: &Stack) -> Result<()> {
    println!("\nThe stack is running. Stop it with: cargo xtask down\n");
    println!("  API        {}", stack.api_url("/v1/media")?);
    println!("  API page   {}/docs", stack.docs_endpoint());
    println!("  stories    {}/stories", stack.docs_endpoint());
    println!("  AWS        {}   (AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test)", stack.emulator.endpoint());
    println!("  originals  s3://{}", stack.output("OriginalsBucketName")?);
    println!("  derived    s3://{}", stack.output("DerivedBucketName")?);
    println!("  graph      {}   (POST /emulator/commit)", stack.neptune().endpoint());
    println!("  phones     {}   (GET /_phones)", stack.mobile_push().endpoint());
    println!("  search     {}   (GET /search/_search; {})", stack.search_endpoint(), stack.search_engine());
    Ok(())
}
