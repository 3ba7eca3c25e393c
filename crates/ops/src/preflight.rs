//! What a deployment needs of an account, before anything is deployed.
//!
//! ```text
//! intrinsics  values of a template's functions and conditions for given parameters
//! plan        what template.yaml would deploy
//! package     the instruction set of what is built
//! account     reads quotas, roles, regions and names of the account
//! sign_in     tests of the parameters of sign-in
//! judgement   compares both: what will fail, and how to mend it
//! ```

mod account;
mod intrinsics;
mod judgement;
mod package;
mod plan;
#[cfg(test)]
mod sign_in;

pub(crate) use account::caller_arn;
use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use aws_config::SdkConfig;

use self::plan::Plan;
use crate::{
    findings::{CheckReport, Finding},
    samconfig::{Deployment, pair},
    signed_calls::SignedCalls,
};

/// The template of the backend, as it is in this checkout.
const TEMPLATE: &str = include_str!("../../../template.yaml");

/// Selects the parameters of the deployment.
#[derive(Debug, Clone, clap::Args)]
pub struct PreflightOptions {
    /// The environment of samconfig.toml that will be deployed.
    #[arg(long, default_value = "default")]
    pub config_env: String,
    /// The configuration of the SAM CLI.
    #[arg(long, default_value = "samconfig.toml")]
    pub config_file: PathBuf,
    /// A parameter as NAME=VALUE, in place of the configuration's. Repeatable.
    #[arg(long, value_name = "NAME=VALUE")]
    pub parameter: Vec<String>,
}

/// Compares a deployment with the account. Changes nothing.
///
/// # Errors
/// If the configuration or a parameter is invalid, or there are no credentials.
pub async fn preflight(config: &SdkConfig, stack: &str, options: &PreflightOptions) -> Result<CheckReport> {
    let file = &options.config_file;
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let deployment = Deployment::parse(&text, &options.config_env).with_context(|| file.display().to_string())?;
    let mut parameters = deployment.parameters;
    for entry in &options.parameter {
        parameters.extend([pair(entry)?]);
    }
    let calls = SignedCalls::new(config)?;
    let account = account::id(&calls).await;
    let account_id = account.as_deref().unwrap_or("000000000000");
    let mut plan = Plan::of(TEMPLATE, stack, calls.region(), account_id, parameters)?;
    let checkout = file.canonicalize()?;
    plan.built_for = checkout.parent().and_then(package::built_for);
    let account = account::read(config, &calls, account.clone(), &plan).await;
    let mut findings = judgement::judge(&plan, &account);
    if let Some(region) = deployment.region.filter(|region| region != calls.region()) {
        let text = format!("samconfig.toml deploys to {region}, but the tool's region is {}", calls.region());
        findings.insert(0, Finding::fails("region", text, format!("export AWS_REGION={region}")));
    }
    Ok(CheckReport { stack: stack.to_owned(), region: calls.region().to_owned(), findings })
}
