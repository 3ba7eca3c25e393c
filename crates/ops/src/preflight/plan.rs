//! What `template.yaml` would deploy with given parameters.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use yaml_serde::Value as Yaml;

use super::intrinsics::Template;

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Name of the stack.
    pub stack: String,
    /// Region of the stack.
    pub region: String,
    /// Instruction set of the functions.
    pub architecture: String,
    /// Instruction set of the functions that are built.
    pub built_for: Option<&'static str>,
    /// Parts that parameters add.
    pub parts: Parts,
    /// Sum of the maximum concurrencies of active event sources.
    pub workers: u64,
    /// Sum of the reserved concurrencies.
    pub reserved: u64,
    /// Functions whose reservation their event sources can use up.
    pub starved: Vec<String>,
    /// Number of functions behind the API without reserved concurrency.
    pub unreserved_apis: u64,
    /// Number of scheduled functions without reserved concurrency.
    pub unreserved_schedules: u64,
    /// The function with the most memory, and its megabytes.
    pub largest: (String, u64),
    /// Requests per second, and burst, of the API's stage.
    pub api_rate: (u64, u64),
    /// Explicit names of buckets.
    pub buckets: Vec<String>,
    /// Explicit names of queues.
    pub queues: Vec<String>,
    /// Values of the parameters of [`Self::REQUIRED_TOGETHER`] and a few more.
    pub parameters: BTreeMap<&'static str, String>,
}

/// Parts of the backend that parameters add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The poller of the graph's stream.
    pub graph: bool,
    /// Indexer and API of the search.
    pub search: bool,
    /// Whether both are in a VPC.
    pub search_in_vpc: bool,
    /// Devices and notifications.
    pub push: bool,
}

impl Plan {
    /// Parameters without which another is useless.
    pub const REQUIRED_TOGETHER: [(&'static str, &'static str); 16] = [
        ("NeptuneEndpointUrl", "NeptuneClusterResourceId"),
        ("NeptuneSubnetIds", "NeptuneSecurityGroupIds"),
        ("OpenSearchEndpointUrl", "OpenSearchDomainArn"),
        ("OpenSearchSubnetIds", "OpenSearchSecurityGroupIds"),
        ("DeliveryPublicKey", "DeliveryKeySecretArn"),
        ("DeliveryPublicKeyB", "DeliveryKeySecretArn"),
        ("DeliveryKeyGroupId", "DeliveryKeyId"),
        ("DeliveryKeyGroupId", "DeliveryKeySecretArn"),
        ("DeliveryDomainName", "DeliveryCertificateArn"),
        ("MailIdentityArn", "MailFrom"),
        ("AppleServicesId", "SignInDomainPrefix"),
        ("AppleServicesId", "SignInSecretArn"),
        ("GoogleClientId", "SignInDomainPrefix"),
        ("GoogleClientId", "SignInSecretArn"),
        ("KakaoRestApiKey", "SignInDomainPrefix"),
        ("KakaoRestApiKey", "SignInSecretArn"),
    ];

