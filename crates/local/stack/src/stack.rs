//! A deployed stack.

mod sidecars;

use std::{collections::BTreeMap, env, fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use aws_client::AwsClient;
use serde::{Deserialize, Serialize};

use self::sidecars::{ServiceSidecars, Sidecars};
use crate::{
    api_cors,
    blocking::block_on,
    cdn_key::{CdnKey, KEY_ID},
    deployment,
    emulator::{self, Emulator, EmulatorOptions},
    fifo_topic,
    function_code::{self, Versions},
    functions,
    paths::{cdn_key_file, graph_file, search_folder, state_file},
    push_credentials, recursive_loop,
    search_server::{Engine, remove_folder},
    sidecar::Sidecar,
    tools,
};

/// The domain in permissions. The search engines do not check permissions.
const SEARCH_DOMAIN_ARN: &str = "arn:aws:es:ap-northeast-2:000000000000:domain/local";

/// The environment variable with the path of the state file of the stack under test.
pub const STATE_VARIABLE: &str = "IYAGI_STACK";

/// `template.yaml`, deployed to an emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// The AWS emulator.
    pub emulator: Emulator,
    #[serde(flatten)]
    sidecars: Sidecars,
    #[serde(default)]
    options: EmulatorOptions,
    /// Parameters of the template that differ from those of other local stacks.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// Outputs of the template.
    outputs: BTreeMap<String, String>,
    /// The digest of the deployment's inputs.
    #[serde(default)]
    inputs: String,
    /// The deployed code.
    #[serde(default)]
    code: Versions,
}

impl Stack {
    /// Starts an emulator with IAM enforced and its sidecars, and deploys the built template.
    pub fn start(name: &str, search: Engine) -> Result<Self> {
        Self::start_fresh(name, search, false, &[])
    }

    /// Like [`Self::start`], with a fault proxy between the functions and all services, with an emulator that can be
    /// restarted, and with these parameters of the template.
    pub fn start_with_fault_proxy(name: &str, search: Engine, parameters: &[(&str, &str)]) -> Result<Self> {
        Self::start_fresh(name, search, true, parameters)
    }

    fn start_fresh(name: &str, search: Engine, with_fault_proxy: bool, parameters: &[(&str, &str)]) -> Result<Self> {
        // A new stack must not see the graph or the indexes of an older one.
        let stack = Self::stop_named(name)
            .and_then(|_| remove_if_exists(&graph_file(name)))
            .and_then(|()| remove_folder(&search_folder(name)))
            .and_then(|()| Self::create(name, search, with_fault_proxy, parameters));
        if stack.is_err() {
            Self::stop_named(name)?;
        }
        stack
    }

    fn create(name: &str, search: Engine, with_fault_proxy: bool, parameters: &[(&str, &str)]) -> Result<Self> {
        let port = emulator::free_port()?;
        let services = ServiceSidecars::start(name, &emulator::endpoint(port), search, with_fault_proxy)?;
        let functions_endpoint = services.fault_proxy.as_ref().map(|proxy| proxy.endpoint().to_owned());
        let options = EmulatorOptions { enforces_iam: true, functions_endpoint, persists_state: with_fault_proxy };
        let emulator = Emulator::start_at(name, port, &options)?;
        // The edge reads the key file when it starts.
        cdn_key(name, &emulator)?;
        let sidecars = Sidecars::start(name, services, &emulator.endpoint())?;
        let mut stack = Self {
            emulator,
            sidecars,
            options,
            parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            outputs: BTreeMap::new(),
            inputs: String::new(),
            code: Versions::new(),
        };
        stack.deploy(name)?;
        Ok(stack)
    }

    /// Restarts the emulator with its state.
    pub fn restart_emulator(&mut self, name: &str) -> Result<()> {
        self.emulator = self.emulator.restart(name, &self.options)?;
        self.save(name)
    }

