//! `template.yaml`, deployed to an emulator.

mod sidecars;

use std::{
    collections::BTreeMap,
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use aws_client::AwsClient;
use serde::{Deserialize, Serialize};

use self::sidecars::{Services, Sidecars};
use crate::{
    bus,
    cdn_key::{self, CdnKey},
    deployment,
    emulator::{self, Emulator, EmulatorOptions},
    gateway, paths, push_credentials,
    sidecar::Sidecar,
    tools,
};

/// The domain that permissions name; what plays it asks nobody for permission.
const SEARCH_DOMAIN_ARN: &str = "arn:aws:es:ap-northeast-2:000000000000:domain/local";

/// Tests find the stack by this variable: the path of its state file.
pub const STATE_VARIABLE: &str = "IYAGI_STACK";

/// A deployed stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// What plays AWS.
    pub emulator: Emulator,
    /// What runs beside it.
    #[serde(flatten)]
    sidecars: Sidecars,
    /// How the emulator is run.
    #[serde(default)]
    options: EmulatorOptions,
    /// The template's outputs.
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Starts an emulator with IAM enforced and its sidecars, and deploys the built template.
    pub fn start(name: &str) -> Result<Self> {
        Self::start_as(name, false)
    }

    /// The same with a proxy between the functions and all that they call, and an emulator that can be
    /// started again.
    pub fn start_with_faults(name: &str) -> Result<Self> {
        Self::start_as(name, true)
    }

    fn start_as(name: &str, with_faults: bool) -> Result<Self> {
        // A new stack has seen nothing of an old graph.
        let fresh =
            Self::end(name).and_then(|_| forget(&graph_file(name))).and_then(|()| Self::set_up(name, with_faults));
        if fresh.is_err() {
            Self::end(name)?;
        }
        fresh
    }

    fn set_up(name: &str, with_faults: bool) -> Result<Self> {
        let port = emulator::free_port()?;
        let aws = emulator::endpoint(port);
        let services = Services::start(name, &aws, with_faults)?;
        let functions_endpoint = services.faults.as_ref().map(|faults| faults.endpoint().to_owned());
        let options = EmulatorOptions { enforces_iam: true, functions_endpoint, persists_state: with_faults };
        let emulator = Emulator::start_at(name, port, &options)?;
        let sidecars = Sidecars::complete(name, services, &emulator)?;
        let mut stack = Self { emulator, sidecars, options, outputs: BTreeMap::new() };
        stack.deploy(name)?;
        Ok(stack)
    }

    /// StreamBounds the emulator and starts it again with what it held.
    pub fn restart_emulator(&mut self, name: &str) -> Result<()> {
        self.emulator = self.emulator.restart(name, &self.options)?;
        self.save(name)
    }

    /// The running stack `name`, if there is one.
    pub fn running(name: &str) -> Option<Self> {
        Self::load(&state_file(name)).ok().filter(|stack| stack.emulator.is_ready())
    }

    /// StreamBounds what runs of the stack `name`; whether anything did.
    pub fn end(name: &str) -> Result<bool> {
        let emulator = Emulator::running(name);
        let sidecars = sidecars::recorded(name);
        let was_there = emulator.is_some() || !sidecars.is_empty();
        // Functions may be at work: first they, then what they call.
        let ended = emulator.map_or(Ok(()), |emulator| emulator.stop());
        sidecars.iter().map(Sidecar::stop).fold(ended, Result::and).map(|()| was_there)
    }

    /// StreamBounds it.
    pub fn stop(&self) -> Result<()> {
        self.sidecars.all().map(Sidecar::stop).fold(self.emulator.stop(), Result::and)
    }

    /// The stack that the tests are to use.
    pub fn under_test() -> Result<Self> {
        let file = env::var_os(STATE_VARIABLE)
            .with_context(|| format!("{STATE_VARIABLE} is not set: `cargo xtask test` deploys a stack and sets it"))?;
        Self::load(Path::new(&file))
    }

    /// Deploys the built template again, to the same emulator. A sidecar that has died is started
    /// again.
    pub fn redeploy(&mut self, name: &str) -> Result<()> {
        self.sidecars.restart(name, &self.emulator)?;
        self.deploy(name)
    }

    fn deploy(&mut self, name: &str) -> Result<()> {
        let aws = self.aws();
        let secret = block_on(push_credentials::secret_arn(&aws)).context("cannot make the secret for push")?;
        let delivery = cdn_key(name, &self.emulator)?;
        let ffmpeg = tools::ffmpeg()?;
        let Sidecars { services, docs, edge } = &self.sidecars;
        let ffmpeg = ffmpeg.to_str().context("the path of the checkout is not UTF-8")?;
        self.outputs = deployment::deploy(
            &self.emulator,
            &[
                // The emulator speaks plain HTTP, and one machine has few cores.
                ("RequireTls", "false"),
                ("Scale", "small"),
                ("NeptuneEndpointUrl", services.endpoint(&services.neptune)),
                ("NeptuneCluster", "local"),
                ("NeptuneClusterResourceId", "cluster-LOCAL"),
                ("SnsEndpointUrl", services.endpoint(&services.phones)),
                ("OpenSearchEndpointUrl", services.endpoint(&services.search)),
                ("OpenSearchDomainArn", SEARCH_DOMAIN_ARN),
                ("SearchAnalyzer", "bigram"),
                ("NeptuneTextIndex", "amazon_neptune"),
                ("PushCredentialsSecretArn", &secret),
                ("CorsOrigins", docs.endpoint()),
                ("FfmpegPath", ffmpeg),
                ("DeliveryBaseUrl", edge.endpoint()),
                ("DeliveryKeyGroupId", "local"),
                ("DeliveryKeyId", cdn_key::ID),
                ("DeliveryKeySecretArn", &delivery.secret_arn),
            ],
        )?;
        block_on(gateway::respell_cors(&aws, self.output("ApiId")?))?;
        block_on(bus::keep_order(&aws, self.output("GraphChangesTopicArn")?))?;
        self.save(name)
    }

    fn save(&self, name: &str) -> Result<()> {
        Ok(fs::write(state_file(name), serde_json::to_vec_pretty(self)?)?)
    }

    /// The processes that it consists of beside the functions, with their ids: what measures looks at them.
    pub fn processes(&self) -> Vec<(String, i32)> {
        let sidecars = self.sidecars.all();
        let mut all: Vec<_> = sidecars.map(|of| (of.subcommand().to_owned(), of.pid())).collect();
        all.push(("emulator".to_owned(), self.emulator.pid()));
        all
    }

    /// Makes the functions' calls fail.
    ///
    /// # Errors
    /// If the stack was started without what does so.
    pub fn faults(&self) -> Result<fault_proxy::Client> {
        let faults = self.sidecars.services.faults.as_ref().context("this stack runs without a fault proxy")?;
        Ok(fault_proxy::Client::new(faults.endpoint()))
    }

    /// The origin of the page to try the API with, which is at `/docs`.
    pub fn docs(&self) -> &str {
        self.sidecars.docs.endpoint()
    }

    /// Where clients fetch derived files.
    pub fn delivery(&self) -> &str {
        self.sidecars.edge.endpoint()
    }

    /// Writes to the graph.
    pub fn neptune(&self) -> neptune::Client {
        neptune::Client::new(self.sidecars.services.neptune.endpoint())
    }

    /// Sees what phones show.
    pub fn phones(&self) -> mobile_push::Client {
        mobile_push::Client::new(self.sidecars.services.phones.endpoint())
    }

    /// Where what can be found is indexed.
    pub fn search(&self) -> &str {
        self.sidecars.services.search.endpoint()
    }

    /// The template's output `name`.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output {name}"))
    }

    /// Where clients reach `path`, which starts with a slash. Locally API Gateway has no host name
    /// of its own.
    pub fn api(&self, path: &str) -> Result<String> {
        Ok(format!("{}/_aws/execute-api/{}/$default{path}", self.emulator.endpoint(), self.output("ApiId")?))
    }

    /// Signed calls to the emulator, as its administrator.
    pub fn aws(&self) -> AwsClient {
        AwsClient::new(self.emulator.endpoint())
    }

    /// The stack that this file describes.
    pub fn load(file: &Path) -> Result<Self> {
        let state = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_slice(&state)?)
    }
}

/// Where the state of the stack `name` is kept.
pub fn state_file(name: &str) -> PathBuf {
    paths::workdir().join(name).join("stack.json")
}

/// Where the graph and its stream are kept, should its emulator have to be started again.
fn graph_file(name: &str) -> PathBuf {
    paths::workdir().join(name).join("graph.jsonl")
}

fn cdn_key(name: &str, emulator: &Emulator) -> Result<CdnKey> {
    let file = paths::workdir().join(name).join("delivery.pem");
    block_on(CdnKey::at(file, &AwsClient::new(emulator.endpoint()))).context("cannot make the key for delivery")
}

fn forget(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