    /// Reads the template.
    ///
    /// # Errors
    /// If it is invalid, or a parameter is not declared or has no value.
    pub fn of(
        template: &str,
        stack: &str,
        region: &str,
        account: &str,
        parameters: BTreeMap<String, String>,
    ) -> Result<Self> {
        let pseudo = [("AWS::StackName", stack), ("AWS::Region", region), ("AWS::AccountId", account)];
        let template = Template::parse(template, parameters, &pseudo)?;
        let functions = template.deployed("AWS::Serverless::Function")?;
        let number = |value: &Yaml| -> Result<Option<u64>> {
            template.text(value)?.map(|text| text.parse().with_context(|| format!("{text} is no number"))).transpose()
        };
        let (mut reservations, mut unreserved, mut largest) = (BTreeMap::new(), Vec::new(), (String::new(), 0));
        for (name, function) in functions {
            match number(&function["ReservedConcurrentExecutions"])? {
                Some(executions) => drop(reservations.insert(name, executions)),
                None => unreserved.push(name),
            }
            let memory = number(&function["MemorySize"])?.unwrap_or(128);
            if memory > largest.1 {
                largest = (name.to_owned(), memory);
            }
        }
        let (mut workers, mut consumers) = (0, BTreeMap::<_, u64>::new());
        for (name, source) in template.deployed("AWS::Lambda::EventSourceMapping")? {
            if template.text(&source["Enabled"])?.as_deref() != Some("false") {
                let maximum = number(&source["ScalingConfig"]["MaximumConcurrency"])?;
                let maximum = maximum.with_context(|| format!("{name} has no maximum concurrency"))?;
                workers += maximum;
                let function = template.selected(&source["FunctionName"])?.as_str().unwrap_or_default().to_owned();
                *consumers.entry(function).or_default() += maximum;
            }
        }
        let is_starved = |function: &&str| consumers.get(*function).is_some_and(|used| *used >= reservations[function]);
        let starved = reservations.keys().copied().filter(is_starved).map(str::to_owned).collect();
        let reserved = reservations.values().sum();
        let invoked_by = |principal: &str| -> Result<u64> {
            let permissions = template.deployed("AWS::Lambda::Permission")?.into_iter();
            let of_principal = permissions.filter(|(_, permission)| permission["Principal"] == principal);
            let functions = of_principal.map(|(_, permission)| {
                let function = template.selected(&permission["FunctionName"])?.as_str().unwrap_or_default();
                Ok(function.trim_end_matches(".Alias"))
            });
            let functions = functions.collect::<Result<Vec<_>>>()?;
            Ok(functions.into_iter().filter(|function| unreserved.contains(function)).count() as u64)
        };
        let names = |kind: &str, property: &str| -> Result<Vec<String>> {
            let resources = template.deployed(kind)?.into_iter();
            resources.filter_map(|(_, resource)| template.text(&resource[property]).transpose()).collect()
        };
        let rate = |name: &str| template.parameter(name).parse().with_context(|| format!("{name} is no number"));
        let used = Self::REQUIRED_TOGETHER.into_iter().flat_map(|(one, other)| [one, other]);
        let used = used.chain(["ApiCanary", "Release"]);
        let parameters = used.map(|name| (name, template.parameter(name).to_owned())).collect();
        Ok(Self {
            stack: stack.to_owned(),
            region: region.to_owned(),
            architecture: template.parameter("Architecture").to_owned(),
            built_for: None,
            parts: Parts {
                graph: template.condition("HasGraph")?,
                search: template.condition("HasSearch")?,
                search_in_vpc: template.condition("HasSearchVpc")?,
                push: template.condition("HasPush")?,
            },
            workers,
            reserved,
            starved,
            unreserved_apis: invoked_by("apigateway.amazonaws.com")?,
            unreserved_schedules: invoked_by("events.amazonaws.com")?,
            largest,
            api_rate: (rate("ApiRate")?, rate("ApiBurst")?),
            buckets: names("AWS::S3::Bucket", "BucketName")?,
            queues: names("AWS::SQS::Queue", "QueueName")?,
            parameters,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn plan(parameters: &[(&str, &str)]) -> Plan {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Plan::of(super::super::TEMPLATE, "iyagi", "ap-northeast-2", "123456789012", parameters).expect("a plan")
    }

    #[test]
    fn defaults_need_no_reservation_and_the_memory_of_a_new_account() {
        let plan = plan(&[]);
        assert_eq!(plan.reserved, 0, "any reservation fails with 10 executions");
        assert!(plan.largest.1 <= 3_008, "{:?}", plan.largest);
        assert_eq!((plan.workers, plan.unreserved_apis), (14, 4), "preflight warns where an account has 10 executions");
        assert_eq!(plan.parts, Parts { graph: false, search: false, search_in_vpc: false, push: false });
        assert_eq!(plan.buckets, ["iyagi-originals-123456789012-ap-northeast-2"]);
        assert!(plan.queues.contains(&"iyagi-push.fifo".to_owned()), "{:?}", plan.queues);
    }

    #[test]
    fn production_leaves_room_for_the_api_in_a_grown_account() {
        let config = include_str!("../../../../samconfig.toml");
        let mut parameters = crate::samconfig::Deployment::parse(config, "production").expect("production").parameters;
        let urls = ["NeptuneEndpointUrl", "OpenSearchEndpointUrl", "PushCredentialsSecretArn"];
        parameters.extend(urls.map(|name| (name.to_owned(), "x".to_owned())));
        let plan = Plan::of(super::super::TEMPLATE, "iyagi", "ap-northeast-2", "1", parameters).expect("a plan");
        assert!(plan.parts.graph && plan.parts.search && plan.parts.push);
        assert_eq!((plan.unreserved_apis, plan.unreserved_schedules), (0, 0));
        // The quota of an account that is no longer new; Lambda keeps 100 unreserved.
        assert!(plan.reserved + plan.workers.max(100) <= 1_000, "{plan:?}");
    }
}