    /// Kills the search engine and starts it again with its data. Without effect on an engine that keeps none.
    pub fn restart_search(&mut self, name: &str) -> Result<()> {
        self.sidecars.services.restart_search(name)?;
        self.save(name)
    }

    /// The running stack `name`.
    pub fn running(name: &str) -> Option<Self> {
        Self::load(&state_file(name)).ok().filter(|stack| stack.emulator.is_ready())
    }

    /// Stops all processes of the stack `name`. Returns whether there were any.
    pub fn stop_named(name: &str) -> Result<bool> {
        let emulator = Emulator::running(name);
        let sidecars = sidecars::running(name);
        let was_running = emulator.is_some() || !sidecars.is_empty();
        // The emulator stops first, since its functions call the sidecars.
        let stopped = emulator.map_or(Ok(()), |emulator| emulator.stop());
        sidecars.iter().map(Sidecar::stop).fold(stopped, Result::and).map(|()| was_running)
    }

    /// Stops all processes of the stack.
    pub fn stop(&self) -> Result<()> {
        self.sidecars.all().map(Sidecar::stop).fold(self.emulator.stop(), Result::and)
    }

    /// The stack under test, from [`STATE_VARIABLE`].
    pub fn under_test() -> Result<Self> {
        let file = env::var_os(STATE_VARIABLE)
            .with_context(|| format!("{STATE_VARIABLE} is not set: `cargo xtask test` deploys a stack and sets it"))?;
        Self::load(Path::new(&file))
    }

    /// Deploys the built template to the running emulator, or only the functions that changed if nothing else did. Restarts
    /// sidecars that have ended.
    pub fn redeploy(&mut self, name: &str) -> Result<()> {
        cdn_key(name, &self.emulator)?;
        self.sidecars.restart_ended(name, &self.emulator.endpoint())?;
        self.deploy(name)
    }

    fn deploy(&mut self, name: &str) -> Result<()> {
        let aws = self.aws();
        let secret = block_on(push_credentials::secret_arn(&aws)).context("cannot create the push credentials")?;
        let cdn_key = cdn_key(name, &self.emulator)?;
        let ffmpeg = tools::ffmpeg()?;
        let Sidecars { services, docs, cloudfront } = &self.sidecars;
        let ffmpeg = ffmpeg.to_str().context("the path of the checkout is not UTF-8")?;
        let mut parameters = vec![
            // The emulators use plain HTTP, and a development machine has few cores.
            ("RequireTls", "false"),
            // The emulator has no CodeDeploy.
            ("ApiCanary", "false"),
            // The variable of this name is not empty then, as the check of `sam local` expects.
            ("Release", "local"),
            ("Scale", "small"),
            ("NeptuneEndpointUrl", services.endpoint(&services.neptune)),
            ("NeptuneCluster", "local"),
            ("NeptuneClusterResourceId", "cluster-LOCAL"),
            ("SnsEndpointUrl", services.endpoint(&services.mobile_push)),
            ("OpenSearchEndpointUrl", services.endpoint(&services.search)),
            ("OpenSearchDomainArn", SEARCH_DOMAIN_ARN),
            ("SearchAnalyzer", services.search_engine.analyzer()),
            ("NeptuneTextIndex", "amazon_neptune"),
            ("PushCredentialsSecretArn", &secret),
            ("CorsOrigins", docs.endpoint()),
            ("FfmpegPath", ffmpeg),
            ("DeliveryBaseUrl", cloudfront.endpoint()),
            ("DeliveryKeyGroupId", "local"),
            ("DeliveryKeyId", KEY_ID),
            ("DeliveryKeySecretArn", &cdn_key.secret_arn),
        ];
        let own = self.parameters.clone();
        parameters.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let inputs = deployment::inputs(&parameters)?;
        let code = function_code::packaged_versions()?;
        if inputs == self.inputs {
            let changed = function_code::changed(&self.code, &code);
            block_on(function_code::update(&aws, deployment::STACK, &changed))?;
            println!("✓ The template is unchanged; functions updated: {}", changed.len());
        } else {
            // An interrupted deployment must not look complete.
            self.inputs.clear();
            self.save(name)?;
            self.outputs = deployment::deploy(&self.emulator, &parameters)?;
            block_on(api_cors::rename_keys(&aws, self.output("ApiId")?))?;
            block_on(fifo_topic::set_fifo(&aws, self.output("GraphChangesTopicArn")?))?;
            let template = fs::read_to_string(functions::built_template())?;
            block_on(recursive_loop::allow(&aws, deployment::STACK, &template))?;
        }
        self.inputs = inputs;
        self.code = code;
        self.save(name)
    }

    fn save(&self, name: &str) -> Result<()> {
        Ok(fs::write(state_file(name), serde_json::to_vec_pretty(self)?)?)
    }

    /// Names and ids of all processes other than functions.
    pub fn processes(&self) -> Vec<(String, i32)> {
        let mut all: Vec<_> =
            self.sidecars.all().map(|sidecar| (sidecar.subcommand().to_owned(), sidecar.pid())).collect();
        all.push(("emulator".to_owned(), self.emulator.pid()));
        all
    }

    /// Ports of the emulator and of the sidecars that functions call.
    pub(crate) fn ports(&self) -> Result<Vec<u16>> {
        let emulator = self.emulator.endpoint();
        let endpoints = self.sidecars.all().map(Sidecar::endpoint).chain([emulator.as_str()]);
        let port = |endpoint: &str| Ok(endpoint.rsplit_once(':').context("an endpoint without a port")?.1.parse()?);
        endpoints.map(port).collect()
    }

    /// A client of the fault proxy.
    ///
    /// # Errors
    /// If the stack was started without a fault proxy.
    pub fn fault_proxy(&self) -> Result<fault_proxy::Client> {
        let proxy = self.sidecars.services.fault_proxy.as_ref().context("this stack has no fault proxy")?;
        Ok(fault_proxy::Client::new(proxy.endpoint()))
    }

    /// Origin of the pages `/docs` and `/stories`.
    pub fn docs_endpoint(&self) -> &str {
        self.sidecars.docs.endpoint()
    }

    /// Base URL of derivatives.
    pub fn cdn_endpoint(&self) -> &str {
        self.sidecars.cloudfront.endpoint()
    }

    /// A client of the Neptune emulator.
    pub fn neptune(&self) -> neptune::Client {
        neptune::Client::new(self.sidecars.services.neptune.endpoint())
    }

    /// A client of the mobile push emulator.
    pub fn mobile_push(&self) -> mobile_push::Client {
        mobile_push::Client::new(self.sidecars.services.mobile_push.endpoint())
    }

    /// The search engine.
    pub fn search_engine(&self) -> Engine {
        self.sidecars.services.search_engine
    }

    /// Base URL of the search engine.
    pub fn search_endpoint(&self) -> &str {
        self.sidecars.services.search.endpoint()
    }

    /// The output `name` of the template.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output {name}"))
    }

    /// The URL of `path`, which starts with a slash, in the REST API. MiniStack's API Gateway has no host names.
    pub fn api_url(&self, path: &str) -> Result<String> {
        Ok(format!("{}/_aws/execute-api/{}/$default{path}", self.emulator.endpoint(), self.output("ApiId")?))
    }

    /// A client that calls the emulator as its administrator.
    pub fn aws(&self) -> AwsClient {
        AwsClient::new(self.emulator.endpoint())
    }

    /// Reads a state file.
    pub fn load(file: &Path) -> Result<Self> {
        let state = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_slice(&state)?)
    }
}

fn cdn_key(name: &str, emulator: &Emulator) -> Result<CdnKey> {
    let aws = AwsClient::new(emulator.endpoint());
    block_on(CdnKey::load_or_create(&cdn_key_file(name), &aws)).context("cannot create the key for signed URLs")
}

fn remove_if_exists(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
